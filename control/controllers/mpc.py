"""Model-predictive control: every stage of every junction is tried in the queue model, and the cheapest shown.

The others decide by the model's own policy meanwhile, and so does the junction itself from its next decision on:
one step of improvement over that policy, taken again at every decision.

References
----------
D. Bertsekas, Rollout algorithms for discrete optimization, in: Handbook of Combinatorial Optimization, 2013.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from control.controllers.base import BLIND_GREEN_S, StageMatrix, stage_matrix
from control.core.arrays import GREEN_PART, RED, Array, State, make_state
from control.core.rollout import roll_out
from control.queue_physics import Physics
from control.queue_stages import StageClock, StagePolicy
from control.state_estimate import Belief, Streets, build_streets, first_belief, see
from traffic.decisions import Decision, Stage
from traffic.demand import LinkHistory
from traffic.ids import JunctionId
from traffic.lamps import cycle_intervals
from traffic.ports import Plant
from traffic.signals import Junction, Plan
from traffic.snapshot import FloatArray, Snapshot

SPAN_S = 10
"""Losses are discounted in steps of this, whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MpcSettings:
    """How far ahead, and what counts.

    Attributes
    ----------
    horizon_s
        How long the model runs on, whole seconds.
    turn_wait_s
        What a vehicle loses that stands at red at the end of it, seconds.
    queue_s
        A queue of n at the end of it costs this times n^2, seconds.
    switch_s
        A switch must save more than this, vehicle-seconds.
    discount
        Factor on losses for every 10 s that they lie ahead.
    max_red_s
        Vehicles that have waited longer at red are served next, seconds.
    n_rounds
        Times that all junctions choose, each with what the others chose before.
    n_threads
        Threads among which the stages are divided.
    n_most
        Where there are no more pairs of stages, the stage after the next one is tried, too.
    """

    horizon_s: int = 60
    turn_wait_s: float = 3.0
    queue_s: float = 0.3
    switch_s: float = 0.0
    max_red_s: float = 90.0
    discount: float = 0.7
    n_rounds: int = 1
    n_threads: int = 1
    n_most: int = 400
    policy: StagePolicy = StagePolicy()
    physics: Physics = Physics(noise=0.0)


@dataclass(frozen=True, slots=True)
class MpcState:
    """What is believed of the streets, and the installed order of service of each junction.

    `line` by movement is one of its connections.
    """

    streets: Streets
    belief: Belief
    turns: tuple[tuple[tuple[int, float], ...], ...]
    matrix: StageMatrix
    line: Array


class Mpc:
    """Stage by stage, with what history expects and the detector zones count.

    Parameters
    ----------
    history
        Flows of other days.
    clock
        When decisions fall due, and what a change of stages takes.
    plans
        What is installed: a junction of which a reading is unknown is served by its splits.
    """

    def __init__(
        self,
        history: LinkHistory,
        clock: StageClock,
        plans: Mapping[JunctionId, Plan],
        settings: MpcSettings | None = None,
    ) -> None:
        self._history, self._clock, self._plans = history, clock, plans
        self._settings = settings or MpcSettings()
        n_spans = max(1, round(self._settings.horizon_s / SPAN_S))
        factors = self._settings.discount ** np.arange(n_spans)
        self._weights = np.array([*factors, self._settings.turn_wait_s, self._settings.queue_s])
        self._pool = ThreadPoolExecutor(self._settings.n_threads)
        self._scratch: list[State] = []

    def start(self, plant: Plant) -> MpcState:
        """Return empty streets."""
        settings = self._settings
        streets = build_streets(
            plant.network, plant.stages, self._history, self._clock, settings.policy, settings.physics
        )
        self._scratch = [make_state(streets.roads, 1) for _ in range(settings.n_threads)]
        turns = tuple(
            service_order(plant.junctions[name], self._plans.get(name), plant.stages[name])
            for name in streets.junctions
        )
        line = np.array([row.connections[0] for row in plant.network.movements.values()], np.intp)
        return MpcState(streets, first_belief(streets), turns, stage_matrix(plant), line)

    def decide(self, snapshot: Snapshot, state: MpcState) -> tuple[Sequence[Decision], MpcState]:
        """Return the switches that save most; by the plan at a junction of which a reading is unknown."""
        streets, belief = state.streets, see(state.streets, state.belief, snapshot)
        signals = belief.state.signals[0]
        now_s = snapshot.time_s - streets.begin_s
        blind = set(streets.junction_of[np.isnan(snapshot.arriving_veh)].tolist())
        due = [
            place
            for place, (stage, part, until_s) in enumerate(
                zip(snapshot.stage, signals["part"].tolist(), signals["until"].tolist(), strict=True)
            )
            if stage >= 0 and part == GREEN_PART and until_s <= now_s + 1e-6
        ]
        chosen = {
            place: next_in_turn(
                state.turns[place], snapshot.stage[place], snapshot.time_s - snapshot.green_since_s[place]
            )
            for place in due
            if place in blind
        }
        for place, stage in chosen.items():
            signals["wanted"][place] = stage
        open_stages = self._open_stages([place for place in due if place not in blind], now_s, snapshot, state, belief)
        chosen |= self._choose(open_stages, now_s, streets, belief.state)
        for place, stage in chosen.items():
            signals["wanted"][place] = stage
        return [
            Stage(streets.junctions[place], stage) for place, stage in chosen.items() if stage != snapshot.stage[place]
        ], replace(state, belief=belief)

    def _open_stages(
        self, due: Sequence[int], now_s: float, snapshot: Snapshot, state: MpcState, belief: Belief
    ) -> dict[int, list[int]]:
        """Return the stages to choose from: all, or those that end a red at which vehicles have waited too long."""
        lamps, since_s = belief.state.lamps[0, state.line], belief.state.lamp_since[0, state.line]
        waits_s = np.where((lamps == RED) & (snapshot.arriving_veh > 0.0), now_s - since_s, 0.0)
        found = {}
        for place in due:
            first, last = state.matrix.first[place : place + 2]
            own = np.where(state.matrix.junction_of == place, waits_s, 0.0)
            oldest = int(own.argmax())
            is_late = own[oldest] > self._settings.max_red_s
            serving = np.flatnonzero(state.matrix.green[first:last, oldest]).tolist() if is_late else []
            found[place] = serving or list(range(last - first))
        return found

    def _choose(
        self, stages: Mapping[int, Sequence[int]], now_s: float, streets: Streets, base: State
    ) -> dict[int, int]:
        """Return the stage of least cost of each junction; what the others chose before stands in later rounds."""
        running = base.signals["stage"][0].tolist()
        is_deep = sum(len(row) ** 2 for row in stages.values()) <= self._settings.n_most
        n_stages = streets.stages.junctions["n"].tolist()
        tasks = [
            (place, stage, then)
            for place, row in stages.items()
            for stage in row
            for then in (range(n_stages[place]) if is_deep else (-1,))
        ]
        chosen: dict[int, int] = {}
        for _ in range(self._settings.n_rounds if tasks else 0):
            costs = self._costs(np.array(tasks, np.int32), now_s, streets, base).tolist()
            least: dict[tuple[int, int], float] = {}
            for (place, stage, _), cost in zip(tasks, costs, strict=True):
                least[place, stage] = min(cost, least.get((place, stage), inf))
            for place, row in stages.items():
                if running[place] in row:
                    least[place, running[place]] -= self._settings.switch_s
                chosen[place] = min(row, key=lambda stage: (least[place, stage], stage != running[place]))
            base.signals["wanted"][0, list(chosen)] = list(chosen.values())
        return chosen

    def _costs(self, tasks: Array, now_s: float, streets: Streets, base: State) -> FloatArray:
        """Return what each (junction, stage, stage after it) costs, vehicle-seconds."""
        costs = np.zeros(len(tasks))
        cuts = np.linspace(0, len(tasks), len(self._scratch) + 1).astype(int).tolist()

        def part(number: int) -> None:
            roll_out(
                tasks,
                now_s,
                SPAN_S,
                self._weights,
                streets.around,
                streets.stages,
                streets.roads,
                base,
                self._scratch[number],
                costs,
                cuts[number],
                cuts[number + 1],
            )

        others = [self._pool.submit(part, number) for number in range(1, len(self._scratch))]
        part(0)
        for other in others:
            other.result()
        return costs


def service_order(junction: Junction, plan: Plan | None, stages: Sequence[str]) -> tuple[tuple[int, float], ...]:
    """Return (stage, green in seconds) in the order of a plan's cycle; without a plan every stage for as long."""
    rows = [] if plan is None else cycle_intervals(junction, plan)
    served = tuple((stages.index(row.lamps), row.duration_ds / 10) for row in rows if row.lamps in stages)
    missing = tuple((stage, BLIND_GREEN_S) for stage in range(len(stages)) if stage not in {row[0] for row in served})
    return served if served else missing


def next_in_turn(turns: Sequence[tuple[int, float]], running: int, green_s: float) -> int:
    """Return the running stage until its split is over, then the one that the plan serves after it."""
    place = next((place for place, (stage, _) in enumerate(turns) if stage == running), -1)
    if place >= 0 and green_s < turns[place][1]:
        return running
    return turns[(place + 1) % len(turns)][0]
