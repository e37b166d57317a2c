"""Counts road users over lines: one count a track and line, its class by a vote over the whole track."""

from __future__ import annotations

import math
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from traffic.counts import TurnCount, VehicleClass
from vision.boxes import CLASSES, FloatArray, overlaps
from vision.camera import Camera
from vision.tracker import Tracks
from vision.zones import Gate, Pass, anchors, inside, margin_px

MEMORY_S = 5.0
"""How long a road user is remembered after it was last seen."""

MIN_HEIR_OVERLAP = 0.5
"""A track that is born where one was lost, with boxes that overlap so far, is the same road user, which stood still:
it goes on with its gates and votes, so that a van at the line is not counted again after a bus hid it."""

MIN_REST_OVERLAP = 0.7
REST_S = 0.5
"""How long a box must have kept its place for its road user to be standing."""


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


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What is remembered of one road user; `rest_box` is where it has been since `rest_s`."""

    track: int
    gates: tuple[Gate, ...]
    votes: FloatArray
    box: FloatArray
    time_s: float
    rest_box: FloatArray
    rest_s: float
    passes: list[tuple[int, Pass]] = field(default_factory=list)

    @property
    def is_standing(self) -> bool:
        """Whether it kept its place when it was last seen."""
        return self.time_s - self.rest_s >= REST_S

    def look(self, time_s: float, box: FloatArray) -> None:
        """Take where it is now."""
        self.box, self.time_s = box, time_s
        if overlaps(box[None], self.rest_box[None])[0, 0] < MIN_REST_OVERLAP:
            self.rest_box, self.rest_s = box, time_s


class Counter:
    """Counts what crosses a camera's lines."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._seen: dict[int, _Seen] = {}
        self._done: list[Crossing] = []
        self.n_counted = 0

    def update(self, time_s: float, tracks: Tracks) -> None:
        """Take the tracks of the next frame."""
        boxes, ids = tracks.boxes, tracks.ids
        points = anchors(boxes.xyxy)
        if self._camera.region is not None and len(boxes):
            kept = inside(points, self._camera.region)
            boxes, ids, points = boxes.take(kept), ids[kept], points[kept]
        present = {int(track) for track in ids}
        for i, track in enumerate(int(track) for track in ids):
            seen = self._seen.get(track) or self._adopt(track, time_s, boxes.xyxy[i], present)
            seen.votes[boxes.class_index[i]] += boxes.confidence[i]
            seen.look(time_s, boxes.xyxy[i])
            margin = margin_px(boxes.xyxy[i], self._camera.size)
            for number, gate in enumerate(seen.gates):
                passed = gate.move(time_s, (float(points[i, 0]), float(points[i, 1])), margin)
                if passed is not None:
                    seen.passes.append((number, passed))
                    self.n_counted += 1
        self._forget(time_s - MEMORY_S)

    def crossings(self) -> list[Crossing]:
        """Return everything counted so far in order of time, with the votes as they stand."""
        rows = [*self._done, *(row for seen in self._seen.values() for row in self._resolve(seen))]
        return sorted(rows, key=lambda row: row.time_s)

    def _adopt(self, track: int, time_s: float, box: FloatArray, present: set[int]) -> _Seen:
        """Return the memory for a new track: that of a lost road user who stood here, else a fresh one."""
        lost = [seen for name, seen in self._seen.items() if name not in present and seen.is_standing]
        if lost:
            shares = overlaps(box[None], np.stack([seen.box for seen in lost]))[0]
            best = int(shares.argmax())
            if shares[best] >= MIN_HEIR_OVERLAP:
                heir = self._seen.pop(lost[best].track)
                heir.track = track
                self._seen[track] = heir
                return heir
        gates = tuple(Gate(line=line) for line in self._camera.lines)
        votes = np.zeros(len(CLASSES), np.float32)
        fresh = _Seen(track=track, gates=gates, votes=votes, box=box, time_s=time_s, rest_box=box, rest_s=time_s)
        self._seen[track] = fresh
        return fresh

    def _forget(self, before_s: float) -> None:
        for track in [track for track, seen in self._seen.items() if seen.time_s < before_s]:
            self._done += self._resolve(self._seen.pop(track))

    def _resolve(self, seen: _Seen) -> Iterator[Crossing]:
        best = int(seen.votes.argmax())
        for number, passed in seen.passes:
            line, side = self._camera.lines[number], int(passed.is_to_right)
            direction = line.directions[side]
            yield Crossing(
                line=line.name,
                direction=direction,
                movement=line.movements[side] or f"{self._camera.name}:{line.name}:{direction}",
                vehicle_class=CLASSES[best],
                time_s=passed.time_s,
                place=passed.place,
                track=seen.track,
                share=float(seen.votes[best] / max(float(seen.votes.sum()), 1e-9)),
            )


def counted_classes(camera: Camera) -> tuple[VehicleClass, ...]:
    """Return the classes that a camera reports, each of which may be 0."""
    reported = set(camera.class_map.values())
    return tuple(name for name in VehicleClass if name in reported)


def turn_counts(crossings: Iterable[Crossing], camera: Camera, watched_s: float) -> list[TurnCount]:
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
    """
    tally = Tally((row.movement, row.vehicle_class, int(row.time_s // camera.period_s)) for row in crossings)
    movements = list(
        dict.fromkeys(
            line.movements[side] or f"{camera.name}:{line.name}:{line.directions[side]}"
            for line in camera.lines
            for side in (0, 1)
        )
    )
    return [
        TurnCount(
            movement=movement,
            vehicle_class=name,
            start_s=camera.begin_s + period * camera.period_s,
            period_s=min(camera.period_s, watched_s - period * camera.period_s),
            count=tally[movement, name, period],
        )
        for period in range(math.ceil(watched_s / camera.period_s))
        for movement in movements
        for name in counted_classes(camera)
    ]


def line_totals(crossings: Iterable[Crossing], camera: Camera) -> list[dict[str, str | int]]:
    """Return one row {line, direction, class, count} for each line, direction and class."""
    tally = Tally((row.line, row.direction, row.vehicle_class) for row in crossings)
    return [
        {"line": line.name, "direction": direction, "class": str(name), "count": tally[line.name, direction, name]}
        for line in camera.lines
        for direction in line.directions
        for name in counted_classes(camera)
    ]
