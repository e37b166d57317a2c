"""Plan-level control over a real SUMO: directly, and through virtual controllers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from control.controllers.plan_mpc import PlanMpc, PlanMpcSettings, PlanMpcState
from ops.core_plan_mpc import PlanLevelRun, plan_mpc_of, run_plan_level
from ops.evaluate_runs import EvaluateSpec, limits_of, run_of
from ops.via_cabinets import cabinet_town, push_limits
from ops.via_runs import drive_street
from sim.episode import Run, Seed
from sim.protocols import SAFE
from tests.e2e.generated_town import BEGIN_S, make_scenario
from traffic.decisions import Decision, SelectPattern
from traffic.ports import Plant
from traffic.scenario import Scenario
from traffic.snapshot import Snapshot

SETTINGS = PlanMpcSettings(n_draws=3, n_checks=4, budget_s=0.2, horizon_s=300, period_s=120.0, least_gain=-1.0)
CHANGE_S = BEGIN_S + 400.0


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    made = make_scenario(tmp_path_factory.mktemp("town"), end_s=BEGIN_S + 500.0)
    return replace(made, step_s=0.5)


class Recorder:
    """A controller that writes down what another one decides."""

    def __init__(self, inner: PlanMpc) -> None:
        self.inner, self.said = inner, list[tuple[float, tuple[Decision, ...]]]()

    def start(self, plant: Plant) -> PlanMpcState:
        return self.inner.start(plant)

    def decide(self, snapshot: Snapshot, state: PlanMpcState) -> tuple[Sequence[Decision], PlanMpcState]:
        decided, state = self.inner.decide(snapshot, state)
        self.said.append((snapshot.time_s, tuple(decided)))
        return decided, state


def made(scenario: Scenario, folder: Path) -> tuple[Run, Recorder]:
    spec = EvaluateSpec(scenario=scenario, control="plan_mpc", protocol=SAFE, seed=Seed(driver=4), folder=folder)
    run = run_of(spec)
    town = cabinet_town(run.town, SAFE, scenario)
    return replace(run, town=town), Recorder(plan_mpc_of(scenario, town, SAFE, SETTINGS))


def directly(run: Run, recorder: Recorder, scenario: Scenario) -> PlanLevelRun:
    return run_plan_level(run, recorder, limits_of(run.town, SAFE, scenario))


def test_plans_are_taken_up_directly_without_a_fault(scenario: Scenario, tmp_path: Path) -> None:
    run, recorder = made(scenario, tmp_path)
    result = directly(run, recorder, scenario)
    faults = result.episode.faults
    assert (faults.direct_green_to_red, faults.intergreen_violations, faults.conflicting_greens) == (0, 0, 0)
    assert (result.refused, result.counts.released) == (0, 0)
    changes = [time_s for time_s, batch in recorder.said if batch]
    assert len(changes) >= 2
    assert len(recorder.inner.spent.cpu_s) >= len(changes)


def test_plans_come_into_effect_through_controllers(scenario: Scenario, tmp_path: Path) -> None:
    run, recorder = made(scenario, tmp_path)
    drive = drive_street(run, recorder, push_limits(run.town, SAFE, scenario))
    n_plans = sum(isinstance(row, SelectPattern) for _, batch in recorder.said for row in batch)
    assert drive.pushed == n_plans > 0
    assert drive.confirmed >= drive.pushed - len(run.town.signals.junctions)
    assert (drive.refused, drive.released) == (0, 0)


def test_other_vehicles_later_change_no_decision_before(scenario: Scenario, tmp_path: Path) -> None:
    """No foresight: all departures after 400 s are taken away; decisions up to then stay."""
    cut = tmp_path / "cut.rou.xml"
    text = scenario.routes[0].read_text(encoding="utf-8")
    cut.write_text(text.replace(f'end="{scenario.end_s}"', f'end="{CHANGE_S}"'), encoding="utf-8")
    assert cut.read_text(encoding="utf-8") != text
    said = []
    for name, routes in (("all", scenario.routes), ("cut", (cut,))):
        run, recorder = made(scenario, tmp_path / name)
        directly(replace(run, what=replace(run.what, routes=routes)), recorder, scenario)
        said.append([row for row in recorder.said if row[0] <= CHANGE_S])
    assert said[0] == said[1]
    assert any(batch for _, batch in said[0])


def test_the_guard_is_what_is_commanded(scenario: Scenario, tmp_path: Path) -> None:
    """Limits under which no plan may be longer than 60 s: none is sent, and none is refused."""
    run, recorder = made(scenario, tmp_path)
    site = scenario.guard.model_copy(update={"max_cycle_s": 60})
    narrow = replace(scenario, guard=site)
    recorder.inner = plan_mpc_of(narrow, run.town, SAFE, SETTINGS)
    result = directly(run, recorder, narrow)
    plans = [row.order.plan for _, batch in recorder.said for row in batch if isinstance(row, SelectPattern)]
    assert plans and max(plan.pattern.cycle_s for plan in plans) <= 60
    assert result.refused == 0
