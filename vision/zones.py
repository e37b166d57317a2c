"""Lines that are crossed and regions that are looked at.

::

              left                     d < 0
    start ------------------> end      d = 0
              right                    d > 0     distance to the right of the line, pixels

    A road user is where the middle of its box's lower edge is. It takes a side only once it is
    further from the line than a margin, a share of its own height, or has been over it for a while
    without a break: on the line is on neither side, so that a van that stops there and trembles does
    not cross again and again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from traffic.network import Point
from vision.boxes import FloatArray
from vision.camera import CountLine

HYSTERESIS = 0.15
"""Margin as a share of the box's height; the lower edge of a standing vehicle's box trembles by a few per cent."""

SETTLED_S = 1.5
"""How long a road user must be over a line by less than the margin, at every look, to be on its other side."""

MIN_MARGIN_PX = 2.0
EDGE_PX = 2.0
"""A box this near to the frame's edge is cut off there: its anchor stays at the edge, so the least margin holds."""


def anchors(xyxy: FloatArray) -> FloatArray:
    """Return the middle of each lower edge, shape (n, 2)."""
    return np.column_stack([(xyxy[:, 0] + xyxy[:, 2]) / 2, xyxy[:, 3]]).astype(np.float32)


def inside(points: FloatArray, region: tuple[Point, ...]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which points lie in a polygon, its edge included, shape (n,)."""
    polygon = np.asarray(region, np.float32)
    return np.array(
        [cv2.pointPolygonTest(polygon, (float(x), float(y)), False) >= 0 for x, y in points], dtype=np.bool_
    )


def distance_right_px(line: CountLine, point: Point) -> float:
    """Return how far a point lies to the right of a line (negative: to the left).

    Examples
    --------
    >>> distance_right_px(CountLine(name="a", start=(0.0, 5.0), end=(10.0, 5.0)), (3.0, 7.0))
    2.0
    """
    dx, dy = line.end[0] - line.start[0], line.end[1] - line.start[1]
    return (dx * (point[1] - line.start[1]) - dy * (point[0] - line.start[0])) / math.hypot(dx, dy)


def along(line: CountLine, point: Point) -> float:
    """Return where a point lies along a line: 0 at its start, 1 at its end, beyond them outside."""
    dx, dy = line.end[0] - line.start[0], line.end[1] - line.start[1]
    return (dx * (point[0] - line.start[0]) + dy * (point[1] - line.start[1])) / (dx * dx + dy * dy)


def margin_px(xyxy: FloatArray, frame_size: tuple[int, int]) -> float:
    """Return how far from a line the road user in this box, shape (4,), must be to be on a side of it."""
    width, height = frame_size
    is_cut = xyxy[0] <= EDGE_PX or xyxy[1] <= EDGE_PX or xyxy[2] >= width - EDGE_PX or xyxy[3] >= height - EDGE_PX
    return MIN_MARGIN_PX if is_cut else max(MIN_MARGIN_PX, HYSTERESIS * float(xyxy[3] - xyxy[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A passage over a line: when and where, and whether to the right."""

    time_s: float
    place: float
    is_to_right: bool


@dataclass(slots=True, kw_only=True)
class Gate:
    """What is known of one road user and one line.

    `side` is -1 left, 1 right, 0 not yet known. A passage is over the line itself, not over its
    extension, and there is one for each road user.
    """

    line: CountLine
    side: int = 0
    is_passed: bool = False
    _last: tuple[float, Point, float] | None = None
    _over: tuple[float, float] | None = None
    _over_since_s: float | None = None

    def move(self, time_s: float, point: Point, margin: float) -> Pass | None:
        """Take the next position; return the passage in the moment in which it is certain."""
        distance = distance_right_px(self.line, point)
        if self._last is not None and (self._last[2] < 0) != (distance < 0):
            self._over = self._meet(time_s, point, distance)
        if self.side == 0 and self._last is None:
            self.side = _sign(distance)
        self._last = (time_s, point, distance)
        if _sign(distance) == self.side:
            self._over_since_s = None
            return None
        self._over_since_s = time_s if self._over_since_s is None else self._over_since_s
        if abs(distance) < margin and time_s - self._over_since_s < SETTLED_S:
            return None
        self.side, self._over_since_s = _sign(distance), None
        if self.is_passed or self._over is None or not 0.0 <= self._over[1] <= 1.0:
            return None
        self.is_passed = True
        return Pass(time_s=self._over[0], place=self._over[1], is_to_right=distance > 0)

    def _meet(self, time_s: float, point: Point, distance: float) -> tuple[float, float]:
        """Return when and where along the line the way from the last position met it."""
        assert self._last is not None
        before_s, start, before = self._last
        share = before / (before - distance)
        meeting = start[0] + share * (point[0] - start[0]), start[1] + share * (point[1] - start[1])
        return before_s + share * (time_s - before_s), along(self.line, meeting)


def _sign(distance: float) -> int:
    return 1 if distance >= 0 else -1
