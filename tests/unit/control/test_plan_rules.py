from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from control.lamp_rules import conflict_pairs, cycle_faults, lamp_faults
from control.limits import GuardLimits, legacy_limits, require_street, street_limits
from control.plan_rules import order_faults, plan_faults
from tests.unit.control.fakes import make_crossroads, make_plan
from tests.unit.traffic.factories import make_dual_ring
from tests.unit.traffic.factories import make_plan as make_dual_plan
from traffic.errors import UnsafeCommand
from traffic.ids import JunctionId, PhaseNumber
from traffic.lamps import Interval
from traffic.scenario import GuardFile
from traffic.signals import Junction, Order, Plan, SplitMode, SplitPlan

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
LIMITS = GuardLimits()


def with_split(plan: Plan, number: int, **changes: object) -> Plan:
    rows = tuple(replace(s, **changes) if s.phase == number else s for s in plan.split.splits)  # type: ignore[arg-type]
    return replace(plan, split=SplitPlan(number=plan.split.number, splits=rows))


def with_pattern(plan: Plan, **changes: object) -> Plan:
    return replace(plan, pattern=replace(plan.pattern, **changes))  # type: ignore[arg-type]


def test_a_legal_plan_has_no_fault() -> None:
    assert plan_faults(make_crossroads(), make_plan(make_crossroads()), LIMITS) == []


BROKEN = {
    "other junction": (lambda p: replace(p, junction=JunctionId("z")), "made for junction z"),
    "cycle too long for NTCIP": (lambda p: with_pattern(p, cycle_s=256), "cycle 256 s"),
    "cycle is no integer": (lambda p: with_pattern(p, cycle_s=64.0), "cycle 64.0 s"),
    "offset reaches the cycle": (lambda p: with_pattern(p, offset_s=64), "offset 64 s"),
    "offset below 0": (lambda p: with_pattern(p, offset_s=-1), "offset -1 s"),
    "offset is NaN": (lambda p: with_pattern(p, offset_s=float("nan")), "offset nan s"),
    "pattern free": (lambda p: with_pattern(p, number=254), "pattern number 254"),
    "other split table": (lambda p: with_pattern(p, split=2), "names split table 2"),
    "other sequence": (lambda p: with_pattern(p, sequence=2), "sequence 2"),
    "ring sum": (lambda p: with_pattern(p, cycle_s=70), "splits of ring 1 sum to 64 s"),
    "phase omitted": (lambda p: with_split(p, 3, mode=SplitMode.OMITTED), "phase 3 is omitted"),
    "split 0": (lambda p: with_split(p, 3, split_s=0), "split 0 of phase 3"),
    "split is True": (lambda p: with_split(p, 3, split_s=True), "split True of phase 3"),
    "unknown phase": (lambda p: with_split(p, 3, phase=PhaseNumber(9)), "phase 9 is not installed"),
    "missing phase": (lambda p: with_split(p, 3, phase=PhaseNumber(9)), "phase 3 has no split"),
    "phase twice": (lambda p: with_split(p, 3, phase=PhaseNumber(2)), "phase 2 has 2 splits"),
}


@pytest.mark.parametrize(("breaks", "says"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plan_is_named(breaks, says: str) -> None:  # type: ignore[no-untyped-def]
    faults = plan_faults(make_crossroads(), breaks(make_plan(make_crossroads())), LIMITS)
    assert any(says in fault for fault in faults), faults
    assert all("\n" not in fault for fault in faults)


def test_all_faults_are_listed_at_once() -> None:
    plan = with_split(with_pattern(make_plan(make_crossroads()), number=255, sequence=3), 1, split_s=-4)
    assert len(plan_faults(make_crossroads(), plan, LIMITS)) >= 3


def test_a_split_holds_minimum_green_and_intergreen() -> None:
    junction = make_crossroads(min_green_s=8)
    assert plan_faults(junction, make_plan(junction, (21, 13, 20, 13)), LIMITS) == []
    faults = plan_faults(junction, make_plan(junction, (22, 12, 20, 13)), LIMITS)
    assert any("split 12 s of phase 2 (13 s" in fault for fault in faults)


def test_a_split_holds_walk_and_pedestrian_clearance() -> None:
    junction = make_crossroads(walk_s=7, ped_clear_s=11)
    assert plan_faults(junction, make_plan(junction, (23, 23, 23, 23)), LIMITS) == []
    faults = plan_faults(junction, make_plan(junction, (24, 22, 23, 23)), LIMITS)
    assert any("split 22 s of phase 2 (23 s" in fault for fault in faults)


def test_the_site_limits_the_cycle() -> None:
    limits = street_limits(GuardFile(min_cycle_s=60, max_cycle_s=90))
    junction = make_crossroads()
    assert any("site limits 60-90" in f for f in plan_faults(junction, make_plan(junction, (17, 12, 17, 12)), limits))
    assert any("site limits 60-90" in f for f in plan_faults(junction, make_plan(junction, (30, 20, 25, 20)), limits))


def test_the_longest_red_bounds_a_plan() -> None:
    junction = make_crossroads()
    faults = plan_faults(junction, make_plan(junction, (135, 15, 15, 15)), LIMITS)
    assert any("is red for" in fault and "at most 120 s" in fault for fault in faults)


def test_conflicting_greens_of_a_plan_are_refused_under_both_profiles() -> None:
    junction = make_crossroads()
    broken = replace(junction, overlaps=(replace(junction.overlaps[0], link_indices=(0, 2, 4)), *junction.overlaps[1:]))
    for limits in (LIMITS, legacy_limits()):
        assert any("foes never move together" in f for f in plan_faults(broken, make_plan(broken), limits))


def test_the_legacy_profile_leaves_out_timing() -> None:
    junction = make_crossroads(walk_s=None, min_green_s=30)
    plan = make_plan(junction, (6, 6, 6, 6))
    assert plan_faults(junction, plan, legacy_limits()) == []
    assert len(plan_faults(junction, plan, LIMITS)) >= 6


def test_unknown_pedestrians_block_a_push_but_no_evaluation() -> None:
    junction = make_crossroads(walk_s=None)
    plan = make_plan(junction)
    assert any("pedestrian times unknown" in f for f in plan_faults(junction, plan, street_limits(GuardFile())))
    assert plan_faults(junction, plan, street_limits(GuardFile(), is_push=False)) == []


@pytest.mark.parametrize("limits", [legacy_limits(), street_limits(GuardFile(), is_push=False)])
def test_a_street_refuses_limits_that_let_things_pass(limits: GuardLimits) -> None:
    with pytest.raises(UnsafeCommand, match="a street needs every rule"):
        require_street(limits)


def test_a_street_takes_street_limits() -> None:
    limits = street_limits(GuardFile(max_red_s=90.0))
    require_street(limits)
    assert (limits.max_red_s, limits.is_push, limits.is_street) == (90.0, True, True)


def test_rings_meet_at_barriers() -> None:
    junction = make_dual_ring()
    assert plan_faults(junction, make_dual_plan(junction, (12, 18, 12, 18, 15, 15, 14, 16), 60), LIMITS) == []
    faults = plan_faults(junction, make_dual_plan(junction, (12, 20, 12, 16, 15, 15, 14, 16), 60), LIMITS)
    assert sum("rings reach barrier" in fault for fault in faults) == 2


def test_coordinated_phases_lie_in_one_barrier_group() -> None:
    junction = make_dual_ring()
    plan = make_dual_plan(junction, (12, 18, 12, 18, 15, 15, 14, 16), 60)
    faults = plan_faults(junction, with_split(plan, 4, is_coordinated=True), LIMITS)
    assert any("coordinated phases [2, 4]" in fault for fault in faults)


def make_order(junction: Junction, **changes: object) -> Order:
    fields: dict[str, object] = {
        "plan": make_plan(junction),
        "config_hash": junction.config_hash,
        "sequence_number": 8,
        "valid_from": NOW - timedelta(minutes=1),
        "expires": NOW + timedelta(minutes=15),
        "issuer": "centre",
        **changes,
    }
    return Order(**fields)  # type: ignore[arg-type]


def test_a_good_order_has_no_fault() -> None:
    junction = make_crossroads()
    assert order_faults(junction, make_order(junction), NOW, last_sequence=7) == []


BAD_ORDERS = {
    "hash": ({"config_hash": "0" * 16}, "made for configuration 0000"),
    "sequence repeats": ({"sequence_number": 7}, "sequence number 7"),
    "sequence is NaN": ({"sequence_number": float("nan")}, "sequence number nan"),
    "not yet": ({"valid_from": NOW + timedelta(seconds=1)}, "valid from"),
    "expired": ({"expires": NOW}, "expired"),
    "naive time": ({"expires": datetime(2026, 3, 2, 8, 0)}, "time zone"),
    "nobody": ({"issuer": ""}, "no issuer"),
    "ends before it begins": ({"expires": NOW - timedelta(hours=1)}, "before it is valid"),
    "other junction": ({"plan": make_plan(make_crossroads("b"))}, "carries a plan for b"),
}


@pytest.mark.parametrize(("changes", "says"), BAD_ORDERS.values(), ids=BAD_ORDERS.keys())
def test_a_bad_order_is_named(changes: dict[str, object], says: str) -> None:
    junction = make_crossroads()
    faults = order_faults(junction, make_order(junction, **changes), NOW, last_sequence=7)
    assert any(says in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("shown", "pairs"),
    [
        ("GgrrGgrr", []),
        ("GrrrrGrr", [(0, 5)]),
        ("rrGrrrrs", []),
        ("rrsrrrrG", []),
        ("rrgrrrrG", [(2, 7)]),
        ("yrrrrgrr", []),
        ("yrrrrGrr", [(0, 5)]),
        ("GrGrrrrr", [(0, 2)]),
        ("grgrrrrr", [(0, 2)]),
        ("yrGrrrrr", [(0, 2)]),
        ("srsrrrrr", []),
    ],
)
def test_foes_never_move_together(shown: str, pairs: list[tuple[int, int]]) -> None:
    assert conflict_pairs(make_crossroads(), shown) == pairs


def test_lamps_have_one_known_letter_a_link() -> None:
    junction = make_crossroads()
    assert "3 letters" in lamp_faults(junction, "GrG")[0]
    assert "only the letters" in lamp_faults(junction, "OrrrGrrr")[0]


def cycle_of(*parts: tuple[int, str]) -> list[Interval]:
    return [Interval(duration * 10, lamps) for duration, lamps in parts]


GOOD_CYCLE = ((10, "GrrrGrrr"), (3, "yrrryrrr"), (2, "rrrrrrrr"), (10, "rrGrrrGr"), (3, "rryrrryr"), (2, "rrrrrrrr"))


def test_a_cycle_with_full_clearances_passes() -> None:
    assert cycle_faults(make_crossroads(), cycle_of(*GOOD_CYCLE), 5.0) == []


@pytest.mark.parametrize(
    ("place", "part", "says"),
    [
        (1, (2, "yrrryrrr"), "yellow of 2.0 s (installed 3.0 s)"),
        (2, (1, "rrrrrrrr"), "a foe turns green after 4.0 s (installed 5.0 s)"),
        (5, (1, "rrrrrrrr"), "a foe turns green after 4.0 s (installed 5.0 s)"),
        (3, (4, "rrGrrrGr"), "green of 4.0 s (at least 5.0 s)"),
    ],
)
def test_a_cycle_cut_short_is_named(place: int, part: tuple[int, str], says: str) -> None:
    parts = [*GOOD_CYCLE[:place], part, *GOOD_CYCLE[place + 1 :]]
    assert any(says in fault for fault in cycle_faults(make_crossroads(), cycle_of(*parts), 5.0))
