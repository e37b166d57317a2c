"""Offsets moved together: the wave stays, and nobody has far to go."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from control.plan.transition import MARGIN_S, ahead_s, moved_together
from tests.unit.control.fakes import make_crossroads, make_plan
from traffic.ids import JunctionId
from traffic.signals import Plan

CYCLE_S = 64


def make_town(offsets_s: Sequence[int], splits_s: Sequence[int] = (20, 12, 20, 12)) -> dict[JunctionId, Plan]:
    names = [f"j{n}" for n in range(len(offsets_s))]
    return {
        JunctionId(name): make_plan(make_crossroads(name), splits_s, offset_s=offset_s)
        for name, offset_s in zip(names, offsets_s, strict=True)
    }


def test_a_later_offset_leaves_a_controller_ahead_by_just_that() -> None:
    (old,), (new,) = make_town([10]).values(), make_town([17]).values()
    assert {ahead_s(old, new, time_s) for time_s in (0.0, 9.0, 30.0, 25_200.0)} == {7.0}


def test_an_earlier_offset_at_one_junction_makes_the_others_wait_for_it() -> None:
    moved = moved_together(make_town([8, 5, 8]), make_town([8, 8, 8]), 25_200.0)
    assert [plan.pattern.offset_s for plan in moved.values()] == [8 + 3 + MARGIN_S, 8 + MARGIN_S, 8 + 3 + MARGIN_S]


offsets = st.lists(st.integers(0, CYCLE_S - 1), min_size=4, max_size=4)


@given(offsets, offsets, st.integers(0, 86_400))
def test_differences_stay_all_are_ahead_and_none_is_by_more_than_it_must(
    old_s: list[int], new_s: list[int], time_s: int
) -> None:
    old, new = make_town(old_s), make_town(new_s)
    moved = moved_together(new, old, float(time_s))
    shifts = {(moved[name].pattern.offset_s - new[name].pattern.offset_s) % CYCLE_S for name in new}
    assert len(shifts) == 1
    ahead = [ahead_s(old[name], moved[name], float(time_s)) for name in new]
    plain = [ahead_s(old[name], new[name], float(time_s)) for name in new]
    best = min(max((value + shift) % CYCLE_S for value in plain) for shift in range(CYCLE_S))
    assert max((value - MARGIN_S) % CYCLE_S for value in ahead) == best
    assert {name: plan.split for name, plan in moved.items()} == {name: plan.split for name, plan in new.items()}


def test_a_shorter_cycle_leaves_as_much_more_room_as_it_is_shorter() -> None:
    old, new = make_town([0, 0]), make_town([0, 0], (18, 11, 18, 11))
    moved = moved_together(new, old, 640.0)
    assert {ahead_s(old[name], moved[name], 640.0) for name in new} == {MARGIN_S + 6.0}


def test_plans_without_a_common_cycle_are_left_alone() -> None:
    mixed = {**make_town([3, 4]), JunctionId("j1"): make_town([3, 4], (18, 11, 18, 11))[JunctionId("j1")]}
    assert moved_together(mixed, make_town([0, 0]), 100.0) == mixed
