"""The batched environment: what agents see, earn and may do; seeds, threads, episodes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from control.core.policy import INPUTS, N_INPUTS
from control.policy_runs import Exercise
from control.rl.core_vec_env import CoreEnvSettings, CoreVecEnv
from tests.unit.control.queue_sites import make_exercise
from traffic.errors import BadInput

RUNNING = INPUTS.index("is running")
N_STEPS = 30


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    return make_exercise("a", "b")


def make_env(*exercises: Exercise, **settings: Any) -> CoreVecEnv:
    return CoreVecEnv(exercises, CoreEnvSettings(**{"n_replicas": 3, **settings}))


def begin(env: CoreVecEnv) -> np.ndarray:
    seen = env.reset()
    assert isinstance(seen, np.ndarray)
    return seen


def step(env: CoreVecEnv, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
    seen, rewards, dones, infos = env.step(actions)
    assert isinstance(seen, np.ndarray)
    return seen, rewards, dones, infos


def drive(env: CoreVecEnv, n_steps: int = N_STEPS, seed: int = 0) -> list[np.ndarray]:
    """Return views, rewards and dones of random decisions."""
    rng, rows = np.random.default_rng(seed), [begin(env)]
    for _ in range(n_steps):
        seen, rewards, dones, _ = step(env, rng.integers(0, 4, env.num_envs))
        rows += [seen, rewards, dones]
    return rows


def test_every_junction_of_every_replica_is_an_agent_that_sees_its_stages(exercise: Exercise) -> None:
    env = make_env(exercise)
    seen = begin(env)
    assert env.num_envs == 6 and seen.shape == (6, 4, N_INPUTS)
    assert all(view in env.observation_space for view in seen)
    assert (seen[..., RUNNING].argmax(-1) == 0).all()
    seen, _, _, _ = step(env, np.array([0, 1, 2, 3, 0, 1]))
    assert seen[..., RUNNING].argmax(-1).tolist() == [0, 1, 2, 3, 0, 1]
    for _ in range(5):
        seen, _, _, _ = step(env, np.array([0, 1, 2, 3, 0, 1]))
    assert (seen[..., 0].max(-1) > 0.0).all() and all(view in env.observation_space for view in seen)


def test_what_is_no_stage_leaves_the_one_that_runs(exercise: Exercise) -> None:
    env = make_env(exercise)
    begin(env)
    step(env, np.full(6, 2))
    for action in (4, -1, 99):
        seen, _, _, _ = step(env, np.full(6, action))
        assert (seen[..., RUNNING].argmax(-1) == 2).all()
    assert env.action_masks().all() and env.action_masks().shape == (6, 4)
    assert np.array_equal(np.array(env.env_method("action_masks", indices=[1, 2])), np.ones((2, 4), bool))


def test_rewards_are_what_stands_and_what_is_lost(exercise: Exercise) -> None:
    queue, delay = make_env(exercise, reward_scale=1.0), make_env(exercise, reward="delay", reward_scale=1.0)
    begin(queue)
    begin(delay)
    total, actions = 0.0, np.zeros(6, np.int64)
    for _ in range(12):
        _, standing, _, _ = step(queue, actions)
        _, lost, _, _ = step(delay, actions)
        total += lost.sum()
        assert lost[0] == lost[1], "the junctions of a replica share"
    assert total == pytest.approx(-3 * delay.delay_s()[0], rel=1e-5)
    assert total < standing.sum() < 0.0
    assert (standing % 10.0 == 0.0).all(), "whole vehicles for ten seconds"


@pytest.mark.parametrize("n_threads", [2, 3, 8])
def test_threads_change_nothing(exercise: Exercise, n_threads: int) -> None:
    one, several = make_env(exercise), make_env(exercise, n_threads=n_threads)
    assert all(np.array_equal(a, b) for a, b in zip(drive(one), drive(several), strict=True))
    several.close()


def test_a_seed_is_a_run_and_another_one_is_another(exercise: Exercise) -> None:
    first, again, other = (drive(make_env(exercise, seed=seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    env = make_env(exercise, seed=1)
    env.seed(2)
    assert all(np.array_equal(a, b) for a, b in zip(drive(env), other, strict=True))


def test_an_episode_is_truncated_at_its_end_and_the_next_has_other_drivers(exercise: Exercise) -> None:
    env = make_env(replace(exercise, seconds=205), make_exercise("a", seconds=300))
    begin(env)
    lost_s = []
    for _ in range(2):
        for k in range(19):
            _, _, dones, infos = step(env, np.full(env.num_envs, k // 2 % 4))
            assert not dones[:6].any() and infos[:6] == [{}] * 6
        lost_s.append(env.delay_s()[0])
        seen, _, dones, infos = step(env, np.zeros(env.num_envs, np.int64))
        assert dones[:6].all()
        assert all(info["TimeLimit.truncated"] for info in infos[:6])
        assert sum(info["terminal_observation"][:, 0].sum() for info in infos[:6]) > 0.0
        assert seen[:6, :, 0].sum() == 0.0
    assert lost_s[0] != lost_s[1]


def test_junctions_with_fewer_stages_are_padded() -> None:
    exercises = [make_exercise("a"), make_exercise("a")]
    sight = exercises[1].stages.sight
    sight.sites["n_row"], exercises[1].stages.junctions["n"] = 2, 2
    env = make_env(*exercises, n_replicas=1)
    seen = begin(env)
    assert env.action_masks().tolist() == [[True] * 4, [True, True, False, False]]
    assert (seen[1, 2:] == 0.0).all() and seen[1, :2, INPUTS.index("stages")].tolist() == [0.25, 0.25]
    seen, _, _, _ = step(env, np.array([3, 3]))
    assert seen[..., RUNNING].argmax(-1).tolist() == [3, 0]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"reward": "profit"}, r"reward: profit \(one of queue, delay\)"),
        ({"n_replicas": 0}, "n_replicas: 0"),
        ({"n_threads": 0}, "n_threads: 0"),
    ],
    ids=["reward", "replicas", "threads"],
)
def test_bad_settings_are_one_line(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        CoreEnvSettings(**settings)


def test_exercises_of_another_clock_and_none_at_all_are_refused() -> None:
    with pytest.raises(BadInput, match="decisions clocked by greens"):
        make_env(make_exercise("a", is_by_green=True))
    with pytest.raises(BadInput, match="exercises: none"):
        make_env()
    with pytest.raises(BadInput, match=r"of .* KB each"):
        make_env(make_exercise("a"), n_replicas=10**9)
