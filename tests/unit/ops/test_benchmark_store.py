"""Finished runs are kept, found again, and not mistaken for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import isnan, nan
from pathlib import Path

import pytest

from ops import benchmark_code
from ops.benchmark_code import code_digest, code_files, scenario_digest
from ops.benchmark_set import BenchmarkOptions, specs_of
from ops.benchmark_store import BenchmarkRun, keep_run, kept_run, run_and_keep, with_places, write_text
from ops.evaluate_runs import EvaluateRun, EvaluateSpec
from ops.scenario_folder import open_scenario
from sim.episode import Seed
from sim.protocols import SAFE
from tests.unit.ops.test_evaluate import make_folder, make_run
from traffic.errors import BadInput

ROOT = Path(__file__).resolve().parents[3]


def make_todo(folder: Path) -> BenchmarkRun:
    options = BenchmarkOptions(controls=("greedy",), protocol="safe", seeds=1)
    return with_places(specs_of([open_scenario(make_folder(folder))], options), folder)[0]


def test_a_run_is_found_again_as_it_was(tmp_path: Path) -> None:
    todo = make_todo(tmp_path)
    run = replace(make_run("greedy", 0, 40.5), refused=2)
    assert kept_run(todo.path) is None
    keep_run(todo, run)
    assert kept_run(todo.path) == run


def test_what_is_unknown_stays_unknown(tmp_path: Path) -> None:
    todo = make_todo(tmp_path)
    keep_run(todo, make_run("greedy", 0, nan))
    found = kept_run(todo.path)
    assert found is not None and isnan(found.episode.measures.delay_s)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"run": {"control": "greedy"}}', "\x00"])
def test_a_damaged_file_is_a_run_to_do(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text, encoding="utf-8")
    assert kept_run(path) is None


def test_a_run_is_kept_by_whoever_did_it_and_leaves_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    def fake(spec: EvaluateSpec) -> EvaluateRun:
        spec.folder.mkdir()
        seen.append(spec.folder)
        return make_run(spec.control, spec.seed.driver, 40.0)

    monkeypatch.setattr("ops.benchmark_store.evaluate_one", fake)
    todo = make_todo(tmp_path)
    assert run_and_keep(todo) == kept_run(todo.path)
    assert not seen[0].parent.exists()


def test_a_place_that_takes_no_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="name another --out"):
        write_text(tmp_path / "nowhere" / "run.json", "{}")


OTHERS: dict[str, Callable[[EvaluateSpec], EvaluateSpec]] = {
    "control": lambda spec: replace(spec, control="max_pressure"),
    "driver seed": lambda spec: replace(spec, seed=Seed(driver=1)),
    "demand seed": lambda spec: replace(spec, seed=Seed(driver=0, demand=100)),
    "protocol": lambda spec: replace(spec, protocol=replace(SAFE, min_green_s=6.0)),
    "period": lambda spec: replace(spec, scenario=replace(spec.scenario, end_s=59.0)),
    "guard": lambda spec: replace(
        spec, scenario=replace(spec.scenario, guard=spec.scenario.guard.model_copy(update={"max_red_s": 90.0}))
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_run_has_another_file(name: str, tmp_path: Path) -> None:
    todo = make_todo(tmp_path)
    (other,) = with_places([OTHERS[name](todo.spec)], tmp_path)
    assert other.path != todo.path


def test_the_same_run_elsewhere_has_the_same_name(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("one", "two")]
    for place in places:
        place.mkdir()
    one, two = (make_todo(place) for place in places)
    assert one.path.name == two.path.name and one.path != two.path


def test_another_demand_or_other_code_makes_other_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    todo = make_todo(tmp_path)
    (tmp_path / "rou.xml").write_text("<y/>", encoding="utf-8")
    (changed,) = with_places([todo.spec], tmp_path)
    assert changed.path != todo.path
    monkeypatch.setattr("ops.benchmark_store.code_digest", lambda: "another")
    assert with_places([todo.spec], tmp_path)[0].path not in (changed.path, todo.path)


def test_the_weights_count_for_the_policy_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = BenchmarkOptions(controls=("greedy", "universal"), protocol="safe", seeds=1)
    specs = specs_of([open_scenario(make_folder(tmp_path))], options)
    before = with_places(specs, tmp_path)
    monkeypatch.setattr("ops.benchmark_store.weights_sha256", lambda _: "of others")
    after = with_places(specs, tmp_path)
    assert [one.path == other.path for one, other in zip(before, after, strict=True)] == [True, False]


def test_the_code_of_a_run_is_what_it_imports_and_nothing_that_only_shows_it() -> None:
    files = {str(path.relative_to(ROOT)) for path in code_files(ROOT / "ops" / "evaluate_runs.py")}
    used = {"sim/twin.py", "control/core/policy.py", "control/guard.py", "ops/core_mpc.py", "traffic/signals.py"}
    assert used <= files
    assert files.isdisjoint({"ops/benchmark.py", "ops/benchmark_table.py", "ops/report.py", "ops/cli.py"})
    assert all((ROOT / name).is_file() for name in files)


def test_an_edit_of_that_code_changes_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "start.py"
    module.write_text("import json\n", encoding="utf-8")
    monkeypatch.setattr(benchmark_code, "_ROOT", tmp_path)
    monkeypatch.setattr(benchmark_code, "_START", module)
    before = code_digest()
    assert code_digest() == before
    module.write_text("import other\n", encoding="utf-8")
    (tmp_path / "other.py").write_text("x = 1\n", encoding="utf-8")
    middle = code_digest()
    (tmp_path / "other.py").write_text("x = 2\n", encoding="utf-8")
    assert len({before, middle, code_digest()}) == 3


def test_fitted_parameters_of_the_queue_model_count(tmp_path: Path) -> None:
    scenario = open_scenario(make_folder(tmp_path))
    before = scenario_digest(scenario)
    (tmp_path / "queue_model.json").write_text("{}", encoding="utf-8")
    assert scenario_digest(scenario) != before
