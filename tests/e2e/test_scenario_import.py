"""Networks and maps come in through netconvert; what is not a network stays outside and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ops.scenario_folder import SCENARIOS, open_scenario
from ops.scenario_import import ImportOptions, run_scenario_import
from sim.demand import check_demand, read_demand
from sim.lattice import Lattice, Street, build_lattice
from sim.network import read_network
from sim.walks import Walks, gates_in, walk_trips
from traffic.errors import BadInput, BadScenario
from traffic.ids import LinkId
from traffic.network import Network

QUARTER = ImportOptions(end_s=900.0, assumed_vph=120.0)
NODES = {1: (0, 0), 2: (3, 0), 3: (-3, 0), 4: (0, 3), 5: (0, -3)}
BOMB = '<?xml version="1.0"?><!DOCTYPE net [<!ENTITY a "aaaa">]><net>&a;</net>'


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Network:
    street = Street(n_lanes=2, speed_mps=13.89, spacing_m=150.0)
    path = tmp_path_factory.mktemp("town") / "town.net.xml"
    build_lattice(Lattice(columns=2, rows=2, east_west=street, north_south=street), path)
    return read_network(path)


def osm_cross(path: Path) -> Path:
    """Write a map of two streets that cross at a signal."""
    rows = []
    for node, (x, y) in NODES.items():
        tag = '<tag k="highway" v="traffic_signals"/>' if node == 1 else ""
        rows.append(f'<node id="{node}" version="1" lon="{105.77 + x * 1e-3}" lat="{19.8 + y * 1e-3}">{tag}</node>')
    for way, ends in ((10, (3, 1, 2)), (11, (4, 1, 5))):
        refs = "".join(f'<nd ref="{node}"/>' for node in ends)
        tags = '<tag k="highway" v="primary"/><tag k="name" v="Đường thử"/>'
        rows.append(f'<way id="{way}" version="1">{refs}{tags}</way>')
    path.write_text('<osm version="0.6">' + "".join(rows) + "</osm>", encoding="utf-8")
    return path


def test_a_map_becomes_a_scenario_that_says_its_demand_is_assumed(tmp_path: Path) -> None:
    result = run_scenario_import(osm_cross(tmp_path / "cross.osm"), tmp_path / "cross", QUARTER)
    assert result["faults"] == 0
    scenario = open_scenario(str(tmp_path / "cross"))
    network = read_network(scenario.network, scenario.additional)
    assert len(network.crossings) == 1
    check_demand(read_demand(scenario.routes), network.links, 0.0, 900.0, "cross")
    readme = (tmp_path / "cross" / "README.md").read_text(encoding="utf-8")
    assert "demand is assumed" in readme and "OpenStreetMap contributors" in readme


def test_a_network_file_becomes_a_scenario(tmp_path: Path) -> None:
    result = run_scenario_import(SCENARIOS / "grid" / "grid.net.xml", tmp_path / "grid_again", QUARTER)
    assert result["faults"] == 0
    assert "OpenStreetMap" not in (tmp_path / "grid_again" / "README.md").read_text(encoding="utf-8")


def test_a_folder_is_copied_with_all_it_names(tmp_path: Path) -> None:
    result = run_scenario_import(SCENARIOS / "thanh_hoa", tmp_path / "copy")
    assert (result["faults"], result["push_blocked"]) == (0, 0)
    for file in ("thanh_hoa.net.xml", "signals.json", "counts.csv", "cameras.toml", "vn_types.add.xml"):
        assert (tmp_path / "copy" / file).read_bytes() == (SCENARIOS / "thanh_hoa" / file).read_bytes()
    ours, theirs = open_scenario("thanh_hoa"), open_scenario(str(tmp_path / "copy"))
    for name in ("begin_s", "end_s", "step_s", "lateral_resolution_m", "is_schematic", "mcu", "guard"):
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize("text", ["", "<net>", BOMB, "<html/>"], ids=["empty", "truncated", "bomb", "other"])
def test_what_is_no_network_leaves_nothing_behind(tmp_path: Path, text: str) -> None:
    source = tmp_path / "bad.net.xml"
    source.write_text(text, encoding="utf-8")
    with pytest.raises(BadScenario) as caught:
        run_scenario_import(source, tmp_path / "out", QUARTER)
    assert "\n" not in caught.value.line
    assert not (tmp_path / "out").exists()


def test_nonsense_of_the_caller_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    source = osm_cross(tmp_path / "cross.osm")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "keep.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"x")
    cases: list[tuple[Path, Path, ImportOptions]] = [
        (tmp_path / "none.osm", tmp_path / "a", QUARTER),
        (tmp_path / "picture.png", tmp_path / "a", QUARTER),
        (source, tmp_path / "full", QUARTER),
        (source, tmp_path / "Bad Name", QUARTER),
        (source, tmp_path / "a", ImportOptions(assumed_vph=0.0)),
        (source, tmp_path / "a", ImportOptions(begin_s=10.0, end_s=10.0)),
    ]
    for given, out, options in cases:
        with pytest.raises(BadInput):
            run_scenario_import(given, out, options)
    assert (tmp_path / "full" / "keep.txt").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "a").exists()


def test_walks_go_from_gate_to_gate_over_roads_that_join(town: Network) -> None:
    gates = gates_in(town)
    assert len(gates) == 8
    trips = walk_trips(town, dict.fromkeys(gates, 300.0), (0.0, 600.0), Walks(), np.random.default_rng(3))
    joined = {(c.from_link, c.to_link) for c in town.connections}
    ends = {c.from_link for c in town.connections}
    assert 250 < len(trips) < 550
    for trip in trips:
        assert trip.links[0] in gates and LinkId(trip.links[-1]) not in ends
        assert len(set(trip.links)) == len(trip.links)
        assert all(pair in joined for pair in zip(trip.links, trip.links[1:], strict=False))


def test_walks_follow_their_shares(town: Network) -> None:
    straight = Walks(shares={"s": 1.0})
    gates = gates_in(town)
    trips = walk_trips(town, dict.fromkeys(gates, 200.0), (0.0, 600.0), straight, np.random.default_rng(3))
    assert {len(trip.links) for trip in trips} == {3}


def test_walks_from_nowhere_are_refused(town: Network) -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(BadScenario, match="no such link"):
        walk_trips(town, {LinkId("moon"): 10.0}, (0.0, 600.0), Walks(), rng)
    with pytest.raises(BadScenario, match="no way out"):
        walk_trips(town, {gates_in(town)[0]: 600.0}, (0.0, 600.0), Walks(max_links=1), rng)


def test_left_turns_of_a_lattice_have_a_lane_of_their_own(town: Network) -> None:
    for crossing in town.crossings.values():
        assert len(crossing.approaches) == 4
    for connection in town.connections:
        inner = connection.from_lane.endswith("_1")
        assert inner == (connection.direction == "l"), connection
