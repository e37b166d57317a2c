"""One cycle for a town, and a green wave along its corridor, on a street of four-leg junctions in a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from control.limits import GuardLimits
from control.plan.corridor import PROGRESSION_SHARE, common_cycle_plans, corridor_stops, with_progression
from control.plan.webster import WebsterSettings, webster_plan
from control.plan_rules import plan_faults
from tests.unit.ops.report_factory import make_dual_ring, make_street
from traffic.errors import BadScenario, Oversaturated
from traffic.ids import JunctionId, MovementId
from traffic.signals import Junction, Plan

NETWORK = make_street()
NAMES = tuple(NETWORK.crossings)
JUNCTIONS: Mapping[JunctionId, Junction] = {name: make_dual_ring(NETWORK, name) for name in NAMES}
LIMITS = GuardLimits(is_push=False, min_cycle_s=60, max_cycle_s=150, max_red_s=150.0)
SETTINGS = WebsterSettings(max_cycle_s=150, is_capped=True)


def make_flows(vph: float = 100.0, busy: float = 1.0) -> dict[MovementId, float]:
    """Return the same flow everywhere, `busy` times as much at the first junction."""
    return {m.id: vph * (busy if m.junction == NAMES[0] else 1.0) for m in NETWORK.movements.values()}


def design(flows: Mapping[MovementId, float], **changes: object) -> dict[JunctionId, Plan]:
    return common_cycle_plans(NETWORK, JUNCTIONS, flows, SETTINGS, LIMITS, **changes)  # type: ignore[arg-type]


def test_all_junctions_have_the_busiest_ones_cycle_rounded_up_to_five_seconds() -> None:
    flows = make_flows(60.0, busy=3.0)
    alone = {n: webster_plan(j, NETWORK, flows, SETTINGS, LIMITS).pattern.cycle_s for n, j in JUNCTIONS.items()}
    assert alone[NAMES[0]] > alone[NAMES[1]]
    (cycle_s,) = {plan.pattern.cycle_s for plan in design(flows).values()}
    assert alone[NAMES[0]] <= cycle_s < alone[NAMES[0]] + 5 and cycle_s % 5 == 0


@pytest.mark.parametrize("vph", [0.0, 40.0, 100.0, 400.0])
def test_every_plan_is_legal_whatever_the_flows(vph: float) -> None:
    for name, plan in design(make_flows(vph, busy=2.0)).items():
        assert not plan_faults(JUNCTIONS[name], plan, LIMITS)
        assert plan.pattern.offset_s == 0


def test_a_given_cycle_is_kept_and_a_heavier_approach_gets_more_of_it() -> None:
    flows = make_flows()
    through = next(m.id for m in NETWORK.movements.values() if m.junction == NAMES[0] and 10 in m.link_indices)
    even, heavy = (design(f, cycle_s=110)[NAMES[0]] for f in (flows, flows | {through: 700.0}))
    assert even.pattern.cycle_s == heavy.pattern.cycle_s == 110
    phase = next(p for o in JUNCTIONS[NAMES[0]].overlaps if 10 in o.link_indices for p in o.protected)
    assert heavy.split.split_s(phase) > even.split.split_s(phase)


def test_demand_beyond_capacity_gets_the_longest_cycle_or_is_refused() -> None:
    flows = make_flows(900.0)
    assert {plan.pattern.cycle_s for plan in design(flows).values()} == {150}
    with pytest.raises(Oversaturated):
        common_cycle_plans(NETWORK, JUNCTIONS, flows, replace(SETTINGS, is_capped=False), LIMITS)


def test_an_unknown_flow_is_no_plan() -> None:
    flows = make_flows()
    lost = next(iter(flows))
    with pytest.raises(BadScenario, match="unknown"):
        design(flows | {lost: float("nan")})
    with pytest.raises(BadScenario, match="unknown"):
        design({name: flow for name, flow in flows.items() if name != lost})


def test_equal_flows_give_equal_plans() -> None:
    flows = make_flows(80.0, busy=1.7)
    made = [with_progression(NETWORK, JUNCTIONS, design(flows), NAMES) for _ in range(2)]
    assert made[0] == made[1]


def test_travel_times_are_the_links_lengths_at_the_platoons_speed() -> None:
    stops = corridor_stops(NETWORK, JUNCTIONS, design(make_flows()), NAMES)
    link = next(row for row in NETWORK.links.values() if (row.from_node, row.to_node) == (NAMES[0], NAMES[1]))
    assert [stop.from_last_s for stop in stops] == pytest.approx(
        [0.0, *[link.length_m / (PROGRESSION_SHARE * link.speed_mps)] * 2]
    )
    assert [stop.to_last_s for stop in stops] == pytest.approx([stop.from_last_s for stop in stops])


def test_offsets_leave_a_band_both_ways_that_no_offsets_do_not() -> None:
    plans = design(make_flows(), cycle_s=100)
    waved = with_progression(NETWORK, JUNCTIONS, plans, NAMES)
    assert band_s(waved) > band_s(plans)
    assert all(0 <= plan.pattern.offset_s < 100 for plan in waved.values())
    assert {name: plan.split for name, plan in waved.items()} == {name: plan.split for name, plan in plans.items()}


def band_s(plans: Mapping[JunctionId, Plan]) -> int:
    """Return the seconds of a cycle in which a vehicle meets green all along, both ways together."""
    stops = corridor_stops(NETWORK, JUNCTIONS, plans, NAMES)
    cycle_s = plans[NAMES[0]].pattern.cycle_s
    seconds = np.arange(cycle_s)
    is_out, is_in = np.ones(cycle_s, bool), np.ones(cycle_s, bool)
    out_s = in_s = 0.0
    for stop in stops:
        offset_s = plans[stop.junction].pattern.offset_s
        out_s, in_s = out_s + stop.from_last_s, in_s + stop.to_last_s
        is_out &= stop.outbound[(seconds + round(out_s) - offset_s) % cycle_s]
        is_in &= stop.inbound[(seconds - round(in_s) - offset_s) % cycle_s]
    return int(is_out.sum() + is_in.sum())


@pytest.mark.parametrize("corridor", [(), NAMES[:1]], ids=["none", "one junction"])
def test_without_a_corridor_there_is_no_wave(corridor: tuple[JunctionId, ...]) -> None:
    plans = design(make_flows())
    assert with_progression(NETWORK, JUNCTIONS, plans, corridor) == plans


def test_a_junction_beside_the_corridor_keeps_offset_0() -> None:
    waved = with_progression(NETWORK, JUNCTIONS, design(make_flows()), NAMES[:2])
    assert waved[NAMES[2]].pattern.offset_s == 0


def test_a_corridor_with_a_gap_is_refused_by_name() -> None:
    with pytest.raises(BadScenario, match=f"from {NAMES[0]} to {NAMES[2]}: no link"):
        with_progression(NETWORK, JUNCTIONS, design(make_flows()), (NAMES[0], NAMES[2]))
