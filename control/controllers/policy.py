"""The universal policy as a controller: one set of weights for every junction, from its detector zones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from control.controllers.mpc import next_in_turn, service_order
from control.core.policy import Sight, best_stages
from control.policy_runs import Weights
from control.policy_sense import Line, line_of, never_red, reds, sense
from control.policy_table import Flows, compile_sight
from control.queue_stages import StageClock
from traffic.decisions import Decision, Stage
from traffic.ids import JunctionId
from traffic.ports import Plant
from traffic.signals import Plan
from traffic.snapshot import FloatArray, Snapshot

MAX_RED_S = 100.0
"""Longest red while somebody waits, seconds: with a change of stages less than the guard's 120 s."""
BLIND_SHARE = 0.5
"""A junction of which more than this share of the movements is unknown is served by its plan."""


@dataclass(frozen=True, slots=True)
class PolicyState:
    """The junctions as the policy knows them, and since when each movement is red, `inf` while it is not."""

    sight: Sight
    line: Line
    turns: tuple[tuple[tuple[int, float], ...], ...]
    red_since_s: FloatArray
    time_s: float


class UniversalPolicy:
    """Stage by stage, whatever their number.

    Parameters
    ----------
    weights
        Shape (N_ROWS, N_CELLS), see `control.core.policy`.
    flows
        Flows of other days from link to link, veh/h.
    clock
        When decisions fall due, and what a change of stages takes.
    zone_length_m
        True length of the zones, by movement.
    plans
        What is installed: by them a junction is served of which too little is known.
    max_red_s
        Vehicles that have waited longer at red are served next, seconds.
    """

    def __init__(
        self,
        weights: Weights,
        flows: Flows,
        clock: StageClock,
        zone_length_m: FloatArray,
        plans: Mapping[JunctionId, Plan],
        *,
        max_red_s: float = MAX_RED_S,
    ) -> None:
        self._weights, self._flows, self._clock, self._plans = weights, flows, clock, plans
        self._zone_length_m, self._max_red_s = zone_length_m, max_red_s
        self._yellow_s = min((row[0] for rows in clock.clearance_s.values() for row in rows), default=0.0)

    def start(self, plant: Plant) -> PolicyState:
        """Return the junctions, nothing seen yet."""
        network = plant.network
        sight = compile_sight(network, plant.stages, self._flows, self._clock, self._zone_length_m)
        sight.weights[:] = self._weights
        line = line_of(network)
        return PolicyState(
            sight,
            line,
            tuple(
                service_order(plant.junctions[name], self._plans.get(name), plant.stages[name])
                for name in network.crossings
            ),
            never_red(line),
            np.nan,
        )

    def decide(self, snapshot: Snapshot, state: PolicyState) -> tuple[Sequence[Decision], PolicyState]:
        """Return the switches to the stages that are worth most."""
        now_s, junctions = snapshot.time_s, list(self._clock.clearance_s)
        red_since_s = reds(state.line, snapshot, state.red_since_s, state.time_s, self._yellow_s)
        sense(snapshot, red_since_s, state.sight)
        running = np.array(snapshot.stage, np.int64)
        green_s = np.array([now_s - since_s for since_s in snapshot.green_since_s])
        chosen = np.empty(len(running), np.int64)
        best_stages(running, green_s, self._max_red_s, state.sight, chosen)
        for place in self._blind(snapshot, state):
            if running[place] >= 0:
                chosen[place] = next_in_turn(state.turns[place], int(running[place]), float(green_s[place]))
        decisions = [
            Stage(junctions[place], stage)
            for place, stage in enumerate(chosen.tolist())
            if stage >= 0 and stage != running[place]
        ]
        return decisions, replace(state, red_since_s=red_since_s, time_s=now_s)

    def _blind(self, snapshot: Snapshot, state: PolicyState) -> list[int]:
        unknown = np.isnan(snapshot.arriving_veh)
        if not unknown.any():
            return []
        junction_of = np.array([place for place, _ in state.line], np.intp)
        n = len(snapshot.stage)
        share = np.bincount(junction_of, unknown, n) / np.maximum(1, np.bincount(junction_of, minlength=n))
        blind: list[int] = np.flatnonzero(share > BLIND_SHARE).tolist()
        return blind
