"""Registered ids: `gymnasium.make("ops.rl_envs:NgaTu-v0", scenario="grid", junction="A0")`."""

from __future__ import annotations

import gymnasium

IDS = {"NgaTu-v0": "stage", "NgaTuExtend-v0": "extend", "NgaTuPlan-v0": "plan"}
"""Ids, and the kind of action that each has."""


def register_ids(entry_point: str) -> None:
    """Register the ids with whoever makes the environments; ids that are there stay."""
    for name, action in IDS.items():
        if name not in gymnasium.registry:
            gymnasium.register(name, entry_point=entry_point, kwargs={"action": action})
