"""One junction as a Gymnasium environment; the others of its town run what is installed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import gymnasium
import numpy as np

from control.rl.actions import actions_of
from control.rl.arena import Arena
from control.rl.episode import EnvSettings, Episode, HasEpisode, draw_seeds
from control.rl.names import observation_of
from control.rl.observations import Seen
from control.rl.rewards import reward_of
from control.rl.step_info import step_info
from traffic.errors import BadInput
from traffic.ids import JunctionId


class JunctionEnv(HasEpisode, gymnasium.Env[Seen, Any]):
    """A guarded junction: one step from decision to decision.

    Parameters
    ----------
    arena
        The town; whatever plant it starts is driven behind the guard.
    junction
        Which junction; may be left out where there is only one.

    Raises
    ------
    BadInput
        If the junction, or a name in the settings, is not there.
    BadScenario
        If no detector zone watches the junction.

    Notes
    -----
    An episode is never terminated: it is truncated at the horizon. `reset(seed=)` draws driver and demand seeds of
    1-99; `options={"driver_seed": .., "demand_seed": ..}` sets them. Where actions are numbers, `info` has
    `action_mask`.
    """

    metadata = {"render_modes": []}  # noqa: RUF012  (Gymnasium's own form)

    def __init__(self, arena: Arena, junction: JunctionId | None = None, settings: EnvSettings | None = None) -> None:
        chosen = settings or EnvSettings()
        self.arena, self.junction, self.settings = arena, arena.require(junction), chosen
        self._place = arena.network.junction_index[self.junction]
        self._actions = actions_of(arena, chosen.action)
        self._observation = observation_of(arena, chosen.observation)
        self._reward = reward_of(arena, chosen.reward)
        self.action_space = self._actions.space(self.junction)
        self.observation_space = self._observation.space(self.junction)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Seen, dict[str, Any]]:
        """Begin an episode; return what is seen of the junction at its first decision."""
        super().reset(seed=seed)
        self.close()
        self._episode = Episode(
            self.arena,
            self._actions,
            (self.junction,),
            draw_seeds(self.np_random, options),
            sample_s=self.settings.sample_s,
            watcher=self._observation,
        )
        return self._seen(), self._info(0.0)

    def step(self, action: Any) -> tuple[Seen, float, bool, bool, dict[str, Any]]:
        """Act, and go on to the next decision."""
        episode = self._running()
        if episode.is_over:
            raise BadInput("step", "the episode is over", next_move="reset first")
        passed = episode.step({self.junction: action})
        reward = sum(float(self._reward(before, after)[self._place]) for before, after in pairwise(passed))
        info = self._info(passed[-1].time_s - passed[0].time_s)
        return self._seen(), reward, False, episode.is_over, info

    def action_masks(self) -> np.ndarray[Any, Any]:
        """Return which actions pass the guard now, in the form that maskable trainers ask for."""
        mask = self._info(0.0).get("action_mask")
        if mask is None:
            raise BadInput("action mask", "plans have none", "stage or extend", "leave it out")
        return np.asarray(mask, dtype=bool)

    def _seen(self) -> Seen:
        return self._observation.of(self._running().snapshot, self.junction)

    def _info(self, duration_s: float) -> dict[str, Any]:
        return step_info(self._running(), self._actions, self.junction, duration_s)
