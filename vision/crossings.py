"""Road users counted, one by one, and what they come to: turning movement counts and totals."""

from __future__ import annotations

import math
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from traffic.counts import Health, TurnCount, VehicleClass
from vision.boxes import overlaps
from vision.camera import Camera
from vision.health import Outage, pieces

SAME_PLACE_OVERLAP = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One road user counted.

    `time_s` is seconds since the first frame, `place` 0-1 along the line, `share` the part of the
    track's votes that its class has.
    """

    line: str
    direction: str
    movement: str
    vehicle_class: VehicleClass
    time_s: float
    place: float
    track: int
    share: float
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    speed_kph: float | None = None

    def lane(self, n_lanes: int) -> int:
        """Return which of the lanes along the line it was in, the first at the line's first point."""
        return min(n_lanes - 1, int(self.place * n_lanes))

    def is_same_place(self, other: Crossing) -> bool:
        """Whether both were seen in the same place, more than half in common: one that stood, counted twice."""
        pair = np.array([self.box, other.box], np.float32)
        return bool(overlaps(pair[:1], pair[1:])[0, 0] > SAME_PLACE_OVERLAP)


def turn_counts(
    crossings: Iterable[Crossing], camera: Camera, watched_s: float, outages: Sequence[Outage] = ()
) -> list[TurnCount]:
    """Return turning movement counts per movement, class and period.

    Parameters
    ----------
    crossings
        What was counted.
    camera
        Its lines, directions, movements and periods.
    watched_s
        Seconds from the first frame to the end of the last. The last period is as long as it was
        watched, so that its flow is not understated.
    outages
        Spans in which the camera was not healthy, seconds since the first frame. A period is cut there: what was
        watched stays known, the span itself is unknown.
    """
    rows, spans = list(crossings), []
    for period in range(math.ceil(watched_s / camera.period_s)):
        start_s = period * camera.period_s
        spans += pieces(start_s, min(start_s + camera.period_s, watched_s), outages)
    starts_s = np.array([start_s for start_s, _, _ in spans])
    where = np.searchsorted(starts_s, [row.time_s for row in rows], side="right") - 1
    tally = Tally((row.movement, row.vehicle_class, int(place)) for row, place in zip(rows, where, strict=True))
    return [
        TurnCount(
            movement=movement,
            vehicle_class=name,
            start_s=camera.begin_s + start_s,
            period_s=end_s - start_s,
            count=tally[movement, name, place] if health is Health.OK else None,
            health=health,
        )
        for place, (start_s, end_s, health) in enumerate(spans)
        for movement in counted_movements(camera)
        for name in counted_classes(camera)
    ]


def counted_movements(camera: Camera) -> list[str]:
    """Return the movements, or lines and directions, that a camera reports."""
    lines = [camera.movement(line, side) for line in camera.lines for side in (0, 1)]
    return list(dict.fromkeys([*lines, *camera.turns.values()]))


def counted_classes(camera: Camera) -> tuple[VehicleClass, ...]:
    """Return the classes that a camera reports, each of which may be 0."""
    reported = set(camera.class_map.values())
    return tuple(name for name in VehicleClass if name in reported)


def line_totals(crossings: Iterable[Crossing], camera: Camera) -> list[dict[str, str | int]]:
    """Return one row {line, direction, class, count} for each line (or entry zone), direction (or exit) and class."""
    tally = Tally((row.line, row.direction, row.vehicle_class) for row in crossings)
    ways = [(line.name, direction) for line in camera.lines for direction in line.directions]
    return [
        {"line": line, "direction": direction, "class": str(name), "count": tally[line, direction, name]}
        for line, direction in [*ways, *camera.turns]
        for name in counted_classes(camera)
    ]
