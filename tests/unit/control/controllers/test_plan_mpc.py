"""Model-predictive control of plans on crossroads whose answer is obvious."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from control.controllers.plan_mpc import PlanMpcState
from control.guard import Guard, plan_faults
from control.limits import GuardLimits
from control.orders import STREET_DAY
from tests.unit.control.fakes import FakePlant, make_plan
from tests.unit.control.mpc_factories import make_plan_mpc, make_street
from traffic.decisions import Decision, Release, SelectPattern
from traffic.ids import JunctionId
from traffic.signals import Plan

LIMITS = GuardLimits(is_push=False)
ALWAYS: dict[str, Any] = {"least_gain": -1.0, "least_sigma": -1e9}
Said = list[tuple[float, Decision]]


def drive(plant: FakePlant, seconds: float, *, through: float = 0.0, **settings: Any) -> tuple[Said, PlanMpcState]:
    """Return what was said until then, and the last state; `through` vehicles stand on the east-west through lanes."""
    controller = make_plan_mpc(plant, **settings)
    guard = Guard(plant, LIMITS, now=lambda: STREET_DAY + timedelta(seconds=plant.time_s))
    state, said = controller.start(guard), []
    plant.readings[[place for place in range(len(plant.readings)) if place % 8 in (2, 6)]] = through
    while plant.time_s < seconds:
        decided, state = controller.decide(guard.snapshot(), state)
        said += [(plant.time_s, row) for row in decided]
        guard.command(decided)
        guard.advance(10.0)
    return said, state


def plans_of(said: Said) -> list[Plan]:
    return [row.order.plan for _, row in said if isinstance(row, SelectPattern)]


def test_a_queue_gets_more_of_the_cycle() -> None:
    said, _ = drive(make_street(), 60.0, through=12.0, budget_s=0.2)
    (plan,) = plans_of(said)
    shares = [row.split_s / plan.pattern.cycle_s for row in plan.split.splits]
    assert shares[2] > 20 / 64 + 0.03
    assert shares[2] == max(shares)


def test_where_nothing_is_to_be_gained_nothing_is_said() -> None:
    said, state = drive(make_street(), 700.0, least_gain=0.9)
    assert said == [] and state.ours == frozenset()


def test_every_plan_is_one_that_the_guard_allows() -> None:
    plant = make_street("a", "b")
    said, _ = drive(plant, 1500.0, through=5.0, period_s=60.0, **ALWAYS)
    plans = plans_of(said)
    assert len(plans) >= 4
    assert [fault for plan in plans for fault in plan_faults(plant.junctions[plan.junction], plan, LIMITS)] == []


def test_a_plan_stays_for_three_of_its_cycles() -> None:
    said, _ = drive(make_street("a", "b"), 2000.0, through=5.0, period_s=20.0, **ALWAYS)
    last: dict[JunctionId, tuple[float, Plan]] = {}
    n_changes = 0
    for time_s, row in said:
        assert isinstance(row, SelectPattern)
        if row.junction in last:
            since_s, plan = last[row.junction]
            assert time_s >= since_s + 3 * plan.pattern.cycle_s
            n_changes += 1
        last[row.junction] = (time_s, row.order.plan)
    assert n_changes >= 4


def test_sequence_numbers_rise() -> None:
    said, _ = drive(make_street(), 1500.0, through=5.0, period_s=60.0, **ALWAYS)
    numbers = [row.order.sequence_number for _, row in said if isinstance(row, SelectPattern)]
    assert len(numbers) > 2 and numbers == sorted(set(numbers))


def test_the_same_street_gives_the_same_plans() -> None:
    first, _ = drive(make_street("a", "b"), 400.0, through=6.0, **ALWAYS)
    again, _ = drive(make_street("a", "b"), 400.0, through=6.0, **ALWAYS)
    assert first == again and first


def test_a_junction_that_is_blind_keeps_its_local_plan() -> None:
    plant = make_street("a", "b")
    plant.readings[3] = np.nan
    said, state = drive(plant, 400.0, through=9.0, **ALWAYS)
    assert {row.junction for _, row in said} == {"b"}
    assert state.blind == {"a"}


@pytest.mark.parametrize(("lost_for_s", "is_released"), [(30.0, False), (120.0, True)])
def test_a_junction_that_goes_blind_gets_its_local_plan_back(lost_for_s: float, is_released: bool) -> None:
    plant = make_street()
    controller = make_plan_mpc(plant, blind_s=60.0, **ALWAYS)
    state, said = controller.start(plant), []
    while plant.time_s < 300.0:
        plant.readings[:] = 4.0
        plant.readings[3] = np.nan if 100.0 <= plant.time_s < 100.0 + lost_for_s else 1.0
        decided, state = controller.decide(plant.snapshot(), state)
        said += [(plant.time_s, row) for row in decided]
        plant.command(decided)
        plant.advance(10.0)
    releases = [time_s for time_s, row in said if isinstance(row, Release)]
    assert releases == ([160.0] if is_released else [])
    if is_released:
        assert state.running[0].plan == make_plan(plant.junctions[JunctionId("a")])
        assert state.ours == frozenset()


def test_a_junction_that_shows_its_local_plan_is_believed_to_run_it() -> None:
    class Deaf(FakePlant):
        def command(self, decisions: object) -> None:
            """Obey nobody."""

    plant = Deaf(list(make_street().junctions.values()))
    controller = make_plan_mpc(plant, period_s=2000.0, **ALWAYS)
    state = controller.start(plant)
    plant.readings[:] = 4.0
    believed = []
    while plant.time_s < 600.0:
        _, state = controller.decide(plant.snapshot(), state)
        believed.append(bool(state.ours))
        plant.advance(10.0)
    assert any(believed) and not believed[-1]
