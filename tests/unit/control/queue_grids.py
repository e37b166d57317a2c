"""Random grids with random demand and random plans: what Hypothesis draws for the queue model.

::

            |      |            every node: two lanes at most an arm, all turns but back, two stages or a priority road,
      ----[0.0]--[1.0]----      left turns with or without a waiting place, right turns on red
            |      |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from control.queue_model import QueueModel
from control.queue_physics import Physics
from tests.unit.control.queue_towns import SmallTown, TownMaker, make_plan
from traffic.demand import Journey
from traffic.ids import JunctionId, LinkId
from traffic.network import VehicleType
from traffic.signals import Plan

STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))
"""North, east, south, west: from side `d` a way to side d + 2 is straight on, d + 1 left, d + 3 right."""
TYPES = {
    "car": VehicleType(id="car"),
    "truck": VehicleType(id="truck", vehicle_class="truck", length_m=12.0, accel_mps2=1.1, max_speed_mps=11.0),
    "rider": VehicleType(id="rider", vehicle_class="motorcycle", length_m=2.2, accel_mps2=6.0, speed_dev=0.2),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A model with some sets of plans for it."""

    model: QueueModel
    plans: tuple[Mapping[JunctionId, Plan], ...]


@st.composite
def cases(draw: st.DrawFn, *, most_vehicles: int = 400, seconds: int = 150) -> Case:
    """Draw the size of a town and a seed for the rest."""
    shape = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    return make_case(shape, draw(st.integers(0, most_vehicles)), draw(st.integers(0, 2**32 - 1)), seconds)


def make_case(shape: tuple[int, int], n_vehicles: int, seed: int, seconds: int, *, n_plans: int = 3) -> Case:
    rng = np.random.default_rng(seed)
    town = make_grid(*shape, rng)
    town = replace(town, network=replace(town.network, vehicle_types=TYPES))
    journeys = [_journey(k, town, seconds, rng) for k in range(n_vehicles)]
    model = town.model(journeys, float(seconds), physics=Physics(), shares_lanes=bool(rng.integers(2)))
    return Case(model=model, plans=tuple(_random_plans(town, rng) for _ in range(n_plans)))


def make_grid(n_columns: int, n_rows: int, rng: np.random.Generator) -> SmallTown:
    town = TownMaker()
    nodes = [(x, y) for x in range(n_columns) for y in range(n_rows)]
    for node in nodes:
        for dx, dy in STEPS:
            other = (node[0] + dx, node[1] + dy)
            ends = [(node, other)] if other in nodes else [(node, other), (other, node)]
            for start, end in ends:
                length_m, speed_mps = rng.choice([5.0, 30.0, 80.0, 200.0]), rng.choice([8.3, 13.9])
                town.road(_name(start, end), float(length_m), lanes=int(rng.integers(1, 3)), speed_mps=float(speed_mps))
    for node in nodes:
        _add_node(town, node, rng)
    return town.build()


def _name(start: tuple[int, int], end: tuple[int, int]) -> str:
    return f"{start[0]}.{start[1]}>{end[0]}.{end[1]}"


def _add_node(town: TownMaker, node: tuple[int, int], rng: np.random.Generator) -> None:
    """Add the ways over a node, who yields to whom, and its signal if it has one."""
    sides = [(node[0] + dx, node[1] + dy) for dx, dy in STEPS]
    has_signal, waiting_m = bool(rng.integers(4)), float(rng.choice([0.0, 6.0]))
    junction = f"{node[0]}.{node[1]}"
    found: list[tuple[int, int, int]] = []
    for side in range(4):
        for turn in (1, 2, 3):
            start, end = _name(sides[side], node), _name(node, sides[(side + turn) % 4])
            n_in, n_out = len(town.links[LinkId(start)].lanes), len(town.links[LinkId(end)].lanes)
            lanes = {1: [(n_in - 1, n_out - 1)], 2: [(k, k) for k in range(min(n_in, n_out))], 3: [(0, 0)]}
            for pair in lanes[turn]:
                signal = (junction, len(found)) if has_signal else None
                way = town.way(
                    **{"start": start, "end": end, "lanes": pair, "signal": signal},  # type: ignore[arg-type]
                    length_m=(18.0, 14.0, 8.0)[turn - 1],
                    waiting_m=waiting_m if turn == 1 else 0.0,
                )
                found.append((way, side, turn))
    for way, side, turn in found:
        town.yield_to(way, [other for other, *row in found if _yields(side, turn, *row, has_signal=has_signal)])
    if has_signal:
        stages = ["".join(_letter(side, turn, axis) for _, side, turn in found) for axis in (0, 1)]
        town.signal(junction, *((int(rng.integers(5, 25)), lamps) for lamps in stages))


def _yields(side: int, turn: int, other: int, other_turn: int, *, has_signal: bool) -> bool:
    """Whether a turn from a side yields to another one: left turns to who comes, right ones to who has their exit."""
    if turn == 1 and (other - side) % 4 == 2 and other_turn != 1:
        return True
    if turn == 3 and other_turn == 2 and (other - side) % 4 == 1:
        return True
    return not has_signal and side % 2 == 0 and other % 2 == 1


def _letter(side: int, turn: int, axis: int) -> str:
    if side % 2 == axis:
        return "g" if turn == 1 else "G"
    return "s" if turn == 3 else "r"


def _journey(number: int, town: SmallTown, seconds: int, rng: np.random.Generator) -> Journey:
    """Return a random walk from any link on, of seven links at most."""
    onward: dict[LinkId, list[LinkId]] = {}
    for row in town.network.connections:
        onward.setdefault(row.from_link, []).append(row.to_link)
    names = list(town.network.links)
    way = [names[int(rng.integers(len(names)))]]
    while way[-1] in onward and len(way) < 7:
        way.append(onward[way[-1]][int(rng.integers(len(onward[way[-1]])))])
    return Journey(
        id=str(number),
        depart_s=float(np.round(rng.uniform(0.0, seconds + 20.0), 2)),
        links=tuple(way),
        vehicle_type=str(rng.choice(list(TYPES))),
        depart_lane=str(rng.choice(["first", "free", "best"])),
        depart_pos=str(rng.choice(["base", "random_free"])),
        depart_speed=str(rng.choice(["0", "max"])),
    )


def _random_plans(town: SmallTown, rng: np.random.Generator) -> Mapping[JunctionId, Plan]:
    return {
        name: make_plan(row, rng.integers(5, 40, len(row.phases)).tolist(), int(rng.integers(0, 90)))
        for name, row in town.junctions.items()
    }
