"""The twin on a generated grid: what was decided is what was shown, and SUMO replays it."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sim.drive import drive
from sim.episode import Run, Seed, prepare, run_controlled, run_native
from sim.heads import Moment
from sim.lamp_history import faults_of_run, replay
from sim.launch import launch
from sim.netconvert import find_tool
from sim.programs import actuated, program_of_plan, write_programs
from sim.protocols import LEGACY, SAFE, Protocol
from sim.safe_programs import safe_program
from sim.twin import Twin
from tests.e2e.generated_town import make_scenario
from traffic.decisions import Decision, Extend, Release, SelectPattern, Stage
from traffic.errors import BadScenario, PlantLost, UnsafeCommand
from traffic.ids import JunctionId
from traffic.lamps import change
from traffic.ports import Plant
from traffic.scenario import Scenario
from traffic.signals import Order
from traffic.snapshot import Snapshot

A0 = JunctionId("A0")


class EveryStage:
    """Serves all stages in turn, one decision each: the most changes there can be."""

    def start(self, plant: Plant) -> tuple[int, ...]:
        return tuple(len(stages) for stages in plant.stages.values())

    def decide(self, snapshot: Snapshot, state: tuple[int, ...]) -> tuple[Sequence[Decision], tuple[int, ...]]:
        names = (A0, JunctionId("A1"), JunctionId("B0"), JunctionId("B1"))
        rows = zip(names, state, snapshot.stage, strict=True)
        return [Stage(name, (stage + 1) % n) for name, n, stage in rows if stage >= 0], state


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return make_scenario(tmp_path_factory.mktemp("grid"))


def make_run(scenario: Scenario, folder: Path, protocol: Protocol = SAFE, seed: int = 3) -> Run:
    return prepare(scenario, Seed(driver=seed), protocol, folder)


def records(folder: Path) -> str:
    return re.sub(r"<!--.*?-->", "", (folder / "trips.xml").read_text(encoding="utf-8"), flags=re.DOTALL)


def driven(run: Run) -> dict[JunctionId, list[Moment]]:
    with Twin(run.town, run.what, run.folder, protocol=run.protocol) as twin:
        drive(twin, EveryStage(), run.what.end_s, run.protocol)
        return twin.history()


def other_stage(twin: Twin, junction: JunctionId) -> int:
    """Return a stage for which some link has to lose its green."""
    place = list(twin.junctions).index(junction)
    shown = twin.snapshot().lamps[place]
    return next(n for n, stage in enumerate(twin.stages[junction]) if change(shown, stage, 3.0, 2.0))


@pytest.mark.parametrize("protocol", [LEGACY, SAFE], ids=lambda protocol: protocol.name)
def test_what_was_shown_replays_to_identical_trip_records(
    scenario: Scenario, tmp_path: Path, protocol: Protocol
) -> None:
    run = make_run(scenario, tmp_path / "driven", protocol)
    history = driven(run)
    shown = [replay(name, moments, scenario.begin_s, scenario.end_s) for name, moments in history.items()]
    (tmp_path / "again").mkdir()
    added = write_programs(tmp_path / "again" / "shown.add.xml", shown)
    with launch(replace(run.what, additional=(added,)), tmp_path / "again") as simulation:
        simulation.step(scenario.end_s)
    assert records(tmp_path / "again") == records(tmp_path / "driven")
    assert all(len(moments) > 20 for moments in history.values())


def test_the_model_of_the_native_programs_gives_identical_trip_records(scenario: Scenario, tmp_path: Path) -> None:
    run = make_run(scenario, tmp_path / "native")
    run_native(run)
    signals = run.town.signals
    again = replace(run, folder=tmp_path / "model")
    run_native(again, {name: program_of_plan(signals.junctions[name], plan) for name, plan in signals.plans.items()})
    assert records(tmp_path / "model") == records(tmp_path / "native")


def test_the_safe_protocol_shows_no_fault(scenario: Scenario, tmp_path: Path) -> None:
    run = make_run(scenario, tmp_path)
    faults = faults_of_run(driven(run), run.town.network.crossings, 5.0)
    assert (faults.direct_green_to_red, faults.intergreen_violations) == (0, 0)


def test_a_safe_decision_falls_five_seconds_after_green(scenario: Scenario, tmp_path: Path) -> None:
    """Every change lasts 3 + 2 s, every green at least 5 s: nobody decides sooner."""
    run = make_run(scenario, tmp_path)
    stages = run.town.stages[A0]
    moments = driven(run)[A0]
    greens = [(start, end) for (start, lamps), (end, _) in pairwise(moments) if lamps in stages]
    assert all(end - start == 5.0 for start, end in greens)


def test_an_unchanged_stage_never_advances_by_itself(scenario: Scenario, tmp_path: Path) -> None:
    run = make_run(scenario, tmp_path)
    with Twin(run.town, run.what, tmp_path) as twin:
        twin.advance(400.0)
        assert all(len(moments) == 1 for moments in twin.history().values())
        assert twin.time_s == scenario.begin_s + 400.0


def test_a_snapshot_asked_twice_is_the_same_and_counts_are_finite(scenario: Scenario, tmp_path: Path) -> None:
    run = make_run(scenario, tmp_path)
    with Twin(run.town, run.what, tmp_path) as twin:
        twin.advance(120.0)
        one, other = twin.snapshot(), twin.snapshot()
    assert one.arriving_veh.tolist() == other.arriving_veh.tolist()
    assert one.arriving_veh.sum() > 5
    assert np.all(one.queued_veh <= one.arriving_veh + 1e-9)
    assert np.isfinite(one.zone_length_m).all()


def test_a_refused_command_changes_nothing(scenario: Scenario, tmp_path: Path) -> None:
    run = make_run(scenario, tmp_path)
    with Twin(run.town, run.what, tmp_path) as twin:
        before, stage = twin.snapshot(), other_stage(twin, A0)
        with pytest.raises(UnsafeCommand, match="0-"):
            twin.command([Stage(A0, stage), Stage(JunctionId("B1"), 99)])
        with pytest.raises(UnsafeCommand, match="not in this network"):
            twin.command([Stage(JunctionId("Z9"), 0)])
        assert twin.snapshot().lamps == before.lamps
        twin.command([Stage(A0, stage)])
        with pytest.raises(UnsafeCommand, match="in a change"):
            twin.command([Stage(A0, before.stage[0])])


def test_a_stage_waits_for_its_time_and_extend_drops_it(scenario: Scenario, tmp_path: Path) -> None:
    run = make_run(scenario, tmp_path)
    a1 = JunctionId("A1")
    with Twin(run.town, run.what, tmp_path) as twin:
        now_s = twin.time_s
        twin.command([Stage(name, other_stage(twin, name), now_s + 10.0) for name in (A0, a1)])
        twin.command([Extend(A0, now_s + 20.0)])
        twin.advance(30.0)
        history = twin.history()
    assert len(history[A0]) == 1
    assert history[a1][1][0] == now_s + 10.0


def test_a_pattern_and_a_release_are_joined_without_a_fault(scenario: Scenario, tmp_path: Path) -> None:
    run = make_run(scenario, tmp_path)
    plan = run.town.signals.plans[A0]
    order = Order(
        plan=replace(plan, pattern=replace(plan.pattern, offset_s=(plan.pattern.offset_s + 17) % plan.pattern.cycle_s)),
        config_hash=run.town.signals.junctions[A0].config_hash,
        sequence_number=1,
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        expires=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=1),
        issuer="test",
    )
    wanted = program_of_plan(run.town.signals.junctions[A0], order.plan)
    with Twin(run.town, run.what, tmp_path, is_held=False) as twin:
        twin.advance(3.0)
        twin.command([SelectPattern(order)])
        twin.advance(200.0)
        assert twin.snapshot().lamps[0] == wanted.lamps_at(twin.time_s)
        twin.command([Release(A0)])
        twin.advance(200.0)
        assert twin.snapshot().lamps[0] == run.town.signals.programs[A0].lamps_at(twin.time_s)
        faults = faults_of_run({A0: twin.history()[A0]}, run.town.network.crossings, 3.0)
    assert (faults.direct_green_to_red, faults.intergreen_violations) == (0, 0)


def test_every_control_counts_the_same_vehicles(scenario: Scenario, tmp_path: Path) -> None:
    run = make_run(scenario, tmp_path)
    programs = run.town.signals.programs
    safe = {name: safe_program(program) for name, program in programs.items()}
    episodes = [
        run_native(run),
        run_native(run, safe),
        run_native(run, {name: actuated(program) for name, program in safe.items()}),
        run_controlled(run, EveryStage(), reads_queue=False),
    ]
    assert len({episode.measures.vehicles for episode in episodes}) == 1
    for episode in episodes[1:]:
        assert (episode.faults.direct_green_to_red, episode.faults.intergreen_violations) == (0, 0)
        found = episode.measures
        assert found.arrived + found.running + found.not_departed == found.vehicles


def test_the_same_seed_gives_the_same_run_and_another_another(scenario: Scenario, tmp_path: Path) -> None:
    delays = [
        run_native(make_run(scenario, tmp_path / str(n), seed=seed)).measures.delay_s
        for n, seed in enumerate((3, 3, 4))
    ]
    assert delays[0] == delays[1] != delays[2]


def test_nothing_is_printed_on_stdout(scenario: Scenario, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_native(make_run(scenario, tmp_path))
    assert capfd.readouterr().out == ""


def test_routes_over_unknown_edges_are_one_clear_line(scenario: Scenario, tmp_path: Path) -> None:
    routes = tmp_path / "bad.rou.xml"
    routes.write_text('<routes><vehicle id="v" depart="60"><route edges="nowhere"/></vehicle></routes>', "utf-8")
    what = replace(make_run(scenario, tmp_path).what, routes=(routes,))
    with pytest.raises(BadScenario, match="nowhere"), launch(what, tmp_path / "run") as simulation:
        simulation.step(scenario.end_s)


def test_outputs_of_additional_files_go_nowhere(scenario: Scenario, tmp_path: Path) -> None:
    target = tmp_path / "outside.xml"
    extra = tmp_path / "extra.add.xml"
    extra.write_text(f'<additional><edgeData id="e" file="{target}"/></additional>', encoding="utf-8")
    what = replace(make_run(scenario, tmp_path).what, additional=(extra,))
    with launch(what, tmp_path / "run") as simulation:
        simulation.step(scenario.begin_s + 60.0)
    assert not target.exists()


def test_two_simulations_in_one_process_are_refused(scenario: Scenario, tmp_path: Path) -> None:
    what = make_run(scenario, tmp_path).what
    with launch(what, tmp_path / "one"), pytest.raises(PlantLost, match="one"):
        launch(what, tmp_path / "two")


def test_a_remote_sumo_gives_the_trip_records_of_the_one_in_process(scenario: Scenario, tmp_path: Path) -> None:
    run = make_run(scenario, tmp_path / "own")
    driven(run)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [find_tool("sumo"), "--remote-port", str(port), "-n", scenario.network, "--no-step-log"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        driven(replace(run, what=replace(run.what, remote=("127.0.0.1", port)), folder=tmp_path / "remote"))
    assert records(tmp_path / "remote") == records(tmp_path / "own")
