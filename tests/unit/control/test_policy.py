"""The universal policy: what it is told of a stage, its symmetry, dead zones, and who waited too long."""

from __future__ import annotations

import numpy as np
import pytest

from control.core.policy import (
    ARRIVING,
    KNOWN,
    LEAVING,
    N_CELLS,
    N_INPUTS,
    N_ROWS,
    QUEUED,
    RED_S,
    SKIP,
    Sight,
    best_stages,
    read_zones,
    worths,
)
from control.policy_runs import Weights
from control.policy_table import compile_sight
from tests.unit.control.fakes import FakePlant
from tests.unit.control.mpc_factories import make_clock, make_street

NORTH_THROUGH = 0
VPH = 360.0


def make_sight(plant: FakePlant, weights: Weights | None = None) -> Sight:
    flows = {(row.approach, row.exit): VPH for row in plant.network.movements.values()}
    zone_m = np.full(len(plant.network.movements), 100.0)
    sight = compile_sight(plant.network, plant.stages, flows, make_clock(plant), zone_m)
    if weights is not None:
        sight.weights[:] = weights
    return sight


def read(sight: Sight, arriving: object, queued: object = 0.0, red_s: object = 0.0) -> None:
    n = len(sight.moves)
    rows = [np.broadcast_to(np.asarray(row, float), n).copy() for row in (arriving, queued, 0.0, red_s)]
    read_zones(*rows, sight)


def choose(sight: Sight, running: int = 0, *, max_red_s: float = 1e9) -> int:
    chosen = np.full(1, -9, np.int64)
    best_stages(np.array([running]), np.array([10.0]), max_red_s, sight, chosen)
    return int(chosen[0])


def linear(column: int, value: float = 1.0) -> Weights:
    weights = np.zeros((N_ROWS, N_CELLS), np.float32)
    weights[SKIP, column] = value
    return weights


def test_a_stage_is_told_of_the_vehicles_that_it_serves() -> None:
    plant = make_street()
    sight = make_sight(plant)
    arriving = np.zeros(len(sight.moves))
    arriving[NORTH_THROUGH], red_s = 4.0, np.zeros(len(sight.moves))
    red_s[NORTH_THROUGH] = 30.0
    read(sight, arriving, 0.5 * arriving, red_s)
    worth = np.zeros(4)
    worths(0, 0, 10.0, sight, worth)
    movement = list(plant.network.movements.values())[NORTH_THROUGH]
    for stage, lamps in enumerate(plant.stages[movement.junction]):
        is_served = any(lamps[link] in "Gg" for link in movement.link_indices)
        told = sight.inputs[stage]
        assert told[0] == pytest.approx(0.4 * is_served)
        assert told[1] == pytest.approx(0.2 * is_served)
        assert told[8] == pytest.approx(0.5 * is_served)
        assert told[12] == pytest.approx(0.4 * (not is_served))
    assert sight.inputs[0][7] == pytest.approx(1.0 / 3.0)


def test_the_order_of_stages_changes_nothing() -> None:
    plant = make_street()
    (name,) = plant.junctions
    order = [2, 0, 3, 1]
    chance = np.random.default_rng(1)
    weights = chance.normal(size=(N_ROWS, N_CELLS)).astype(np.float32)
    readings = chance.uniform(0.0, 9.0, len(plant.network.movements))
    shown, found = list(plant.stages[name]), []
    for stages in (shown, [shown[k] for k in order]):
        plant.stages = {name: stages}
        sight = make_sight(plant, weights)
        read(sight, readings, readings / 2.0, 10.0 * readings)
        worth = np.zeros(len(stages))
        worths(0, stages.index(shown[0]), 5.0, sight, worth)
        found.append(worth)
    assert found[1] == pytest.approx(found[0][order], rel=1e-5)


def test_a_dead_zone_says_what_history_expects_since_the_last_green() -> None:
    sight = make_sight(make_street())
    read(sight, np.nan, np.nan, 50.0)
    assert (sight.readings[:, KNOWN] == 0.0).all()
    assert sight.readings[:, QUEUED] == pytest.approx(5.0)  # 360 veh/h for 50 s
    assert sight.readings[:, ARRIVING] == pytest.approx(6.0)  # and 100 m at 10 m/s
    assert (sight.readings[:, LEAVING] == 0.0).all()
    assert (sight.readings[:, RED_S] == 50.0).all()


def test_ties_stay() -> None:
    sight = make_sight(make_street(), linear(0))
    read(sight, 0.0)
    assert [choose(sight, running) for running in range(4)] == [0, 1, 2, 3]


def test_who_has_waited_too_long_at_red_is_served_whatever_it_is_worth() -> None:
    plant = make_street()
    sight = make_sight(plant, linear(6))  # it likes only what runs
    arriving, red_s = np.zeros(len(sight.moves)), np.zeros(len(sight.moves))
    late = next(
        k
        for k, row in enumerate(plant.network.movements.values())
        if plant.stages[row.junction][0][row.link_indices[0]] not in "Gg"
    )
    arriving[late], red_s[late] = 1.0, 61.0
    read(sight, arriving, 0.0, red_s)
    assert choose(sight) == 0
    chosen = choose(sight, max_red_s=60.0)
    movement = list(plant.network.movements.values())[late]
    assert plant.stages[movement.junction][chosen][movement.link_indices[0]] in "Gg"


def test_a_junction_in_a_change_is_left_alone() -> None:
    sight = make_sight(make_street(), linear(0))
    read(sight, 3.0)
    assert choose(sight, -1) == -1


def test_inputs_fill_the_straight_rows_of_the_weights() -> None:
    assert N_CELLS < N_INPUTS <= 2 * N_CELLS
    assert N_INPUTS % 4 == N_CELLS % 4 == 0, "they are added four at a time"
