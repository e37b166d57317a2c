"""The universal policy learns by PPO on the batched core, and what it learned drives SUMO by `evaluate`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from control.policy_files import load_policy, read_card
from control.policy_runs import delays
from control.rl.core_vec_env import CoreEnvSettings, CoreVecEnv
from control.rl.train_universal import PpoSettings, train_universal_ppo
from ops.evaluate_runs import EvaluateSpec, evaluate_one
from ops.rl_core import core_exercise
from sim.episode import Seed
from sim.protocols import LEGACY
from tests.e2e.generated_town import make_scenario
from tests.unit.control.queue_sites import make_exercise


def test_ppo_learns_crossroads_and_leaves_a_policy_that_is_run(tmp_path: Path) -> None:
    env = CoreVecEnv(
        [make_exercise("a", seconds=600, seed=1), make_exercise("a", seconds=600, seed=2)],
        CoreEnvSettings(n_replicas=32),
    )
    settings = PpoSettings(total_steps=64 * 16 * 12, n_steps=16, batch_size=512, seed=3)
    told: list[tuple[int, float]] = []
    weights = train_universal_ppo(env, settings, tmp_path / "model", tell=lambda *row: told.append(row))
    fresh = make_exercise("a", seconds=600, seed=9)
    random = np.random.default_rng(3).normal(0.0, 0.1, (4, *weights.shape)).astype(np.float32)
    before_s, after_s = delays(fresh, random, seed=5).mean(), delays(fresh, weights[None], seed=5)[0]
    assert after_s < 0.8 * before_s
    assert np.array_equal(load_policy(tmp_path / "model"), weights)
    assert read_card(tmp_path / "model")["trainer"] == "PPO"
    assert [n for n, _ in told] == [64 * 16 * k for k in range(1, 13)] and told[-1][1] > told[0][1]


def test_what_ppo_has_learned_on_a_town_is_run_in_sumo(tmp_path: Path) -> None:
    town = make_scenario(tmp_path, end_s=357.0)
    env = CoreVecEnv([core_exercise(town, demand_seed=seed) for seed in (1, 2)], CoreEnvSettings(n_replicas=8))
    settings = PpoSettings(total_steps=env.num_envs * 16 * 4, n_steps=16, batch_size=256)
    train_universal_ppo(env, settings, tmp_path / "model")
    spec = EvaluateSpec(
        scenario=town,
        control="universal",
        protocol=LEGACY,
        seed=Seed(driver=1, demand=100),
        folder=tmp_path / "run",
        model=str(tmp_path / "model"),
    )
    run = evaluate_one(spec)
    assert run.episode.measures.vehicles > 50 and run.refused == 0
