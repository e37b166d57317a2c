"""All junctions of a town as a PettingZoo parallel environment; agents are junction ids."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from gymnasium.spaces import Space
from pettingzoo import ParallelEnv

from control.rl.actions import actions_of
from control.rl.arena import Arena
from control.rl.episode import EnvSettings, Episode, HasEpisode, draw_seeds
from control.rl.names import observation_of
from control.rl.observations import Seen
from control.rl.rewards import reward_of
from control.rl.step_info import step_info
from traffic.errors import BadInput
from traffic.ids import JunctionId

Infos = dict[str, dict[str, Any]]


class TownEnv(HasEpisode, ParallelEnv[str, Seen, Any]):  # type: ignore[misc]  # pettingzoo carries no types
    """Guarded junctions: one step until a decision falls due at any of them.

    Under a fixed clock (`legacy`) all are due at every step. Under `safe` each has its own clock: an action of one that
    is not due has no effect, and its `info` says `is_due: False` with a mask of one action.

    Parameters
    ----------
    arena
        The town; whatever plant it starts is driven behind the guard.

    Raises
    ------
    BadInput
        If a name in the settings is not there.
    BadScenario
        If no detector zone watches some junction.
    """

    metadata = {"name": "nga_tu_v0", "render_modes": []}  # noqa: RUF012  (PettingZoo's own form)

    def __init__(self, arena: Arena, settings: EnvSettings | None = None) -> None:
        chosen = settings or EnvSettings()
        self.arena, self.settings = arena, chosen
        self._actions = actions_of(arena, chosen.action)
        self._observation = observation_of(arena, chosen.observation)
        self._reward = reward_of(arena, chosen.reward)
        self._junctions = tuple(arena.network.crossings)
        self._seen_spaces = {str(name): self._observation.space(name) for name in self._junctions}
        self._action_spaces = {str(name): self._actions.space(name) for name in self._junctions}
        self.possible_agents = [str(name) for name in self._junctions]
        self.agents: list[str] = []
        self.render_mode = None
        self._rng = np.random.default_rng()

    def observation_space(self, agent: str) -> Space[Seen]:
        """Return the space of what an agent sees; the same object every time."""
        return self._seen_spaces[agent]

    def action_space(self, agent: str) -> Space[Any]:
        """Return the space of an agent's actions; the same object every time."""
        return self._action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[str, Seen], Infos]:
        """Begin an episode; see `JunctionEnv.reset` for seeds and options."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self.close()
        seeds = draw_seeds(self._rng, options)
        self._episode = Episode(
            self.arena,
            self._actions,
            self._junctions,
            seeds,
            sample_s=self.settings.sample_s,
            watcher=self._observation,
        )
        self.agents = list(self.possible_agents)
        return self._seen(), self._infos(0.0)

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Seen], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Act wherever a decision is due, and go on until one is again; agents that are not due may be left out."""
        episode = self._running()
        missing = [name for name in episode.due if name not in actions]
        if missing or not self.agents:
            what = ", ".join(missing) if self.agents else "the episode is over"
            raise BadInput("step", what, "an action for every junction that is due", "reset, or add them")
        passed = episode.step({JunctionId(agent): action for agent, action in actions.items()})
        gained = sum(
            (self._reward(before, after) for before, after in pairwise(passed)), np.zeros(len(self._junctions))
        )
        agents, is_over = self.agents, episode.is_over
        rewards = dict(zip(agents, gained.tolist(), strict=True))
        seen, infos = self._seen(), self._infos(passed[-1].time_s - passed[0].time_s)
        if is_over:
            self.agents = []
        return seen, rewards, dict.fromkeys(agents, False), dict.fromkeys(agents, is_over), infos

    def render(self) -> None:
        """Show nothing: look at the run's folder, or start SUMO's own window."""

    def _seen(self) -> dict[str, Seen]:
        snapshot = self._running().snapshot
        return {str(name): self._observation.of(snapshot, name) for name in self._junctions}

    def _infos(self, duration_s: float) -> Infos:
        episode = self._running()
        return {str(name): step_info(episode, self._actions, name, duration_s) for name in self._junctions}
