"""Arenas over the street in memory: real lamps behind the real guard, readings that a test gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from control.guard import legacy_limits
from control.limits import GuardLimits
from control.rl.arena import Arena
from sim.protocols import LEGACY, SAFE, Protocol
from tests.unit.control.fakes import FakePlant, make_crossroads, make_network, make_plan
from traffic.ids import JunctionId
from traffic.lamps import stages
from traffic.ports import Plant


class Fakes:
    """Starts fake plants, and remembers the last one; `readings` are given to each."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.readings = np.zeros(8 * len(names))
        self.seeds: list[tuple[int, int]] = []
        self.plant: FakePlant | None = None

    def __call__(self, *, driver_seed: int, demand_seed: int, is_held: bool) -> Plant:
        self.seeds.append((driver_seed, demand_seed))
        self.plant = FakePlant([make_crossroads(name) for name in self.names])
        self.plant.readings[:] = self.readings
        return self.plant


def make_arena(
    names: Sequence[str] = ("a",), protocol: Protocol = SAFE, *, horizon_s: float = 120.0, start: object = None
) -> Arena:
    junctions = {JunctionId(name): make_crossroads(name) for name in names}
    return Arena(
        name="fake",
        network=make_network(names),
        junctions=junctions,
        stages={name: stages(junction) for name, junction in junctions.items()},
        plans={name: make_plan(junction) for name, junction in junctions.items()},
        limits=legacy_limits() if protocol is LEGACY else GuardLimits(is_push=False, change_s=5.0),
        clock=protocol,
        horizon_s=horizon_s,
        start=start or Fakes(names),  # type: ignore[arg-type]
    )
