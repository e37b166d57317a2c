"""`bench core` with a real SUMO on a generated grid: runs are kept, the row is whole. Nothing here tests speed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ops import bench_core
from ops.bench_core import BenchCoreOptions, measure_peers, run_bench_core
from ops.bench_core_plans import PlanSet, ranking_plans
from ops.bench_core_rides import Lab, open_lab
from ops.bench_core_statistics import FloatArray
from ops.bench_core_sumo import reference
from ops.core_runs import CoreSpeed
from ops.evaluate_runs import EvaluateSpec, evaluate_one
from ops.keys import keys_of
from ops.plan_design import open_design
from ops.scenario_folder import open_scenario
from sim.episode import Seed
from sim.protocols import LEGACY
from sim.sumocfg import open_folder
from tests.e2e.generated_town import make_scenario
from traffic.scenario import Scenario

N_PLANS, N_SEEDS = 8, 2


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    folder = tmp_path_factory.mktemp("town")
    made = make_scenario(folder, end_s=417.0)
    files = f'<net-file value="{made.network.name}"/><route-files value="{made.routes[0].name}"/>'
    period = f'<begin value="{made.begin_s}"/><end value="{made.end_s}"/>'
    text = f"<configuration><input>{files}</input><time>{period}</time></configuration>"
    (folder / "town.sumocfg").write_text(text, encoding="utf-8")
    return open_folder(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


class FakeCore:
    """A stand-in for the core that ranks somehow: by the sum of the cycles."""

    def delays_s(self, scenario: Scenario, plans: Sequence[PlanSet]) -> FloatArray:
        cycles_s = [sum(plan.pattern.cycle_s for plan in row.plans.values()) for row in plans]
        return np.array(cycles_s, dtype=np.float64) + scenario.begin_s

    def speed(self, scenario: Scenario) -> CoreSpeed:
        return CoreSpeed(sim_s_per_cpu_s=5000.0, ns_per_move=80.0, ns_per_scan=9.0, kb_per_replica=12.0)

    def two_threads(self, scenario: Scenario, n_tries: int) -> float | None:
        return None

    def compile_s(self, scenario: Scenario) -> tuple[float, float]:
        return 9.0, 0.5

    def mpc_ms(self, scenario: Scenario, folder: Path) -> float:
        return 1.5


CORE = FakeCore()


def test_the_table_and_the_runs_behind_it(
    scenario: Scenario, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_core, "PEERS_SCENARIO", str(scenario.folder))
    options = BenchCoreOptions(plans=N_PLANS, max_seeds=N_SEEDS, repeats=1, out=folder)
    result = run_bench_core([str(scenario.folder)], options, CORE)
    assert names_of(result) == {key.name for key in keys_of("bench core")}
    (row,) = result["rows"]
    assert row["plans"] == N_PLANS and row["seeds"] == N_SEEDS
    assert -1.0 <= row["rho"] <= 1.0 and row["rho_ci95"][0] <= row["rho"] <= row["rho_ci95"][1]
    assert 0.0 <= row["rho_ceiling"] <= row["rho_truth"] <= 1.0
    assert row["ratio"] == pytest.approx(5000.0 / row["sumo_sim_s_per_cpu_s"], nan_ok=True)
    low, high = row["regret_ci95_pct"]
    assert low <= row["regret_pct"] <= high
    assert (result["compile_cold_s"], result["compile_cached_s"]) == (9.0, 0.5)
    assert result["mpc_ms"] == {scenario.name: 1.5}
    written = json.loads(Path(result["out"]).read_text(encoding="utf-8"))
    assert written["rows"][0]["core_best"] == row["core_best"] and written["versions"]["libsumo"]
    assert "uxsim is null: uxsim: no equal of" in capsys.readouterr().err, "it cannot run flows"


def names_of(result: dict[str, Any]) -> set[str]:
    lists = {name: {key for row in result[name] for key in row} for name in ("rows", "peers")}
    inner = {f"{name}[].{key}" for name, keys in lists.items() for key in keys}
    return inner | (set(result) - set(lists))


def test_every_run_is_kept(scenario: Scenario, folder: Path) -> None:
    (path,) = (folder / "core").glob("*.json")
    saved = json.loads(path.read_text(encoding="utf-8"))["plans"]
    seeds = [int(seed) for plan in saved.values() for seed in plan["seeds"]]
    assert sum(seed < N_SEEDS for seed in seeds) == N_PLANS * N_SEEDS
    assert sum(100 <= seed < 110 for seed in seeds) in (10, 20) and len(seeds) in (26, 36)


def test_what_was_run_is_not_run_again(scenario: Scenario, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Lab, missing: Sequence[object]) -> None:
        raise AssertionError(f"{len(missing)} runs again")

    with open_lab(scenario, folder / "core") as lab:
        first = reference(lab, n_plans=N_PLANS, max_seeds=N_SEEDS)
        monkeypatch.setattr(Lab, "_run", refuse)
        again = reference(lab, n_plans=N_PLANS, max_seeds=N_SEEDS)
    assert np.array_equal(again.delays_s, first.delays_s) and again.plans == first.plans
    assert len(np.unique(first.delays_s)) == N_PLANS * N_SEEDS, "every plan and seed is traffic of its own"


def test_the_installed_plan_is_what_an_evaluation_of_static_gives(
    scenario: Scenario, folder: Path, tmp_path: Path
) -> None:
    installed = ranking_plans(open_design(scenario), N_PLANS)[0]
    with open_lab(scenario, folder / "core") as lab:
        ((ride,),) = lab.rides([installed], [1])
    spec = EvaluateSpec(
        scenario=scenario, control="static", protocol=LEGACY, seed=Seed(driver=1), folder=tmp_path / "static"
    )
    assert ride.delay_s == pytest.approx(evaluate_one(spec).episode.measures.delay_s, abs=1e-9)


def test_peers_have_a_row_each(tmp_path: Path) -> None:
    short = replace(open_scenario("grid"), end_s=120.0)
    rows = measure_peers(short, BenchCoreOptions(repeats=1, out=tmp_path), CORE)
    found = {row["peer"]: row for row in rows}
    assert list(found) == ["sumo micro", "sumo meso", "uxsim", "core"]
    assert found["sumo micro"]["sim_s_per_cpu_s"] > 0.0 and found["core"]["sim_s_per_cpu_s"] == 5000.0
    assert (found["uxsim"]["sim_s_per_cpu_s"] is None) == (found["uxsim"]["version"] is None)
