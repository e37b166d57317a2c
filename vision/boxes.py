"""What a finder found in one frame: arrays of boxes, and the cleaning that every finder needs.

::

    pixels: x to the right, y down; a box is x1 y1 x2 y2

    suppress_overlaps   two boxes on one vehicle            -> the surer one
    suppress_nested     a cab's box inside its lorry's box  -> the surer one
    merge_riders        person above a motorcycle           -> one motorcycle with both in its box
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from traffic.counts import VehicleClass

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

CLASSES: tuple[VehicleClass, ...] = tuple(VehicleClass)
"""Numbers of classes in `Boxes.class_index`."""

_TWO_WHEELED = (CLASSES.index(VehicleClass.MOTORCYCLE), CLASSES.index(VehicleClass.BICYCLE))
_FOUR_WHEELED = tuple(CLASSES.index(name) for name in (VehicleClass.CAR, VehicleClass.BUS, VehicleClass.TRUCK))
_PEDESTRIAN = CLASSES.index(VehicleClass.PEDESTRIAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """Boxes of one frame.

    Attributes
    ----------
    xyxy
        Left, top, right, bottom in pixels of the frame, shape (n, 4).
    confidence
        0-1, shape (n,).
    class_index
        Places in `CLASSES`, shape (n,).
    """

    xyxy: FloatArray
    confidence: FloatArray
    class_index: IntArray

    def __post_init__(self) -> None:
        n = len(self.confidence)
        if self.xyxy.shape != (n, 4) or self.confidence.shape != (n,) or self.class_index.shape != (n,):
            raise ValueError(
                f"boxes {self.xyxy.shape}, {self.confidence.shape}, {self.class_index.shape}: want (n, 4), (n,), (n,)"
            )

    def __len__(self) -> int:
        return len(self.confidence)

    def take(self, index: npt.NDArray[np.bool_] | IntArray) -> Boxes:
        """Return some of the boxes, by mask or by place."""
        return Boxes(xyxy=self.xyxy[index], confidence=self.confidence[index], class_index=self.class_index[index])

    @staticmethod
    def empty() -> Boxes:
        """Return no boxes."""
        return Boxes(
            xyxy=np.zeros((0, 4), np.float32),
            confidence=np.zeros(0, np.float32),
            class_index=np.zeros(0, np.int64),
        )


def areas(xyxy: FloatArray) -> FloatArray:
    """Return areas in square pixels, shape (n,)."""
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0.0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def intersections(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the common area of every pair in square pixels, shape (n_first, n_second)."""
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.maximum(bottom_right - top_left, 0.0)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def overlaps(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return intersection over union of every pair, 0-1, shape (n_first, n_second)."""
    common = intersections(first, second)
    union = areas(first)[:, None] + areas(second)[None, :] - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0), np.float32)


def suppress_overlaps(boxes: Boxes, *, max_overlap: float = 0.6) -> Boxes:
    """Keep the surest of boxes that overlap, whatever their classes: one vehicle, one box."""
    return _suppress(boxes, overlaps(boxes.xyxy, boxes.xyxy) > max_overlap)


def suppress_nested(boxes: Boxes, *, min_inside: float = 0.85) -> Boxes:
    """Keep the surer of two boxes of like vehicles, one of which holds this share of the other.

    Like = both on four wheels or both on two. A motorcycle in front of a bus is left alone.
    """
    smaller = np.minimum(areas(boxes.xyxy)[:, None], areas(boxes.xyxy)[None, :])
    inside = intersections(boxes.xyxy, boxes.xyxy) > min_inside * np.maximum(smaller, 1e-6)
    four, two = np.isin(boxes.class_index, _FOUR_WHEELED), np.isin(boxes.class_index, _TWO_WHEELED)
    alike = (four[:, None] & four[None, :]) | (two[:, None] & two[None, :])
    return _suppress(boxes, inside & alike)


def merge_riders(boxes: Boxes, *, min_inside: float = 0.3) -> Boxes:
    """Merge every person who sits on a motorcycle or bicycle into its box.

    A rider is a person of whose box at least `min_inside` lies on the two-wheeler's box, whose
    centre is above that box's bottom and within its width, and who does not reach far below it.
    """
    people = np.flatnonzero(boxes.class_index == _PEDESTRIAN)
    bikes = np.flatnonzero(np.isin(boxes.class_index, _TWO_WHEELED))
    if not len(people) or not len(bikes):
        return boxes
    person, bike = boxes.xyxy[people], boxes.xyxy[bikes]
    share = intersections(person, bike) / np.maximum(areas(person), 1e-6)[:, None]
    centre_x = (person[:, 0] + person[:, 2])[:, None] / 2
    is_within = (centre_x > bike[None, :, 0]) & (centre_x < bike[None, :, 2])
    reach = bike[None, :, 3] + 0.25 * (bike[None, :, 3] - bike[None, :, 1])
    share = np.where(is_within & (person[:, None, 3] <= reach), share, 0.0)
    xyxy, keep = boxes.xyxy.copy(), np.ones(len(boxes), bool)
    for row, best in enumerate(share.argmax(axis=1)):
        if share[row, best] >= min_inside:
            target = bikes[best]
            xyxy[target, :2] = np.minimum(xyxy[target, :2], person[row, :2])
            xyxy[target, 2:] = np.maximum(xyxy[target, 2:], person[row, 2:])
            keep[people[row]] = False
    return Boxes(xyxy=xyxy, confidence=boxes.confidence, class_index=boxes.class_index).take(keep)


def clean(boxes: Boxes) -> Boxes:
    """Return one box per road user: overlaps and nests suppressed, riders merged.

    People are kept out of the overlap rule, else a rider's box would erase the motorcycle's.
    """
    is_person = boxes.class_index == _PEDESTRIAN
    vehicles = suppress_nested(suppress_overlaps(boxes.take(~is_person)))
    people = suppress_overlaps(boxes.take(is_person))
    return merge_riders(_join(vehicles, people))


def _join(first: Boxes, second: Boxes) -> Boxes:
    return Boxes(
        xyxy=np.concatenate([first.xyxy, second.xyxy]),
        confidence=np.concatenate([first.confidence, second.confidence]),
        class_index=np.concatenate([first.class_index, second.class_index]),
    )


def _suppress(boxes: Boxes, clashes: npt.NDArray[np.bool_]) -> Boxes:
    """Go from the surest box down and drop those that clash with one already kept."""
    order = np.argsort(-boxes.confidence, kind="stable")
    kept = np.zeros(len(boxes), bool)
    for place in order:
        kept[place] = not (clashes[place] & kept).any()
    return boxes.take(kept)
