"""The queue model on whole towns: they compile, run, add up, and are small enough to run by the thousand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from control.core.arrays import bytes_per_replica, make_state
from control.queue_model import QueueModel
from ops.scenario_folder import open_scenario
from sim.episode import open_town
from sim.journeys import read_journeys
from sim.twin import Town
from traffic.demand import Journeys

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
RESCO = ("cologne1", "cologne3", "ingolstadt1", "ingolstadt7", "grid4x4", "arterial4x4")
JOINED = {"ingolstadt1": 1, "ingolstadt7": 7, "arterial4x4": 4}
"""At least so many links of these merely continue another; the other networks have none at all."""
Record = Callable[[str, object], None]


def compile_town(folder: Path) -> tuple[Town, Journeys, QueueModel]:
    scenario = open_scenario(str(folder))
    town = open_town(scenario)
    journeys = read_journeys(scenario, town.network)
    return town, journeys, QueueModel(town.network, town.signals.junctions, journeys)


def check_town(folder: Path, record: Record) -> None:
    """Check what has to hold on every town, and record what it costs."""
    town, journeys, model = compile_town(folder)
    outcome = model.run([town.signals.plans], n_replicas=2)
    assert np.all(outcome.scheduled == len(journeys.rows)) and len(journeys.rows) > 1000
    assert np.all(outcome.scheduled == outcome.inserted + outcome.not_departed)
    assert np.all(outcome.inserted == outcome.running + outcome.arrived)
    assert np.all(outcome.arrived > 0.3 * outcome.scheduled)
    assert np.all((outcome.delay_s > 1.0) & (outcome.delay_s < 3600.0))
    assert outcome.delay_s[0, 0] != outcome.delay_s[0, 1]
    check_roads(town, model)
    each = bytes_per_replica(make_state(model.compiled.roads, 1))
    record("bytes_per_replica", each)
    record("lanes", len(model.compiled.lanes))
    assert each < 1_000_000


def check_roads(town: Town, model: QueueModel) -> None:
    """Check that every lane and every signal of a town is in the core, and that links are joined where they may be."""
    network, compiled = town.network, model.compiled
    served = {lane for row in network.connections for lane in (row.from_lane, row.to_lane)}
    assert served <= set(compiled.lane_at)
    signalised = [k for k, row in enumerate(network.connections) if row.link_index is not None]
    places = compiled.roads.signal_conns[: int(compiled.roads.junctions["n"].sum())]
    assert sorted(places.tolist()) == signalised
    length_m = {link: sum(strip.length_m for strip in strips) for link, strips in compiled.links.strips.items()}
    own_m = dict.fromkeys(length_m, 0.0)
    for lane in served:
        own_m[compiled.links.head[network.lanes[lane].link]] += max(0.1, network.lanes[lane].length_m)
    assert all(length_m[link] >= own_m[link] - 0.01 for link in own_m)


def joined(model: QueueModel) -> int:
    return sum(link != head for link, head in model.compiled.links.head.items())


@pytest.mark.data
@pytest.mark.parametrize("name", RESCO)
def test_the_queue_model_runs_a_published_town(name: str, data_dir: Path, record_property: Record) -> None:
    check_town(data_dir / "resco" / name, record_property)


@pytest.mark.data
@pytest.mark.parametrize("name", RESCO)
def test_links_of_a_published_town_are_joined_only_where_they_merely_continue(name: str, data_dir: Path) -> None:
    _, _, model = compile_town(data_dir / "resco" / name)
    assert JOINED.get(name, 0) <= joined(model) <= 2 * JOINED.get(name, 0)


@pytest.mark.parametrize("name", ["thanh_hoa", "grid", "arterial"])
def test_the_queue_model_runs_a_town_of_ours(name: str, record_property: Record) -> None:
    check_town(SCENARIOS / name, record_property)


def test_motorcycles_in_thanh_hoa_share_lanes_and_cars_do_not() -> None:
    _, journeys, model = compile_town(SCENARIOS / "thanh_hoa")
    types = model.compiled.roads.types
    share = dict(zip(dict.fromkeys(row.vehicle_type for row in journeys.rows), types["pcu"].tolist(), strict=True))
    assert journeys.has_lane_sharing
    assert (share["mc"], share["car"]) == (pytest.approx(0.3), 1.0)
    assert types["pcu"][model.compiled.roads.vehicles["type"]].mean() < 0.6
