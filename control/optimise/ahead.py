"""What plans are worth from now on: the believed streets, timed on in the queue model under each of them.

Offsets count from the time of the decision: a plan on another cycle then stands at the same share of it, and the
waves along a street stay what they are. Every plan begins where the lamps are and pays for its own transition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from control.core.ahead import time_plans
from control.core.arrays import MOVES, Roads, State, Timing, make_state
from control.optimise.score import JUNCTION_S, LANE_S, MOVE_S, ROWS_AT_ONCE, Scores
from control.optimise.space import Genome, Site, Space, Times
from control.optimise.timings import Timings
from control.plan.in_step import place_s as place_in_new_plan
from control.plan_place import Running, correction_s
from traffic.signals import Plan
from traffic.snapshot import FloatArray

_PLACE_S = 0.15e-3
"""CPU time of finding where a junction comes to be in new splits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a decision looks at.

    Attributes
    ----------
    time_s
        The plant's clock; `now_s` the model's.
    draws
        Roads and believed state, one replica, with departures as they may come; all plans see the same ones.
    running, place_s
        The plan of every junction, and where in its cycle it is, seconds.
    fixed
        Places of junctions that keep their plan.
    alone
        Places of junctions without neighbours: their offset is whatever needs no transition.
    horizon_s, ends_s
        How long the model runs on, whole seconds; what a vehicle at red at the end still loses, and a queue per
        vehicle squared.
    """

    time_s: float
    now_s: float
    draws: tuple[tuple[Roads, State], ...]
    running: tuple[Running, ...]
    place_s: tuple[float, ...]
    fixed: frozenset[int]
    alone: frozenset[int]
    horizon_s: int
    ends_s: tuple[float, float]


def times_now(site: Site, plan: Plan, time_s: float) -> Times:
    """Return a plan as it is, legal or not, its offset counted from `time_s`."""
    splits_s = tuple(plan.split.split_s(phase.number) for phase in site.orders[0].phases)
    cycle_s = plan.pattern.cycle_s
    return Times(cycle_s=cycle_s, offset_s=(plan.pattern.offset_s - round(time_s)) % cycle_s, splits_s=splits_s)


class Ahead:
    """The judge of a search from now on.

    Parameters
    ----------
    around, origins
        Which lanes of the core, and which origins, lie around each junction: 1 there.
    budget_s
        CPU time that may be spent, seconds, reckoned from the work done.
    """

    def __init__(
        self, space: Space, timings: Timings, outlook: Outlook, around: tuple[FloatArray, FloatArray], budget_s: float
    ) -> None:
        self.space, self.outlook, self.budget_s = space, outlook, budget_s
        self.spent_s, self.n_plans = 0.0, 0
        self._timings, self._around = timings, around
        self._running = tuple(
            times_now(site, row.plan, outlook.time_s) for site, row in zip(space.sites, outlook.running, strict=True)
        )
        self._known: dict[Genome, tuple[float, FloatArray, FloatArray]] = {}
        self._places: dict[tuple[int, tuple[int, ...]], float] = {}
        self._state: State | None = None

    @property
    def is_spent(self) -> bool:
        """Whether the budget is used up."""
        return self.spent_s >= self.budget_s

    @property
    def running(self) -> Genome:
        """The plans in effect."""
        return self._running

    def held(self, genome: Genome) -> Genome:
        """Return a genome in which junctions that keep their plan do, and those alone are in step."""
        return tuple(self._held(place, times) for place, times in enumerate(genome))

    def _held(self, place: int, times: Times) -> Times:
        if place in self.outlook.fixed or times == self._running[place]:
            return self._running[place]
        if place not in self.outlook.alone:
            return times
        start_s = self._timings.lamps(place, times).start_s
        return replace(times, offset_s=round(start_s - self._place(place, times)) % times.cycle_s)

    def __call__(self, genomes: Sequence[Genome]) -> Scores:
        """Return what vehicles lose under plans, seconds; `delay_s` by draw."""
        wanted = [self.held(genome) for genome in genomes]
        new = [row for row in dict.fromkeys(wanted) if row not in self._known]
        for first in range(0, len(new), ROWS_AT_ONCE):
            self._run(new[first : first + ROWS_AT_ONCE])
        rows = [self._known[row] for row in wanted]
        return Scores(
            score=np.array([row[0] for row in rows]),
            delay_s=np.array([row[1] for row in rows]),
            around_s=np.array([row[2] for row in rows]),
        )

    def _run(self, genomes: Sequence[Genome]) -> None:
        outlook, n = self.outlook, len(genomes)
        n_before = self._timings.n_made
        timing, least_s, ahead_s = self._timing(genomes)
        self.spent_s += JUNCTION_S * (self._timings.n_made - n_before)
        lost_s, around_s = np.zeros((n, len(outlook.draws))), np.zeros((n, len(self.space.sites)))
        for number, (roads, base) in enumerate(outlook.draws):
            if self._state is None or len(self._state.totals) < n:
                self._state = make_state(roads, n)
            outside_s, lost = np.zeros((n, len(roads.origins))), np.zeros(n)
            time_plans(
                timing,
                least_s,
                ahead_s,
                outlook.now_s,
                outlook.horizon_s,
                np.array(outlook.ends_s),
                roads,
                base,
                self._state,
                lost,
                outside_s,
                0,
                n,
            )
            lost_s[:, number] = lost
            around_s += self._state.lanes["loss"][:n] @ self._around[0] + outside_s @ self._around[1]
            self.spent_s += MOVE_S * float(self._state.totals[:n, MOVES].sum())
            self.spent_s += LANE_S * len(roads.lanes) * outlook.horizon_s * n
        self.n_plans += n
        for place, genome in enumerate(genomes):
            mean_s = float(lost_s[place].mean())
            self._known[genome] = (mean_s, lost_s[place], around_s[place] / len(outlook.draws))

    def _timing(self, genomes: Sequence[Genome]) -> tuple[Timing, FloatArray, FloatArray]:
        """Return the core's timing from where the lamps are, least lengths, and how far junctions are ahead."""
        timing = self._timings.timing(genomes, 0.0)
        shift_s, ahead_s = timing.shift_s.copy(), np.zeros_like(timing.shift_s)
        least_s = timing.length_s.copy()
        for p, genome in enumerate(genomes):
            for j, times in enumerate(genome):
                site, place = self.space.sites[j], self._place(j, times)
                slack_s = times.cycle_s - site.shortest_s
                ahead_s[p, j] = correction_s(place, shift_s[p, j], times.cycle_s, slack_s)
                shift_s[p, j] = place
                greens = self._timings.lamps(j, times).is_green
                own = least_s[p, j, : len(greens)]
                own[greens] = np.minimum(own[greens], site.limits.min_green_s)
        return timing._replace(shift_s=shift_s), least_s, ahead_s

    def _place(self, j: int, times: Times) -> float:
        """Return where in the cycle of new splits a junction finds itself."""
        run = self.outlook.running[j]
        if times.splits_s == self._running[j].splits_s:
            return self.outlook.place_s[j]
        key = (j, times.splits_s)
        if key not in self._places:
            self.spent_s += _PLACE_S
            now_s = run.plan.pattern.offset_s - run.start_s + self.outlook.place_s[j]
            plan = self.space.sites[j].plan_of(times)
            self._places[key] = place_in_new_plan(run.junction, run.plan, plan, now_s) % times.cycle_s
        return self._places[key]


def with_offsets(genome: Genome, shift_s: int) -> Genome:
    """Return plans that are all later by some seconds."""
    return tuple(replace(times, offset_s=(times.offset_s + shift_s) % times.cycle_s) for times in genome)


def plan_from_now(site: Site, times: Times, time_s: float) -> Plan:
    """Return the plan of times whose offset counts from `time_s`, with the offset that a controller means."""
    return site.plan_of(replace(times, offset_s=(times.offset_s + round(time_s)) % times.cycle_s))
