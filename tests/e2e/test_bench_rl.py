"""`bench rl` on a generated grid: the replay is the run that was recorded, the row is whole; no speed is tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops.bench_rl import BenchRlOptions, run_bench_rl
from ops.keys import keys_of
from tests.e2e.generated_town import make_scenario


def test_a_row_is_measured_and_kept_with_its_samples(tmp_path: Path) -> None:
    town = make_scenario(tmp_path, end_s=357.0)
    files = f'<net-file value="{town.network.name}"/><route-files value="{town.routes[0].name}"/>'
    period = f'<begin value="{town.begin_s}"/><end value="{town.end_s}"/>'
    text = f"<configuration><input>{files}</input><time>{period}</time></configuration>"
    (tmp_path / "town.sumocfg").write_text(text, encoding="utf-8")
    result = run_bench_rl([str(tmp_path)], BenchRlOptions(repeats=2, out=tmp_path / "out"))
    (row,) = result["rows"]
    names = {f"rows[].{name}" for name in row} | {name for name in result if name != "rows"}
    assert names == {key.name for key in keys_of("bench rl")}
    assert row["junctions"] == 4 and row["delay_s"] > 0.0
    assert row["decisions_per_second"] >= row["decisions_per_second_median"] > 0.0
    shares = [row[f"{name}_share"] for name in ("simulation", "observation", "policy")]
    assert sum(shares) == pytest.approx(1.0) and shares[0] > 0.0
    kept = json.loads(Path(result["out"]).read_text(encoding="utf-8"))
    (samples,) = kept["samples"].values()
    assert all(
        len(samples[name]) == 2 for name in ("one", "two", "whole", "simulation", "look", "decide", "env", "ppo")
    )
    assert kept["rows"][0]["delay_s"] == row["delay_s"]
