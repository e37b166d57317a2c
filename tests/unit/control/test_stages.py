"""Stages on command in the core: yellow, then red, for links that lose green; those kept stay green."""

from __future__ import annotations

import numpy as np
import pytest

from control.core.arrays import GREEN, LOSS, RED, YELLOW, YIELD, State, make_state
from control.core.policy import N_CELLS, N_ROWS, SKIP
from control.core.rollout import run_policy
from control.core.stages import run_seconds
from control.queue_stages import StageClock, StagePolicy, compile_stages
from control.state_estimate import Streets, copy_of, first_belief, see
from tests.unit.control.fakes import FakePlant
from tests.unit.control.mpc_factories import make_sight, make_snapshot, make_street, make_streets
from tests.unit.control.queue_grids import make_case
from traffic.lamps import stages as stages_of

LEFT_AFTER_THROUGH = (0, 1)
"""Stage 0 is north-south through with left turns in gaps, stage 1 the same left turns alone."""


def run_to(streets: Streets, state: State, start_s: int, end_s: int) -> list[np.ndarray]:  # type: ignore[type-arg]
    """Return the codes of the eight links of the first junction, second by second."""
    only, shown = State(*(array[0] for array in state)), []
    own = streets.roads.signal_conns[:8]
    for second in range(start_s, end_s):
        run_seconds(float(second), 1, np.uint64(0), streets.holding, streets.roads, only)
        shown.append(state.lamps[0, own].copy())
    return shown


def start(stage: int, wanted: int, **clock: object) -> tuple[Streets, State]:
    plant = make_street()
    streets = make_streets(plant, **clock)
    belief = see(streets, first_belief(streets), make_snapshot(plant, 0.0, stage=(stage,), green_since_s=(-7.0,)))
    state = copy_of(belief.state)
    state.signals["wanted"][0, 0] = wanted
    return streets, state


def test_a_change_shows_yellow_then_red_then_the_stage() -> None:
    streets, state = start(0, 2)
    shown = run_to(streets, state, 0, 8)
    through, crossing = 0, 2
    assert [row[through] for row in shown] == [YELLOW] * 3 + [RED] * 5
    assert [row[crossing] for row in shown] == [RED] * 5 + [GREEN] * 3
    assert state.signals["stage"][0, 0] == 2
    assert state.signals["since"][0, 0] == 5.0


def test_links_that_keep_green_stay_green() -> None:
    streets, state = start(*LEFT_AFTER_THROUGH)
    shown = run_to(streets, state, 0, 8)
    assert [row[1] for row in shown] == [YIELD] * 5 + [GREEN] * 3
    assert [row[0] for row in shown] == [YELLOW] * 3 + [RED] * 5


def test_without_all_red_the_stage_follows_the_yellow() -> None:
    plant = make_street()
    streets, state = start(0, 2, clearance_s={name: [(2.0, 0.0)] * 4 for name in plant.stages})
    assert [row[2] for row in run_to(streets, state, 0, 4)] == [RED] * 2 + [GREEN] * 2


def test_nothing_changes_without_a_command() -> None:
    streets, state = start(3, -1)
    shown = run_to(streets, state, 0, 60)
    assert all((row == shown[0]).all() for row in shown)


@pytest.mark.parametrize(("is_by_green", "due_s"), [(True, 12.0), (False, 10.0)], ids=["by green", "fixed times"])
def test_the_next_decision_is_due_when_the_protocol_says(is_by_green: bool, due_s: float) -> None:
    streets, state = start(0, 2, is_by_green=is_by_green, min_green_s=7.0, decision_s=5.0 if is_by_green else 10.0)
    run_to(streets, state, 0, 8)
    assert state.signals["until"][0, 0] == due_s


def test_a_stage_commanded_in_advance_follows_at_the_next_decision() -> None:
    streets, state = start(0, 2)
    state.signals["then"][0, 0] = 3
    run_to(streets, state, 0, 16)
    assert state.signals["stage"][0, 0] == 3
    assert state.signals["since"][0, 0] == 15.0


@pytest.mark.parametrize("name", ["pressure", "network"])
def test_a_policy_serves_whoever_comes_and_nobody_waits_longer_than_allowed(name: str) -> None:
    plant = make_street()
    streets = make_streets(plant, vph=150.0, policy=StagePolicy(name=name, max_red_s=60.0))
    weights = np.zeros((1, N_ROWS, N_CELLS), np.float32)
    weights[0, SKIP, 0] = 1.0  # the stage with most vehicles
    state = run(streets, plant, weights, 900)
    lost_s, arrived, inserted, running = state.totals[0, :4]
    assert inserted == arrived + running
    assert inserted >= 290
    assert lost_s / inserted < 40.0


def test_a_policy_follows_its_weights() -> None:
    plant = make_street()
    streets = make_streets(plant, policy=StagePolicy(name="network", max_red_s=1e6))
    weights = np.zeros((1, N_ROWS, N_CELLS), np.float32)
    weights[0, SKIP, 6] = 1.0
    assert run(streets, plant, weights, 300).signals["stage"][0, 0] == 0, "it likes only what runs"
    weights[0, SKIP, 6] = -1.0
    assert run(streets, plant, weights, 300).signals["since"][0, 0] > 280.0, "it likes only what does not run"


def run(streets: Streets, plant: FakePlant, weights: np.ndarray, seconds: int) -> State:
    sight = make_sight(plant, streets)
    state, one = copy_of(first_belief(streets).state), np.zeros(1, np.int32)
    stages = streets.stages._replace(sight=sight)
    run_policy(one, one, weights, stages, streets.roads, state, np.uint64(1), seconds, 0, 1)
    return state


def test_whoever_is_caught_inside_when_others_turn_green_costs_and_changes_nothing_else() -> None:
    case = make_case((1, 1), 400, 0, 600)
    model, totals = case.model, []
    shown = {name: stages_of(row) for name, row in model.junctions.items()}
    clock = StageClock(decision_s=10.0, clearance_s={name: [(3.0, 0.0)] * len(row) for name, row in shown.items()})
    for caught_s in (0.0, 1000.0):
        policy = StagePolicy(name="pressure", caught_s=caught_s)
        stages = compile_stages(model.network, model.compiled, shown, clock, policy, {})
        state, one = make_state(model.compiled.roads, 1), np.zeros(1, np.int32)
        weights = np.zeros((1, N_ROWS, N_CELLS), np.float32)
        run_policy(one, one, weights, stages, model.compiled.roads, state, np.uint64(1), 600, 0, 1)
        totals.append(state.totals[0])
    n_caught = (totals[1][LOSS] - totals[0][LOSS]) / 1000.0
    assert n_caught == pytest.approx(round(n_caught))
    assert n_caught > 0
    assert np.delete(totals[1], LOSS).tolist() == np.delete(totals[0], LOSS).tolist()
