"""Which lane leads where in a generated town, pockets before the signals, and the plain XML of it all.

::

    ======p=====|     a pocket: the last metres have a lane more, for a turn (a node without signals at p)
    ======c=====|     a cut: the road is merely in two pieces, as imported networks have them
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from sim.generate_streets import Place, Road, Streets

Spans = tuple[tuple[int, int], ...]
"""By exit, from the rightmost on: first and last lane that lead there."""
_STRAIGHT_DEG = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """A road that leads on: how many lanes it takes, and whether it is straight ahead."""

    room: int
    is_straight: bool


def lane_spans(n_lanes: int, exits: Sequence[Exit]) -> list[Spans]:
    """Return all ways to divide lanes among exits: in order, none crossing another, neighbours share a lane at most.

    Examples
    --------
    >>> left, ahead = Exit(room=1, is_straight=False), Exit(room=2, is_straight=True)
    >>> lane_spans(2, [ahead, left])
    [((0, 0), (1, 1)), ((0, 1), (1, 1))]
    """
    if n_lanes == 1:
        return [((0, 0),) * len(exits)]
    found: list[Spans] = [()]
    for row in exits:
        room = min(row.room, n_lanes if row.is_straight or len(exits) == 1 else 2)
        found = [
            (*spans, (first, last))
            for spans in found
            for first in ([spans[-1][1], spans[-1][1] + 1] if spans else [0])
            for last in range(first, min(first + room, n_lanes))
        ]
    return [spans for spans in found if spans[-1][1] == n_lanes - 1]


def fit_lanes(streets: Streets) -> Streets:
    """Return the streets with roads no wider than what leads on from them."""
    roads = dict(streets.roads)
    while True:
        fitted = {}
        for name, road in roads.items():
            exits = _exits(Streets(places=streets.places, roads=roads), road)
            fitted[name] = replace(road, n_lanes=_widest(road.n_lanes, exits)) if exits else road
        if fitted == roads:
            return Streets(places=streets.places, roads=roads)
        roads = fitted


def _widest(n_lanes: int, exits: Sequence[Exit]) -> int:
    return next(n for n in range(n_lanes, 0, -1) if lane_spans(n, exits))


def _exits(streets: Streets, road: Road) -> list[Exit]:
    rows = [streets.roads[name] for name in _allowed(streets, road)]
    return [Exit(room=row.n_lanes, is_straight=abs(streets.turn_deg(road, row)) < _STRAIGHT_DEG) for row in rows]


def plain_xml(streets: Streets, rng: np.random.Generator) -> dict[str, Element]:
    """Return nodes, edges and connections of fitted streets, with pockets, cuts and lanes drawn."""
    roots = {kind: Element(f"{kind}s") for kind in ("node", "edge", "connection")}
    for name, place in streets.places.items():
        _add_node(roots["node"], name, place)
    for name, road in streets.roads.items():
        last, n_lanes = _add_road(roots, streets, name, rng)
        onward = _allowed(streets, road)
        if onward:
            has_signals = streets.places[road.end].has_signals
            spans = _draw_spans(n_lanes, _exits(streets, road), rng if has_signals else None)
            for after, (first, end) in zip(onward, spans, strict=True):
                room, number = streets.roads[after].n_lanes, end - first + 1
                side = streets.turn_deg(road, streets.roads[after])
                to = 0 if side >= _STRAIGHT_DEG else room - number if side <= -_STRAIGHT_DEG else first
                to = min(to, room - number)
                _connect(roots["connection"], last, after, [(first + k, to + k) for k in range(number)])
    return roots


def _allowed(streets: Streets, road: Road) -> list[str]:
    """Return the roads that may be turned into; at a side street of a wide road nobody turns left."""
    onward = streets.exits(road)
    widest = max(row.n_lanes for row in streets.roads.values() if road.end in (row.start, row.end))
    if streets.places[road.end].has_signals or widest == 1:
        return onward
    return [name for name in onward if streets.turn_deg(road, streets.roads[name]) > -_STRAIGHT_DEG]


def _draw_spans(n_lanes: int, exits: Sequence[Exit], rng: np.random.Generator | None) -> Spans:
    """Return one way to divide lanes: rather many lanes straight ahead, rather a lane of its own for a turn.

    Without `rng`, as many lanes straight ahead as there can be.
    """
    ways = lane_spans(n_lanes, exits)
    if rng is None:
        return max(ways, key=lambda spans: sum(end - first for first, end in spans))
    weights = [_weight(spans, exits) for spans in ways]
    return ways[int(rng.choice(len(ways), p=np.array(weights) / sum(weights)))]


def _weight(spans: Spans, exits: Sequence[Exit]) -> float:
    weight = 1.0
    for (first, end), row in zip(spans, exits, strict=True):
        weight *= (end - first + 1.0) ** 2 if row.is_straight else 1.0 if end == first else 0.3
    for (_, end), (first, last), row in zip(spans, spans[1:], exits[1:], strict=False):
        is_left_shared = end == first and not row.is_straight
        weight *= 0.15 if is_left_shared and last > 0 else 1.0
    return weight


def _add_road(roots: dict[str, Element], streets: Streets, name: str, rng: np.random.Generator) -> tuple[str, int]:
    """Add a road, in two pieces if it has a pocket or a cut; return the edge at its end, and that one's lanes."""
    road = streets.roads[name]
    room_m = streets.length_m(road) - 40.0
    luck = rng.random()
    if not streets.places[road.end].has_signals or room_m < 40.0 or luck > 0.45:
        _add_edge(roots["edge"], name, road)
        return name, road.n_lanes
    n_right, n_left = _pocket(streets, road, rng) if luck < 0.28 else (0, 0)
    long_m = rng.uniform(25.0, 70.0) if n_right + n_left else rng.uniform(8.0, 60.0)
    node, last = f"p{name}", f"{name}.1"
    _add_node(roots["node"], node, _before_end(streets, road, min(long_m, room_m) + 12.0))
    wide = replace(road, start=node, n_lanes=road.n_lanes + n_right + n_left)
    _add_edge(roots["edge"], name, replace(road, end=node))
    _add_edge(roots["edge"], last, wide)
    pairs = [(k, k + n_right) for k in range(road.n_lanes)]
    pairs += [(0, k) for k in range(n_right)]
    pairs += [(road.n_lanes - 1, road.n_lanes + n_right + k) for k in range(n_left)]
    _connect(roots["connection"], name, last, sorted(pairs))
    return last, wide.n_lanes


def _pocket(streets: Streets, road: Road, rng: np.random.Generator) -> tuple[int, int]:
    """Return how many lanes come on at the right and at the left; none where nothing turns or nothing takes them."""
    exits = _exits(streets, road)
    n_left = int(rng.choice([1, 2], p=[0.85, 0.15])) if not exits[-1].is_straight else 0
    n_right = int(rng.random() < 0.25) if not exits[0].is_straight else 0
    tries = [(n_right, n_left), (0, min(1, n_left)), (min(1, n_right), 0)]
    return next(((r, left) for r, left in tries if lane_spans(road.n_lanes + r + left, exits)), (0, 0))


def _before_end(streets: Streets, road: Road, metres: float) -> Place:
    a, b = streets.places[road.start], streets.places[road.end]
    part = 1.0 - metres / streets.length_m(road)
    x_m, y_m = a.x_m + part * (b.x_m - a.x_m), a.y_m + part * (b.y_m - a.y_m)
    return Place(x_m=round(x_m, 1), y_m=round(y_m, 1))


def _add_node(root: Element, name: str, place: Place) -> None:
    kind = "traffic_light" if place.has_signals else "priority"
    SubElement(root, "node", id=name, x=f"{place.x_m:g}", y=f"{place.y_m:g}", type=kind)


def _add_edge(root: Element, name: str, road: Road) -> None:
    edge = SubElement(root, "edge", {"id": name, "from": road.start, "to": road.end})
    edge.set("numLanes", str(road.n_lanes))
    edge.set("speed", f"{road.speed_mps:g}")
    edge.set("priority", str(road.priority))


def _connect(root: Element, start: str, end: str, pairs: Sequence[tuple[int, int]]) -> None:
    for from_lane, to_lane in pairs:
        row = {"from": start, "to": end, "fromLane": str(from_lane), "toLane": str(to_lane)}
        SubElement(root, "connection", row)
