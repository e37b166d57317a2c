"""`bench rl`: the row from samples, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ops.bench_rl import BenchRlOptions, run_bench_rl, speed_row
from ops.bench_rl_runs import N_PARAMETERS
from traffic.errors import BadInput, BadScenario, BadWeights

SAMPLES: dict[str, Any] = {
    "one": [400.0, 500.0, 300.0],
    "two": [700.0, 900.0, 800.0],
    "whole": [2.0, 2.5, 2.2],
    "simulation": [0.5, 0.4, 0.6],
    "look": [0.8, 0.9, 0.7],
    "decide": [2.0, 2.1, 1.9],
    "env": [10.0, 30.0],
    "ppo": [5.0, 4.0],
    "decisions": 1000.0,
    "junctions": 16.0,
    "delay_s": 20.0,
}


def test_a_row_has_the_best_and_the_median_and_shares_that_make_one() -> None:
    row = speed_row(SAMPLES)
    assert (row["decisions_per_second"], row["decisions_per_second_median"]) == (900.0, 800.0)
    assert (row["one_thread_per_second"], row["one_thread_per_second_median"]) == (500.0, 400.0)
    assert row["decisions_per_cpu_second"] == 500.0
    shares = [row[f"{name}_share"] for name in ("simulation", "observation", "policy")]
    assert shares == pytest.approx([0.25, 0.15, 0.6])
    assert row["replay_ratio"] == pytest.approx(2.0 / 2.2)
    assert (row["env_steps_per_second"], row["ppo_steps_per_second"], row["junctions"]) == (30.0, 5.0, 16)


def test_the_shipped_policy_has_more_than_a_thousand_parameters() -> None:
    assert N_PARAMETERS == 20 * 16 + 16 + 3 * 16 * 16 + 16 + 16 + 20 == 1156


@pytest.mark.parametrize(
    ("scenario", "options", "error", "says"),
    [
        ("grid", {"repeats": 0}, BadInput, "--repeats: 0"),
        ("nowhere", {}, BadScenario, "nowhere"),
        ("grid", {"model": "nobody"}, BadWeights, "nobody: no such policy"),
    ],
    ids=["repeats", "scenario", "model"],
)
def test_what_is_not_there_is_refused_before_anything_runs(
    tmp_path: Path, scenario: str, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        run_bench_rl([scenario], BenchRlOptions(out=tmp_path / "out", **options))
    assert not (tmp_path / "out").exists()
