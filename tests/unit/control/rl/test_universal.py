"""The universal policy's inputs as an observation: those that its controller computes, and pure between readings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from control.controllers.policy import UniversalPolicy
from control.core.policy import N_CELLS, N_INPUTS, N_ROWS, SKIP, Sight
from control.policy_table import compile_sight
from control.rl.arena import Arena
from control.rl.episode import EnvSettings
from control.rl.junction_env import JunctionEnv
from sim.protocols import LEGACY, SAFE, Protocol
from tests.unit.control.fakes import FakePlant
from tests.unit.control.mpc_factories import make_clock
from tests.unit.control.rl.arenas import make_arena
from traffic.errors import BadInput

ZONE_M = np.full(8, 100.0)


def with_sight(arena: Arena) -> Arena:
    plant = FakePlant()
    flows = {(row.approach, row.exit): 300.0 for row in plant.network.movements.values()}

    def sight() -> Sight:
        return compile_sight(plant.network, plant.stages, flows, make_clock(plant), ZONE_M)

    return replace(arena, sight=sight)


def make_env(protocol: Protocol, horizon_s: float = 600.0) -> JunctionEnv:
    arena = with_sight(make_arena(protocol=protocol, horizon_s=horizon_s))
    return JunctionEnv(arena, settings=EnvSettings(observation="universal"))


@pytest.mark.parametrize("protocol", [LEGACY, SAFE], ids=["legacy", "safe"])
def test_it_sees_what_the_universal_policy_is_told(protocol: Protocol) -> None:
    env = make_env(protocol)
    seen, _ = env.reset(seed=1)
    plant = env._running()._plant
    assert isinstance(plant, FakePlant)
    flows = {(row.approach, row.exit): 300.0 for row in plant.network.movements.values()}
    weights = np.zeros((N_ROWS, N_CELLS), np.float32)
    weights[SKIP, 0] = 1.0
    controller = UniversalPolicy(weights, flows, make_clock(plant), ZONE_M, env.arena.plans, max_red_s=1e9)
    state = controller.start(env.plant)
    rng, is_over, n = np.random.default_rng(6), False, 0
    while not is_over:
        _, state = controller.decide(env.snapshot, state)
        told = state.sight.inputs[:4].copy()
        told[:, 8] = seen.reshape(4, N_INPUTS)[:, 8] if protocol is SAFE else told[:, 8]
        assert seen == pytest.approx(told.ravel(), abs=1e-6), "but for reds seen between its decisions"
        plant.readings[:] = np.where(rng.random(8) < 0.1, np.nan, rng.poisson(2.0, 8))
        seen, _, _, is_over, _ = env.step(int(rng.integers(4)))
        n += 1
    assert n > 30


def test_asking_twice_gives_the_same_and_a_new_episode_has_forgotten() -> None:
    env = make_env(LEGACY)
    first, _ = env.reset(seed=1)
    for _ in range(5):
        seen = env.step(0)[0]
        assert all(np.array_equal(env._observation.of(env.snapshot, env.junction), seen) for _ in range(3))
    assert seen.reshape(4, N_INPUTS)[2, 8] > first.reshape(4, N_INPUTS)[2, 8]
    assert np.array_equal(env.reset(seed=1)[0], first)


def test_without_history_it_is_one_clear_line() -> None:
    with pytest.raises(BadInput, match=r"observation universal of fake: no history"):
        JunctionEnv(make_arena(), settings=EnvSettings(observation="universal"))
