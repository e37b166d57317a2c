"""Model-predictive control at plan level: cycle, splits and offset for the next minutes, searched again and again.

::

    every 10 s   zones, lamps -> belief of the streets under the running plans
    every 5 min  belief + departures as history has them -> search in the queue model -> plans, if they save enough

The controllers in the field time the street; between two decisions nothing is said.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

import numpy as np

from control.expected_demand import mean_flows
from control.expected_draws import draw_departures
from control.limits import GuardLimits
from control.optimise.ahead import Ahead, Outlook, plan_from_now, with_offsets
from control.optimise.around import lanes_around, links_around, neighbours
from control.optimise.coordinates import coordinates
from control.optimise.space import Genome, Space
from control.optimise.timings import Timings
from control.orders import orders_of
from control.plan_estimate import PlanBelief, first_plan_belief, see_plans
from control.plan_place import Running, running
from control.plan_proposals import Proposer
from control.policy_runs import Weights
from control.queue_physics import Physics
from control.queue_stages import StageClock, StagePolicy
from control.state_estimate import Streets, build_streets
from traffic.decisions import Decision, Release
from traffic.demand import LinkHistory
from traffic.ids import JunctionId
from traffic.ports import Plant
from traffic.signals import Plan
from traffic.snapshot import FloatArray, Snapshot
from traffic.zones import Zones

CYCLE_STEP_S, N_CLIMBERS = 8, 3
"""Step between the common cycles from which a search starts; so many starts are improved."""
LEAST_DRAWS = 6
"""Departures that are drawn at least, however many junctions there are."""
N_STRANGE = 6
"""After so many looks in a row at lamps of its local plan a junction is believed to run that."""
MARGIN_S = 10.0
"""Added to the cycles that a plan is left in effect, seconds: dialogues take time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMpcSettings:
    """How far ahead, how often, and what a change must save.

    Attributes
    ----------
    period_s
        Time from one change to the next decision, seconds; never less than `n_cycles` of the longest cycle.
    warm_up_s
        How long the streets are looked at before the first decision, seconds.
    horizon_s
        How long the model runs on, whole seconds.
    n_draws, n_checks
        Departures that a search sees, and fresh ones on which its best plan is compared with the running one; with
        n junctions, which have luck of their own each, as many divided by the root of n, six at least.
    spread
        Standard deviation of flows over some minutes, as a share of them, beyond that of a Poisson process.
    budget_s
        CPU time of a search, seconds, reckoned from its work.
    least_gain
        A change must save this share of all that is lost, and be clear of chance by `least_sigma` standard errors.
    turn_wait_s, queue_s
        What a vehicle loses that stands at red at the end; a queue of n costs this times n^2, seconds.
    blind_s
        A junction of which a reading is unknown for longer goes back to its local plan, seconds.
    """

    period_s: float = 300.0
    warm_up_s: float = 60.0
    n_cycles: int = 3
    horizon_s: int = 600
    n_draws: int = 24
    spread: float = 0.75
    n_checks: int = 48
    budget_s: float = 6.0
    least_gain: float = 0.01
    least_sigma: float = 1.0
    turn_wait_s: float = 3.0
    queue_s: float = 0.3
    blind_s: float = 60.0
    physics: Physics = Physics(noise=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What does not change: streets in the core, space of plans, who is next to whom, who loses where."""

    streets: Streets
    space: Space
    timings: Timings
    near: Sequence[set[int]]
    around: tuple[FloatArray, FloatArray]
    proposer: Proposer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMpcState:
    """What is believed of the streets and of the plans that run there.

    `ours` are junctions that run a plan of this controller; `blind_since_s` says since when a reading is unknown,
    infinite where none is; `blind` are the junctions left to, or given back to, their local plans; `strange` counts
    how often in a row a junction's lamps were its local plan's and not ours.
    """

    ground: Ground
    belief: PlanBelief
    running: tuple[Running, ...]
    ours: frozenset[JunctionId] = frozenset()
    blind_since_s: tuple[float, ...]
    blind: frozenset[JunctionId] = frozenset()
    strange: tuple[int, ...]
    next_s: float = np.nan
    n_orders: int = 0


@dataclass(slots=True)
class Spent:
    """CPU time of decisions about plans, and what the model had them save as a ratio (0 where nothing was changed)."""

    cpu_s: list[float] = field(default_factory=list)
    gain: list[float] = field(default_factory=list)


class PlanMpc:
    """Plans for the next minutes, with what history expects and the detector zones count.

    Parameters
    ----------
    history
        Flows of other days.
    clock
        A protocol's clock, of which the core's stages are made.
    plans
        The local plans, which run wherever nothing else was said.
    limits
        What the guard allows.
    learned
        Weights of the universal policy and the zones that it reads: the search starts from the plans, too, that come
        of what the policy would do.
    """

    def __init__(
        self,
        history: LinkHistory,
        clock: StageClock,
        plans: Mapping[JunctionId, Plan],
        limits: GuardLimits,
        settings: PlanMpcSettings | None = None,
        learned: tuple[Weights, Zones] | None = None,
    ) -> None:
        self._history, self._clock, self._plans, self._limits = history, clock, plans, limits
        self._settings, self._learned = settings or PlanMpcSettings(), learned
        self.spent = Spent()

    def start(self, plant: Plant) -> PlanMpcState:
        """Return empty streets under the local plans."""
        network, physics = plant.network, self._settings.physics
        streets = build_streets(network, plant.stages, self._history, self._clock, StagePolicy(), physics)
        names = streets.junctions
        space = Space({name: plant.junctions[name] for name in names}, self._plans, self._limits)
        lanes = lanes_around(network, streets.compiled, [links_around(network, name) for name in names])
        ground = Ground(
            streets=streets,
            space=space,
            timings=Timings(space, streets.compiled.signal_links),
            near=neighbours(network, names),
            around=(lanes, _origins_around(streets, lanes)),
            proposer=self._proposer(plant, streets),
        )
        return PlanMpcState(
            ground=ground,
            belief=first_plan_belief(streets),
            running=tuple(running(plant.junctions[name], self._plans[name], -np.inf) for name in names),
            blind_since_s=(np.inf,) * len(names),
            strange=(0,) * len(names),
        )

    def decide(self, snapshot: Snapshot, state: PlanMpcState) -> tuple[Sequence[Decision], PlanMpcState]:
        """Return new plans where it is time and they save enough; a release where a junction has become blind."""
        time_s = snapshot.time_s
        belief = see_plans(state.ground.streets, state.belief, snapshot, state.running)
        state = self._local(replace(state, belief=belief), snapshot)
        released, state = self._give_back(_blinded(state, snapshot), time_s)
        if np.isnan(state.next_s):
            state = replace(state, next_s=time_s + self._settings.warm_up_s)
        if time_s < state.next_s:
            return released, state
        begun_s = time.process_time()
        orders, state = self._plan(time_s, state)
        self.spent.cpu_s.append(time.process_time() - begun_s)
        return [*released, *orders], state

    def _local(self, state: PlanMpcState, snapshot: Snapshot) -> PlanMpcState:
        """Return the state in which junctions that show their local plan, not ours, are believed to run it."""
        rows, strange, ours = list(state.running), list(state.strange), set(state.ours)
        for place, (run, lamps) in enumerate(zip(state.running, snapshot.lamps, strict=True)):
            name = run.junction.id
            if name not in ours or snapshot.time_s < run.since_s + self._settings.n_cycles * run.cycle_s:
                continue
            local = running(run.junction, self._plans[name], snapshot.time_s)
            if run.agrees(snapshot.time_s, lamps):
                strange[place] = 0
            elif local.agrees(snapshot.time_s, lamps):
                strange[place] += 1
            if strange[place] >= N_STRANGE:
                rows[place], strange[place] = local, 0
                ours.discard(name)
        return replace(state, running=tuple(rows), strange=tuple(strange), ours=frozenset(ours))

    def _give_back(self, state: PlanMpcState, time_s: float) -> tuple[list[Decision], PlanMpcState]:
        """Return releases of junctions that have been blind for too long, and the state after them."""
        names, rows = [], list(state.running)
        blind = set()
        for place, (run, since_s) in enumerate(zip(state.running, state.blind_since_s, strict=True)):
            name = run.junction.id
            if since_s <= time_s and (name not in state.ours or time_s - since_s >= self._settings.blind_s):
                blind.add(name)
            if name in blind and name in state.ours:
                names.append(name)
                rows[place] = running(run.junction, self._plans[name], time_s)
        state = replace(state, running=tuple(rows), ours=state.ours - set(names), blind=frozenset(blind))
        return [Release(name) for name in names], state

    def _plan(self, time_s: float, state: PlanMpcState) -> tuple[list[Decision], PlanMpcState]:
        """Return orders of the plans that are found, and the state in which they run."""
        settings, space = self._settings, state.ground.space
        now = self._judge(time_s, state, settings.n_draws, 0)
        best = now.running
        if len(now.outlook.fixed) < len(space.sites):
            best = _search(now, state.ground.near, self._proposals(state.ground, now))
        gain = self._gain(self._judge(time_s, state, settings.n_checks, 1), best)
        self.spent.gain.append(gain)
        if gain <= 0.0:
            return [], replace(state, next_s=time_s + settings.period_s)
        changed = {
            place: plan_from_now(site, new, time_s)
            for place, (site, new, old) in enumerate(zip(space.sites, best, now.running, strict=True))
            if new != old
        }
        rows = list(state.running)
        for place, plan in changed.items():
            rows[place] = running(rows[place].junction, plan, time_s)
        junctions = {run.junction.id: run.junction for run in rows}
        orders = orders_of(junctions, list(changed.values()), sequence_number=state.n_orders + 1, time_s=time_s)
        longest_s = max(run.cycle_s for run in rows)
        return list(orders), replace(
            state,
            running=tuple(rows),
            ours=state.ours | {plan.junction for plan in changed.values()},
            next_s=time_s + max(settings.period_s, settings.n_cycles * longest_s + MARGIN_S),
            n_orders=state.n_orders + 1,
        )

    def _proposer(self, plant: Plant, streets: Streets) -> Proposer | None:
        if self._learned is None:
            return None
        return Proposer(self._learned, plant, self._clock, mean_flows(self._history), streets)

    def _proposals(self, ground: Ground, judge: Ahead) -> list[Genome]:
        """Return plans that come of what the policy would do, on the cycles from which a search starts."""
        if ground.proposer is None:
            return []
        outlook = judge.outlook
        greens = ground.proposer.shares(outlook.draws, outlook.now_s, outlook.horizon_s)
        return ground.proposer.plans(greens, ground.space, judge.running, _cycles(ground.space))

    def _judge(self, time_s: float, state: PlanMpcState, n_draws: int, stream: int) -> Ahead:
        """Return the judge of plans from now on, with departures of their own for every stream."""
        settings, ground = self._settings, state.ground
        streets, now_s = ground.streets, time_s - ground.streets.begin_s
        rng = np.random.default_rng([stream, round(10 * now_s)])
        n_draws = min(n_draws, max(LEAST_DRAWS, round(n_draws / sqrt(len(state.running)))))
        draws = tuple(
            draw_departures(streets.roads, state.belief.belief.state, now_s, settings.spread, rng)
            for _ in range(n_draws)
        )
        fixed = frozenset(
            place
            for place, run in enumerate(state.running)
            if run.junction.id in state.blind or time_s < run.since_s + settings.n_cycles * run.cycle_s
        )
        outlook = Outlook(
            time_s=time_s,
            now_s=now_s,
            draws=draws,
            running=state.running,
            place_s=state.belief.place_s,
            fixed=fixed,
            alone=frozenset(place for place, row in enumerate(ground.near) if not row),
            horizon_s=settings.horizon_s,
            ends_s=(settings.turn_wait_s, settings.queue_s),
        )
        return Ahead(ground.space, ground.timings, outlook, ground.around, settings.budget_s)

    def _gain(self, judge: Ahead, best: Genome) -> float:
        """Return the share of what is lost that new plans save; 0 where it is too little or may be chance."""
        if best == judge.running:
            return 0.0
        lost_s = judge([judge.running, best]).delay_s
        saved_s = lost_s[0] - lost_s[1]
        error_s = float(np.std(saved_s, ddof=1)) / sqrt(len(saved_s)) if len(saved_s) > 1 else 0.0
        gain = float(saved_s.mean()) / max(1.0, float(lost_s[0].mean()))
        is_clear = float(saved_s.mean()) > self._settings.least_sigma * error_s
        return gain if is_clear and gain > self._settings.least_gain else 0.0


def _search(judge: Ahead, near: Sequence[set[int]], proposals: Sequence[Genome]) -> Genome:
    """Return the best plans that are found within the judge's budget."""
    starts = [judge.held(row) for row in (*_starts(judge), *proposals)]
    scores = judge(starts).score
    ranked = [starts[place] for place in np.argsort(scores, kind="stable")]
    best = ranked[0]
    for start in ranked[:N_CLIMBERS]:
        for found in coordinates(judge, start, near):
            best = min((best, judge.held(found)), key=lambda row: float(judge([row]).score[0]))
            if judge.is_spent:
                break
    moved = [with_offsets(best, shift_s) for shift_s in range(-24, 25, 4)]
    return judge.held(min((best, *moved), key=lambda row: float(judge([row]).score[0])))


def _starts(judge: Ahead) -> list[Genome]:
    """Return legal plans near the running ones, on their cycles and on common ones."""
    space = judge.space
    rows = [
        site.project(times.splits_s, times.cycle_s, times.offset_s)
        for site, times in zip(space.sites, judge.running, strict=True)
    ]
    legal = tuple(row or times for row, times in zip(rows, judge.running, strict=True))
    others = [space.with_cycle(legal, cycle_s) for cycle_s in _cycles(space)]
    return [judge.running, legal, *(row for row in others if row is not None)]


def _cycles(space: Space) -> range:
    return range(space.shortest_s, space.longest_s + 1, CYCLE_STEP_S)


def _blinded(state: PlanMpcState, snapshot: Snapshot) -> PlanMpcState:
    """Return the state in which it stands since when each junction has had an unknown reading."""
    unknown = set(state.ground.streets.junction_of[np.isnan(snapshot.arriving_veh)].tolist())
    since_s = tuple(
        min(before_s, snapshot.time_s) if place in unknown else np.inf
        for place, before_s in enumerate(state.blind_since_s)
    )
    return replace(state, blind_since_s=since_s)


def _origins_around(streets: Streets, lanes: FloatArray) -> FloatArray:
    """Return 1 where those who wait to enter at an origin do so around a junction, shape (n_origin, n_junction)."""
    roads = streets.roads
    vehicles = roads.origin_vehicles[roads.origins["first"]]
    groups = roads.route[roads.vehicles["route"][vehicles]]
    conns = roads.options["conn"][roads.groups["first"][groups]]
    found: FloatArray = lanes[roads.conns["start"][conns]]
    return found
