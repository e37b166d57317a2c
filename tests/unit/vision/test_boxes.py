"""One box per road user: overlaps and nests suppressed, riders merged."""

from __future__ import annotations

import numpy as np
import pytest

from traffic.counts import VehicleClass
from vision.boxes import CLASSES, Boxes, clean, merge_riders, overlaps, suppress_nested, suppress_overlaps

CAR, BUS, TRUCK = VehicleClass.CAR, VehicleClass.BUS, VehicleClass.TRUCK
MOTORCYCLE, PEDESTRIAN = VehicleClass.MOTORCYCLE, VehicleClass.PEDESTRIAN
Row = tuple[VehicleClass, float, tuple[float, float, float, float]]


def make_boxes(*rows: Row) -> Boxes:
    return Boxes(
        xyxy=np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        confidence=np.array([row[1] for row in rows], np.float32),
        class_index=np.array([CLASSES.index(row[0]) for row in rows], np.int64),
    )


def classes_of(boxes: Boxes) -> list[VehicleClass]:
    return [CLASSES[i] for i in boxes.class_index]


def test_overlap_is_intersection_over_union() -> None:
    # two squares of 100, sharing 50: 50 / 150
    first, second = np.array([[0, 0, 10, 10]], np.float32), np.array([[5, 0, 15, 10]], np.float32)
    assert overlaps(first, second)[0, 0] == pytest.approx(1 / 3)


def test_boxes_without_area_overlap_nothing() -> None:
    point = np.array([[3, 3, 3, 3]], np.float32)
    assert overlaps(point, point)[0, 0] == 0.0


def test_of_a_car_and_a_truck_on_one_vehicle_the_surer_stays() -> None:
    boxes = make_boxes((CAR, 0.4, (0, 0, 100, 60)), (TRUCK, 0.7, (2, 0, 102, 60)))
    assert classes_of(suppress_overlaps(boxes)) == [TRUCK]


def test_a_cab_in_its_lorry_is_one_vehicle() -> None:
    boxes = make_boxes((TRUCK, 0.8, (0, 0, 200, 100)), (CAR, 0.5, (150, 40, 198, 98)))
    assert classes_of(suppress_nested(boxes)) == [TRUCK]


def test_a_motorcycle_in_front_of_a_bus_is_left_alone() -> None:
    boxes = make_boxes((BUS, 0.9, (0, 0, 200, 150)), (MOTORCYCLE, 0.4, (60, 80, 90, 148)))
    assert classes_of(suppress_nested(boxes)) == [BUS, MOTORCYCLE]


def test_a_rider_and_a_pillion_become_part_of_the_motorcycle() -> None:
    boxes = make_boxes(
        (MOTORCYCLE, 0.5, (10, 40, 40, 80)), (PEDESTRIAN, 0.9, (12, 10, 38, 65)), (PEDESTRIAN, 0.6, (14, 12, 36, 62))
    )
    merged = merge_riders(boxes)
    assert classes_of(merged) == [MOTORCYCLE]
    assert merged.xyxy[0].tolist() == [10, 10, 40, 80]


@pytest.mark.parametrize(
    "person",
    [(60, 10, 80, 80), (12, 30, 38, 130)],
    ids=["beside it", "standing in front of it"],
)
def test_a_person_who_does_not_ride_stays_a_pedestrian(person: tuple[float, float, float, float]) -> None:
    boxes = make_boxes((MOTORCYCLE, 0.5, (10, 40, 40, 80)), (PEDESTRIAN, 0.9, person))
    assert classes_of(merge_riders(boxes)) == [MOTORCYCLE, PEDESTRIAN]


def test_a_sure_rider_does_not_erase_the_motorcycle_below() -> None:
    boxes = make_boxes((PEDESTRIAN, 0.9, (10, 10, 40, 78)), (MOTORCYCLE, 0.3, (10, 20, 40, 80)))
    assert classes_of(clean(boxes)) == [MOTORCYCLE]


def test_no_boxes_stay_no_boxes() -> None:
    assert len(clean(Boxes.empty())) == 0


def test_arrays_of_unlike_length_are_refused() -> None:
    with pytest.raises(ValueError, match="want"):
        Boxes(xyxy=np.zeros((2, 4), np.float32), confidence=np.zeros(1, np.float32), class_index=np.zeros(2, np.int64))
