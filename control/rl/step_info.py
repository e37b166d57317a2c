"""What an environment tells beside observation and reward."""

from __future__ import annotations

from typing import Any

from control.rl.actions import Actions
from control.rl.episode import Episode
from traffic.ids import JunctionId


def step_info(episode: Episode, actions: Actions, junction: JunctionId, duration_s: float) -> dict[str, Any]:
    """Return time, length of the step, seeds, what the guard did so far, and the mask where actions have one."""
    is_due = junction in episode.due
    info: dict[str, Any] = {
        "time_s": episode.snapshot.time_s,
        "duration_s": duration_s,
        "is_due": is_due,
        "refused": episode.n_refused,
        "forced": episode.guard.counts.forced,
        "driver_seed": episode.seeds.driver,
        "demand_seed": episode.seeds.demand,
    }
    mask = actions.mask(episode.guard, episode.snapshot, junction, is_due=is_due)
    if mask is not None:
        info["action_mask"] = mask
    return info
