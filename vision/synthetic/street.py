"""What lies still: carriageways with their markings, kerbs, ground, houses, trees and poles; metres of the network.

::

    lane = a polyline and a width, driven from its first point to its last

        house  tree   | edge line
                      | lane 1 . lane 0 |  pavement   tree  house
                      | =stop=.==line== |
                      [   junction      ]
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from traffic.network import Network, Point
from vision.synthetic.mesh import Mesh, Vertices
from vision.synthetic.vehicles import PAINTS

ASPHALT, MARKING, PAVEMENT, EARTH = 0.0, 1.0, 2.0, 3.0
"""What a ground vertex is of; stands where other vertices have their paint."""

_KERB_M = 3.5
_DASH_M, _GAP_M = 3.0, 6.0
_CLEAR_OF_ROAD_M = 8.0
_CLEAR_OF_CAMERA_M = 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadLane:
    """A lane as it is drawn; `has_neighbour` = another lane of the same direction on its left."""

    points: tuple[Point, ...]
    width_m: float
    has_neighbour: bool = False
    has_stop_line: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadMap:
    """Lanes and the ways across junctions."""

    lanes: tuple[RoadLane, ...]
    ways: tuple[tuple[Point, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetMesh:
    """Ground, whose `paint` column holds what it is of, and things that stand on it."""

    ground: Vertices
    things: Vertices


def road_map(network: Network, around: Point, reach_m: float = 180.0) -> RoadMap:
    """Return what of a network is drawn around a point."""

    def is_near(points: Iterable[Point]) -> bool:
        return any(math.dist(around, p) < reach_m for p in _densely(points, 20.0))

    signalled = {row.from_lane for row in network.connections if row.junction is not None}
    lanes = tuple(
        RoadLane(
            points=lane.shape,
            width_m=lane.width_m,
            has_neighbour=lane.index + 1 < len(network.links[lane.link].lanes),
            has_stop_line=lane.id in signalled,
        )
        for lane in network.lanes.values()
        if len(lane.shape) > 1 and is_near(lane.shape)
    )
    ways = tuple(row.shape for row in network.connections if len(row.shape) > 1 and is_near(row.shape))
    return RoadMap(lanes=lanes, ways=ways)


def street_mesh(
    road: RoadMap, around: Point, seed: int, *, reach_m: float = 180.0, clear_of: Point | None = None
) -> StreetMesh:
    """Return ground and things, the same for the same road and seed; nothing stands close to `clear_of`."""
    rng = np.random.default_rng([seed, 0x57EE7])
    ground, things = Mesh(), Mesh()
    x, y = around
    far = 2.5 * reach_m
    ground.ink((0.24, 0.3, 0.16), paint=EARTH)
    _flat(ground, [(x - far, y - far), (x + far, y - far), (x + far, y + far), (x - far, y + far)], -0.12)
    for lane in road.lanes:
        ground.ink((0.52, 0.5, 0.47), paint=PAVEMENT)
        _strip(ground, lane.points, lane.width_m + 2 * _KERB_M, -0.05)
    shade = rng.uniform(0.24, 0.36)
    ground.ink((shade, shade, 1.02 * shade), paint=ASPHALT)
    for way in road.ways:
        _strip(ground, way, 3.6, 0.0)
    for lane in road.lanes:
        _strip(ground, lane.points, lane.width_m + 0.4, 0.01)
    _markings(ground, road, rng)
    _scenery(things, road, around, reach_m, rng, clear_of)
    return StreetMesh(ground=ground.vertices(), things=things.vertices())


def _markings(ground: Mesh, road: RoadMap, rng: np.random.Generator) -> None:
    """Add lane lines, edges and stop lines."""
    white, yellow = (0.8, 0.8, 0.78), (0.75, 0.6, 0.18)
    edge = yellow if rng.random() < 0.5 else white
    for lane in road.lanes:
        left, right = _beside(lane.points, lane.width_m / 2), _beside(lane.points, -lane.width_m / 2)
        if lane.has_neighbour:
            ground.ink(white, paint=MARKING)
            for piece in _dashes(left):
                _strip(ground, piece, 0.14, 0.03)
        else:
            ground.ink(edge, paint=MARKING)
            _strip(ground, left, 0.15, 0.03)
        ground.ink(white, paint=MARKING)
        _strip(ground, right, 0.08, 0.025)
        if lane.has_stop_line:
            back, end = np.asarray(lane.points[-2]), np.asarray(lane.points[-1])
            ahead = (end - back) / (np.linalg.norm(end - back) + 1e-9)
            side = np.array([-ahead[1], ahead[0]]) * lane.width_m / 2
            bar = [end - side - 0.4 * ahead, end - side, end + side, end + side - 0.4 * ahead]
            _flat(ground, [(float(p[0]), float(p[1])) for p in bar], 0.03)


def _scenery(
    things: Mesh, road: RoadMap, around: Point, reach_m: float, rng: np.random.Generator, clear_of: Point | None
) -> None:
    """Add houses, trees and poles beside the road, never on it."""
    middle = np.array([p for lane in road.lanes for p in _densely(lane.points, 6.0)])
    if not len(middle):
        return
    n_places = round(reach_m**2 / 36.0)
    places = around + rng.uniform(-reach_m, reach_m, (n_places, 2))
    if clear_of is not None:
        places = places[np.linalg.norm(places - clear_of, axis=1) > _CLEAR_OF_CAMERA_M]
    away_m = np.sqrt(((places[:, None] - middle[None]) ** 2).sum(-1).min(1))
    taken: list[npt.NDArray[np.float64]] = []
    for place, distance_m in zip(places, away_m, strict=True):
        x, y = float(place[0]), float(place[1])
        if distance_m < _CLEAR_OF_ROAD_M:
            if distance_m > 5.0 and rng.random() < 0.3:
                _pole(things, x, y, rng)
            continue
        half = rng.uniform(3.0, 7.0)
        is_house = distance_m > half * 1.45 + _CLEAR_OF_ROAD_M - 1.0 and rng.random() < 0.75
        if is_house and all(np.abs(place - other).max() > 2 * half for other in taken):
            taken.append(place)
            _house(things, x, y, half, rng)
        elif distance_m < 14.0:
            _tree(things, x, y, rng)


def _house(things: Mesh, x: float, y: float, half: float, rng: np.random.Generator) -> None:
    height = rng.uniform(4.0, 15.0)
    wall = tuple(float(v) for v in rng.uniform(0.4, 0.85) * np.array([1.0, rng.uniform(0.85, 1), rng.uniform(0.65, 1)]))
    things.ink((wall[0], wall[1], wall[2])).box((x - half, x + half), (y - half, y + half), (0, height))
    for z in np.arange(1.2, height - 1.6, 3.1):
        for step in np.arange(-half + 0.7, half - 1.4, 2.8):
            things.ink((0.16, 0.19, 0.23), glow=float(rng.random() < 0.25) * 0.5)
            for side in range(4):
                _panel(things, (x, y), half, side, (step, step + 1.3), (z, z + 1.4))
    sign = rng.uniform(0.4, 0.9) * half
    things.ink(PAINTS[int(rng.integers(len(PAINTS)))])
    for side in range(4):
        _panel(things, (x, y), half, side, (-sign, sign), (2.8, 3.6))


def _panel(
    things: Mesh, middle: Point, half: float, side: int, along: tuple[float, float], z: tuple[float, float]
) -> None:
    """Add a window or a sign to one of a house's four walls."""
    c, s = ((1, 0), (0, 1), (-1, 0), (0, -1))[side]
    out = half + 0.04

    def at(t: float, z_m: float) -> tuple[float, float, float]:
        return middle[0] + out * c - t * s, middle[1] + out * s + t * c, z_m

    things.face([at(along[0], z[0]), at(along[1], z[0]), at(along[1], z[1]), at(along[0], z[1])])


def _tree(things: Mesh, x: float, y: float, rng: np.random.Generator) -> None:
    tall, wide = rng.uniform(2.0, 3.5), rng.uniform(0.9, 2.0)
    things.ink((0.26, 0.2, 0.14)).limb((x, y, 0), (x, y, tall), 0.12)
    things.ink((rng.uniform(0.08, 0.2), rng.uniform(0.22, 0.36), rng.uniform(0.06, 0.12)))
    for _ in range(3):
        dx, dy, dz = rng.uniform(-0.5, 0.5, 3) * wide
        things.ball((x + dx, y + dy, tall + 0.6 * wide + dz), (wide, wide, 0.8 * wide), n_around=7, n_up=4)


def _pole(things: Mesh, x: float, y: float, rng: np.random.Generator) -> None:
    things.ink((0.45, 0.45, 0.43)).limb((x, y, 0), (x, y, 7.5), 0.09)
    if rng.random() < 0.5:
        things.ink((0.2, 0.3, 0.6)).box((x - 0.3, x + 0.3), (y - 0.3, y + 0.3), (2.2, 2.9))


def _flat(ground: Mesh, corners: Sequence[Point], z: float) -> None:
    ground.face([(x, y, z) for x, y in corners])


def _strip(ground: Mesh, points: Sequence[Point], width_m: float, z: float) -> None:
    """Add a band along a polyline."""
    left, right = _beside(points, width_m / 2), _beside(points, -width_m / 2)
    for (a, b), (c, d) in zip(pairwise(left), pairwise(right), strict=True):
        _flat(ground, [c, d, b, a], z)


def _beside(points: Sequence[Point], distance_m: float) -> list[Point]:
    """Return the polyline that runs this far to the left."""
    line = np.asarray(points, np.float64)
    steps = np.diff(line, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True) + 1e-9
    ahead = np.concatenate([steps[:1], (steps[:-1] + steps[1:]) / 2, steps[-1:]])
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-9
    moved = line + distance_m * np.column_stack([-ahead[:, 1], ahead[:, 0]])
    return [(float(x), float(y)) for x, y in moved]


def _densely(points: Iterable[Point], step_m: float) -> list[Point]:
    """Return points along a polyline, no further apart than `step_m`."""
    line = list(points)
    dense = line[:1]
    for (x0, y0), (x1, y1) in pairwise(line):
        n = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) / step_m))
        dense += [(x0 + (x1 - x0) * i / n, y0 + (y1 - y0) * i / n) for i in range(1, n + 1)]
    return dense


def _dashes(points: Sequence[Point]) -> list[list[Point]]:
    """Return the painted pieces of a broken line."""
    dense = _densely(points, 1.0)
    n, period = round(_DASH_M), round(_DASH_M + _GAP_M)
    return [dense[i : i + n + 1] for i in range(0, len(dense) - 1, period) if len(dense[i : i + n + 1]) > 1]
