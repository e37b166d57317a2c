"""The environments over a real SUMO: Gymnasium's and PettingZoo's rules, ids, seeds, processes, signals, a truth."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

from control.core.policy import N_INPUTS
from control.guard import Guard, legacy_limits
from control.rl.train_sb3 import TrainSettings, train
from ops.rl_envs import TownOptions, arena_of, junction_env, parallel_env
from ops.rl_evaluate import measure_policy
from ops.rl_occupancy import OCCUPANCIES
from ops.scenario_folder import open_scenario
from sim.episode import Seed, prepare, run_controlled
from sim.lamp_history import LampFaults, faults_of_run
from sim.protocols import LEGACY
from sim.trips import read_trips
from tests.e2e.generated_town import make_scenario
from tests.e2e.one_crossing import make_crossing
from traffic.decisions import Stage
from traffic.errors import BadInput, BadScenario, PlantLost
from traffic.ids import JunctionId
from traffic.ports import Plant
from traffic.scenario import Scenario
from traffic.snapshot import Snapshot

protocols = pytest.mark.parametrize("protocol", ["legacy", "safe"])


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return make_scenario(tmp_path_factory.mktemp("town"), end_s=357.0)


@pytest.fixture(scope="module")
def town_folder(town: Scenario) -> str:
    files = f'<net-file value="{town.network.name}"/><route-files value="{town.routes[0].name}"/>'
    period = f'<begin value="{town.begin_s}"/><end value="{town.end_s}"/>'
    text = f"<configuration><input>{files}</input><time>{period}</time></configuration>"
    (town.folder / "town.sumocfg").write_text(text, encoding="utf-8")
    return str(town.folder)


@protocols
def test_one_junction_of_the_twin_keeps_the_rules_of_gymnasium(town: Scenario, protocol: str) -> None:
    env = junction_env(town, "B1", protocol=protocol, horizon_s=60.0)
    check_env(env, skip_render_check=True, skip_close_check=True)
    env.close()


@protocols
def test_all_junctions_of_the_twin_keep_the_rules_of_pettingzoo(town: Scenario, protocol: str) -> None:
    env = parallel_env(town, protocol=protocol, reward="person_delay", horizon_s=60.0)
    parallel_api_test(env, num_cycles=70)
    env.close()


@protocols
def test_over_the_queue_model_the_town_has_the_same_spaces_and_several_fit_into_a_process(
    town: Scenario, protocol: str
) -> None:
    twin, first, second = (parallel_env(town, protocol=protocol, plant=plant) for plant in ("sumo", "core", "core"))
    views = [env.reset(seed=5)[0] for env in (first, second, twin)]
    twin.close()
    total = 0.0
    while first.agents:
        actions = {name: len(first.arena.stages[JunctionId(name)]) - 1 for name in first.agents}
        rewards = [env.step(actions)[1] for env in (first, second)]
        total += sum(rewards[0].values())
        assert rewards[0] == rewards[1]
    assert total < 0.0
    assert {name: row.shape for name, row in views[0].items()} == {name: row.shape for name, row in views[2].items()}
    plans = parallel_env(town, protocol=protocol, plant="core", action="plan")
    plans.reset(seed=5)
    infos = plans.step({name: plans.action_space(name).sample() for name in plans.agents})[4]
    assert all(info["refused"] == 0 for info in infos.values())


def test_the_universal_observation_is_that_of_its_own_history_and_zones(town: Scenario) -> None:
    env = parallel_env(town, protocol="legacy", observation="universal", zone_m=150.0, horizon_s=120.0)
    seen, _ = env.reset(seed=1)
    while env.agents:
        seen, _, _, _, _ = env.step(dict.fromkeys(env.agents, 1))
        assert all(row in env.observation_space(name) for name, row in seen.items())
    env.close()
    table = seen["A0"].reshape(-1, N_INPUTS)
    assert table[:, 0].max() > 0.0 and table[:, 9].max() > 0.0, "vehicles in the zones, flows of history"
    assert table[:, 16].max() <= 1.5


@pytest.mark.parametrize("name", ["NgaTu-v0", "NgaTuExtend-v0", "NgaTuPlan-v0"])
def test_registered_ids_make_environments(town_folder: str, name: str) -> None:
    env = gymnasium.make(f"ops.rl_envs:{name}", scenario=town_folder, junction="A0", horizon_s=50.0)
    seen, _ = env.reset(seed=3)
    assert seen in env.observation_space
    assert env.step(env.action_space.sample())[0] in env.observation_space
    env.close()


def run(env: Any, n_steps: int, seed: int) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(0)
    rows = [(env.reset(seed=seed)[0].tolist(), 0.0)]
    for _ in range(n_steps):
        seen, reward, _, _, _ = env.step(int(rng.integers(env.action_space.n)))
        rows.append((seen.tolist(), reward))
    env.close()
    return rows


def test_the_same_seed_and_actions_give_the_same_episode_and_another_seed_another(town: Scenario) -> None:
    first, again, other = (run(junction_env(town, "A0"), 25, seed) for seed in (5, 5, 6))
    assert first == again
    assert first != other
    assert any(reward < 0.0 for _, reward in first)


def test_a_second_simulation_in_one_process_is_one_clear_line(town: Scenario) -> None:
    first, second = junction_env(town, "A0"), junction_env(town, "B0")
    first.reset(seed=1)
    with pytest.raises(PlantLost, match=r"libsumo holds one\); close it, or give each environment a process"):
        second.reset(seed=1)
    first.close()
    second.reset(seed=1)
    second.close()


def test_several_environments_run_in_processes_of_their_own(town: Scenario) -> None:
    make = partial(junction_env, town, "A0", horizon_s=40.0)
    envs = gymnasium.vector.AsyncVectorEnv([make, make], context="spawn")
    seen, _ = envs.reset(seed=[1, 2])
    assert seen.shape[0] == 2
    _, _, _, truncated, _ = envs.step(np.array([0, 1]))
    assert truncated.shape == (2,)
    envs.close()


def test_an_episode_leaves_nothing_behind_unless_a_folder_is_given(
    town: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "of_this_test_alone"))
    Path(tempfile.gettempdir()).mkdir()
    env = junction_env(town, "A0", horizon_s=30.0)
    env.reset(seed=1)
    assert len(list(Path(tempfile.gettempdir()).glob("env-*"))) == 1
    env.close()
    assert list(Path(tempfile.gettempdir()).iterdir()) == []
    env = junction_env(town, "A0", horizon_s=300.0, folder=tmp_path)
    env.reset(seed=1)
    while not env.step(0)[3]:
        pass
    env.close()
    assert read_trips(tmp_path / "trips.xml", town.end_s).scheduled_s.size > 0


def test_a_random_policy_under_safe_keeps_yellow_and_intergreens_and_is_forced(town: Scenario) -> None:
    env = parallel_env(town, protocol="safe")
    _, infos = env.reset(seed=2)
    rng = np.random.default_rng(3)
    plant: Any = env.plant.plant  # type: ignore[attr-defined]
    while env.agents:
        wishes = {name: int(rng.integers(env.action_space(name).n)) for name in env.agents}
        infos = env.step({name: 0 if rng.random() < 0.8 else wish for name, wish in wishes.items()})[4]
        if not env.agents:
            histories = plant.history()
    faults = faults_of_run(histories, env.arena.network.crossings, 5.0)
    env.close()
    assert faults == LampFaults()
    assert any(info["forced"] > 0 for info in infos.values())


class OneStage:
    """A controller that shows the second stage everywhere, for ever."""

    def start(self, plant: Plant) -> None:
        pass

    def decide(self, snapshot: Snapshot, state: None) -> tuple[list[Stage], None]:
        places = enumerate(self.junctions)
        return [Stage(name, 1) for place, name in places if snapshot.stage[place] not in (-1, 1)], None

    def __init__(self, junctions: list[Any]) -> None:
        self.junctions = junctions


def test_a_policy_is_measured_as_evaluate_measures_a_control(town: Scenario, tmp_path: Path) -> None:
    seed = Seed(driver=101, demand=100)
    measured = measure_policy(town, lambda seen, info: 1, seed, protocol="legacy")
    run = prepare(town, seed, LEGACY, tmp_path)
    controller = OneStage(list(run.town.network.crossings))
    episode = run_controlled(run, controller, wrap=lambda plant: Guard(plant, legacy_limits()))
    assert measured == episode.measures
    assert measured.vehicles > 50
    alone = measure_policy(town, lambda seen, info: 1, seed, junction="A0", protocol="legacy")
    assert alone.vehicles == measured.vehicles and alone.delay_s != measured.delay_s


@protocols
def test_random_plans_run_at_every_junction_without_a_refusal(town: Scenario, protocol: str) -> None:
    env = parallel_env(town, protocol=protocol, action="plan")
    env.reset(seed=4)
    for name in env.possible_agents:
        env.action_space(name).seed(9)
    _, _, _, _, infos = env.step({name: env.action_space(name).sample() for name in env.agents})
    env.close()
    assert all(info["refused"] == 0 and info["duration_s"] == 300.0 for info in infos.values())


def test_the_other_junctions_run_their_own_programs(town: Scenario) -> None:
    env = junction_env(town, "A0", protocol="legacy")
    env.reset(seed=1)
    for _ in range(12):
        env.step(0)
    plant: Any = env.plant.plant  # type: ignore[attr-defined]
    histories = plant.history()
    env.close()
    assert len({lamps for _, lamps in histories["A0"][-1:]}) == 1
    assert len({lamps for _, lamps in histories["B1"]}) >= 4


def test_occupancies_weigh_movements_by_their_historic_classes() -> None:
    scenario = open_scenario("thanh_hoa")
    arena = arena_of(scenario)
    values = np.array(list(arena.persons_per_vehicle.values()))
    assert 1.0 < values.min() < values.max() < 5.0, "four in five ride a motorcycle, few buses"
    ones = arena_of(scenario, TownOptions(occupancies=dict.fromkeys(OCCUPANCIES, 1.0)))
    assert list(ones.persons_per_vehicle.values()) == pytest.approx(np.ones(len(values)))


@pytest.mark.parametrize(
    ("chosen", "error", "says"),
    [
        ({"protocol": "fast"}, BadInput, r"protocol: fast \(one of legacy, safe\)"),
        ({"speed": 3}, BadInput, r"environment: speed \(options are action, .*reward"),
        ({"reward": "profit"}, BadInput, r"reward: profit \(one of delay, person_delay, pressure, queue\)"),
        ({"occupancies": {"car": 1.5}}, BadInput, "occupancies"),
        ({"horizon_s": 0.0}, BadInput, "horizon"),
        ({"zone_m": 20.0}, BadInput, r"zone_m: 20.0 m \(50-150 m\)"),
        ({"plant": "paper"}, BadInput, r"plant: paper \(one of sumo, core\)"),
        ({"scenario": "nowhere"}, BadScenario, "nowhere"),
    ],
    ids=["protocol", "option", "reward", "occupancies", "horizon", "zones", "plant", "scenario"],
)
def test_what_is_not_there_is_one_clear_line(
    town: Scenario, chosen: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        parallel_env(**{"scenario": town, **chosen})


@pytest.mark.parametrize("way", ["west", "north"])
def test_ppo_learns_to_serve_the_only_approach_that_has_traffic(tmp_path: Path, way: str) -> None:
    scenario = make_crossing(tmp_path / "town", 500.0 if way == "west" else 0.0, 500.0 if way == "north" else 0.0)
    env = junction_env(scenario, protocol="safe")
    network = train(lambda: env, TrainSettings(total_steps=1024, n_steps=128, seed=1), tmp_path / "run")
    served = env.arena.stages[env.junction].index("rG" if way == "west" else "Gr")
    env = junction_env(scenario, protocol="safe")
    seen, info = env.reset(options={"driver_seed": 100, "demand_seed": 100})
    shown, is_over = [], False
    while not is_over:
        seen, _, _, is_over, info = env.step(network.act(seen, info["action_mask"]))
        shown.append(env.snapshot.stage[0])
    env.close()
    assert shown.count(served) >= 0.95 * len(shown)
