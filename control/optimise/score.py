"""What plans are worth: vehicles' delay in the queue model, the same demand seeds for every plan.

Two numbers come with every plan: its score, and the time lost around each junction (between the junction and the
signals before and behind it). The second says whose change did good where many junctions were changed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from control.core.arrays import LOSS, MOVES, SCHEDULED, State, Timing, make_state
from control.core.run import run_fixed
from control.optimise.around import Around
from control.optimise.space import Genome, Space
from control.optimise.timings import MOST_KNOWN, Timings
from control.queue_model import QueueModel
from traffic.snapshot import FloatArray

WORST_WEIGHT = 0.01
"""Weight of the worst seed beside the mean: it decides between plans that are equal otherwise."""
MOVE_S, LANE_S, JUNCTION_S = 130e-9, 1.3e-9, 0.1e-3
"""CPU time of a vehicle's move, of a lane and simulated second, and of a junction's new lamps on a core of ours."""
ROWS_AT_ONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores (n_plan,), delays s/veh (n_plan, n_seed), and time lost around junctions s/veh (n_plan, n_junction)."""

    score: FloatArray
    delay_s: FloatArray
    around_s: FloatArray


class Judge(Protocol):
    """What a search asks: plans in, scores out, until its budget is spent."""

    @property
    def space(self) -> Space:
        """What may be chosen."""

    @property
    def is_spent(self) -> bool:
        """Whether the budget is used up."""

    def __call__(self, genomes: Sequence[Genome]) -> Scores:
        """Return the scores of plans."""


class Score:
    """The judge of a search.

    Parameters
    ----------
    models
        One queue model for each demand seed, of one network.
    seed
        Seed of the drivers.
    budget_s
        CPU time that may be spent, seconds. It is reckoned from the work done, not measured, so that a search ends
        with the same plan on every machine.
    """

    def __init__(
        self, models: Sequence[QueueModel], space: Space, *, seed: int, budget_s: float, n_threads: int = 1
    ) -> None:
        self.models, self.space, self.seed, self.n_threads = tuple(models), space, seed, n_threads
        self.budget_s, self.spent_s, self.n_plans = budget_s, 0.0, 0
        self._timings = Timings(space, models[0].compiled.signal_links)
        self._around = [Around(model, [site.id for site in space.sites]) for model in models]
        self._states: list[State] = [make_state(model.compiled.roads, 1) for model in models]
        self._known: dict[Genome, tuple[float, FloatArray, FloatArray]] = {}

    @property
    def is_spent(self) -> bool:
        """Whether the budget is used up."""
        return self.spent_s >= self.budget_s

    def warm_up(self, genome: Genome) -> None:
        """Compile the kernels, which has nothing to do with the search; nothing is counted."""
        self._run([genome])
        self.spent_s, self.n_plans = 0.0, 0

    def __call__(self, genomes: Sequence[Genome]) -> Scores:
        """Return the scores of plans, each run once at most."""
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        new = [row for row in dict.fromkeys(genomes) if row not in self._known]
        for first in range(0, len(new), ROWS_AT_ONCE):
            self._run(new[first : first + ROWS_AT_ONCE])
        rows = [self._known[row] for row in genomes]
        return Scores(
            score=np.array([row[0] for row in rows]),
            delay_s=np.array([row[1] for row in rows]),
            around_s=np.array([row[2] for row in rows]),
        )

    def _run(self, genomes: Sequence[Genome]) -> None:
        n_before, begin_s = self._timings.n_made, self.models[0].journeys.begin_s
        timing = self._timings.timing(genomes, begin_s)
        self.spent_s += JUNCTION_S * (self._timings.n_made - n_before)
        with ThreadPoolExecutor(self.n_threads) as pool:
            found = list(pool.map(lambda place: self._run_model(place, timing, len(genomes)), range(len(self.models))))
        delay_s = np.stack([row[0] for row in found], axis=1)
        around_s = np.mean([row[1] for row in found], axis=0)
        lane_s = sum(len(model.compiled.roads.lanes) * self._seconds(model) for model in self.models)
        moves = sum(row[2] for row in found)
        self.spent_s += MOVE_S * moves + LANE_S * lane_s * len(genomes)
        self.n_plans += len(genomes)
        scores = delay_s.mean(axis=1) + WORST_WEIGHT * delay_s.max(axis=1)
        for place, genome in enumerate(genomes):
            self._known[genome] = (float(scores[place]), delay_s[place], around_s[place])

    def _run_model(self, place: int, timing: Timing, n: int) -> tuple[FloatArray, FloatArray, float]:
        """Return delays (n,), time lost around junctions per vehicle (n, n_junction), and moves."""
        model = self.models[place]
        roads = model.compiled.roads
        if len(self._states[place].totals) < n:
            self._states[place] = make_state(roads, n)
        state = self._states[place]
        rows, replicas = np.arange(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
        run_fixed(rows, replicas, timing, roads, state, np.uint64(self.seed), self._seconds(model), 0, n)
        scheduled = np.maximum(1.0, state.totals[:n, SCHEDULED])
        lost_s = self._around[place].lost_s(state, n)
        delay_s: FloatArray = state.totals[:n, LOSS] / scheduled
        return delay_s, lost_s / scheduled[:, None], float(state.totals[:n, MOVES].sum())

    @staticmethod
    def _seconds(model: QueueModel) -> int:
        return int(model.journeys.end_s - model.journeys.begin_s)
