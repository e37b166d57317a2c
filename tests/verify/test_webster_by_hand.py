"""Webster's cycle and splits against numbers worked by hand from Road Research Technical Paper 39, equation (9)."""

from __future__ import annotations

import pytest

from control.limits import GuardLimits
from control.plan.lane_flows import LaneLoad, SaturationFlow, lane_loads
from control.plan.splits import shortest_cycle_s
from control.plan.webster import WebsterSettings, critical_flow_ratios, cycle_length, webster_plan
from control.plan_rules import plan_faults
from tests.unit.control.fakes import make_crossroads, make_network
from tests.unit.traffic.factories import make_dual_ring
from traffic.errors import BadScenario, Oversaturated
from traffic.ids import LaneId, PhaseNumber

LIMITS = GuardLimits()


@pytest.mark.parametrize(
    ("flow_ratio", "lost_s", "cycle_s"),
    [
        ([0.35, 0.25], 12.0, 57.5),  # (1.5 x 12 + 5) / 0.4
        ([0.25, 0.25], 10.0, 40.0),  # (1.5 x 10 + 5) / 0.5
        ([0.30, 0.20, 0.20], 12.0, 23.0 / 0.3),
        ([0.10], 4.0, 30.0),  # 11 / 0.9 lies below the shortest cycle
        ([0.50, 0.45], 10.0, 150.0),  # 400 s lies above the longest
    ],
)
def test_cycle_by_hand(flow_ratio: list[float], lost_s: float, cycle_s: float) -> None:
    assert cycle_length(flow_ratio, lost_s) == pytest.approx(cycle_s)


@pytest.mark.parametrize("flow_ratio", [[0.6, 0.4], [0.8, 0.7], [float("nan")]])
def test_no_cycle_serves_more_than_capacity(flow_ratio: list[float]) -> None:
    with pytest.raises(Oversaturated, match="below 1"):
        cycle_length(flow_ratio, 10.0)


def flows(through_ns: float, through_ew: float, left: float) -> dict:  # type: ignore[type-arg]
    network = make_network()
    return {
        m.id: left if m.direction == "l" else through_ns if m.approach[2] in "ns" else through_ew
        for m in network.movements.values()
    }


def test_plan_by_hand() -> None:
    # Through 540 and 360 veh/h on lanes of 1800: y = 0.3 and 0.2. Lefts of 85.5 / 1710: y = 0.05 in the phase of
    # through and left together, which serves them already: their own phases need nothing and get their minimum.
    # L = 4 x 5 s, C = (30 + 5) / 0.5 = 70 s; least splits 10 s; wishes 5 + 50 x (0.6, 0, 0.4, 0) = 35, 5, 25, 5.
    # Phases 2 and 4 need 10 s; 50 s are left: greens of 24 and 16 s, as 0.3 to 0.2, and two intergreens of 5 s.
    junction, network = make_crossroads(), make_network()
    plan = webster_plan(junction, network, flows(540.0, 360.0, 1e-6), WebsterSettings(), LIMITS)
    assert plan.pattern.cycle_s == 70
    assert [s.split_s for s in plan.split.splits] == [29, 10, 21, 10]
    assert plan_faults(junction, plan, LIMITS) == []


def test_a_permissive_left_needs_more_green_the_more_it_is_opposed() -> None:
    # HCM 2000 exhibit C16-3: 1.4 through cars for a left turn against nobody, 2.1 against 400 veh/h.
    table = SaturationFlow(base_vphpl=1800.0)
    assert table.vphpl("l", is_protected=False, opposing_vph=0.0) == pytest.approx(1800.0 / 1.4)
    assert table.vphpl("l", is_protected=False, opposing_vph=400.0) == pytest.approx(1800.0 / 2.1)
    assert table.vphpl("l", is_protected=False, opposing_vph=300.0) == pytest.approx(1800.0 / 1.9)


def test_lanes_load_alike() -> None:
    junction, network = make_crossroads(), make_network()
    loads = {row.lane: row for row in lane_loads(junction, network, flows(540.0, 360.0, 171.0), SaturationFlow())}
    assert loads[LaneId("a_n_in_0")].flow_ratio == pytest.approx(0.3)
    assert loads[LaneId("a_n_in_1")].flow_ratio == pytest.approx(0.1)
    assert loads[LaneId("a_n_in_1")].phases == {PhaseNumber(1), PhaseNumber(2)}


def test_critical_ratios_of_a_dual_ring_take_the_longer_ring() -> None:
    # y of phases 1-8, one lane each: before the barrier ring 1 needs .10 + .30, ring 2 .25 + .05; after it .3 and .4.
    wanted = (0.10, 0.30, 0.20, 0.10, 0.25, 0.05, 0.10, 0.30)
    loads = [
        LaneLoad(lane=LaneId(str(n)), flow_ratio=y, phases=frozenset({PhaseNumber(n)})) for n, y in enumerate(wanted, 1)
    ]
    ratios = critical_flow_ratios(make_dual_ring(), loads)
    assert [ratios[PhaseNumber(n)] for n in range(1, 9)] == pytest.approx(list(wanted))


def test_an_unknown_flow_makes_no_plan() -> None:
    broken = flows(540.0, 360.0, 90.0)
    broken[next(iter(broken))] = float("nan")
    with pytest.raises(BadScenario, match="unknown"):
        webster_plan(make_crossroads(), make_network(), broken, WebsterSettings(), LIMITS)


def test_demand_beyond_capacity_is_refused_or_capped() -> None:
    junction, network, heavy = make_crossroads(), make_network(), flows(1100.0, 900.0, 1.0)
    with pytest.raises(Oversaturated, match="junction a: sum of critical flow ratios"):
        webster_plan(junction, network, heavy, WebsterSettings(), LIMITS)
    plan = webster_plan(junction, network, heavy, WebsterSettings(is_capped=True), LIMITS)
    assert plan.pattern.cycle_s == 120
    assert plan_faults(junction, plan, LIMITS) == []


def test_nobody_about_gives_the_shortest_cycle() -> None:
    junction = make_crossroads()
    plan = webster_plan(junction, make_network(), flows(0.0, 0.0, 0.0), WebsterSettings(), LIMITS)
    assert plan.pattern.cycle_s == shortest_cycle_s(junction)
    assert plan_faults(junction, plan, LIMITS) == []
