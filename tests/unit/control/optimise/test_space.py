from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.guard import plan_faults
from control.limits import GuardLimits
from control.optimise.orders import orders_of
from control.optimise.space import Site, Space, Times
from control.plan.splits import make_plan as plan_of_splits
from control.plan.splits import project_splits
from tests.unit.control.cabinet_factories import make_cross
from tests.unit.control.fakes import make_crossroads, make_plan
from traffic.errors import UnsafeCommand
from traffic.lamps import coordinated_start_ds, cycle_intervals
from traffic.signals import Junction, Plan

LIMITS = GuardLimits(is_push=False)
ONE_RING = make_crossroads(walk_s=7, ped_clear_s=6)
TWO_RINGS = make_cross(walk_s=5)


def installed_of(junction: Junction, cycle_s: int = 90) -> Plan:
    return plan_of_splits(junction, project_splits(junction, {}, cycle_s), offset_s=3)


SITES = {
    "one ring": Site(ONE_RING, installed_of(ONE_RING), LIMITS),
    "two rings": Site(TWO_RINGS, installed_of(TWO_RINGS), LIMITS),
    "short reds": Site(ONE_RING, installed_of(ONE_RING), replace(LIMITS, max_red_s=80.0)),
}
WISHES = st.lists(st.floats(-20.0, 300.0) | st.just(float("nan")), min_size=8, max_size=8)


@pytest.mark.parametrize("name", SITES)
@given(wish_s=WISHES, cycle_s=st.integers(1, 300), offset_s=st.floats(-500.0, 500.0))
def test_whatever_is_wished_is_legal_or_not_made(name: str, wish_s: list[float], cycle_s: int, offset_s: float) -> None:
    site = SITES[name]
    times = site.project(wish_s[: len(site.orders[0].phases)], cycle_s, offset_s)
    if times is not None:
        assert times.cycle_s == cycle_s
        assert plan_faults(site.orders[0], site.plan_of(times), site.limits) == []


@pytest.mark.parametrize("name", SITES)
def test_every_cycle_between_shortest_and_longest_red_can_be_had(name: str) -> None:
    site = SITES[name]
    wish_s = (1.0,) * len(site.orders[0].phases)
    cycles = range(site.shortest_s, int(site.limits.max_red_s) + 1)
    assert cycles
    assert all(site.project(wish_s, cycle_s) for cycle_s in cycles)


@given(splits_s=st.lists(st.integers(1, 60), min_size=4, max_size=4), cycle_s=st.integers(20, 200))
def test_the_quick_answer_about_a_plan_is_the_guards(splits_s: list[int], cycle_s: int) -> None:
    site = SITES["one ring"]
    times = Times(cycle_s=cycle_s, offset_s=0, splits_s=tuple(splits_s))
    faults = plan_faults(ONE_RING, site.plan_of(times), LIMITS)
    assert bool(site.faults(times)) == bool(faults)


def test_the_lamps_are_those_of_the_plan() -> None:
    for site in SITES.values():
        times = site.installed_times
        plan = site.plan_of(times)
        start_s = coordinated_start_ds(site.orders[0], plan) / 10.0
        assert site.intervals(times) == (cycle_intervals(site.orders[0], plan), start_s)


def test_numbers_and_modes_of_the_installed_plan_are_kept() -> None:
    installed = make_plan(ONE_RING, (30, 20, 30, 20), number=7, split=9)
    plan = Site(ONE_RING, installed, LIMITS).plan_of(Times(cycle_s=88, offset_s=5, splits_s=(28, 16, 28, 16)))
    assert plan.pattern == replace(installed.pattern, cycle_s=88, offset_s=5)
    assert [replace(row, split_s=0) for row in plan.split.splits] == [
        replace(row, split_s=0) for row in installed.split.splits
    ]


def test_a_junction_without_a_legal_plan_is_one_line() -> None:
    conflicting = replace(ONE_RING, conflicts=frozenset({(0, 4)}))
    with pytest.raises(UnsafeCommand, match="junction a: no plan is legal") as caught:
        Site(conflicting, installed_of(ONE_RING), LIMITS)
    assert "\n" not in caught.value.line


def test_limits_that_no_cycle_meets_are_one_line() -> None:
    with pytest.raises(UnsafeCommand, match="no plan is legal"):
        Site(ONE_RING, installed_of(ONE_RING), replace(LIMITS, max_cycle_s=40))


def test_another_cycle_keeps_half_cycles_half() -> None:
    names = ("a", "b")
    junctions = {make_crossroads(name).id: make_crossroads(name) for name in names}
    splits = ((24, 21, 24, 21), (12, 11, 11, 11))
    plans = {key: make_plan(row, s) for (key, row), s in zip(junctions.items(), splits, strict=True)}
    space = Space(junctions, plans, LIMITS)
    moved = space.with_cycle(space.installed, 100)
    assert moved is not None
    assert [times.cycle_s for times in moved] == [100, 50]
    assert space.with_cycle(space.installed, 300) is None


def test_orders_differ_keep_the_first_phase_and_are_legal_where_offered() -> None:
    rings = [row.rings[0] for row in orders_of(ONE_RING)]
    assert len(set(rings)) == len(rings) == 5
    assert all(ring[0] == 1 and sorted(ring) == [1, 2, 3, 4] and ring != (1, 2, 3, 4) for ring in rings)
    site = Site(ONE_RING, installed_of(ONE_RING), LIMITS, may_reorder=True)
    assert len(site.orders) > 1
    for order in range(1, len(site.orders)):
        times = site.project((20.0,) * 4, 100, 0, order)
        assert times is not None
        assert plan_faults(site.orders[order], site.plan_of(times), LIMITS) == []


def test_a_new_order_has_the_longest_clearances_everywhere() -> None:
    short = replace(ONE_RING, phases=tuple(replace(p, yellow_ds=0 if p.number == 2 else 40) for p in ONE_RING.phases))
    assert {phase.yellow_ds for row in orders_of(short) for phase in row.phases} == {40}


def test_without_being_asked_the_order_stays() -> None:
    assert len(SITES["one ring"].orders) == 1
