"""Counts road users over lines: one count a track and line, its class by a vote over the whole track."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from traffic.network import Point
from vision.boxes import CLASSES, FloatArray, overlaps
from vision.camera import Camera
from vision.crossings import Crossing
from vision.speed import MIN_LOOKS, fit_speed_kph
from vision.tracker import Tracks
from vision.turns import Turn, ZoneWalk, zone_of_each
from vision.zones import Gate, Pass, anchors, inside, margin_px

MEMORY_S = 5.0
"""How long a road user is remembered after it was last seen."""

MIN_HEIR_OVERLAP = 0.5
"""A track that is born where one was lost, with boxes that overlap so far, is the same road user, which stood still:
it goes on with its gates and votes, so that a van at the line is not counted again after a bus hid it."""

HEIR_GAP_S = 2.0
HEIR_REACH = 0.6
"""A track that is born within this time, and within this share of the box's diagonal from where one that was lost
would be now, is the same road user, which something hid on its way."""

WAY_LOOKS = 16
"""Looks that a speed is fitted over, at most."""
WAY_S = 1.2

MIN_REST_OVERLAP = 0.7
REST_S = 0.5
"""How long a box must have kept its place for its road user to be standing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one road user is now, and whether it stands."""

    anchor: Point
    box: tuple[float, float, float, float]
    is_standing: bool


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
    speed_px: FloatArray
    walk: ZoneWalk = field(default_factory=ZoneWalk)
    way: deque[tuple[float, Point]] = field(default_factory=lambda: deque(maxlen=WAY_LOOKS))
    passes: list[tuple[int, Pass, FloatArray, float | None]] = field(default_factory=list)
    turns: list[tuple[Turn, FloatArray, float | None]] = field(default_factory=list)

    @property
    def is_standing(self) -> bool:
        """Whether it kept its place when it was last seen."""
        return self.time_s - self.rest_s >= REST_S

    def reach(self, time_s: float, box: FloatArray) -> float:
        """Return how far a box is from where this road user would be now, as a share of its own diagonal."""
        middle = (self.box[:2] + self.box[2:]) / 2 + self.speed_px * (time_s - self.time_s)
        apart = float(np.linalg.norm((box[:2] + box[2:]) / 2 - middle))
        return apart / max(1.0, float(np.linalg.norm(self.box[2:] - self.box[:2])))

    def look(self, time_s: float, box: FloatArray) -> None:
        """Take where it is now; the speed of its middle is smoothed over some looks."""
        if time_s > self.time_s:
            moved = (box[:2] + box[2:] - self.box[:2] - self.box[2:]) / 2 / np.float32(time_s - self.time_s)
            self.speed_px = np.asarray(0.7 * self.speed_px + 0.3 * moved, np.float32)
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

    def update(self, time_s: float, tracks: Tracks) -> list[Standing]:
        """Take the tracks of the next frame; return who is where."""
        users = []
        boxes, ids = tracks.boxes, tracks.ids
        points = anchors(boxes.xyxy)
        if self._camera.region is not None and len(boxes):
            kept = inside(points, self._camera.region)
            boxes, ids, points = boxes.take(kept), ids[kept], points[kept]
        present = {int(track) for track in ids}
        zones = zone_of_each(points, self._camera.zones)
        for i, track in enumerate(int(track) for track in ids):
            seen = self._seen.get(track) or self._adopt(track, time_s, boxes.xyxy[i], present)
            seen.votes[boxes.class_index[i]] += boxes.confidence[i]
            seen.look(time_s, boxes.xyxy[i])
            point = float(points[i, 0]), float(points[i, 1])
            seen.way.append((time_s, point))
            margin = margin_px(boxes.xyxy[i], self._camera.size)
            for number, gate in enumerate(seen.gates):
                passed = gate.move(time_s, point, margin)
                if passed is not None:
                    seen.passes.append((number, passed, boxes.xyxy[i], self._speed_kph(seen)))
                    self.n_counted += 1
            turn = seen.walk.move(time_s, zones[i]) if self._camera.zones else None
            if turn is not None:
                seen.turns.append((turn, boxes.xyxy[i], self._speed_kph(seen)))
                self.n_counted += 1
            users.append(Standing(anchor=point, box=_four(boxes.xyxy[i]), is_standing=seen.is_standing))
        self._forget(time_s - MEMORY_S)
        return users

    def _speed_kph(self, seen: _Seen) -> float | None:
        """Return the speed over the last second on the road, None without a road plane."""
        recent = [(time_s, point) for time_s, point in seen.way if seen.time_s - time_s <= WAY_S]
        if self._camera.road is None or len(recent) < MIN_LOOKS:
            return None
        times, pixels = zip(*recent, strict=True)
        return fit_speed_kph(times, self._camera.road.to_road(pixels))

    def crossings(self) -> list[Crossing]:
        """Return everything counted so far in order of time, with the votes as they stand."""
        rows = [*self._done, *(row for seen in self._seen.values() for row in self._resolve(seen))]
        return sorted(rows, key=lambda row: row.time_s)

    def _adopt(self, track: int, time_s: float, box: FloatArray, present: set[int]) -> _Seen:
        """Return the memory for a new track: that of a lost road user who stood or would be here, else a fresh one."""
        lost = [seen for name, seen in self._seen.items() if name not in present]
        heir = _standing_heir(lost, box) or _moving_heir(lost, time_s, box)
        if heir is not None:
            del self._seen[heir.track]
            heir.track = track
            self._seen[track] = heir
            return heir
        gates = tuple(Gate(line=line) for line in self._camera.lines)
        votes, still = np.zeros(len(CLASSES), np.float32), np.zeros(2, np.float32)
        fresh = _Seen(track=track, gates=gates, votes=votes, box=box, time_s=time_s, rest_box=box, rest_s=time_s,
                      speed_px=still)  # fmt: skip
        self._seen[track] = fresh
        return fresh

    def _forget(self, before_s: float) -> None:
        for track in [track for track, seen in self._seen.items() if seen.time_s < before_s]:
            self._done += self._resolve(self._seen.pop(track))

    def _resolve(self, seen: _Seen) -> Iterator[Crossing]:
        best = int(seen.votes.argmax())
        share = float(seen.votes[best] / max(float(seen.votes.sum()), 1e-9))
        whole = Crossing(line="", direction="", movement="", vehicle_class=CLASSES[best], time_s=0.0, place=0.5,
                         track=seen.track, share=share)  # fmt: skip
        for number, passed, box, speed in seen.passes:
            line, side = self._camera.lines[number], int(passed.is_to_right)
            movement = self._camera.movement(line, side)
            yield replace(whole, line=line.name, direction=line.directions[side], movement=movement,
                          time_s=passed.time_s, place=passed.place, box=_four(box), speed_kph=speed)  # fmt: skip
        for turn, box, speed in seen.turns:
            movement_made = self._camera.turns.get((turn.entry, turn.exit))
            if movement_made is not None:
                yield replace(whole, line=turn.entry, direction=turn.exit, movement=movement_made, time_s=turn.time_s,
                              box=_four(box), speed_kph=speed)  # fmt: skip


def _four(box: FloatArray) -> tuple[float, float, float, float]:
    return float(box[0]), float(box[1]), float(box[2]), float(box[3])


def _standing_heir(lost: Sequence[_Seen], box: FloatArray) -> _Seen | None:
    """Return the lost road user that stood where this box is."""
    standing = [seen for seen in lost if seen.is_standing]
    if not standing:
        return None
    shares = overlaps(box[None], np.stack([seen.box for seen in standing]))[0]
    best = int(shares.argmax())
    return standing[best] if shares[best] >= MIN_HEIR_OVERLAP else None


def _moving_heir(lost: Sequence[_Seen], time_s: float, box: FloatArray) -> _Seen | None:
    """Return the lost road user that would be where this box is, had it gone on as it went; of its size, too."""
    moving = [seen for seen in lost if not seen.is_standing and time_s - seen.time_s <= HEIR_GAP_S]
    area = float(np.prod(box[2:] - box[:2]))
    alike = [seen for seen in moving if 0.5 < area / max(1.0, float(np.prod(seen.box[2:] - seen.box[:2]))) < 2.0]
    if not alike:
        return None
    nearest = min(alike, key=lambda seen: seen.reach(time_s, box))
    return nearest if nearest.reach(time_s, box) < HEIR_REACH else None
