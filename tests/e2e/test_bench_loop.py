"""`bench loop` on a generated grid: all runs are the same traffic, the table is whole. Nothing here tests speed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ops.bench_loop import BenchLoopOptions, _require_equal, alone, run_bench_loop
from ops.bench_loop_runs import Sample, binary, controlled, record, replayed, spec_of
from ops.keys import keys_of
from sim.sumocfg import open_folder
from tests.e2e.generated_town import make_scenario
from traffic.errors import BadInput, PlantLost


@pytest.fixture(scope="module")
def town_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    scenario = make_scenario(folder, end_s=357.0)
    files = f'<net-file value="{scenario.network.name}"/><route-files value="{scenario.routes[0].name}"/>'
    period = f'<begin value="{scenario.begin_s}"/><end value="{scenario.end_s}"/>'
    text = f"<configuration><input>{files}</input><time>{period}</time></configuration>"
    (folder / "town.sumocfg").write_text(text, encoding="utf-8")
    return folder


def test_the_replay_and_the_program_repeat_the_controlled_run(town_folder: Path, tmp_path: Path) -> None:
    scenario = open_folder(town_folder)
    again = alone(record, spec_of(scenario, 3, tmp_path / "replay"))
    begin_s, end_s = scenario.begin_s, scenario.end_s
    decisions = {begin_s + 10.0 * k for k in range(1, int((end_s - begin_s) // 10.0) + 1)}
    assert decisions <= set(again.times_s)
    assert len(again.times_s) > len(decisions), "the lamps changed between decisions"
    assert again.times_s[-1] == end_s
    samples = [
        alone(controlled, spec_of(scenario, 3, tmp_path / "controlled")),
        alone(replayed, again),
        alone(binary, again),
    ]
    assert len({sample.trips for sample in samples}) == 1
    other = alone(controlled, spec_of(scenario, 4, tmp_path / "other"))
    assert other.trips != samples[0].trips
    assert all(0.0 < sample.loop_cpu_s <= sample.process_cpu_s and sample.peak_mb > 1.0 for sample in samples)


def test_runs_that_differ_are_an_error_and_no_figure(town_folder: Path) -> None:
    one = Sample(loop_cpu_s=1.0, process_cpu_s=2.0, peak_mb=100.0, trips="a")
    with pytest.raises(PlantLost, match="2 kinds of trip records"):
        _require_equal(open_folder(town_folder), [[one], [replace(one, trips="b")]])


def test_the_table_has_the_keys_of_the_dictionary(town_folder: Path, tmp_path: Path) -> None:
    options = BenchLoopOptions(repeats=1, evaluate_rounds=1, out=tmp_path)
    result = run_bench_loop([str(town_folder)], options)
    (row,) = result["rows"]
    names = {key.name for key in keys_of("bench loop")}
    assert {*(f"rows[].{name}" for name in row), *(name for name in result if name != "rows")} == names
    assert row["ratio"] == pytest.approx(row["controlled_cpu_s"] / row["bare_cpu_s"])
    assert row["ratio_range"] == pytest.approx([row["ratio"], row["ratio"]])
    assert row["evaluate_ratio"] > 0.0
    written = json.loads(Path(result["out"]).read_text(encoding="utf-8"))
    assert written["rows"] == [row]
    assert set(next(iter(written["samples"].values()))) >= {"controlled", "replayed", "binary", "env"}
    assert written["versions"]["libsumo"]


@pytest.mark.parametrize(
    ("options", "says"),
    [(BenchLoopOptions(repeats=0), "--repeats: 0"), (BenchLoopOptions(evaluate_rounds=-1), "--evaluate: -1")],
    ids=["no run", "rounds below 0"],
)
def test_bad_numbers_are_refused(options: BenchLoopOptions, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        run_bench_loop([], options)
