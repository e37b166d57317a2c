from __future__ import annotations

from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.limits import GuardLimits
from control.plan.splits import make_plan, project_splits, share_out, shortest_cycle_s
from control.plan_rules import plan_faults
from tests.unit.control.fakes import make_crossroads
from tests.unit.traffic.factories import make_dual_ring
from traffic.errors import Oversaturated
from traffic.ids import PhaseNumber
from traffic.signals import Junction

JUNCTIONS = (make_crossroads(), make_crossroads(walk_s=7, ped_clear_s=9, yellow_ds=35), make_dual_ring())
WISHES = st.one_of(st.floats(0.0, 100.0), st.sampled_from([nan, -5.0, 0.0, 1e6]))


@given(junction=st.sampled_from(JUNCTIONS), wishes=st.lists(WISHES, min_size=8, max_size=8), extra=st.integers(0, 60))
@settings(max_examples=300, deadline=None)
def test_any_wish_becomes_a_legal_plan_of_exactly_that_cycle(
    junction: Junction, wishes: list[float], extra: int
) -> None:
    cycle_s = shortest_cycle_s(junction) + extra
    wish_s = {p.number: w for p, w in zip(junction.phases, wishes, strict=False)}
    plan = make_plan(junction, project_splits(junction, wish_s, cycle_s))
    assert plan.pattern.cycle_s == cycle_s
    assert plan_faults(junction, plan, GuardLimits(max_red_s=240.0, max_cycle_s=255)) == []


def test_a_cycle_too_short_for_the_minimum_splits_is_refused() -> None:
    junction = make_crossroads()
    assert shortest_cycle_s(junction) == 40
    with pytest.raises(Oversaturated, match="minimum splits need 40 s"):
        project_splits(junction, {}, 39)


def test_a_legal_wish_is_kept() -> None:
    wish = {PhaseNumber(n): s for n, s in enumerate((20.0, 12.0, 18.0, 10.0), 1)}
    assert project_splits(make_crossroads(), wish, 60) == wish


@given(
    rows=st.lists(st.tuples(st.floats(0.0, 200.0), st.integers(1, 40)), min_size=1, max_size=8),
    extra=st.integers(0, 99),
)
def test_shares_sum_to_the_total_and_keep_the_least(rows: list[tuple[float, int]], extra: int) -> None:
    wishes, least = [row[0] for row in rows], [row[1] for row in rows]
    shares = share_out(wishes, least, sum(least) + extra)
    assert sum(shares) == sum(least) + extra
    assert all(share >= low for share, low in zip(shares, least, strict=True))


def test_offsets_wrap_into_the_cycle() -> None:
    splits = project_splits(make_crossroads(), {}, 60)
    assert make_plan(make_crossroads(), splits, offset_s=130).pattern.offset_s == 10
