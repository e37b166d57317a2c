"""The plans that are ranked: legal, near where they say so, always the same, and none of them tuned on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from control.guard import plan_faults, street_limits
from ops.bench_core_draws import Design, design_of, is_near
from ops.bench_core_plans import Kind, PlanSet, calibration_plans, installed_faults, ranking_plans
from ops.bench_core_waves import wave_offsets_s
from ops.evaluate_runs import design_flows_vph
from ops.scenario_folder import open_scenario
from sim.episode import open_town
from traffic.ids import JunctionId


@pytest.fixture(scope="module")
def design() -> Design:
    scenario = open_scenario("grid")
    town = open_town(scenario)
    limits = street_limits(scenario.guard, scenario.clearance, is_push=False)
    return design_of(town, design_flows_vph(town, scenario), limits)


@pytest.fixture(scope="module")
def plans(design: Design) -> list[PlanSet]:
    return ranking_plans(design, 16)


def test_half_is_near_the_default_and_a_quarter_each_is_websters_and_random(plans: list[PlanSet]) -> None:
    assert Counter(row.kind for row in plans) == {Kind.NEAR_DEFAULT: 8, Kind.WEBSTER: 4, Kind.RANDOM: 4}
    assert len({row.timing for row in plans}) == len({row.name for row in plans}) == 16


def test_the_first_is_the_installed_one(design: Design, plans: list[PlanSet]) -> None:
    assert plans[0].plans == design.installed
    assert installed_faults(design) == []


def test_every_plan_is_legal_for_the_guard(design: Design, plans: list[PlanSet]) -> None:
    for row in plans:
        assert set(row.plans) == set(design.junctions)
        faults = [plan_faults(design.junctions[name], plan, design.limits) for name, plan in row.plans.items()]
        assert not any(faults), row.name


def test_plans_near_the_default_are_near_and_move(design: Design, plans: list[PlanSet]) -> None:
    near = [row for row in plans if row.kind is Kind.NEAR_DEFAULT]
    for row in near:
        for name, plan in row.plans.items():
            assert is_near(design.junctions[name], design.installed[name], plan)
    offsets_s = {(plan.pattern.offset_s + 5) % 90 for row in near for plan in row.plans.values()}
    assert offsets_s == set(range(11)), "from 5 s before to 5 s after the installed 0"
    assert len({split.split_s for row in near for plan in row.plans.values() for split in plan.split.splits}) > 6


def test_what_is_beyond_ten_per_cent_or_five_seconds_is_not_near(design: Design) -> None:
    name = next(iter(design.junctions))
    junction, before = design.junctions[name], design.installed[name]
    assert [split.split_s for split in before.split.splits] == [33, 12, 33, 12]
    for moves_s, offset_s, fits in ((2, 5, True), (3, 0, False), (0, 6, False), (2, 85, True), (0, 84, False)):
        first, second, *rest = before.split.splits
        moved = (replace(first, split_s=33 + moves_s), second, replace(rest[0], split_s=33 - moves_s), rest[1])
        plan = replace(
            before,
            pattern=replace(before.pattern, offset_s=offset_s),
            split=replace(before.split, splits=moved),
        )
        assert is_near(junction, before, plan) is fits, (moves_s, offset_s)


def test_other_plans_have_one_cycle_in_all_junctions(plans: list[PlanSet]) -> None:
    others = [row for row in plans if row.kind is not Kind.NEAR_DEFAULT]
    cycles_s = [{plan.pattern.cycle_s for plan in row.plans.values()} for row in others]
    assert all(len(found) == 1 for found in cycles_s)
    assert len(set().union(*cycles_s)) > 4


def test_the_same_plans_come_every_time_and_more_of_them_change_none(design: Design, plans: list[PlanSet]) -> None:
    again = {row.name: row for row in ranking_plans(design, 24)}
    assert all(again[row.name] == row for row in plans)


def test_a_dropped_plan_is_replaced_by_the_next_of_its_kind(design: Design, plans: list[PlanSet]) -> None:
    dropped = {"random-01", "webster-00"}
    names = [row.name for row in ranking_plans(design, 16, dropped=dropped)]
    kept = [row.name for row in plans if row.name not in dropped]
    assert sorted(names) == sorted([*kept, "random-04", "webster-04"])


def test_no_plan_of_the_ranking_is_tuned_on(design: Design, plans: list[PlanSet]) -> None:
    tuned = calibration_plans(design, 12, n_ranking=16)
    assert Counter(row.kind for row in tuned) == {Kind.NEAR_DEFAULT: 6, Kind.WEBSTER: 3, Kind.RANDOM: 3}
    assert not {row.timing for row in tuned} & {row.timing for row in plans}
    for row in tuned:
        assert not any(plan_faults(design.junctions[name], plan, design.limits) for name, plan in row.plans.items())


def test_a_wave_takes_the_travel_time_from_junction_to_junction(design: Design) -> None:
    network = design.network
    offsets_s = wave_offsets_s(network, JunctionId("A0"))
    (link,) = [row for row in network.links.values() if (row.from_node, row.to_node) == ("A0", "A1")]
    block_s = link.length_m / (0.75 * link.speed_mps)
    assert offsets_s["A0"] == 0
    assert offsets_s["A1"] == offsets_s["B0"] == round(block_s)
    assert offsets_s["D3"] == max(offsets_s.values()) == pytest.approx(6 * block_s, abs=3.0)
