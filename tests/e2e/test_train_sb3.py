"""The reference trainer on a street in memory: export, checkpoints, resume; and what is not loaded."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from control.rl.episode import EnvSettings
from control.rl.export import mlp_of
from control.rl.junction_env import JunctionEnv
from control.rl.mlp import load_mlp, save_mlp
from control.rl.shared_vec_env import SharedVecEnv
from control.rl.town_env import TownEnv
from control.rl.train_sb3 import CHECKPOINT, POLICY, TrainSettings, train
from sim.protocols import LEGACY
from tests.unit.control.rl.arenas import make_arena
from traffic.errors import BadInput, BadWeights

SHORT = TrainSettings(total_steps=64, n_steps=32, batch_size=32, hidden=(8,))


def make_env(action: str = "stage") -> JunctionEnv:
    return JunctionEnv(make_arena(protocol=LEGACY, horizon_s=2000.0), settings=EnvSettings(action=action))


@pytest.mark.parametrize("action", ["stage", "plan"])
@pytest.mark.parametrize("activation", [torch.nn.Tanh, torch.nn.ReLU], ids=["tanh", "relu"])
def test_an_exported_policy_answers_as_torch_does(tmp_path: Path, action: str, activation: Any) -> None:
    kwargs = {"net_arch": [32, 16], "activation_fn": activation}
    model = PPO("MlpPolicy", make_env(action), policy_kwargs=kwargs, seed=3, device="cpu", n_steps=8, batch_size=8)
    with torch.no_grad():
        for layer in (*model.policy.mlp_extractor.policy_net, model.policy.action_net):
            if isinstance(layer, torch.nn.Linear):
                layer.weight.mul_(3.0)
                layer.bias.normal_()
    save_mlp(mlp_of(model), tmp_path / "p.npz")
    network = load_mlp(tmp_path / "p.npz")
    seen = np.random.default_rng(0).uniform(0.0, 10.0, (200, network.n_inputs)).astype(np.float32)
    with torch.no_grad():
        distribution = model.policy.get_distribution(torch.as_tensor(seen)).distribution
    theirs = distribution.logits if action == "stage" else distribution.mean
    ours = network.outputs(seen)
    if action == "stage":
        ours = (
            ours - np.log(np.exp(ours - ours.max(1, keepdims=True)).sum(1, keepdims=True)) - ours.max(1, keepdims=True)
        )
    assert np.abs(ours - theirs.numpy()).max() <= 1e-5 * max(1.0, np.abs(ours).max())
    for row in seen[:50]:
        assert np.allclose(network.act(row), model.predict(row, deterministic=True)[0], atol=1e-5)


def test_training_leaves_a_network_and_a_checkpoint_and_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    network = train(make_env, SHORT, tmp_path, tell=lambda steps, mean: told.append((steps, mean)), about={"town": "x"})
    loaded = load_mlp(tmp_path / POLICY)
    assert all(np.array_equal(a, b) for a, b in zip(loaded.weights, network.weights, strict=True))
    assert loaded.about["steps"] == "64" and loaded.about["town"] == "x"
    assert [steps for steps, _ in told] == [0, 32]
    record = json.loads((tmp_path / CHECKPOINT).read_text("utf-8"))
    assert record["file"] == "steps_64.zip" and (tmp_path / "steps_64.zip").is_file()


def test_training_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    first = train(make_env, SHORT, tmp_path)
    told: list[int] = []
    longer = train(make_env, replace(SHORT, total_steps=96), tmp_path, tell=lambda steps, _: told.append(steps))
    assert told == [64] and longer.about["steps"] == "96"
    assert not np.array_equal(first.weights[0], longer.weights[0])
    again = train(make_env, replace(SHORT, total_steps=96), tmp_path)
    assert np.array_equal(again.weights[0], longer.weights[0]), "nothing is left to do"


def test_a_checkpoint_that_was_cut_off_or_changed_is_not_loaded(tmp_path: Path) -> None:
    train(make_env, SHORT, tmp_path)
    file = tmp_path / "steps_64.zip"
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    with pytest.raises(BadWeights, match="another sha256"):
        train(make_env, SHORT, tmp_path)
    file.write_bytes(whole)
    (tmp_path / "steps_999.zip.part").write_bytes(whole[:50])
    assert train(make_env, SHORT, tmp_path).about["steps"] == "64", "what a kill left half-written is ignored"
    (tmp_path / CHECKPOINT).write_text('{"file": "../steps_64.zip", "sha256": "", "settings": {}}')
    with pytest.raises(BadWeights):
        train(make_env, SHORT, tmp_path)


def test_other_settings_do_not_go_on(tmp_path: Path) -> None:
    train(make_env, SHORT, tmp_path)
    with pytest.raises(BadInput, match="the same to go on"):
        train(make_env, replace(SHORT, hidden=(16,)), tmp_path)


def test_the_agents_of_a_town_share_one_policy(tmp_path: Path) -> None:
    def town() -> TownEnv:
        return TownEnv(make_arena(("a", "b"), LEGACY, horizon_s=200.0))

    envs = SharedVecEnv(town())
    seen = envs.reset()
    assert seen.shape == (2, *envs.observation_space.shape)
    for _ in range(20):
        seen, rewards, dones, infos = envs.step(np.array([0, 1]))
    assert dones.all() and all(row["TimeLimit.truncated"] for row in infos)
    assert infos[0]["terminal_observation"].shape == seen[0].shape and rewards.shape == (2,)
    assert train(town, replace(SHORT, total_steps=128), tmp_path).n_outputs == 4


def test_a_town_of_unlike_junctions_cannot_share() -> None:
    arena = make_arena(("a", "b"), LEGACY)
    stages = {name: row[: 2 + place] for place, (name, row) in enumerate(arena.stages.items())}
    with pytest.raises(BadInput, match="2 kinds of spaces"):
        SharedVecEnv(TownEnv(replace(arena, stages=stages)))


@pytest.mark.parametrize("name", ["total_steps", "n_steps", "batch_size", "n_processes"])
def test_numbers_below_one_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match=f"training: {name}"):
        replace(SHORT, **{name: 0})


KILLED = """
from pathlib import Path
import sys
from dataclasses import replace
from control.rl.train_sb3 import train
from tests.e2e.test_train_sb3 import SHORT, make_env
train(make_env, replace(SHORT, total_steps=10**7), Path(sys.argv[1]))
"""


def test_training_that_was_killed_goes_on_from_a_whole_checkpoint(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, cwd=Path(__file__).resolve().parents[2]) as process:
        deadline_s = time.monotonic() + 120.0
        while not (tmp_path / CHECKPOINT).exists() and process.poll() is None and time.monotonic() < deadline_s:
            time.sleep(0.01)
        time.sleep(0.1)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    steps = int(json.loads((tmp_path / CHECKPOINT).read_text("utf-8"))["file"][len("steps_") : -len(".zip")])
    network = train(make_env, replace(SHORT, total_steps=steps + 32), tmp_path)
    assert network.about["steps"] == str(steps + 32)
    assert sorted(path.name for path in tmp_path.iterdir()) == [CHECKPOINT, POLICY, f"steps_{steps + 32}.zip"]
