"""What `bench rl` times: the policy driving replicas in the core, the same run without it, and the environment on top.

::

    whole        simulation + zones + inputs and network           as in training: run_policy
    simulation   the decisions of the same run, played again       what is left of `whole` is the policy's
    + look       ... and the zones are read at every decision
    + decide     ... and the policy decides, and is not heard
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from control.core.arrays import LOSS, SCHEDULED, make_state
from control.core.policy import N_CELLS, N_INPUTS, N_ROWS
from control.core.replay import DECIDE, LOOK, NOTHING, record, replay
from control.core.rollout import run_policy
from control.policy_files import load_policy
from control.policy_runs import Exercise, Weights
from control.policy_table import desk_of
from control.rl.core_vec_env import CoreEnvSettings, CoreVecEnv
from control.rl.train_universal import collect_s
from ops.rl_core import core_exercise
from traffic.errors import PlantLost
from traffic.scenario import Scenario

N_ROWS_A_THREAD = 16
"""Replicas that a thread runs one after the other."""
N_PARAMETERS = N_ROWS * N_CELLS - (2 * N_CELLS - N_INPUTS)
"""Numbers that the policy uses: the end of its last row is free."""
_SEED = np.uint64(0)
_ENV_STEPS = 60
_PARTS = {"simulation": NOTHING, "look": LOOK, "decide": DECIDE}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedSpec:
    """A scenario, the policy and how often each thing is timed; picklable."""

    scenario: Scenario
    model: str
    repeats: int


def measure_speed(spec: SpeedSpec) -> dict[str, list[float] | float]:
    """Return samples: agent decisions a second by thread count, CPU seconds of the parts, steps of the environment.

    Raises
    ------
    PlantLost
        If the replay is not the run that was recorded.
    """
    exercise, weights = core_exercise(spec.scenario), load_policy(spec.model)
    bench = _Bench(exercise, weights)
    bench.check()
    samples: dict[str, list[float]] = {name: [] for name in ("one", "two", "whole", *_PARTS, "env", "ppo")}
    with ThreadPoolExecutor(2) as pool:
        works: dict[str, Callable[[], float]] = {
            "one": lambda: bench.per_s(pool, 1),
            "two": lambda: bench.per_s(pool, 2),
            "whole": lambda: _cpu_s(lambda: bench.run(0)),
            **{name: lambda beside=beside: bench.replay_s(beside) for name, beside in _PARTS.items()},  # type: ignore[misc]
            "env": lambda: env_per_s(exercise),
            "ppo": lambda: ppo_per_s(exercise),
        }
        for work in works.values():
            work()
        for k in range(spec.repeats):
            for name in list(works)[:: -1 if k % 2 else 1]:
                samples[name].append(works[name]())
    facts = {"decisions": float(bench.n_decisions), "junctions": float(bench.n_junctions), "delay_s": bench.delay_s}
    return {**samples, **facts}


class _Bench:
    """Room for two threads, and the decisions of one run of the first one's replicas."""

    def __init__(self, exercise: Exercise, weights: Weights) -> None:
        self._exercise, self._weights = exercise, weights[None]
        self._replicas = np.arange(N_ROWS_A_THREAD, dtype=np.int32)
        self._members = np.zeros(N_ROWS_A_THREAD, np.int32)
        stages = exercise.stages
        self._desks = [stages._replace(sight=desk_of(stages.sight)._replace(weights=weights)) for _ in range(2)]
        self._states = [make_state(exercise.roads, N_ROWS_A_THREAD) for _ in range(2)]
        self.n_junctions = int((stages.junctions["n"] > 0).sum())
        self._period_s = round(float(stages.junctions["decision"][0]))
        shape = (N_ROWS_A_THREAD, exercise.seconds // self._period_s, len(stages.junctions))
        self.n_decisions = shape[0] * shape[1] * self.n_junctions
        self._decided, self._found = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        self._seconds = shape[1] * self._period_s

    def run(self, desk: int) -> None:
        """Run the policy as training does."""
        stages, roads, state = self._desks[desk], self._exercise.roads, self._states[desk]
        how = (self._weights, stages, roads, state, _SEED, self._seconds)
        run_policy(self._members, self._replicas, *how, 0, N_ROWS_A_THREAD)

    def per_s(self, pool: ThreadPoolExecutor, n_threads: int) -> float:
        """Return agent decisions a second of wall time."""
        started_s = time.perf_counter()
        list(pool.map(self.run, range(n_threads)))
        return n_threads * self.n_decisions / (time.perf_counter() - started_s)

    def replay_s(self, beside: int) -> float:
        """Return the CPU time of what was decided, played again."""
        return _cpu_s(lambda: self._replay(beside))

    def _replay(self, beside: int) -> None:
        stages, roads, state = self._desks[0], self._exercise.roads, self._states[0]
        how = (self._period_s, self._replicas, stages, roads, state, _SEED, 0, N_ROWS_A_THREAD)
        replay(self._decided, beside, self._found, *how)

    def check(self) -> None:
        """Record the run, and see that playing it again is the same run and asks for the same decisions."""
        self.run(0)
        whole = self._states[0].totals.copy()
        stages, roads, state = self._desks[0], self._exercise.roads, self._states[0]
        record(
            *(self._decided, self._period_s, self._replicas, stages, roads, state, _SEED, 0, N_ROWS_A_THREAD),
        )
        recorded = state.totals.copy()
        self._replay(DECIDE)
        is_same = np.array_equal(whole, recorded) and np.array_equal(recorded, state.totals)
        if not is_same or not np.array_equal(self._found, self._decided):
            where = f"bench rl on {self._exercise.name}"
            raise PlantLost(where, "the replay is another run", "the same to the bit", "report it with the scenario")

    @property
    def delay_s(self) -> float:
        """Mean delay of the first thread's replicas in the core, seconds."""
        totals = self._states[0].totals
        return float((totals[:, LOSS] / np.maximum(1.0, totals[:, SCHEDULED])).mean())


def env_per_s(exercise: Exercise) -> float:
    """Return agent steps a second of the environment on one thread, each agent in the first stage or the second."""
    env = CoreVecEnv([exercise], CoreEnvSettings(n_replicas=N_ROWS_A_THREAD))
    env.reset()
    actions = [np.full(env.num_envs, k // 2 % 2, np.int64) for k in range(_ENV_STEPS)]
    started_s = time.perf_counter()
    for row in actions:
        env.step(row)
    return _ENV_STEPS * env.num_envs / (time.perf_counter() - started_s)


def ppo_per_s(exercise: Exercise) -> float:
    """Return agent steps a second as PPO collects them, torch's policy and value and its buffer included."""
    env = CoreVecEnv([exercise], CoreEnvSettings(n_replicas=N_ROWS_A_THREAD))
    return _ENV_STEPS * env.num_envs / collect_s(env, _ENV_STEPS)


def _cpu_s(work: Callable[[], Any]) -> float:
    started_s = time.thread_time()
    work()
    return time.thread_time() - started_s
