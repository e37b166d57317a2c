"""All junctions of a town as one Stable-Baselines3 `VecEnv`: one policy, shared by all."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from control.rl.town_env import TownEnv
from traffic.errors import BadInput


class SharedVecEnv(VecEnv):
    """Each agent of a `TownEnv` is one of its environments; they are reset together.

    Raises
    ------
    BadInput
        If the agents' spaces differ: pad them with an observation of one's own, or train junction by junction.

    Notes
    -----
    Under `safe` agents decide at times of their own, and what those do that are not due has no effect: such steps teach
    nothing. `legacy` has one clock for all.
    """

    def __init__(self, env: TownEnv) -> None:
        agents = env.possible_agents
        spaces = {(str(env.observation_space(a)), str(env.action_space(a))) for a in agents}
        if len(spaces) > 1:
            where = f"agents of {env.arena.name}"
            raise BadInput(where, f"{len(spaces)} kinds of spaces", "all alike", "train one junction, or pad them")
        self.env = env
        super().__init__(len(agents), env.observation_space(agents[0]), env.action_space(agents[0]))
        self._actions: np.ndarray[Any, Any] = np.zeros(0)

    def reset(self) -> np.ndarray[Any, Any]:
        """Begin an episode; return what all see, one row an agent."""
        seen, infos = self.env.reset(seed=self._seeds[0])
        self.reset_infos = list(infos.values())
        self._reset_seeds()
        return np.stack(list(seen.values()))

    def step_async(self, actions: np.ndarray[Any, Any]) -> None:
        """Remember the actions, one row an agent."""
        self._actions = actions

    def step_wait(
        self,
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any], list[dict[str, Any]]]:
        """Act; begin again where the episode is over, its last view in `terminal_observation`."""
        seen, rewards, _, truncated, infos = self.env.step(dict(zip(self.env.agents, self._actions, strict=True)))
        rows = list(infos.values())
        dones = np.array(list(truncated.values()))
        view = np.stack(list(seen.values()))
        if dones.any():
            for row, last in zip(rows, view, strict=True):
                row["terminal_observation"], row["TimeLimit.truncated"] = last, True
            view = self.reset()
        return view, np.array(list(rewards.values()), np.float32), dones, rows

    def close(self) -> None:
        """End the plant."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the one environment, once an agent."""
        return [getattr(self.env, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:  # noqa: ARG002
        """Set an attribute of the one environment."""
        setattr(self.env, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Call a method of the one environment."""
        answer = getattr(self.env, method_name)(*args, **kwargs)
        return [answer] * len(list(self._get_indices(indices)))

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:  # noqa: ARG002
        """Return that nobody is wrapped."""
        return [False] * len(list(self._get_indices(indices)))
