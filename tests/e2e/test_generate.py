"""Generated towns made with netconvert: whole or not at all, the same from the same seed, legal, and they run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from control.lamp_rules import conflict_pairs
from control.queue_model import QueueModel
from ops.evaluate import EvaluateOptions, run_evaluate
from sim import generate
from sim.generate import GeneratedTown, generate_set, generate_town
from sim.generate_streets import TownKind
from sim.journeys import read_journeys
from traffic.errors import BadInput

SEEDS = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("towns")


@pytest.fixture(scope="module")
def towns(folder: Path) -> list[GeneratedTown]:
    return list(generate_set(0, SEEDS, folder))


def test_towns_are_varied(towns: Sequence[GeneratedTown]) -> None:
    stages = {len(rows) for row in towns for rows in row.town.stages.values()}
    lanes = {len(a.lanes) for row in towns for c in row.town.network.crossings.values() for a in c.approaches}
    sizes = {len(row.town.network.crossings) for row in towns}
    assert {row.kind for row in towns} == set(TownKind)
    assert {2, 3, 4, 5} <= stages and min(stages) == 2 and max(stages) <= 8
    assert {1, 2, 3, 4} <= lanes
    assert {1, 2, 4, 6, 9} <= sizes


def test_many_approaches_are_shorter_than_a_zone(towns: Sequence[GeneratedTown]) -> None:
    lengths = [
        row.town.network.links[approach.link].length_m
        for row in towns
        for crossing in row.town.network.crossings.values()
        for approach in crossing.approaches
    ]
    assert 0.2 < np.mean(np.array(lengths) < 60.0) < 0.7
    assert max(lengths) > 300.0


def test_no_stage_has_conflicting_greens(towns: Sequence[GeneratedTown]) -> None:
    for row in towns:
        for name, junction in row.town.signals.junctions.items():
            assert [lamps for lamps in row.town.stages[name] if conflict_pairs(junction, lamps)] == []


def test_every_movement_is_served_by_some_stage(towns: Sequence[GeneratedTown]) -> None:
    for row in towns:
        for movement in row.town.network.movements.values():
            stages = row.town.stages[movement.junction]
            assert all(any(lamps[link] in "Gg" for lamps in stages) for link in movement.link_indices)


def test_the_model_loses_nothing_of_the_programs(towns: Sequence[GeneratedTown]) -> None:
    assert {line for row in towns for lines in row.town.signals.losses.values() for line in lines} == set()


def test_the_queue_model_runs_every_town_and_loses_nobody(towns: Sequence[GeneratedTown]) -> None:
    delays = []
    for row in towns:
        demand = row.demand(1)
        model = QueueModel(row.town.network, row.town.signals.junctions, demand.journeys)
        outcome = model.run([row.town.signals.plans])
        assert outcome.scheduled[0, 0] == len(demand.journeys.rows)
        assert outcome.inserted + outcome.not_departed == outcome.scheduled
        assert outcome.arrived + outcome.running == outcome.inserted
        delays.append(float(outcome.delay_s[0, 0]))
    assert min(delays) > 5.0 and float(np.median(delays)) < 120.0


def test_sumo_runs_a_town_with_much_the_same_delay(towns: Sequence[GeneratedTown], tmp_path: Path) -> None:
    row = min(towns, key=lambda town: len(town.demand(0).journeys.rows))
    options = EvaluateOptions(controls=("static", "max_pressure"), protocol="safe", seeds=2, jobs=1, out=tmp_path)
    result = run_evaluate(str(row.scenario.folder), options)
    delay_s = {control["control"]: control["delay_s"] for control in result["rows"]}
    model = QueueModel(row.town.network, row.town.signals.junctions, row.demand(0).journeys)
    core_s = model.run([row.town.signals.plans], n_replicas=8).delay_s.mean()
    assert 0.6 < core_s / delay_s["static"] < 1.5
    assert delay_s["max_pressure"] > 0.0


def test_the_route_file_is_demand_seed_0(towns: Sequence[GeneratedTown]) -> None:
    for row in towns[:6]:
        assert read_journeys(row.scenario, row.town.network).rows == row.demand(0).journeys.rows


def test_a_seed_gives_the_same_town_again(towns: Sequence[GeneratedTown], tmp_path: Path) -> None:
    for seed in (1, 4):
        again = generate_town(seed, None, tmp_path)
        first = {path.name: path.read_bytes() for path in towns[seed].scenario.folder.iterdir()}
        assert {path.name: path.read_bytes() for path in again.scenario.folder.iterdir()} == first
        assert again.demand(5) == towns[seed].demand(5)


def test_what_lies_there_is_not_made_again(
    towns: Sequence[GeneratedTown], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "convert_plain", None)
    again = next(generate_set(3, 1, folder))
    assert again.town.network == towns[3].town.network
    assert again.town.stages == towns[3].town.stages
    assert again.demand(1) == towns[3].demand(1)


def test_an_interrupted_town_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(generate, "set_programs", interrupt)
    with pytest.raises(KeyboardInterrupt):
        generate_town(1, TownKind.CROSS, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(BadInput, match="choose another folder"):
        generate_town(1, TownKind.CROSS, tmp_path / "file")


def test_a_seed_below_0_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="choose another seed"):
        generate_town(-1, None, tmp_path)
