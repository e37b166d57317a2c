"""Offsets near to what controllers show when they change plans."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.plan.in_step import MARGIN_S, ahead_s, in_step, place_s
from tests.unit.control.fakes import make_crossroads, make_plan
from traffic.ids import JunctionId
from traffic.signals import Plan

CROSS = make_crossroads()
OLD = make_plan(CROSS, (40, 12, 28, 10))
NEW = make_plan(CROSS, (20, 12, 16, 12))
PLACES = {
    "young green keeps its age": (3.0, 3.0),
    "old green is at its end": (30.0, 15.0),
    "yellow: before its next green": (36.0, 20.0 - 4.0),
    "second green": (43.0, 23.0),
    "last red clearance: before the first green": (89.0, -1.0),
    "next cycle": (93.0, 3.0),
}


@pytest.mark.parametrize(("time_s", "place"), PLACES.values(), ids=PLACES)
def test_a_green_has_its_place_in_the_new_plan(time_s: float, place: float) -> None:
    """Intergreens are 3 + 2 s: green 1 ends after 35 s in the old plan and after 15 s in the new one."""
    assert place_s(CROSS, OLD, NEW, time_s) == place


def test_a_controller_whose_plan_stays_is_ahead_by_what_its_offset_is_later() -> None:
    later = make_plan(CROSS, (40, 12, 28, 10), offset_s=7)
    assert {ahead_s(CROSS, OLD, later, time_s) for time_s in (3.0, 43.0, 25_200.0)} == {7.0}


@given(st.integers(0, 86_400), st.integers(0, 89), st.integers(0, 59))
def test_a_junction_of_its_own_cycle_is_ahead_by_the_margin(time_s: int, old_s: int, new_s: int) -> None:
    old, new = make_plan(CROSS, (40, 12, 28, 10), offset_s=old_s), make_plan(CROSS, (20, 12, 16, 12), offset_s=new_s)
    moved = in_step({CROSS.id: CROSS}, {CROSS.id: new}, {CROSS.id: old}, {CROSS.id: float(time_s)})[CROSS.id]
    assert ahead_s(CROSS, old, moved, float(time_s)) == MARGIN_S
    assert moved.split == new.split


def test_plans_of_one_cycle_keep_their_wave_and_others_do_not_hinder_them() -> None:
    names = [JunctionId(name) for name in ("a", "b", "c")]
    junctions = {name: make_crossroads(name) for name in names}
    running = {name: make_plan(junctions[name], (40, 12, 28, 10)) for name in names}
    plans: dict[JunctionId, Plan] = {
        names[0]: make_plan(junctions[names[0]], (20, 12, 16, 12), offset_s=0),
        names[1]: make_plan(junctions[names[1]], (20, 12, 16, 12), offset_s=10),
        names[2]: make_plan(junctions[names[2]], (20, 12, 17, 12), offset_s=3),
    }
    times_s = dict.fromkeys(names, 3.0)
    moved = in_step(junctions, plans, running, times_s)
    assert list(moved) == names
    assert (moved[names[1]].pattern.offset_s - moved[names[0]].pattern.offset_s) % 60 == 10
    ahead = [ahead_s(junctions[name], running[name], moved[name], 3.0) for name in names]
    assert ahead == [MARGIN_S, MARGIN_S + 10, MARGIN_S]
