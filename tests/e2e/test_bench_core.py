"""`bench core` with a real SUMO on a generated grid: runs are kept, the row is whole. Nothing here tests speed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ops.bench_core import BenchCoreOptions, CoreSide, measure_peers, measure_scenario
from ops.bench_core_plans import PlanSet, ranking_plans
from ops.bench_core_rides import Lab, design_for, open_lab
from ops.bench_core_statistics import FloatArray
from ops.bench_core_sumo import reference
from ops.evaluate_runs import EvaluateSpec, evaluate_one
from ops.scenario_folder import open_scenario
from sim.episode import Seed
from sim.protocols import LEGACY
from tests.e2e.generated_town import make_scenario
from traffic.scenario import Scenario

N_PLANS, N_SEEDS = 8, 2


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return make_scenario(tmp_path_factory.mktemp("town"), end_s=417.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


def fake_core(scenario: Scenario, plans: Sequence[PlanSet]) -> FloatArray:
    """Return a delay per plan that grows with its cycle: a stand-in that ranks somehow."""
    cycles_s = [sum(plan.pattern.cycle_s for plan in row.plans.values()) for row in plans]
    return np.array(cycles_s, dtype=np.float64) + scenario.begin_s


CORE = CoreSide(
    delays_s=fake_core,
    sim_s_per_cpu_s=lambda _: 5000.0,
    compile_cold_s=lambda: 1.0,
    mpc_ms=lambda _: None,
)


def test_the_row_of_a_scenario_and_the_runs_behind_it(scenario: Scenario, folder: Path) -> None:
    options = BenchCoreOptions(plans=N_PLANS, max_seeds=N_SEEDS, repeats=1, out=folder)
    row = measure_scenario(scenario, options, CORE)
    assert row["plans"] == N_PLANS and row["seeds"] == N_SEEDS
    assert -1.0 <= row["rho"] <= 1.0 and row["rho_ci95"][0] <= row["rho"] <= row["rho_ci95"][1]
    assert 0.0 <= row["rho_ceiling"] <= row["rho_truth"] <= 1.0
    assert row["ratio"] == pytest.approx(5000.0 / row["sumo_sim_s_per_cpu_s"], nan_ok=True)
    assert row["core_sim_s_per_cpu_s"] == 5000.0 and "meso_sim_s_per_cpu_s" in row
    low, high = row["regret_ci95_pct"]
    assert low <= row["regret_pct"] <= high
    (path,) = (folder / "core").glob("*.json")
    saved = json.loads(path.read_text(encoding="utf-8"))["plans"]
    fresh = sum(int(seed) >= 100 for plan in saved.values() for seed in plan["seeds"])
    judged = sum(int(seed) < 100 for plan in saved.values() for seed in plan["seeds"])
    assert judged == N_PLANS * N_SEEDS and fresh in (10, 20)


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
    installed = ranking_plans(design_for(scenario), N_PLANS)[0]
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
