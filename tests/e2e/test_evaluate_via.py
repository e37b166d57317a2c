"""Evaluation at plan level: SUMO, virtual controllers on UDP ports, and a centre that sends them plans."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from control.controllers.fixed_time import FixedTime
from control.orders import orders_of
from ops.core_plan_mpc import LOOK_S
from ops.evaluate import EvaluateOptions, run_evaluate, via_row
from ops.evaluate_runs import EvaluateSpec, run_of
from ops.evaluate_safe import safe_programs
from ops.plan_runs import open_signals
from ops.scenario_folder import open_scenario
from ops.via_cabinets import cabinet_town, push_limits
from ops.via_controls import PLAN_LEVEL
from ops.via_runs import Drive, drive_street, evaluate_via
from sim.episode import Seed, history_of_program, open_town
from sim.protocols import SAFE
from sim.sumocfg import open_folder
from sim.twin import Town
from tests.e2e.generated_town import BEGIN_S, make_scenario
from traffic.decisions import Decision
from traffic.errors import BadScenario
from traffic.ports import Controller, Plant
from traffic.scenario import Scenario
from traffic.signals import Plan
from traffic.snapshot import Snapshot

LENGTH_S = 400.0
"""Longer than the controllers' fail-safe time-out: without a lease renewed, plans would be lost."""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    made = make_scenario(tmp_path_factory.mktemp("town"), end_s=BEGIN_S + LENGTH_S)
    return replace(made, step_s=0.5)


def spec(scenario: Scenario, control: str, folder: Path) -> EvaluateSpec:
    return EvaluateSpec(scenario=scenario, control=control, protocol=SAFE, seed=Seed(driver=3), folder=folder)


def town_of(scenario: Scenario, folder: Path) -> Town:
    return cabinet_town(run_of(spec(scenario, "webster", folder)).town, SAFE, scenario)


def driven(scenario: Scenario, controller: Controller[Any] | None, folder: Path) -> Drive:
    """Run the street under a controller, Webster's plans where none is given."""
    run = run_of(spec(scenario, "webster", folder))
    town = cabinet_town(run.town, SAFE, scenario)
    chosen = PLAN_LEVEL["webster"](spec(scenario, "webster", folder), town) if controller is None else controller
    return drive_street(replace(run, town=town), chosen, push_limits(town, SAFE, scenario))


def test_a_control_that_says_nothing_shows_what_static_safe_shows(scenario: Scenario, tmp_path: Path) -> None:
    run = evaluate_via(spec(scenario, "static_safe", tmp_path))
    assert run.via is not None
    assert run.episode.measures == run.via.direct.measures
    assert run.episode.measures.arrived > 0
    assert (run.via.pushed, run.via.confirmed, run.refused, run.released) == (0, 0, 0, 0)
    assert 0 < run.episode.longest_red_s < 120


def test_plans_are_pushed_confirmed_and_shown_without_a_fault(scenario: Scenario, tmp_path: Path) -> None:
    run = evaluate_via(spec(scenario, "webster", tmp_path))
    assert run.via is not None
    assert (run.via.pushed, run.via.confirmed, run.refused, run.released) == (4, 4, 0, 0)
    faults = run.episode.faults
    assert (faults.direct_green_to_red, faults.intergreen_violations, faults.conflicting_greens) == (0, 0, 0)
    assert run.episode.measures != run.via.direct.measures


def test_equal_seeds_show_equal_lamps(scenario: Scenario, tmp_path: Path) -> None:
    first, again = (driven(scenario, None, tmp_path / name) for name in ("a", "b"))
    assert first.shown == again.shown
    assert first.pushed == 4
    silent = driven(scenario, FixedTime(), tmp_path / "c")
    assert silent.shown != first.shown


class Watching:
    """Says nothing, and keeps what it sees."""

    def __init__(self) -> None:
        self.seen: list[Snapshot] = []

    def start(self, plant: Plant) -> None:
        """Return no state."""

    def decide(self, snapshot: Snapshot, state: object) -> tuple[Sequence[Decision], None]:
        self.seen.append(snapshot)
        return (), None


def test_a_control_is_asked_every_ten_seconds_and_sees_zones_lamps_and_stages(
    scenario: Scenario, tmp_path: Path
) -> None:
    watching = Watching()
    driven(scenario, watching, tmp_path)
    assert [row.time_s for row in watching.seen] == list(np.arange(BEGIN_S, BEGIN_S + LENGTH_S, LOOK_S))
    for row in watching.seen:
        assert not any(np.isnan(zone).any() for zone in (row.arriving_veh, row.queued_veh, row.leaving_veh))
    assert sum(row.arriving_veh.sum() for row in watching.seen) > sum(row.queued_veh.sum() for row in watching.seen) > 0
    stages = {row.stage[0] for row in watching.seen}
    assert len(stages - {-1}) > 1
    assert all("G" in row.lamps[0] for row in watching.seen if row.stage[0] >= 0)


class Fickle:
    """Wants other offsets at every decision."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = plans

    def start(self, plant: Plant) -> int:
        self._junctions = plant.junctions
        return 1

    def decide(self, snapshot: Snapshot, state: int) -> tuple[Sequence[Decision], int]:
        plans = [replace(plan, pattern=replace(plan.pattern, offset_s=state)) for plan in self._plans]
        return orders_of(self._junctions, plans, sequence_number=state, time_s=snapshot.time_s), state + 1


def test_the_guard_allows_one_change_in_three_cycles(scenario: Scenario, tmp_path: Path) -> None:
    plans = list(town_of(scenario, tmp_path).signals.plans.values())
    drive = driven(scenario, Fickle(plans), tmp_path)
    cycle_s = min(plan.pattern.cycle_s for plan in plans)
    assert drive.pushed == len(plans) * (1 + LENGTH_S // (3 * cycle_s))
    assert drive.refused > drive.pushed > len(plans)
    assert drive.released == 0


def test_what_a_controller_cannot_hold_is_one_clear_error(scenario: Scenario, tmp_path: Path) -> None:
    run = run_of(spec(scenario, "static_safe", tmp_path))
    name, program = next(iter(run.town.signals.programs.items()))
    short = replace(program, intervals=tuple(replace(row, duration_s=7.0) for row in program.intervals[:2]))
    signals = replace(run.town.signals, programs={**run.town.signals.programs, name: short})
    with pytest.raises(BadScenario, match=rf"controllers of scenario .*{name}: cycle \d+ s \(a controller holds"):
        cabinet_town(replace(run.town, signals=signals), SAFE, scenario)


def test_a_signals_file_is_loaded_as_it_is_or_refused_where_it_is_short() -> None:
    scenario = open_scenario("thanh_hoa")
    town, installed = open_signals(scenario)
    held = cabinet_town(town, SAFE, scenario)
    assert held.signals.plans == installed
    assert all(held.signals.junctions[name].phases == row.phases for name, row in town.signals.junctions.items())
    name, junction = next(iter(town.signals.junctions.items()))
    short = replace(junction, phases=tuple(replace(phase, red_clear_ds=10) for phase in junction.phases))
    signals = replace(town.signals, junctions={**town.signals.junctions, name: short})
    with pytest.raises(BadScenario, match=rf"{name}: shorter than the safe protocol \(3 s yellow, 2 s all-red"):
        cabinet_town(replace(town, signals=signals), SAFE, scenario)


@pytest.mark.data
def test_a_published_network_runs_through_its_controllers(data_dir: Path, tmp_path: Path) -> None:
    whole = open_folder(data_dir / "resco" / "cologne1")
    scenario = replace(whole, end_s=whole.begin_s + 600.0)
    silent = driven(replace(scenario, step_s=0.5), FixedTime(), tmp_path / "silent")
    for name, program in safe_programs(open_town(scenario), SAFE, scenario).items():
        shown = [row for row in silent.shown[name] if row[0] < scenario.end_s]
        assert shown == history_of_program(program, scenario.begin_s, scenario.end_s)
    webster = evaluate_via(spec(scenario, "webster", tmp_path / "webster"))
    row = via_row([webster])
    assert (row["plans_pushed"], row["plans_confirmed"], webster.released) == (1, 1, 0)
    assert row["loss_s"] == pytest.approx(webster.episode.measures.delay_s - row["direct_delay_s"])
    assert (webster.episode.faults.direct_green_to_red, webster.episode.faults.intergreen_violations) == (0, 0)


def test_the_command_gives_a_row_with_the_loss(scenario: Scenario, tmp_path: Path) -> None:
    lines = ["version = 1", 'name = "short"', 'title = "short"', f'network = "{scenario.network.name}"']
    lines += [f'routes = ["{scenario.routes[0].name}"]', f"begin_s = {BEGIN_S}", f"end_s = {BEGIN_S + 120.0}"]
    (scenario.folder / "scenario.toml").write_text("\n".join(lines), encoding="utf-8")
    options = EvaluateOptions(controls=("webster",), via="controller", seeds=2, jobs=1, out=tmp_path)
    result = run_evaluate(str(scenario.folder), options)
    (row,) = result["rows"]
    assert (row["via"], row["plans_pushed"], row["seeds"], row["guard_released"]) == ("controller", 8, 2, 0)
    assert row["loss_s"] == pytest.approx(row["delay_s"] - row["direct_delay_s"])
    record = json.loads(Path(result["out"]).read_text(encoding="utf-8"))
    assert [run["via"]["pushed"] for run in record["runs"]] == [4, 4]
    assert "-via-controller-" in Path(result["out"]).name
