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
from math import isfinite

import numpy as np
import numpy.typing as npt

from control.core.arrays import (
    ARRIVED,
    BLOCKED,
    INSERTED,
    LOSS,
    RUNNING,
    SCHEDULED,
    WAITING,
    State,
    make_state,
)
from control.core.run import run_fixed
from control.queue_memory import check_memory
from control.queue_physics import Physics
from control.queue_roads import Compiled, compile_roads, physics_row, with_factors
from control.queue_timing import compile_plans
from traffic.demand import Journeys
from traffic.errors import BadInput, BadScenario
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.signals import Junction, Plan
from traffic.snapshot import FloatArray

STUCK_S = 300.0
"""Who has waited longer for room than any cycle lasts will not get it, seconds."""
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the vehicles, shape (n_plan, n_replica) each; `lane_loss_s` (n_plan, n_replica, n_lane).

    `stuck` are vehicles on lanes whose head has waited for room beyond it for `STUCK_S` at the end: a gridlock.
    """

    delay_s: FloatArray
    scheduled: FloatArray
    inserted: FloatArray
    arrived: FloatArray
    running: FloatArray
    not_departed: FloatArray
    stuck: FloatArray
    lane_loss_s: FloatArray
    totals: FloatArray

    @property
    def is_gridlocked(self) -> BoolArray:
        """Whether some lane has come to a stop for good."""
        return self.stuck > 0


class QueueModel:
    """A compiled network with its demand.

    Parameters
    ----------
    junctions
        What is installed, in the order of `network.crossings`.
    journeys
        The vehicles, whole routes, and their period.

    Raises
    ------
    BadScenario
        If the network, its signals or the journeys do not fit together.
    """

    def __init__(
        self,
        network: Network,
        junctions: Mapping[JunctionId, Junction],
        journeys: Journeys,
        physics: Physics | None = None,
    ) -> None:
        _check(network, junctions, journeys)
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
        """Run sets of fixed-time plans over the whole period, every set with the same replicas.

        Raises
        ------
        BadInput
            If a plan is missing, a number is out of bounds, or the replicas do not fit into memory.
        UnsafeCommand
            If a plan has no cycle.
        """
        for name, value, most in (("replicas", n_replicas, 10**9), ("threads", n_threads, 1024)):
            if not 1 <= value <= most:
                raise BadInput(f"queue model: {name}", value, f"1 to {most}", "choose another number")
        if not 0 <= seed < 2**64:
            raise BadInput("queue model: seed", seed, "0 to 2^64 - 1", "choose another number")
        check_memory(self.compiled.roads, len(plans) * n_replicas)
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
        return _outcome(state, (len(plans), n_replicas), float(seconds))


def _check(network: Network, junctions: Mapping[JunctionId, Junction], journeys: Journeys) -> None:
    begin_s, end_s = journeys.begin_s, journeys.end_s
    if not (isfinite(begin_s) and isfinite(end_s) and begin_s <= end_s):
        raise BadScenario("queue model: period", f"{begin_s} to {end_s} s", "must be finite", "mend the scenario")
    if list(junctions) != list(network.crossings):
        limit = f"must be those of the network, in its order: {', '.join(network.crossings) or 'none'}"
        raise BadScenario("queue model: junctions", ", ".join(junctions) or "none", limit, "read the signals again")
    for name, crossing in network.crossings.items():
        if junctions[name].n_links != crossing.n_links:
            limit = f"the network has {crossing.n_links}"
            raise BadScenario(f"junction {name}: links", junctions[name].n_links, limit, "read the signals again")


def _stuck(state: State, end_s: float) -> FloatArray:
    """Return the vehicles on lanes whose head has waited for room for too long, by row."""
    lanes = state.lanes
    is_stuck = (lanes["count"] > 0) & (lanes["held"] == BLOCKED) & (lanes["since"] < end_s - STUCK_S)
    stuck: FloatArray = np.where(is_stuck, lanes["count"], 0).sum(axis=1).astype(float)
    return stuck


def _outcome(state: State, shape: tuple[int, int], end_s: float) -> Outcome:
    totals = state.totals.reshape(*shape, state.totals.shape[1])
    scheduled = totals[..., SCHEDULED]
    return Outcome(
        delay_s=totals[..., LOSS] / np.maximum(1.0, scheduled),
        scheduled=scheduled,
        inserted=totals[..., INSERTED],
        arrived=totals[..., ARRIVED],
        running=totals[..., RUNNING],
        not_departed=totals[..., WAITING],
        stuck=_stuck(state, end_s).reshape(shape),
        lane_loss_s=state.lanes["loss"].reshape(*shape, state.lanes.shape[1]),
        totals=totals,
    )
