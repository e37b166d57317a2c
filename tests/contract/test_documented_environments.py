"""The environments of docs/researchers.md work as they stand there; only sizes are cut."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from control.policy_files import load_policy
from control.rl.actions import ACTIONS
from control.rl.mlp import load_mlp
from control.rl.names import OBSERVATIONS
from control.rl.registry import IDS
from control.rl.rewards import REWARDS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "researchers.md").read_text(encoding="utf-8").partition("# Environments to train in")[2]
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SMALLER = {
    'junction="B1", observation=': 'junction="B1", horizon_s=120.0, observation=',
    '"B1", protocol="safe")': '"B1", protocol="safe", horizon_s=120.0)',
    "total_steps=50_000, seed=1": "total_steps=64, n_steps=32, batch_size=32, seed=1",
    'junction="B1"\n)': 'junction="B1", horizon_s=120.0\n)',
    "range(100)": "range(3)",
    "in (1, 2, 3, 4)]": "in (1, 2)]",
    "n_replicas=8, reward": "n_replicas=1, reward",
    "total_steps=1_000_000, seed=1)": "total_steps=2048, n_steps=16, batch_size=256, seed=1)",
}


@pytest.fixture(scope="module")
def blocks() -> list[str]:
    text = "\0".join(BLOCKS)
    for long, short in SMALLER.items():
        assert long in text, f"{long} is not on the page"
        text = text.replace(long, short)
    return text.split("\0")


def run(code: str, names: dict[str, Any]) -> dict[str, Any]:
    exec(compile(code, "docs/researchers.md", "exec"), names)
    return names


def test_own_policy_observation_and_reward_in_twenty_lines(blocks: list[str]) -> None:
    names = run(blocks[0], {})
    assert names["total"] < 0.0 and names["info"]["refused"] == 0
    rows = [row for row in BLOCKS[0].splitlines() if row.strip() and not row.startswith("import")]
    assert len(rows) <= 20


def test_training_measuring_and_vectors(
    blocks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names = run(blocks[1], {})
    assert names["result"].vehicles > 0 and names["result"].delay_s > 0.0
    assert str(names["result"].delay_s) in capfd.readouterr().out
    assert load_mlp(tmp_path / "runs" / "ppo" / "policy.npz").n_outputs == names["network"].n_outputs
    names = run(blocks[3], names)
    assert names["rewards"].shape == (2,)


def test_the_universal_policy_is_trained_in_the_core(
    blocks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = run(blocks[2], {})
    assert (load_policy(tmp_path / "runs" / "ppo-core") == names["weights"]).all()
    assert names["envs"].num_envs == 32


def test_the_environment_for_rllib_is_made(blocks: list[str]) -> None:
    tree = ast.parse(blocks[4])
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    names: dict[str, Any] = {}
    exec(compile(ast.Module([function], []), "docs/researchers.md", "exec"), names)
    env = names["make_town"]({"scenario": "grid", "horizon_s": 30.0})
    seen, _ = env.reset(seed=1)
    assert set(seen) == set(env.possible_agents)
    env.close()


def test_every_name_is_on_the_page() -> None:
    for name in (*ACTIONS, *OBSERVATIONS, *REWARDS, *IDS):
        assert f"`{name}`" in PAGE, name
