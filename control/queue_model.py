"""The queue model: a network, its demand and its signals in the core, thousands of replicas at a time.

A vehicle-by-vehicle spatial queue: every lane is a first-in first-out ring whose heads leave by headway, lamps, right
of way and room beyond (`control.core.lanes`). Fast enough to search plans and to look ahead; SUMO has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from control.core.arrays import (
    ARRIVED,
    INSERTED,
    LOSS,
    RUNNING,
    SCHEDULED,
    WAITING,
    State,
    make_state,
)
from control.core.run import run_fixed
from control.queue_physics import Physics
from control.queue_roads import Compiled, compile_roads, physics_row, with_factors
from control.queue_timing import compile_plans
from traffic.demand import Journeys
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.signals import Junction, Plan
from traffic.snapshot import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the vehicles, shape (n_plan, n_replica) each; `lane_loss_s` (n_plan, n_replica, n_lane)."""

    delay_s: FloatArray
    scheduled: FloatArray
    inserted: FloatArray
    arrived: FloatArray
    running: FloatArray
    not_departed: FloatArray
    lane_loss_s: FloatArray
    totals: FloatArray


class QueueModel:
    """A compiled network with its demand.

    Parameters
    ----------
    junctions
        What is installed, in the order of `network.crossings`.
    journeys
        The vehicles, whole routes, and their period.
    """

    def __init__(
        self,
        network: Network,
        junctions: Mapping[JunctionId, Junction],
        journeys: Journeys,
        physics: Physics | None = None,
    ) -> None:
        self.network, self.junctions, self.journeys = network, junctions, journeys
        self.compiled: Compiled = compile_roads(network, journeys, physics or Physics())

    def with_physics(self, physics: Physics) -> QueueModel:
        """Return the same model with other parameters; the arrays are shared."""
        other = copy(self)
        roads = self.compiled.roads
        lanes = with_factors(roads.lanes, self.compiled.lane_links, physics.headway_factor)
        other.compiled = replace(self.compiled, roads=roads._replace(physics=physics_row(physics), lanes=lanes))
        return other

    def run(
        self,
        plans: Sequence[Mapping[JunctionId, Plan]],
        *,
        n_replicas: int = 1,
        seed: int = 0,
        n_threads: int = 1,
    ) -> Outcome:
        """Run sets of fixed-time plans over the whole period, every set with the same replicas."""
        timing = compile_plans(plans, self.junctions, self.compiled.signal_links, self.journeys.begin_s)
        n_rows = len(plans) * n_replicas
        state = make_state(self.compiled.roads, n_rows)
        rows = np.repeat(np.arange(len(plans), dtype=np.int32), n_replicas)
        replicas = np.tile(np.arange(n_replicas, dtype=np.int32), len(plans))
        seconds = int(self.journeys.end_s - self.journeys.begin_s)

        def part(bounds: tuple[int, int]) -> None:
            run_fixed(rows, replicas, timing, self.compiled.roads, state, np.uint64(seed), seconds, *bounds)

        cuts = np.linspace(0, n_rows, n_threads + 1).astype(int).tolist()
        pieces = list(pairwise(cuts))
        if n_threads == 1:
            part(pieces[0])
        else:
            with ThreadPoolExecutor(n_threads) as pool:
                list(pool.map(part, pieces))
        return _outcome(state, (len(plans), n_replicas))


def _outcome(state: State, shape: tuple[int, int]) -> Outcome:
    totals = state.totals.reshape(*shape, -1)
    scheduled = totals[..., SCHEDULED]
    return Outcome(
        delay_s=totals[..., LOSS] / np.maximum(1.0, scheduled),
        scheduled=scheduled,
        inserted=totals[..., INSERTED],
        arrived=totals[..., ARRIVED],
        running=totals[..., RUNNING],
        not_departed=totals[..., WAITING],
        lane_loss_s=state.lanes["loss"].reshape(*shape, -1),
        totals=totals,
    )
