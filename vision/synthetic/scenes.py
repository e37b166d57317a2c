"""Streets, cameras and traffic drawn at random: what a finder is trained on, never a street of a scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from traffic.counts import VehicleClass
from traffic.network import Point
from vision.projection import Mount
from vision.synthetic.render import Placed
from vision.synthetic.street import RoadLane, RoadMap
from vision.synthetic.vehicles import PAINTS, Model

_SHARES = {
    VehicleClass.MOTORCYCLE: 0.62,
    VehicleClass.BICYCLE: 0.04,
    VehicleClass.CAR: 0.2,
    VehicleClass.BUS: 0.05,
    VehicleClass.TRUCK: 0.06,
    VehicleClass.PEDESTRIAN: 0.03,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A road with somebody on it, and a camera that looks."""

    mount: Mount
    users: tuple[Placed, ...]


def random_road(rng: np.random.Generator) -> RoadMap:
    """Return a crossing of two roads, or one road, of 1-4 lanes each way."""
    turn = rng.uniform(0, 2 * math.pi)
    width = float(rng.uniform(2.9, 3.7))
    n_main, n_side = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    is_crossing = rng.random() < 0.75
    inner = width * max(n_main, n_side) + 4.0
    lanes, ways = [], []
    for leg, n in enumerate((n_main, n_side, n_main, n_side)):
        if not is_crossing and leg % 2:
            continue
        along = turn + leg * math.pi / 2
        start = inner if is_crossing else 0.0
        for i in range(n):
            for is_out in (True, False):
                aside = (i + 0.5) * width * (-1 if is_out else 1)
                ends = [_turned(start, aside, along), _turned(190.0, aside, along)]
                points = tuple(ends if is_out else ends[::-1])
                lanes.append(RoadLane(points=points, width_m=width, has_neighbour=i > 0,
                                      has_stop_line=is_crossing and not is_out))  # fmt: skip
                if is_crossing:
                    ways.append((_turned(inner, aside, along), _turned(-inner, aside, along)))
    return RoadMap(lanes=tuple(lanes), ways=tuple(ways))


def random_mount(rng: np.random.Generator, size: tuple[int, int]) -> Mount:
    """Return a camera on a pole beside or over the middle of a random road, looking along it or across."""
    height, reach = float(rng.uniform(4.5, 13.0)), float(rng.uniform(14.0, 45.0))
    heading = float(rng.uniform(0, 2 * math.pi))
    back = float(rng.uniform(6.0, 26.0))
    aside = float(rng.uniform(-9.0, 9.0))
    x, y = _turned(-back, aside, heading)
    return Mount(
        x_m=x, y_m=y, height_m=height, heading_rad=heading + float(rng.normal(0, 0.12)),
        pitch_rad=math.atan2(height, reach), fov_deg=float(rng.uniform(42, 82)), size=size,
    )  # fmt: skip


def random_users(rng: np.random.Generator, road: RoadMap, models: list[Model], n: int) -> tuple[Placed, ...]:
    """Return up to n road users in lanes, between them and in queues, none through another."""
    by_class = {name: [i for i, m in enumerate(models) if m.vehicle_class is name] for name in _SHARES}
    names, shares = list(_SHARES), np.array(list(_SHARES.values())) * rng.uniform(0.3, 1.7, len(_SHARES))
    shares /= shares.sum()
    queue_share = rng.uniform(0, 0.9)
    placed: list[Placed] = []
    taken: list[tuple[float, float, float]] = []
    for _ in range(5 * n):
        if len(placed) >= n:
            break
        name = names[int(rng.choice(len(names), p=shares))]
        index = int(rng.choice(by_class[name]))
        model = models[index]
        lane = road.lanes[int(rng.integers(len(road.lanes)))]
        spot = _in_lane(rng, lane, name, near_end=lane.has_stop_line and rng.random() < queue_share)
        x, y, heading = spot
        circles = _circles(model, x, y, heading)
        if any(math.hypot(a - c, b - d) < r + s for a, b, r in circles for c, d, s in taken):
            continue
        taken += circles
        paint = PAINTS[int(rng.integers(len(PAINTS)))]
        placed.append(Placed(model=index, x_m=x, y_m=y, heading_rad=heading, paint=paint))
    return tuple(placed)


def _in_lane(
    rng: np.random.Generator, lane: RoadLane, name: VehicleClass, *, near_end: bool
) -> tuple[float, float, float]:
    """Return a place (x, y, heading): two-wheelers anywhere across the lane, people beside it."""
    (x0, y0), (x1, y1) = lane.points[0], lane.points[-1]
    heading, length = math.atan2(y1 - y0, x1 - x0), math.hypot(x1 - x0, y1 - y0)
    from_start = y0 * y0 + x0 * x0 < y1 * y1 + x1 * x1
    away = float(rng.exponential(8.0)) if near_end else float(rng.uniform(-12.0, 75.0))
    away = min(away, length)
    along = away if from_start else length - away
    aside = float(rng.normal(0, 0.25))
    if name in (VehicleClass.MOTORCYCLE, VehicleClass.BICYCLE):
        aside = float(rng.uniform(-0.55, 0.55)) * lane.width_m
    elif name is VehicleClass.PEDESTRIAN:
        aside = -float(rng.uniform(0.6, 1.6)) * lane.width_m
    turn = float(rng.normal(0, 0.05)) if rng.random() < 0.85 else float(rng.normal(0, 0.6))
    if name is VehicleClass.PEDESTRIAN:
        turn = float(rng.uniform(-math.pi, math.pi))
    c, s = math.cos(heading), math.sin(heading)
    return x0 + along * c - aside * s, y0 + along * s + aside * c, heading + turn


def _circles(model: Model, x: float, y: float, heading: float) -> list[tuple[float, float, float]]:
    """Return circles (x, y, radius) along a road user's length that cover it."""
    radius = model.width_m / 2 + 0.08
    n = max(1, math.ceil(model.length_m / (2 * radius)))
    step = model.length_m / n
    c, s = math.cos(heading), math.sin(heading)
    return [(x - (i + 0.5) * step * c, y - (i + 0.5) * step * s, radius) for i in range(n)]


def _turned(along: float, aside: float, heading: float) -> Point:
    c, s = math.cos(heading), math.sin(heading)
    return along * c - aside * s, along * s + aside * c


def random_scene(rng: np.random.Generator, road: RoadMap, models: list[Model], size: tuple[int, int]) -> Scene:
    """Return a camera and road users on a road."""
    n = int(rng.integers(6, 110))
    return Scene(mount=random_mount(rng, size), users=random_users(rng, road, models, n))
