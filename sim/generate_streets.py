"""Streets drawn at random: places with signals, gates at the edge of the town, side streets without signals.

::

          n0      n1
           |       |         a row or column of streets has lanes, speed and direction of its own;
    w0 -- A0 --m-- B0 -- e0  arms are missing here and there, so that a crossroads becomes a T;
                |            m: a side street of one lane comes in between two signals
                o
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np


class TownKind(StrEnum):
    """How the signals of a generated town lie."""

    CROSS = "cross"
    TEE = "tee"
    ARTERIAL = "arterial"
    LATTICE = "lattice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A node: where it lies, metres, and whether it has signals."""

    x_m: float
    y_m: float
    has_signals: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A one-way road from place to place; `priority` as SUMO has it, the higher goes first."""

    start: str
    end: str
    n_lanes: int
    speed_mps: float
    priority: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Streets:
    """Places and roads by id."""

    places: dict[str, Place]
    roads: dict[str, Road]

    def length_m(self, road: Road) -> float:
        """Return how far it is from the one place to the other."""
        a, b = self.places[road.start], self.places[road.end]
        return math.hypot(b.x_m - a.x_m, b.y_m - a.y_m)

    def heading_deg(self, road: Road) -> float:
        """Return the heading, degrees clockwise from north."""
        a, b = self.places[road.start], self.places[road.end]
        return math.degrees(math.atan2(b.x_m - a.x_m, b.y_m - a.y_m))

    def turn_deg(self, road: Road, after: Road) -> float:
        """Return the angle between two roads, -180 to 180: right is positive."""
        return (self.heading_deg(after) - self.heading_deg(road) + 180.0) % 360.0 - 180.0

    def exits(self, road: Road) -> list[str]:
        """Return the roads that lead on, without turning round, from the rightmost to the leftmost."""
        onward = [name for name, row in self.roads.items() if row.start == road.end and row.end != road.start]
        return sorted(onward, key=lambda name: -self.turn_deg(road, self.roads[name]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """Lanes of a street forth and back (0 = none), and its speed."""

    forth: int
    back: int
    speed_mps: float


def draw_streets(kind: TownKind, rng: np.random.Generator) -> Streets:
    """Return the streets of a town in which every junction has something to decide."""
    size = _size(kind, rng)
    while True:
        streets = _draw(kind, size, rng)
        if _is_usable(streets):
            return streets


def _draw(kind: TownKind, size: tuple[int, int], rng: np.random.Generator) -> Streets:
    columns, rows = size
    places = _places(columns, rows, rng)
    is_main = kind in (TownKind.ARTERIAL, TownKind.LATTICE)
    across = [_style(rng, is_main=is_main) for _ in range(rows)]
    along = [_style(rng, is_main=False) for _ in range(columns)]
    streets = Streets(places=places, roads={})
    gone = "nesw"[int(rng.integers(4))] if kind is TownKind.TEE else ""
    for start, end, style in _segments(columns, rows, across, along):
        is_inner = places[start].has_signals and places[end].has_signals
        missing = 0.0 if kind in (TownKind.CROSS, TownKind.TEE) else 0.06 if is_inner else 0.2
        if (gone and gone in (start[0], end[0])) or rng.random() < missing:
            continue
        _add_street(streets, start, end, style, rng)
    used = {name for road in streets.roads.values() for name in (road.start, road.end)}
    return Streets(places={name: places[name] for name in places if name in used}, roads=streets.roads)


def _size(kind: TownKind, rng: np.random.Generator) -> tuple[int, int]:
    if kind is TownKind.ARTERIAL:
        return int(rng.integers(2, 7)), 1
    if kind is TownKind.LATTICE:
        return int(rng.integers(2, 4)), int(rng.integers(2, 4))
    return 1, 1


def _places(columns: int, rows: int, rng: np.random.Generator) -> dict[str, Place]:
    """Return signals on a lattice of uneven spacing, a little out of line, and gates around it; corners are nothing."""
    xs = np.cumsum([0.0, *_spacings(columns + 1, rng)])
    ys = np.cumsum([0.0, *_spacings(rows + 1, rng)])
    places = {}
    for column in range(-1, columns + 1):
        for row in range(-1, rows + 1):
            if name := _name(column, row, columns, rows):
                dx, dy = rng.uniform(-6.0, 6.0, 2)
                has_signals = name[0].isupper()
                x_m, y_m = round(float(xs[column + 1] + dx), 1), round(float(ys[row + 1] + dy), 1)
                places[name] = Place(x_m=x_m, y_m=y_m, has_signals=has_signals)
    return places


def _spacings(number: int, rng: np.random.Generator) -> list[float]:
    """Return metres from place to place: 80-500 m, short ones as likely as long ones; gates are 150 m off or more."""
    inner = np.exp(rng.uniform(math.log(80.0), math.log(500.0), number))
    inner[[0, -1]] = rng.uniform(150.0, 450.0, 2)
    return [float(value) for value in inner]


def _name(column: int, row: int, columns: int, rows: int) -> str:
    inside = 0 <= column < columns, 0 <= row < rows
    if all(inside):
        return f"{chr(ord('A') + column)}{row}"
    if inside[1]:
        return f"{'w' if column < 0 else 'e'}{row}"
    return f"{'s' if row < 0 else 'n'}{column}" if inside[0] else ""


def _style(rng: np.random.Generator, *, is_main: bool) -> _Style:
    odds = [0.1, 0.45, 0.3, 0.15] if is_main else [0.4, 0.35, 0.2, 0.05]
    forth = int(rng.choice([1, 2, 3, 4], p=odds))
    back = forth if rng.random() < 0.7 else int(np.clip(forth + rng.choice([-1, 1]), 1, 4))
    if rng.random() < 0.12:
        forth, back = (forth, 0) if rng.random() < 0.5 else (0, forth)
    return _Style(forth=forth, back=back, speed_mps=round(float(rng.uniform(8.0, 20.0)), 1))


def _segments(columns: int, rows: int, across: list[_Style], along: list[_Style]) -> Iterator[tuple[str, str, _Style]]:
    """Yield (place, next place to the east or north, style)."""
    for column in range(-1, columns + 1):
        for row in range(-1, rows + 1):
            here = _name(column, row, columns, rows)
            for dx, dy in ((1, 0), (0, 1)):
                there = _name(column + dx, row + dy, columns, rows)
                if here and there and (here[0].isupper() or there[0].isupper()):
                    yield here, there, across[row] if dx else along[column]


def _add_street(streets: Streets, start: str, end: str, style: _Style, rng: np.random.Generator) -> None:
    """Add the road forth, the road back, and now and then a side street in the middle of both."""
    a, b = streets.places[start], streets.places[end]
    stops = [start, end]
    if style.forth and style.back and math.dist((a.x_m, a.y_m), (b.x_m, b.y_m)) > 160.0 and rng.random() < 0.15:
        stops.insert(1, _add_side(streets, start, end, rng))
    for lanes, way in ((style.forth, stops), (style.back, stops[::-1])):
        for here, there in pairwise(way):
            if lanes:
                road = Road(start=here, end=there, n_lanes=lanes, speed_mps=style.speed_mps)
                streets.roads[f"{here}{there}"] = road


def _add_side(streets: Streets, start: str, end: str, rng: np.random.Generator) -> str:
    """Add the side street of a street and return the place where it comes in."""
    a, b = streets.places[start], streets.places[end]
    part, side = float(rng.uniform(0.4, 0.6)), float(rng.choice([-1.0, 1.0]))
    dx, dy = b.x_m - a.x_m, b.y_m - a.y_m
    x_m, y_m = a.x_m + part * dx, a.y_m + part * dy
    scale = side * float(rng.uniform(70.0, 120.0)) / math.hypot(dx, dy)
    middle, gate = f"m{start}{end}", f"o{start}{end}"
    streets.places[middle] = Place(x_m=round(x_m, 1), y_m=round(y_m, 1))
    streets.places[gate] = Place(x_m=round(x_m - scale * dy, 1), y_m=round(y_m + scale * dx, 1))
    for here, there in ((gate, middle), (middle, gate)):
        streets.roads[f"{here}{there}"] = Road(start=here, end=there, n_lanes=1, speed_mps=8.3, priority=1)
    return middle


def _is_usable(streets: Streets) -> bool:
    """Whether every signal has roads of two directions that cross, and every road leads on to somewhere."""
    for road in streets.roads.values():
        if streets.places[road.end].has_signals and not streets.exits(road):
            return False
    for name, place in streets.places.items():
        if place.has_signals:
            arriving = [road for road in streets.roads.values() if road.end == name]
            arms = {road.start for road in arriving} | {r.end for r in streets.roads.values() if r.start == name}
            headings = [streets.heading_deg(road) % 180.0 for road in arriving]
            if len(arms) < 3 or len(arriving) < 2 or max(headings) - min(headings) < 1.0:
                return False
            crossing = [abs(math.sin(math.radians(a - b))) for a in headings for b in headings]
            if max(crossing) < 0.5:
                return False
    return _has_ways(streets)


def _has_ways(streets: Streets) -> bool:
    """Whether every road that comes in leads out of the town, and every road can be reached."""
    onward = {name: streets.exits(road) for name, road in streets.roads.items()}
    ends = [name for name in onward if not onward[name]]
    gates = [name for name, road in streets.roads.items() if not any(name in ways for ways in onward.values())]
    back: dict[str, list[str]] = {name: [] for name in onward}
    for name, ways in onward.items():
        for way in ways:
            back[way].append(name)
    return _reached(gates, onward) == set(onward) == _reached(ends, back)


def _reached(starts: list[str], ways: dict[str, list[str]]) -> set[str]:
    found, queue = set(starts), list(starts)
    while queue:
        for after in ways[queue.pop()]:
            if after not in found:
                found.add(after)
                queue.append(after)
    return found
