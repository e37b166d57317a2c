from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.traffic.factories import make_dual_ring, make_plan, make_single_ring, phase
from traffic.errors import UnsafeCommand
from traffic.lamps import Interval, Part, RingState, change, coordinated_start_ds, cycle_intervals, lamps, stages


def test_a_group_green_in_two_phases_stays_green_between_them() -> None:
    junction = make_single_ring()
    shown = [i.lamps for i in cycle_intervals(junction, make_plan(junction, (20, 15, 15), 50))]
    assert shown == ["GGr", "yGr", "rGr", "rgr", "ryr", "rrr", "srG", "rry", "rrr"]


def test_intervals_of_equal_lamps_are_joined() -> None:
    junction = make_single_ring(red_clear_ds=0)
    intervals = cycle_intervals(junction, make_plan(junction, (20, 15, 15), 50))
    assert [i.duration_ds for i in intervals] == [170, 30, 120, 30, 120, 30]


def test_dual_ring_by_hand() -> None:
    junction = make_dual_ring()
    plan = make_plan(junction, (15, 30, 15, 30, 20, 25, 10, 35), 90)
    intervals = cycle_intervals(junction, plan)
    assert intervals[0] == Interval(100, "GrrrGrrr")
    assert intervals[3] == Interval(30, "rGrryrrr")
    assert sum(i.duration_ds for i in intervals) == 900
    assert coordinated_start_ds(junction, plan) == 150


def test_rings_of_unequal_length_have_no_cycle() -> None:
    junction = make_dual_ring()
    with pytest.raises(UnsafeCommand, match=r"ring lengths: \[90.0, 91.0\] s"):
        cycle_intervals(junction, make_plan(junction, (15, 30, 15, 30, 20, 25, 10, 36), 90))


def test_a_coordinated_phase_without_split_is_refused() -> None:
    junction = make_dual_ring()
    with pytest.raises(UnsafeCommand, match="coordinated phase"):
        coordinated_start_ds(junction, make_plan(junction, (45, 0, 15, 30, 20, 25, 10, 35), 90))


def test_stages_are_distinct_and_in_order() -> None:
    assert stages(make_single_ring()) == ("GGr", "rgr", "srG")
    assert len(stages(make_dual_ring())) == 8


def test_red_part_shows_red_whatever_the_phase() -> None:
    assert lamps(make_single_ring(), [RingState(phase(1), Part.RED, phase(1))]) == "rrr"


LETTERS = st.text(alphabet="Ggrs", min_size=1, max_size=12)


@given(st.data())
def test_a_change_never_goes_from_green_to_red_directly(data: st.DataObject) -> None:
    before = data.draw(LETTERS)
    after = data.draw(st.text(alphabet="Ggrs", min_size=len(before), max_size=len(before)))
    shown = [before, *(letters for _, letters in change(before, after, 3.0, 2.0)), after]
    for earlier, later in pairwise(shown):
        for was, now in zip(earlier, later, strict=True):
            assert not (was in "Gg" and now in "rs")
    for _, letters in change(before, after, 3.0, 2.0):
        assert not any(b not in "Gg" and n in "Gg" for b, n in zip(before, letters, strict=True))
