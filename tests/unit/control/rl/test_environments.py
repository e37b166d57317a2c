"""The environments keep Gymnasium's and PettingZoo's rules, and the guard is always in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

from control.guard import Guard
from control.rl.arena import Arena
from control.rl.episode import EnvSettings
from control.rl.junction_env import JunctionEnv
from control.rl.town_env import TownEnv
from sim.protocols import LEGACY, SAFE, Protocol
from tests.unit.control.fakes import FakePlant
from tests.unit.control.rl.arenas import Fakes, make_arena
from traffic.decisions import Extend, SelectPattern, Stage
from traffic.errors import BadInput, BadScenario, PlantLost
from traffic.ids import JunctionId
from traffic.snapshot import Snapshot

protocols = pytest.mark.parametrize("protocol", [LEGACY, SAFE], ids=["legacy", "safe"])
kinds = pytest.mark.parametrize("action", ["stage", "extend", "plan"])


def plant_of(arena: Arena) -> FakePlant:
    assert isinstance(arena.start, Fakes) and arena.start.plant is not None
    return arena.start.plant


@protocols
@kinds
def test_one_junction_keeps_the_rules_of_gymnasium(protocol: Protocol, action: str) -> None:
    arena = make_arena(protocol=protocol, horizon_s=1500.0)
    check_env(JunctionEnv(arena, settings=EnvSettings(action=action)), skip_render_check=True)


@protocols
@kinds
def test_all_junctions_keep_the_rules_of_pettingzoo(protocol: Protocol, action: str) -> None:
    arena = make_arena(("a", "b"), protocol, horizon_s=650.0)
    parallel_api_test(TownEnv(arena, EnvSettings(action=action)), num_cycles=700)


@protocols
def test_every_decision_passes_the_guard(protocol: Protocol) -> None:
    env = JunctionEnv(make_arena(protocol=protocol))
    env.reset(seed=1)
    assert env._episode is not None and isinstance(env._episode.guard, Guard)
    assert env._episode.guard.plant is plant_of(env.arena)


def test_a_guard_that_is_given_is_the_guard() -> None:
    given: list[Guard] = []

    def start(*, driver_seed: int, demand_seed: int, is_held: bool) -> Guard:
        given.append(Guard(FakePlant(), make_arena().limits))
        return given[-1]

    env = JunctionEnv(make_arena(start=start))
    env.reset(seed=1)
    assert env._episode is not None and env._episode.guard is given[0]


def test_what_the_guard_refuses_is_masked_and_changes_nothing() -> None:
    arena = make_arena(horizon_s=400.0)
    env = JunctionEnv(arena)
    _, info = env.reset(seed=1)
    plant_of(arena).readings[:] = 1.0
    refused, masked = 0, 0
    while True:
        wrong = np.flatnonzero(info["action_mask"] == 0)
        action = int(wrong[0]) if len(wrong) else 0
        running, masked = env.snapshot.stage[0], masked + len(wrong)
        _, _, _, is_over, info = env.step(action)
        if len(wrong):
            refused += 1
            assert info["refused"] == env._running().guard.counts.refused == refused
            assert info["forced"] > 0 or env.snapshot.stage[0] == running
        if is_over:
            break
    assert masked > 0


@protocols
def test_actions_that_are_not_masked_are_not_refused(protocol: Protocol) -> None:
    arena = make_arena(protocol=protocol, horizon_s=1200.0)
    env = JunctionEnv(arena)
    _, info = env.reset(seed=1)
    rng = np.random.default_rng(5)
    is_over = False
    while not is_over:
        plant_of(arena).readings[:] = rng.poisson(0.7, size=8)
        _, _, _, is_over, info = env.step(int(rng.choice(np.flatnonzero(info["action_mask"]))))
    assert info["refused"] == 0


def test_a_random_policy_keeps_the_longest_red_of_whoever_waits() -> None:
    arena = make_arena(horizon_s=1500.0)
    arena.start.readings[:] = 1.0  # type: ignore[attr-defined]
    env = JunctionEnv(arena)
    env.reset(seed=1)
    rng = np.random.default_rng(2)
    is_over = False
    while not is_over:
        is_over = env.step(int(rng.integers(2)))[3]
    links = [m.link_indices[0] for m in arena.network.movements.values()]
    reds = np.full(8, -1)
    for _, shown, staged, _ in plant_of(arena).history:
        reds = np.where([shown[0][link] in "Gg" or not staged[0] for link in links], -1, reds + 1)
        assert reds.max() <= arena.limits.max_red_s
    assert env._running().guard.counts.forced > 0


def test_asking_twice_gives_the_same_answer() -> None:
    arena = make_arena()
    arena.start.readings[:] = np.arange(8.0)  # type: ignore[attr-defined]
    env = JunctionEnv(arena)
    seen, _ = env.reset(seed=1)
    before = env.snapshot
    assert all(np.array_equal(env._observation.of(before, env.junction), seen) for _ in range(3))
    env.step(0)
    rewards = {float(env._reward(before, env.snapshot)[0]) for _ in range(3)}
    assert len(rewards) == 1 and rewards.pop() < 0.0
    assert np.array_equal(env._observation.of(before, env.junction), seen), "nothing remembers what came later"


def test_a_seed_draws_training_seeds_that_come_again_and_options_set_others() -> None:
    arena = make_arena()
    env = JunctionEnv(arena)
    for _ in range(2):
        env.reset(seed=7)
        env.reset()
    drawn = arena.start.seeds  # type: ignore[attr-defined]
    assert drawn[:2] == drawn[2:] and drawn[0] != drawn[1]
    assert all(1 <= seed <= 99 for pair in drawn for seed in pair)
    _, info = env.reset(options={"driver_seed": 100, "demand_seed": 0})
    assert (info["driver_seed"], info["demand_seed"]) == (100, 0)


def test_an_episode_is_truncated_at_its_horizon_and_then_over() -> None:
    env = JunctionEnv(make_arena(horizon_s=60.0))
    env.reset(seed=1)
    ends = [env.step(0)[2:4] for _ in range(11)]
    assert ends == [(False, False)] * 10 + [(False, True)]
    with pytest.raises(BadInput, match="the episode is over; reset first"):
        env.step(0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reward": "speed"}, r"reward: speed \(one of delay, person_delay, pressure, queue\)"),
        ({"observation": "routes"}, r"observation: routes \(one of .*zones\)"),
        ({"action": "honk"}, r"action: honk \(one of extend, plan, stage\)"),
    ],
    ids=["reward", "observation", "action"],
)
def test_an_unknown_name_is_one_line_that_lists_the_known(changes: dict[str, Any], says: str) -> None:
    for make in (JunctionEnv, TownEnv):
        with pytest.raises(BadInput, match=says):
            make(make_arena(), settings=EnvSettings(**changes))


@pytest.mark.parametrize("action", [-1, 4, 1.5, float("nan"), "north", None])
def test_an_action_that_is_none_is_refused_before_anything_is_sent(action: object) -> None:
    env = JunctionEnv(make_arena())
    env.reset(seed=1)
    n_sent = len(plant_of(env.arena).commands)
    with pytest.raises(BadInput, match=r"action of junction a.*\(0-3\)"):
        env.step(action)
    assert len(plant_of(env.arena).commands) == n_sent


def test_a_junction_has_to_be_there_and_named_where_there_are_several() -> None:
    for junction in (None, JunctionId("z")):
        with pytest.raises(BadInput, match=r"junction of fake.*one of a, b"):
            JunctionEnv(make_arena(("a", "b")), junction)


def test_the_other_junctions_run_what_is_installed() -> None:
    arena = make_arena(("a", "b"))
    env = JunctionEnv(arena, JunctionId("b"))
    env.reset(seed=1)
    for _ in range(10):
        env.step(0)
    assert {d.junction for batch in plant_of(arena).commands for d in batch} == {"b"}
    assert len({shown[0] for _, shown, _, _ in plant_of(arena).history}) > 4


def test_who_is_not_due_has_one_action_and_it_has_no_effect() -> None:
    arena = make_arena(("a", "b"), horizon_s=100.0)
    env = TownEnv(arena)
    _, infos = env.reset(seed=1)
    assert infos["a"]["is_due"] and infos["b"]["is_due"]
    _, _, _, _, infos = env.step({"a": 1, "b": 0})
    assert (infos["a"]["is_due"], infos["b"]["is_due"]) == (False, True), "a is in a change"
    assert infos["a"]["action_mask"].sum() == 1
    n_sent = len(plant_of(arena).commands)
    env.step({"a": 3, "b": 2})
    assert {d.junction for batch in plant_of(arena).commands[n_sent:] for d in batch} == {"b"}


def test_an_extension_holds_the_junction_for_that_long() -> None:
    arena = make_arena()
    env = JunctionEnv(arena, settings=EnvSettings(action="extend"))
    env.reset(seed=1)
    begin_s = env.snapshot.time_s
    _, _, _, _, info = env.step(3)
    assert info["duration_s"] == 3 * SAFE.decision_s
    assert Extend(JunctionId("a"), begin_s + 15.0) in plant_of(arena).commands[-1]
    running = env.snapshot.stage[0]
    env.step(0)
    assert Stage(JunctionId("a"), (running + 1) % 4) in plant_of(arena).commands[-1]


@protocols
def test_any_plan_wish_becomes_a_plan_that_the_guard_accepts(protocol: Protocol) -> None:
    arena = make_arena(protocol=protocol, horizon_s=6000.0)
    env = JunctionEnv(arena, settings=EnvSettings(action="plan"))
    env.reset(seed=1)
    rng, is_over, cycles = np.random.default_rng(4), False, set()
    while not is_over:
        wish = rng.uniform(-1.0, 1.0, size=6) if rng.random() < 0.8 else np.full(6, rng.choice([-1.0, 1.0]))
        _, _, _, is_over, info = env.step(wish.astype(np.float32))
        assert info["refused"] == 0
        assert is_over or info["duration_s"] >= 300.0
    sent = [d for batch in plant_of(arena).commands for d in batch if isinstance(d, SelectPattern)]
    cycles = {decision.order.plan.pattern.cycle_s for decision in sent}
    assert len(sent) >= 10 and len(cycles) > 3


def test_a_plan_wish_with_nan_or_of_another_shape_is_refused() -> None:
    env = JunctionEnv(make_arena(), settings=EnvSettings(action="plan"))
    env.reset(seed=1)
    for wish in (np.full(6, np.nan), np.zeros(5)):
        with pytest.raises(BadInput, match="plan action of junction a"):
            env.step(wish)


def test_plans_need_an_installed_plan() -> None:
    with pytest.raises(BadScenario, match=r"plans of fake: a \(one is installed everywhere\)"):
        JunctionEnv(replace(make_arena(), plans={}), settings=EnvSettings(action="plan"))


def test_a_plant_whose_clock_stands_is_lost() -> None:
    class Frozen(FakePlant):
        def advance(self, seconds: float) -> None:
            pass

    env = JunctionEnv(make_arena(protocol=LEGACY, start=lambda **_: Frozen()))
    env.reset(seed=1)
    with pytest.raises(PlantLost, match="clock stands"):
        env.step(0)


def stages_in_place(plant: FakePlant, shown: tuple[str, ...]) -> FakePlant:
    """Give the one junction of a plant other stages, the first of which is held."""
    junction = JunctionId("a")
    plant.stages = {junction: shown}
    head = plant.heads[junction]
    head.stages, head.is_staged, head.stage, head.shown = shown, True, 0, shown[0]
    plant.history.clear()
    plant._record()
    return plant


ONE = ("GrrrGrrr",)
SIXTEEN = tuple("r" * k + letter + "r" * (7 - k) for letter in "Gg" for k in range(8))


@protocols
@pytest.mark.parametrize("shown", [ONE, SIXTEEN], ids=["one stage", "sixteen stages"])
def test_a_junction_with_one_stage_or_sixteen_works(protocol: Protocol, shown: tuple[str, ...]) -> None:
    arena = replace(
        make_arena(protocol=protocol, start=lambda **_: stages_in_place(FakePlant(), shown)),
        stages={JunctionId("a"): shown},
    )
    for action in ("stage", "extend"):
        env = JunctionEnv(arena, settings=EnvSettings(action=action))
        seen, info = env.reset(seed=1)
        assert seen in env.observation_space
        assert info["action_mask"].shape == (len(shown) if action == "stage" else 4,)
        is_over = False
        while not is_over:
            seen, reward, _, is_over, info = env.step(env.action_space.sample(mask=info["action_mask"]))
            assert seen in env.observation_space and np.isfinite(reward)
        assert info["refused"] == 0


def test_own_parts_take_the_place_of_names() -> None:
    class Clock:
        def __init__(self, arena: Arena) -> None:
            from gymnasium.spaces import Box

            self._space = Box(0.0, 1.0, (1,), np.float32)

        def space(self, junction: JunctionId) -> Any:
            return self._space

        def of(self, snapshot: Snapshot, junction: JunctionId) -> Any:
            return np.array([snapshot.time_s % 90.0 / 90.0], np.float32)

    def calm(arena: Arena) -> Any:
        return lambda before, after: np.full(len(arena.junctions), after.time_s - before.time_s)

    env = JunctionEnv(make_arena(), settings=EnvSettings(observation=Clock, reward=calm))
    check_env(env, skip_render_check=True)
    env.reset(seed=1)
    _, reward, _, _, info = env.step(0)
    assert reward == info["duration_s"]
