"""Over the queue model's plant the universal policy decides as in the kernel, and environments keep their rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

from control.controllers.policy import MAX_RED_S, UniversalPolicy
from control.core.arrays import GREEN_PART, State, make_state
from control.core.batch import begin
from control.core.chance import key_of
from control.core.policy import N_INPUTS
from control.core.stages import run_seconds
from control.expected_demand import mean_flows
from control.policy_files import load_policy
from control.queue_plant import QueuePlant
from control.queue_site import build_site
from control.rl.arena import Arena
from control.rl.episode import EnvSettings
from control.rl.junction_env import JunctionEnv
from control.rl.town_env import TownEnv
from ops.core_mpc import clock_of, history_of
from ops.core_runs import open_queue_model
from ops.scenario_folder import open_scenario
from ops.train_set import Conditions, drill
from sim.episode import open_town
from sim.protocols import LEGACY, SAFE, Protocol
from tests.unit.control.queue_sites import make_plant
from tests.unit.control.rl.arenas import make_arena
from traffic.ids import JunctionId
from traffic.ports import Plant

ZONE_M, SEED = 150.0, 3
protocols = pytest.mark.parametrize("protocol", [LEGACY, SAFE], ids=["legacy", "safe"])


def stages_in_kernel(exercise_stages: object, roads: object, seconds: int) -> list[list[int]]:
    """Return the stage of every junction second by second, -1 in a change, as the kernel's own policy has it."""
    stages, state, one = exercise_stages, make_state(roads, 1), np.zeros(1, np.int32)  # type: ignore[arg-type]
    inputs = np.zeros((1, len(stages.junctions), 8, N_INPUTS), np.float32)  # type: ignore[attr-defined]
    begin(one, stages, roads, state, np.uint64(SEED), inputs, np.zeros(1), 0, 1)
    now, found = State(*(array[0] for array in state)), []
    for second in range(seconds):
        run_seconds(float(second), 1, key_of(np.uint64(SEED), 0), stages, roads, now)
        found.append(np.where(now.signals["part"] == GREEN_PART, now.signals["stage"], -1).tolist())
    return found


def test_the_universal_policy_shows_the_same_stages_as_in_the_kernel() -> None:
    scenario, weights, seconds = open_scenario("grid"), load_policy("universal"), 300
    town, history = open_town(scenario, zone_m=ZONE_M), history_of(scenario, open_town(scenario))
    model, clock = open_queue_model(scenario), clock_of(town, LEGACY)
    exercise = drill("grid", model, town, history, Conditions(LEGACY, ZONE_M), np.random.default_rng(2))
    exercise.stages.sight.weights[:], exercise.stages.sight.faults[:] = weights, 0.0
    exercise.stages.rules["caught"], exercise.stages.rules["max_red"] = 0.0, MAX_RED_S
    theirs = stages_in_kernel(exercise.stages, exercise.roads, seconds)
    flows = mean_flows(history)
    plant: Plant = QueuePlant(build_site(model, town.stages, clock, town.zones), seed=SEED)
    controller = UniversalPolicy(weights, flows, clock, town.zones.zone_length_m, {})
    state, found = controller.start(plant), []
    for second in range(seconds):
        if second % 10 == 0:
            decisions, state = controller.decide(plant.snapshot(), state)
            plant.command(decisions)
        found.append(list(plant.snapshot().stage))
        plant.advance(1.0)
    assert found == theirs
    assert len({tuple(row) for row in found}) > 20


def queue_arena(*names: str, protocol: Protocol, horizon_s: float) -> Arena:
    def start(*, driver_seed: int, demand_seed: int, is_held: bool) -> Plant:
        return make_plant(*names, seed=driver_seed + 100 * demand_seed, is_held=is_held)

    return replace(make_arena(names, protocol, horizon_s=horizon_s), start=start)


@protocols
@pytest.mark.parametrize("action", ["stage", "extend"])
def test_one_junction_in_the_core_keeps_the_rules_of_gymnasium(protocol: Protocol, action: str) -> None:
    arena = queue_arena("a", "b", protocol=protocol, horizon_s=150.0)
    check_env(JunctionEnv(arena, JunctionId("a"), EnvSettings(action=action)), skip_render_check=True)


@protocols
@pytest.mark.parametrize("action", ["stage", "extend", "plan"])
def test_all_junctions_in_the_core_keep_the_rules_of_pettingzoo(protocol: Protocol, action: str) -> None:
    arena = queue_arena("a", "b", protocol=protocol, horizon_s=150.0)
    parallel_api_test(TownEnv(arena, EnvSettings(action=action)), num_cycles=60)


@protocols
def test_the_guard_forces_nothing_wrong_and_reads_nothing_wrong_back(protocol: Protocol) -> None:
    env = TownEnv(queue_arena("a", "b", protocol=protocol, horizon_s=550.0))
    env.reset(seed=1)
    rng, counts = np.random.default_rng(0), None
    while env.agents:
        counts = env.plant.counts  # type: ignore[attr-defined]
        env.step({name: int(rng.integers(4)) if rng.random() < 0.3 else 0 for name in env.agents})
    assert counts is not None
    assert (counts.readback_faults, counts.released) == (0, 0)
    assert counts.forced > 0 or protocol is LEGACY
