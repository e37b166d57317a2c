"""Evaluation on real SUMO: our own grid, and the published networks where data is given."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from control.guard import Guard, legacy_limits
from ops.evaluate import EvaluateOptions, run_evaluate
from ops.evaluate_runs import (
    CONTROLLERS,
    READS_QUEUE,
    EvaluateSpec,
    design_flows_vph,
    evaluate_one,
    limits_of,
    run_of,
    webster_programs,
)
from sim.drive import drive
from sim.episode import Seed, open_town
from sim.protocols import LEGACY, SAFE
from sim.sumocfg import open_folder
from sim.twin import Twin
from tests.e2e.generated_town import BEGIN_S, make_scenario
from traffic.decisions import Decision, Stage
from traffic.ports import Controller
from traffic.scenario import Scenario
from traffic.snapshot import Snapshot

CONTROLS = ("static_safe", "actuated_safe", "webster", "greedy", "max_pressure")


CHANGE_S = BEGIN_S + 300.0


@pytest.fixture(scope="module")
def town_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our generated town as a stranger would bring it: a folder with a SUMO configuration."""
    folder = tmp_path_factory.mktemp("town")
    scenario = make_scenario(folder)
    files = f'<net-file value="{scenario.network.name}"/><route-files value="{scenario.routes[0].name}"/>'
    period = f'<begin value="{scenario.begin_s}"/><end value="{scenario.end_s}"/>'
    text = f"<configuration><input>{files}</input><time>{period}</time></configuration>"
    (folder / "town.sumocfg").write_text(text, encoding="utf-8")
    return folder


def spec(scenario: Scenario, control: str, folder: Path, seed: int = 0) -> EvaluateSpec:
    return EvaluateSpec(scenario=scenario, control=control, protocol=SAFE, seed=Seed(driver=seed), folder=folder)


def test_every_control_runs_and_is_written_down(town_folder: Path, tmp_path: Path) -> None:
    options = EvaluateOptions(controls=CONTROLS, protocol="safe", seeds=2, jobs=2, out=tmp_path)
    result = run_evaluate(str(town_folder), options)
    rows = {row["control"]: row for row in result["rows"]}
    assert tuple(rows) == CONTROLS
    for row in rows.values():
        assert row["seeds"] == 2
        assert row["arrived"] > 0
        assert row["delay_ci95_s"][0] <= row["delay_s"] <= row["delay_worst_s"]
        assert (row["direct_green_to_red"], row["intergreen_violations"], row["conflicting_greens"]) == (0, 0, 0)
        assert row["guard_released"] == 0
    record = json.loads(Path(result["out"]).read_text(encoding="utf-8"))
    assert len(record["runs"]) == 10
    assert record["settings"]["seeds"] == 2
    assert record["versions"]["libsumo"]
    assert record["partial"] is False


def test_the_same_seed_gives_the_same_run(town_folder: Path, tmp_path: Path) -> None:
    scenario = open_folder(town_folder)
    first = evaluate_one(spec(scenario, "greedy", tmp_path / "a"))
    again = evaluate_one(spec(scenario, "greedy", tmp_path / "b"))
    other = evaluate_one(spec(scenario, "greedy", tmp_path / "c", seed=1))
    assert first.episode.measures == again.episode.measures
    assert first.episode.measures != other.episode.measures


def test_webster_keeps_to_the_guard_and_knows_the_demand(town_folder: Path) -> None:
    scenario = open_folder(town_folder)
    town = open_town(scenario)
    flows = design_flows_vph(town, scenario)
    assert sum(flows.values()) > 0
    for protocol in (LEGACY, SAFE):
        programs = webster_programs(town, protocol, scenario)
        assert set(programs) == set(town.network.crossings)
        assert limits_of(town, protocol, scenario).is_street == (protocol is SAFE)
        for program in programs.values():
            assert 30 <= program.cycle_s <= 120


class Recorder:
    """A controller that writes down what another decides."""

    def __init__(self, inner: Controller[object]) -> None:
        self.inner, self.said = inner, list[tuple[float, tuple[Decision, ...]]]()

    def start(self, plant: object) -> object:
        return self.inner.start(plant)  # type: ignore[arg-type]

    def decide(self, snapshot: Snapshot, state: object) -> tuple[tuple[Decision, ...], object]:
        decided, state = self.inner.decide(snapshot, state)
        self.said.append((snapshot.time_s, tuple(decided)))
        return tuple(decided), state


@pytest.mark.parametrize("name", ["greedy", "max_pressure", "mpc"])
def test_other_vehicles_later_change_no_decision_before(name: str, town_folder: Path, tmp_path: Path) -> None:
    """No foresight in the twin: all departures after 300 s are taken away; decisions up to then stay."""
    scenario = open_folder(town_folder)
    cut = tmp_path / "cut.rou.xml"
    text = scenario.routes[0].read_text(encoding="utf-8")
    cut.write_text(text.replace(f'end="{scenario.end_s}"', f'end="{CHANGE_S}"'), encoding="utf-8")
    assert cut.read_text(encoding="utf-8") != text
    said = []
    for folder, routes in (("all", scenario.routes), ("cut", (cut,))):
        seed = Seed(driver=4)
        spec = EvaluateSpec(scenario=scenario, control=name, protocol=LEGACY, seed=seed, folder=tmp_path / folder)
        run = run_of(spec)
        what = replace(run.what, routes=routes)
        twin = Twin(run.town, what, run.folder, protocol=LEGACY, reads_queue=name in READS_QUEUE)
        recorder = Recorder(CONTROLLERS[name](spec, run.town))
        try:
            drive(Guard(twin, legacy_limits()), recorder, scenario.end_s, LEGACY)
        finally:
            twin.close()
        said.append(recorder.said)
    before = [[row for row in rows if row[0] <= CHANGE_S] for rows in said]
    assert before[0] == before[1]
    assert said[0] != said[1]
    assert any(isinstance(decision, Stage) for _, batch in before[0] for decision in batch)


PUBLISHED = {"cologne1": (36.0, 50.0), "cologne3": (31.0, 41.0), "ingolstadt1": (25.0, 34.0)}


@pytest.mark.data
@pytest.mark.parametrize("name", PUBLISHED)
def test_static_reproduces_the_measured_baseline(name: str, data_dir: Path, tmp_path: Path) -> None:
    """notes/signal-control.md: 42.9, 35.8 and 29.3 s on SUMO 1.28; bounds hold seed noise of single runs."""
    options = EvaluateOptions(controls=("static", "greedy"), protocol="legacy", seeds=1, jobs=1, out=tmp_path)
    static, greedy = run_evaluate(str(data_dir / "resco" / name), options)["rows"]
    low, high = PUBLISHED[name]
    assert low <= static["delay_s"] <= high
    assert greedy["delay_s"] < static["delay_s"]
    assert static["delay_resco_s"] == pytest.approx(static["delay_s"], abs=0.1)
    assert (greedy["direct_green_to_red"], greedy["teleports"]) == (0, 0)
