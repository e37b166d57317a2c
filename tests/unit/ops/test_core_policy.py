"""The universal policy on junctions that are out of the ordinary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from control.core.policy import MOST_STAGES
from control.policy_files import save_policy
from control.rl.evolution import greedy_weights
from ops.core_policy import universal_of
from ops.evaluate import EvaluateOptions, run_evaluate
from sim.detectors import compile_zones
from sim.programs import Signals
from sim.protocols import SAFE
from sim.twin import Town
from tests.unit.control.fakes import FakePlant
from tests.unit.control.mpc_factories import make_snapshot, make_universal
from traffic.decisions import Stage
from traffic.errors import BadInput, BadScenario
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.scenario import Scenario

A = JunctionId("a")
WEST_THROUGH = 6


def staged(n: int) -> FakePlant:
    """Return a crossroads with so many stages; the west's through movement is green in the last alone."""
    plant = FakePlant()
    others = [format(k, "06b").replace("0", "r").replace("1", "G") + "rr" for k in range(1, n)]
    plant.stages = {A: (*others, "rrrrrrGr")}
    return plant


def decide(plant: FakePlant, readings: object, running: int = 0) -> list[object]:
    controller = make_universal(plant)
    shown = plant.stages[A][running]
    snapshot = make_snapshot(plant, readings, readings, stage=(running,), lamps=(shown,), green_since_s=(-30.0,))
    return list(controller.decide(snapshot, controller.start(plant))[0])


@pytest.mark.parametrize("readings", [0.0, 9.0, float("nan")], ids=["empty", "full", "blind"])
def test_a_junction_with_one_stage_stays_in_it(readings: float) -> None:
    assert decide(staged(1), readings) == []


@pytest.mark.parametrize("n", [2, 16, MOST_STAGES])
def test_of_many_stages_the_one_that_serves_the_only_vehicles_is_chosen(n: int) -> None:
    queue = np.zeros(8)
    queue[WEST_THROUGH] = 12.0
    assert decide(staged(n), queue) == [Stage(A, n - 1)]


def test_a_zone_that_reads_nothing_leaves_the_others_their_say() -> None:
    queue = np.zeros(8)
    queue[WEST_THROUGH], queue[1] = 12.0, np.nan
    assert decide(staged(16), queue) == [Stage(A, 15)]


def test_more_stages_than_there_is_room_for_are_one_line() -> None:
    plant = FakePlant()
    plant.stages = {A: tuple(format(k, "08b").replace("0", "r").replace("1", "G") for k in range(1, MOST_STAGES + 2))}
    with pytest.raises(BadScenario, match=f"stages: {MOST_STAGES + 1}"):
        make_universal(plant).start(plant)


def test_a_scenario_with_nothing_to_see_is_refused(tmp_path: Path) -> None:
    """A signal for people on foot alone."""
    network = Network(links={}, lanes={}, connections=(), crossings={}, movements={})
    town = Town(
        network=network, signals=Signals(junctions={}, plans={}, programs={}, losses={}), zones=compile_zones(network)
    )
    scenario = Scenario(
        name="bare", title="bare", folder=tmp_path, network=tmp_path, routes=(), begin_s=0.0, end_s=60.0
    )
    save_policy(tmp_path / "model", greedy_weights(), {})
    with pytest.raises(BadScenario, match="scenario bare: no movement"):
        universal_of(scenario, town, SAFE, str(tmp_path / "model"))


def test_a_policy_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such policy"):
        run_evaluate("grid", EvaluateOptions(controls=("universal",), model="nowhere", out=tmp_path))
    assert not list(tmp_path.iterdir())
