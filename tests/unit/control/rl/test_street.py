"""The same environment over a street of drivers: plans through the street's guard, zones where cameras say them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from control.guard import Guard
from control.limits import GuardLimits
from control.rl.arena import Arena
from control.rl.episode import EnvSettings
from control.rl.town_env import TownEnv
from tests.unit.control.rl.arenas import make_arena
from tests.unit.control.test_field import Field
from traffic.errors import BadScenario, UnsafeCommand
from traffic.ids import JunctionId
from traffic.ports import Plant
from traffic.snapshot import Snapshot

STREET = GuardLimits(is_clearance_accepted=True, change_s=5.0)


class Blind:
    """An observation that needs no zones: the time of day."""

    def __init__(self, arena: Arena) -> None:
        from gymnasium.spaces import Box

        self._space = Box(0.0, 1.0, (1,), np.float32)

    def space(self, junction: JunctionId) -> Any:
        return self._space

    def of(self, snapshot: Snapshot, junction: JunctionId) -> Any:
        return np.array([snapshot.time_s % 86400.0 / 86400.0], np.float32)


def make_street_arena(field: Field, limits: GuardLimits = STREET) -> Arena:
    def start(*, driver_seed: int, demand_seed: int, is_held: bool) -> Plant:
        return Guard(field.plant, limits, authority=field.plant.authority)

    return replace(make_arena(("a", "b", "c"), start=start, horizon_s=1000.0), limits=limits)


def test_plans_reach_the_controllers_of_a_street() -> None:
    field = Field()
    env = TownEnv(make_street_arena(field), EnvSettings(action="plan", observation=Blind))
    _, infos = env.reset(seed=1)
    assert all(info["is_due"] for info in infos.values())
    rng, n_steps = np.random.default_rng(1), 0
    while env.agents:
        wishes = {name: rng.uniform(-1.0, 1.0, 6).astype(np.float32) for name in env.agents}
        _, rewards, _, _, infos = env.step(wishes)
        n_steps += 1
        assert set(rewards.values()) == {0.0}, "of unknown zones there is nothing to learn"
    assert all(info["refused"] == 0 for info in infos.values())
    assert n_steps >= 2
    assert all(driver.calls.count("load") >= 2 for driver in field.drivers.values())


def test_a_street_without_zones_is_one_clear_line_for_an_observation_of_zones() -> None:
    env = TownEnv(make_street_arena(Field()), EnvSettings(action="plan"))
    with pytest.raises(BadScenario, match="observation of junction a: no detector zone"):
        env.reset(seed=1)


def test_a_street_is_not_driven_with_less_than_all_rules() -> None:
    field = Field()
    arena = replace(
        make_street_arena(field),
        limits=make_arena().limits,
        start=lambda **_: field.plant,  # type: ignore[arg-type]
    )
    with pytest.raises(UnsafeCommand, match="a street needs every rule"):
        TownEnv(arena, EnvSettings(action="plan", observation=Blind)).reset(seed=1)
