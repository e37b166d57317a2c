"""Plans that come of what a policy by stages does: its greens as splits, all legal."""

from __future__ import annotations

import numpy as np
import pytest

from control.controllers.plan_mpc import PlanMpc, PlanMpcSettings
from control.core.policy import N_CELLS, N_ROWS
from control.guard import Guard, plan_faults
from control.limits import GuardLimits
from control.plan_proposals import split_wishes
from control.queue_physics import Physics
from control.rl.evolution import greedy_weights
from sim.detectors import compile_zones
from tests.unit.control.fakes import FakePlant, make_crossroads, make_plan
from tests.unit.control.mpc_factories import make_clock, make_history, make_street
from traffic.decisions import SelectPattern
from traffic.ids import JunctionId
from traffic.lamps import stages
from traffic.signals import Plan

LIMITS, QUIET = GuardLimits(is_push=False), Physics(noise=0.0)


def test_greens_become_splits_in_proportion_each_with_its_clearance() -> None:
    junction = make_crossroads()
    clear_s = [(row.yellow_ds + row.red_clear_ds) / 10.0 for row in junction.phases]
    wishes = split_wishes(junction, stages(junction), np.array([30.0, 10.0, 50.0, 10.0]), 100)
    assert sum(wishes) == pytest.approx(100.0)
    greens_s = [wish - clear for wish, clear in zip(wishes, clear_s, strict=True)]
    assert greens_s == pytest.approx([share * sum(greens_s) for share in (0.3, 0.1, 0.5, 0.1)])


def test_without_any_green_all_phases_have_the_same() -> None:
    wishes = split_wishes(make_crossroads(), stages(make_crossroads()), np.zeros(4), 80)
    assert len(set(wishes)) == 1


def test_a_policy_that_serves_the_busy_street_gets_a_legal_plan_that_does() -> None:
    plant = make_street()
    zones = compile_zones(plant.network, zone_m=100.0)
    settings = PlanMpcSettings(
        budget_s=0.0,
        n_draws=2,
        n_checks=2,
        horizon_s=300,
        least_gain=-1.0,
        least_sigma=-1e9,
        physics=Physics(noise=0.0),
    )
    learned = greedy_weights().reshape(N_ROWS, N_CELLS), zones
    controller = PlanMpc(make_history(plant.network), make_clock(plant), _plans(plant), LIMITS, settings, learned)
    state = controller.start(Guard(plant, LIMITS))
    plant.readings[[place for place in range(len(plant.readings)) if place % 8 in (2, 6)]] = 15.0
    said = []
    for _ in range(8):
        decided, state = controller.decide(plant.snapshot(), state)
        said += [row for row in decided if isinstance(row, SelectPattern)]
        plant.advance(10.0)
    plan = said[0].order.plan
    assert not plan_faults(plant.junctions[plan.junction], plan, LIMITS)
    assert state.ground.proposer is not None
    splits_s = [row.split_s for row in plan.split.splits]
    assert splits_s[2] == max(splits_s), "east-west through, where the vehicles stand"


def _plans(plant: FakePlant) -> dict[JunctionId, Plan]:
    return {name: make_plan(junction) for name, junction in plant.junctions.items()}
