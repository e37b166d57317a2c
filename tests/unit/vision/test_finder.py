"""Frames are laid into a network's input and its output is laid back, whatever the shape."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from traffic.counts import VehicleClass
from traffic.errors import BadWeights
from vision.boxes import CLASSES, Boxes, FloatArray
from vision.camera import COCO_CLASSES
from vision.finder import LoadedNetwork, YoloFinder, input_size, lay_in

NAMES = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 4: "airplane"}
FRAME = np.zeros((360, 640, 3), np.uint8)


def make_finder(output: FloatArray, names: Mapping[int, str] = NAMES) -> YoloFinder:
    return YoloFinder(LoadedNetwork(run=lambda batch: output, names=names), 416, COCO_CLASSES)


def raw_head(*rows: tuple[tuple[float, float, float, float], int, float]) -> FloatArray:
    """Return what a YOLO head gives: shape (1, 4 + classes, n), boxes as centre and size."""
    output = np.zeros((1, 4 + len(NAMES), max(len(rows), 8)), np.float32)
    for column, (box, number, score) in enumerate(rows):
        output[0, :4, column] = box
        output[0, 4 + number, column] = score
    return output


def found(boxes: Boxes) -> list[tuple[VehicleClass, list[float]]]:
    return [(CLASSES[i], xyxy.round(1).tolist()) for i, xyxy in zip(boxes.class_index, boxes.xyxy, strict=True)]


@pytest.mark.parametrize(
    ("frame", "longer", "expected"),
    [((360, 640), 416, (256, 416)), ((1080, 1920), 640, (384, 640)), ((640, 360), 416, (416, 256))],
    ids=["wide", "full HD", "upright"],
)
def test_the_input_keeps_the_aspect_of_the_frame(
    frame: tuple[int, int], longer: int, expected: tuple[int, int]
) -> None:
    assert input_size(frame, longer) == expected


def test_a_frame_lies_in_the_middle_of_its_input_red_first() -> None:
    image = np.full((100, 200, 3), (10, 20, 255), np.uint8)
    batch, letterbox = lay_in(image, (128, 128))
    assert batch.shape == (1, 3, 128, 128)
    assert (letterbox.scale, letterbox.left, letterbox.top) == (0.64, 0, 32)
    assert batch[0, :, 64, 64] * 255 == pytest.approx([255, 20, 10])
    assert batch[0, :, 0, 0] * 255 == pytest.approx([114, 114, 114])


def test_a_box_comes_back_in_pixels_of_the_frame() -> None:
    # 640x360 lies in 416x256 at a scale of 0.65 with 11 rows of grey above: (100, 100) -> (65, 76)
    boxes = make_finder(raw_head(((65.0, 76.0, 13.0, 6.5), 2, 0.9))).find(FRAME)
    assert found(boxes) == [(VehicleClass.CAR, [90.0, 95.0, 110.0, 105.0])]


def test_a_head_that_has_suppressed_already_is_read_too() -> None:
    output = np.zeros((1, 300, 6), np.float32)
    output[0, 0] = [58.5, 72.75, 71.5, 79.25, 0.9, 2]
    output[0, 1] = [158.5, 72.75, 171.5, 79.25, 0.9, 4]
    assert found(make_finder(output).find(FRAME)) == [(VehicleClass.CAR, [90.0, 95.0, 110.0, 105.0])]


def test_weak_boxes_and_classes_that_are_not_counted_are_left_out() -> None:
    box = (65.0, 76.0, 13.0, 6.5)
    assert len(make_finder(raw_head((box, 2, 0.05), (box, 4, 0.9))).find(FRAME)) == 0


def test_a_box_ends_at_the_edge_of_the_frame() -> None:
    boxes = make_finder(raw_head(((0.0, 128.0, 65.0, 65.0), 2, 0.9))).find(FRAME)
    assert boxes.xyxy[0, 0] == 0.0


def test_a_network_without_any_counted_class_is_refused() -> None:
    with pytest.raises(BadWeights, match="none of its classes is counted"):
        make_finder(raw_head(), {0: "cat", 1: "dog"})
