"""Model-predictive control on crossroads whose answer is obvious."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from control.controllers.mpc import MpcSettings, next_in_turn, service_order
from tests.unit.control.fakes import FakePlant, make_plan
from tests.unit.control.mpc_factories import make_mpc, make_snapshot, make_street
from traffic.decisions import Stage


def decide(plant: FakePlant, arriving: object, queued: object = 0.0, **settings: object) -> list[object]:
    controller = make_mpc(plant, replace(MpcSettings(), **settings))  # type: ignore[arg-type]
    snapshot = make_snapshot(plant, arriving, queued, green_since_s=(-30.0,) * len(plant.junctions))
    return list(controller.decide(snapshot, controller.start(plant))[0])


def test_a_long_queue_on_the_other_street_is_served() -> None:
    plant, queue = make_street(), np.zeros(8)
    queue[[2, 6]] = 10.0
    assert decide(plant, queue, queue) == [Stage(next(iter(plant.junctions)), 2)]


def test_a_green_that_serves_everybody_stays() -> None:
    plant, queue = make_street(), np.zeros(8)
    queue[[0, 4]] = 8.0
    assert decide(plant, queue, queue) == []


def test_two_threads_choose_what_one_chooses() -> None:
    plant = make_street("a", "b")
    rng = np.random.default_rng(1)
    for _ in range(5):
        arriving = rng.integers(0, 9, 16).astype(float)
        assert decide(plant, arriving, n_threads=2) == decide(plant, arriving, n_threads=1)


@pytest.mark.parametrize("settings", [{"n_most": 0}, {"n_rounds": 2}, {"horizon_s": 20}], ids=str)
def test_every_way_of_searching_serves_the_queue(settings: dict[str, object]) -> None:
    plant, queue = make_street(), np.zeros(8)
    queue[[2, 6]] = 10.0
    assert decide(plant, queue, queue, **settings) == [Stage(next(iter(plant.junctions)), 2)]


def test_a_blind_junction_runs_its_splits_and_the_other_one_looks_ahead() -> None:
    plant = make_street("a", "b")
    controller = make_mpc(plant)
    state = controller.start(plant)
    plant.command([Stage(name, 0) for name in plant.junctions])
    plant.readings[3] = np.nan
    greens: list[tuple[int, float]] = []
    for _ in range(40):
        snapshot = plant.snapshot()
        if snapshot.stage[0] >= 0 and (not greens or greens[-1][0] != snapshot.stage[0]):
            greens.append((snapshot.stage[0], snapshot.green_since_s[0]))
        decided, state = controller.decide(snapshot, state)
        plant.command(decided)
        plant.advance(10)
    assert [stage for stage, _ in greens[:6]] == [0, 1, 2, 3, 0, 1]


def test_the_order_of_service_is_that_of_the_plan() -> None:
    plant = make_street()
    name, junction = next(iter(plant.junctions.items()))
    turns = service_order(junction, make_plan(junction, (30, 12, 20, 12)), plant.stages[name])
    assert [stage for stage, _ in turns] == [0, 1, 2, 3]
    assert turns[0][1] > turns[2][1] > turns[1][1]
    assert next_in_turn(turns, 0, turns[0][1] - 1.0) == 0
    assert next_in_turn(turns, 0, turns[0][1]) == 1
    assert next_in_turn(turns, 3, 100.0) == 0


def test_without_a_plan_every_stage_has_its_turn() -> None:
    plant = make_street()
    name, junction = next(iter(plant.junctions.items()))
    assert [stage for stage, _ in service_order(junction, None, plant.stages[name])] == [0, 1, 2, 3]
