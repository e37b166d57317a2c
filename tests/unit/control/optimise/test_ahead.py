"""The judge of plans from now on: transitions are paid for, what is fixed stays, work is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from control.core.arrays import LOSS
from control.limits import GuardLimits
from control.optimise.ahead import Ahead, Outlook, plan_from_now, times_now, with_offsets
from control.optimise.space import Space
from control.optimise.timings import Timings
from control.plan_place import running
from control.state_estimate import first_belief
from tests.unit.control.fakes import make_plan
from tests.unit.control.mpc_factories import make_street, make_streets

TIME_S = 1000.0


def make_judge(*, fixed: bool = False, alone: bool = False) -> Ahead:
    """Return the judge of a crossroads with 500 veh/h on each movement, empty now and in step with its plan."""
    plant = make_street()
    streets = make_streets(plant, vph=300.0)
    plans = {name: make_plan(junction) for name, junction in plant.junctions.items()}
    space = Space(dict(plant.junctions), plans, GuardLimits(is_push=False))
    runs = tuple(running(junction, plans[name], 0.0) for name, junction in plant.junctions.items())
    n_lanes, n_origins = len(streets.roads.lanes), len(streets.roads.origins)
    outlook = Outlook(
        time_s=TIME_S,
        now_s=0.0,
        draws=((streets.roads, first_belief(streets).state),),
        running=runs,
        place_s=tuple(run.clock_s(TIME_S) for run in runs),
        fixed=frozenset({0}) if fixed else frozenset(),
        alone=frozenset({0}) if alone else frozenset(),
        horizon_s=300,
        ends_s=(0.0, 0.0),
    )
    around = (np.ones((n_lanes, 1)), np.ones((n_origins, 1)))
    return Ahead(space, Timings(space, streets.compiled.signal_links), outlook, around, 1.0)


def test_all_that_is_lost_is_lost_around_the_only_junction() -> None:
    judge = make_judge()
    scores = judge([judge.running])
    assert scores.score[0] > 100.0
    assert scores.around_s[0, 0] == pytest.approx(scores.score[0])
    assert judge._state is not None and judge._state.totals[0, LOSS] <= scores.score[0]


def test_a_plan_is_asked_once() -> None:
    judge = make_judge()
    first = judge([judge.running, judge.running]).score
    spent_s = judge.spent_s
    assert np.array_equal(first, judge([judge.running, judge.running]).score)
    assert judge.n_plans == 1 and judge.spent_s == spent_s > 0.0


def test_what_is_fixed_stays() -> None:
    judge = make_judge(fixed=True)
    (times,) = judge.running
    other = judge.space.sites[0].project((40, 12, 12, 12), 76)
    assert other is not None and judge.held((other,)) == (times,)
    assert judge([(other,)]).score[0] == judge([judge.running]).score[0]


def test_who_has_no_neighbour_needs_no_transition() -> None:
    judge, free = make_judge(alone=True), make_judge()
    (times,) = judge.running
    later = (replace(times, offset_s=(times.offset_s + 30) % times.cycle_s, splits_s=(22, 12, 18, 12)),)
    assert judge._timing(list(map(judge.held, [later])))[2].tolist() == [[0.0]]
    assert free._timing([later])[2][0, 0] != 0.0


def test_a_transition_costs_something() -> None:
    judge = make_judge()
    moved = [with_offsets(judge.running, shift_s) for shift_s in (20, 40)]
    timing, least_s, ahead_s = judge._timing([judge.running, *moved])
    assert ahead_s[:, 0].tolist() == [0.0, 20.0, -24.0]
    assert np.all(timing.shift_s == timing.shift_s[0])
    assert np.all(least_s <= timing.length_s)


def test_times_from_now_and_back_are_the_plan() -> None:
    judge = make_judge()
    site = judge.space.sites[0]
    plan = make_plan(judge.outlook.running[0].junction, offset_s=17)
    assert plan_from_now(site, times_now(site, plan, TIME_S), TIME_S) == plan
