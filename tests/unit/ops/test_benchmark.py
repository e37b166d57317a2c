"""What a benchmark runs, refuses, keeps and goes on with; SUMO is replaced here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.benchmark import run_benchmark
from ops.benchmark_set import DEFAULT_CONTROLS, OWN, BenchmarkOptions, open_scenarios, specs_of, subject_of
from ops.benchmark_store import BenchmarkRun, keep_run
from ops.evaluate_runs import CONTROLS
from ops.keys import keys_of
from ops.scenario_folder import SCENARIOS
from sim.ensemble import Outcome
from tests.unit.ops.test_evaluate import make_folder, make_run
from traffic.errors import BadInput, BadScenario, BadWeights, PlantLost, TrafficError

SMALL = BenchmarkOptions(controls=("fixed", "max_pressure"), protocol="both", seeds=2)
VIA_ONLY = ("via", "direct_delay_s", "loss_s", "loss_ci95_s", "plans_pushed", "plans_confirmed", "rounded_phases")
Outcomes = Iterator[Outcome[BenchmarkRun, Any]]


def make_town(folder: Path, name: str) -> Path:
    town = folder / name
    town.mkdir(parents=True)
    make_folder(town)
    text = (town / "scenario.toml").read_text("utf-8").replace('"small"', f'"{name}"')
    (town / "scenario.toml").write_text(text, encoding="utf-8")
    return town


def fake_runs(
    seen: list[str],
    *,
    breaks_at: int | None = None,
    fails: Callable[[BenchmarkRun], TrafficError | None] = lambda _: None,
) -> Callable[..., Outcomes]:
    """Return a `run_many` that keeps what a worker would keep, and is interrupted before run `breaks_at`."""

    def run_many(todo: Sequence[BenchmarkRun], *_: object, **__: object) -> Outcomes:
        for place, run in enumerate(todo):
            if place == breaks_at:
                raise KeyboardInterrupt
            seen.append(f"{run.spec.scenario.name} {run.spec.protocol.name} {run.spec.control} {run.spec.seed.driver}")
            if (error := fails(run)) is not None:
                yield Outcome(spec=run, error=error)
                continue
            result = make_run(run.spec.control, run.spec.seed.driver, 40.0 + len(seen))
            result = replace(result, episode=replace(result.episode, seed=run.spec.seed))
            keep_run(run, result)
            yield Outcome(spec=run, result=result)

    return run_many


def names_of(result: dict[str, Any]) -> set[str]:
    lists = {name: {key for row in result[name] for key in row} for name in ("rows", "statements")}
    return {f"{name}[].{key}" for name, keys in lists.items() for key in keys} | (set(result) - set(lists))


def test_every_key_stands_in_the_data_dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.benchmark.run_many", fake_runs([]))
    result = run_benchmark([str(make_town(tmp_path, "town"))], replace(SMALL, out=tmp_path / "out"))
    assert names_of(result) == {key.name for key in keys_of("benchmark")}
    assert {key.name for key in keys_of("evaluate") if key.name.startswith("rows[].")} - names_of(result) == {
        f"rows[].{name}" for name in VIA_ONLY
    }


def test_table_chart_and_result_are_written_with_settings_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.benchmark.run_many", fake_runs([]))
    out = tmp_path / "out"
    result = run_benchmark([str(make_town(tmp_path, "town"))], replace(SMALL, out=out))
    assert sorted(path.name for path in out.iterdir()) == [
        "benchmark.json",
        "benchmark.md",
        "benchmark.svg",
        "runs",
    ]
    record = json.loads(Path(result["out"]).read_text("utf-8"))
    assert (record["settings"]["seeds"], len(record["each"]), record["partial"]) == (2, 8, False)
    assert record["versions"]["libsumo"] and "command" in record and "commit" in record
    assert [row["control"] for row in record["rows"]] == ["static", "max_pressure", "static_safe", "max_pressure"]
    assert Path(result["chart"]).read_text("utf-8").startswith("<svg")


def test_runs_come_scenario_by_scenario_and_seed_by_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("ops.benchmark.run_many", fake_runs(seen))
    for name in ("a_town", "b_town"):
        make_town(tmp_path / "towns", name)
    (tmp_path / "towns" / "notes").mkdir()
    run_benchmark([str(tmp_path / "towns")], replace(SMALL, out=tmp_path / "out"))
    assert seen[:4] == [
        "a_town legacy static 0",
        "a_town legacy max_pressure 0",
        "a_town legacy static 1",
        "a_town legacy max_pressure 1",
    ]
    assert seen[4] == "a_town safe static_safe 0" and len(seen) == 16 and seen[8].startswith("b_town")


def test_ctrl_c_keeps_what_is_done_and_the_next_time_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    town, options = str(make_town(tmp_path, "town")), replace(SMALL, out=tmp_path / "out")
    monkeypatch.setattr("ops.benchmark.run_many", fake_runs(seen, breaks_at=5))
    with pytest.raises(KeyboardInterrupt):
        run_benchmark([town], options)
    record = json.loads((tmp_path / "out" / "benchmark.json").read_text("utf-8"))
    assert record["partial"] is True
    assert [(row["protocol"], row["control"], row["seeds"]) for row in record["rows"]] == [
        ("legacy", "static", 2),
        ("legacy", "max_pressure", 2),
        ("safe", "static_safe", 1),
    ]
    monkeypatch.setattr("ops.benchmark.run_many", fake_runs(seen))
    result = run_benchmark([town], options)
    assert (result["runs"], result["runs_kept"], result["partial"]) == (8, 5, False)
    assert len(seen) == len(set(seen)) == 8
    more = run_benchmark([town], replace(options, seeds=3, controls=(*options.controls, "greedy")))
    assert more["runs_kept"] == 8 and len(seen) == len(set(seen)) == 18


def test_an_interruption_before_anything_is_done_leaves_a_partial_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.benchmark.run_many", fake_runs([], breaks_at=0))
    with pytest.raises(KeyboardInterrupt):
        run_benchmark([str(make_town(tmp_path, "town"))], replace(SMALL, out=tmp_path / "out"))
    record = json.loads((tmp_path / "out" / "benchmark.json").read_text("utf-8"))
    assert (record["rows"], record["partial"], record["chart"]) == ([], True, None)


def test_a_run_that_fails_is_a_row_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = PlantLost("worker process", "killed by signal 9")
    monkeypatch.setattr(
        "ops.benchmark.run_many", fake_runs([], fails=lambda run: lost if run.spec.control == "static_safe" else None)
    )
    town, options = str(make_town(tmp_path, "town")), replace(SMALL, out=tmp_path / "out")
    result = run_benchmark([town], options)
    assert (result["failed"], result["partial"]) == (2, True)
    rows = {(row["protocol"], row["control"]): row for row in result["rows"]}
    assert rows["safe", "static_safe"]["error"] == "worker process: killed by signal 9"
    assert rows["safe", "max_pressure"]["seeds"] == 2 and len(rows) == 4
    assert "2 failed: worker process" in Path(result["table"]).read_text("utf-8")
    seen: list[str] = []
    monkeypatch.setattr("ops.benchmark.run_many", fake_runs(seen))
    assert run_benchmark([town], options)["failed"] == 0, "what failed is tried again"
    assert seen == ["town safe static_safe 0", "town safe static_safe 1"]


def test_if_everything_fails_the_first_error_is_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.benchmark.run_many", fake_runs([], fails=lambda _: BadScenario("town", "no demand")))
    with pytest.raises(BadScenario, match="no demand"):
        run_benchmark([str(make_town(tmp_path, "town"))], replace(SMALL, out=tmp_path / "out"))


BAD = {
    "unknown control": ({"controls": ("fixed", "magic")}, "--control: magic"),
    "no control": ({"controls": ()}, "--control: none"),
    "a control twice": ({"controls": ("greedy", "greedy")}, "each once"),
    "the same under one protocol": (
        {"controls": ("fixed", "static")},
        "each once; under legacy they are static, static",
    ),
    "unknown protocol": ({"protocol": "fast"}, "--protocol: fast .*legacy, safe or both"),
    "no seed": ({"seeds": 0}, "--seeds: 0"),
    "demand seed": ({"first_demand_seed": -1}, "--demand-seed: -1"),
    "no process": ({"jobs": 0}, "--jobs: 0"),
    "a subject that does not run": ({"subject": "mpc"}, "--subject: mpc .*fixed, max_pressure"),
    "an out that cannot be made": ({"out": Path(__file__) / "out"}, "--out"),
}


@pytest.mark.parametrize(("changes", "says"), BAD.values(), ids=BAD)
def test_bad_options_are_refused_before_anything_runs(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=says):
        run_benchmark(["grid"], replace(SMALL, **{"out": tmp_path / "out", **changes}))
    assert list(tmp_path.iterdir()) == []


def test_a_policy_that_is_none_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="no such policy"):
        run_benchmark(["grid"], BenchmarkOptions(controls=("universal",), model="nobody", out=tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_the_same_scenario_twice_is_refused_however_it_is_named(tmp_path: Path) -> None:
    for names in (["grid", "grid"], ["grid", str(SCENARIOS / "grid")], ["grid", str(SCENARIOS)]):
        with pytest.raises(BadInput, match="each once"):
            open_scenarios(names)
    towns = [str(make_town(tmp_path / name, "town")) for name in ("a", "b")]
    with pytest.raises(BadInput, match="several with the name town"):
        open_scenarios(towns)


@pytest.mark.parametrize("name", ["nowhere", "", "../grid"])
def test_a_scenario_that_is_none_is_named(name: str) -> None:
    with pytest.raises(BadScenario):
        open_scenarios([name])


def test_a_folder_without_scenarios_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadScenario, match="nor folders with one"):
        open_scenarios([str(tmp_path)])


def test_a_scenario_of_ours_is_meant_before_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_town(tmp_path / "grid", "town")
    monkeypatch.chdir(tmp_path)
    assert [row.name for row in open_scenarios(["grid"])] == ["grid"]


def test_by_default_all_our_networks_and_every_kind_of_control_run_in_both_protocols() -> None:
    scenarios = open_scenarios(OWN)
    options = BenchmarkOptions()
    specs = specs_of(scenarios, options)
    assert options.seeds >= 5 and len(specs) == 3 * 2 * 5 * 6
    by_protocol = {
        name: list(dict.fromkeys(spec.control for spec in specs if spec.protocol.name == name))
        for name in ("legacy", "safe")
    }
    assert by_protocol["legacy"] == ["static", *DEFAULT_CONTROLS[1:]]
    assert by_protocol["safe"] == ["static_safe", "actuated_safe", *DEFAULT_CONTROLS[2:]]
    assert {control for row in by_protocol.values() for control in row} <= set(CONTROLS)


def test_seeds_of_claims_have_a_demand_each_and_the_file_as_it_is_has_drivers_only() -> None:
    scenarios = open_scenarios(["grid"])
    options = replace(SMALL, protocol="safe", controls=("greedy",))
    seeds = [[spec.seed for spec in specs_of(scenarios, replace(options, first_demand_seed=n))] for n in (0, 100)]
    assert [(seed.driver, seed.demand) for seed in seeds[0]] == [(0, 0), (1, 0)]
    assert [(seed.driver, seed.demand) for seed in seeds[1]] == [(0, 100), (1, 101)]


def test_the_policy_is_judged_or_whom_one_names_or_the_last() -> None:
    assert subject_of(BenchmarkOptions(controls=("fixed", "universal", "greedy"))) == "universal"
    assert subject_of(BenchmarkOptions(controls=("fixed", "universal"), subject="fixed")) == "fixed"
    assert subject_of(BenchmarkOptions(controls=("fixed", "greedy"))) == "greedy"
