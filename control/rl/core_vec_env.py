"""Many replicas of exercises in the core as one Stable-Baselines3 `VecEnv`: every junction of every replica an agent.

::

    actions --> control.core.batch.step: simulation, zones, inputs of all stages, rewards --> a view an agent
                one thread a processor core, each with some replicas of every exercise

All agents share one policy. Junctions have different numbers of stages: a view is (most stages, N_INPUTS), rows beyond
a junction's own are zero, and `action_masks` says which they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from stable_baselines3.common.vec_env import VecEnv

from control.core.arrays import Stages, State, make_state
from control.core.batch import begin, step
from control.core.policy import INPUTS, N_INPUTS
from control.policy_runs import Exercise
from control.policy_table import desk_of
from control.queue_memory import check_memory
from traffic.errors import BadInput
from traffic.snapshot import FloatArray

REWARDS = ("queue", "delay")
"""`queue`: minus the vehicles that a junction's zones see standing, times the period; `delay`: minus what all vehicles
of the replica have lost in it, an equal share a junction; both in vehicle-seconds."""
_IS_RUNNING = INPUTS.index("is running")
Seen = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreEnvSettings:
    """Replicas of each exercise, reward by name and its factor, seed of all drivers, threads."""

    n_replicas: int = 8
    reward: str = "queue"
    reward_scale: float = 0.01
    seed: int = 0
    n_threads: int = 1

    def __post_init__(self) -> None:
        if self.reward not in REWARDS:
            raise BadInput("reward", self.reward, f"one of {', '.join(REWARDS)}", "choose one")
        for name in ("n_replicas", "n_threads"):
            if getattr(self, name) < 1:
                raise BadInput(f"core environment: {name}", getattr(self, name), "at least 1", "give a larger number")


class _Batch:
    """The replicas of one exercise; a desk a thread."""

    def __init__(self, exercise: Exercise, first_agent: int, n_stages: int, settings: CoreEnvSettings) -> None:
        self.exercise, self.n = exercise, settings.n_replicas
        self.stages: Stages = exercise.stages
        sites = self.stages.sight.sites
        self.n_junctions, self.period_s = len(sites), round(float(self.stages.junctions["decision"][0]))
        self.seconds = exercise.seconds // self.period_s * self.period_s
        self.agents = slice(first_agent, first_agent + self.n * self.n_junctions)
        self.is_stage = np.arange(n_stages)[None, :] < sites["n_row"][:, None]
        check_memory(exercise.roads, self.n)
        self.state: State = make_state(exercise.roads, self.n)
        cuts = np.linspace(0, self.n, min(settings.n_threads, self.n) + 1).astype(int).tolist()
        self.parts = [(self.stages._replace(sight=desk_of(self.stages.sight)), *cut) for cut in pairwise(cuts)]
        self.seed, self.time_s, self.episode = np.uint64(settings.seed), 0, 0
        self.replicas = np.arange(self.n, dtype=np.int32)
        shape = (self.n, self.n_junctions)
        self.inputs = np.zeros((*shape, n_stages, N_INPUTS), np.float32)
        self.queues, self.actions = np.zeros(shape), np.zeros(shape, np.int64)
        self.lost_s, self.before_s = np.zeros(self.n), np.zeros(self.n)

    def begin(self, part: tuple[Stages, int, int]) -> None:
        """Empty the replicas of a part."""
        stages, first, last = part
        begin(
            self.replicas,
            stages,
            self.exercise.roads,
            self.state,
            self.seed,
            self.inputs,
            self.lost_s,
            first,
            last,
        )

    def step(self, part: tuple[Stages, int, int]) -> None:
        """Run the replicas of a part for a period."""
        stages, first, last = part
        roads, now_s = self.exercise.roads, float(self.time_s)
        outcome = (self.inputs, self.queues, self.lost_s, first, last)
        step(self.actions, self.replicas, stages, roads, self.state, self.seed, now_s, self.period_s, *outcome)

    def act(self, actions: npt.NDArray[np.int64]) -> None:
        """Take the actions of its agents; what is no stage of a junction leaves the one that runs."""
        wanted = actions.reshape(self.n, self.n_junctions)
        running = self.inputs[..., _IS_RUNNING].argmax(-1)
        inside = np.clip(wanted, 0, self.is_stage.shape[1] - 1)
        is_there = (inside == wanted) & np.take_along_axis(self.is_stage[None], inside[..., None], -1)[..., 0]
        self.actions[:] = np.where(is_there, wanted, running)
        self.before_s[:] = self.lost_s

    def reward(self, name: str) -> FloatArray:
        """Return the reward of the period, (n_agent,), vehicle-seconds."""
        if name == "queue":
            found: FloatArray = -self.queues.ravel() * self.period_s
            return found
        return np.repeat((self.before_s - self.lost_s) / self.n_junctions, self.n_junctions)


class CoreVecEnv(VecEnv):
    """Agents by exercise, replica and junction, in this order; all of an exercise begin again together.

    Parameters
    ----------
    exercises
        Networks with demand and stages; their decisions have to fall due by a fixed clock (`legacy`).

    Raises
    ------
    BadInput
        If there is no exercise, decisions are clocked by greens, or the replicas do not fit into memory.

    Notes
    -----
    Nothing bounds reds here; who runs the trained policy does (`control.core.policy.oldest_call`, the guard). An
    episode is truncated at the exercise's end, never terminated; the next one has other drivers.
    """

    render_mode = None

    def __init__(self, exercises: Sequence[Exercise], settings: CoreEnvSettings | None = None) -> None:
        self.settings = settings or CoreEnvSettings()
        if not exercises:
            raise BadInput("core environment: exercises", "none", "at least one", "give some")
        late = next((row.name for row in exercises if row.stages.rules[0]["is_by_green"]), None)
        if late is not None:
            where = f"core environment: {late}"
            raise BadInput(where, "decisions clocked by greens", "a fixed clock", "use the protocol legacy")
        n_stages = max(int(row.stages.sight.sites["n_row"].max()) for row in exercises)
        self._batches: list[_Batch] = []
        for row in exercises:
            first = self._batches[-1].agents.stop if self._batches else 0
            self._batches.append(_Batch(row, first, n_stages, self.settings))
        n_agents = self._batches[-1].agents.stop
        super().__init__(n_agents, Box(0.0, np.inf, (n_stages, N_INPUTS), np.float32), Discrete(n_stages))
        masks = [np.tile(batch.is_stage, (batch.n, 1)) for batch in self._batches]
        self._masks = np.concatenate(masks)
        self._pool = ThreadPoolExecutor(self.settings.n_threads) if self.settings.n_threads > 1 else None
        self._infos: list[dict[str, Any]] = [{} for _ in range(n_agents)]
        self._running: list[Future[None]] = []
        self.reset_infos = self._infos

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Return which stages each agent has, (n_agent, n_stage)."""
        return self._masks

    def delay_s(self) -> FloatArray:
        """Return what the vehicles of each exercise have lost so far in its episode, mean over replicas, seconds."""
        return np.array([batch.lost_s.mean() for batch in self._batches])

    def reset(self) -> Seen:
        """Begin an episode of every exercise; return what all see."""
        if self._seeds[0] is not None:
            for batch in self._batches:
                batch.seed, batch.episode = np.uint64(self._seeds[0]), 0
        self._reset_seeds()
        for batch in self._batches:
            self._begin(batch)
        return self._seen()

    def step_async(self, actions: npt.NDArray[np.int64]) -> None:
        """Start on a period with these actions, one an agent."""
        for batch in self._batches:
            batch.act(actions[batch.agents])
        if self._pool is not None:
            self._running = [self._pool.submit(batch.step, part) for batch in self._batches for part in batch.parts]

    def step_wait(self) -> tuple[Seen, npt.NDArray[np.float32], npt.NDArray[np.bool_], list[dict[str, Any]]]:
        """Return what all see after it; where an episode is over, the first view of the next."""
        for future in self._running:
            future.result()
        rewards, dones = np.empty(self.num_envs, np.float32), np.zeros(self.num_envs, bool)
        ended: list[_Batch] = []
        for batch in self._batches:
            if self._pool is None:
                batch.step(batch.parts[0])
            batch.time_s += batch.period_s
            rewards[batch.agents] = self.settings.reward_scale * batch.reward(self.settings.reward)
            if batch.time_s >= batch.seconds:
                ended.append(batch)
                dones[batch.agents] = True
        infos = self._told(ended)
        for batch in ended:
            self._begin(batch)
        return self._seen(), rewards, dones, infos

    def _told(self, ended: Sequence[_Batch]) -> list[dict[str, Any]]:
        if not ended:
            return self._infos
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for batch in ended:
            last = batch.inputs.reshape(-1, *batch.inputs.shape[2:]).copy()
            for agent, view in zip(range(batch.agents.start, batch.agents.stop), last, strict=True):
                infos[agent] = {"terminal_observation": view, "TimeLimit.truncated": True}
        return infos

    def _begin(self, batch: _Batch) -> None:
        batch.replicas[:] = np.arange(batch.n) + batch.episode * batch.n
        batch.episode, batch.time_s = batch.episode + 1, 0
        if self._pool is None:
            batch.begin(batch.parts[0])
        else:
            list(self._pool.map(batch.begin, batch.parts))

    def _seen(self) -> Seen:
        return np.concatenate([batch.inputs.reshape(-1, *batch.inputs.shape[2:]) for batch in self._batches])

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute, once an agent."""
        return [getattr(self, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:  # noqa: ARG002
        """Set an attribute for all."""
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Call a method, once for all; masks are given an agent each."""
        answer = getattr(self, method_name)(*args, **kwargs)
        places = list(self._get_indices(indices))
        return list(answer[places]) if method_name == "action_masks" else [answer] * len(places)

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:  # noqa: ARG002
        """Return that nobody is wrapped."""
        return [False] * len(list(self._get_indices(indices)))
