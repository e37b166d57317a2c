"""Journeys of a demand: whole routes, in order of departure."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from ops.scenario_folder import open_scenario
from sim.demand import read_demand
from sim.journeys import journeys_of, read_journeys
from sim.network import read_network
from traffic.errors import BadScenario
from traffic.network import Network

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def network() -> Network:
    return read_network(ROOT / "scenarios" / "grid" / "grid.net.xml")


def write(tmp_path: Path, text: str, name: str = "some") -> tuple[Path, ...]:
    path = tmp_path / f"{name}.rou.xml"
    path.write_text(f"<routes>{text}</routes>", encoding="utf-8")
    return (path,)


def way(network: Network) -> tuple[str, str, str]:
    """Return three links in a row."""
    first = next(row for row in network.connections)
    second = next(row for row in network.connections if row.from_link == first.to_link)
    return first.from_link, first.to_link, second.to_link


def test_vehicles_keep_their_route_and_how_they_enter(tmp_path: Path, network: Network) -> None:
    links = way(network)
    route = f'<route edges="{" ".join(links)}"/></vehicle>'
    text = (
        f'<vehicle id="b" depart="20" type="bus" departLane="best" departSpeed="max">{route}'
        f'<vehicle id="a" depart="10">{route}<vehicle id="late" depart="900">{route}'
    )
    rows = journeys_of(read_demand(write(tmp_path, text)), network, 0.0, 600.0)
    assert [row.id for row in rows] == ["a", "b"]
    assert [row.links for row in rows] == [links, links]
    assert (rows[1].vehicle_type, rows[1].depart_lane, rows[1].depart_speed) == ("bus", "best", "max")
    assert (rows[0].depart_lane, rows[0].depart_pos, rows[0].depart_speed) == ("first", "base", "0")


def test_a_trip_gets_a_way_that_the_network_has(tmp_path: Path, network: Network) -> None:
    links = way(network)
    rows = journeys_of(
        read_demand(write(tmp_path, f'<trip id="a" depart="1" from="{links[0]}" to="{links[2]}"/>')), network, 0.0, 60.0
    )
    pairs = {(row.from_link, row.to_link) for row in network.connections}
    assert rows[0].links[0] == links[0] and rows[0].links[-1] == links[2]
    assert all(pair in pairs for pair in pairwise(rows[0].links))


def test_a_flow_is_spread_evenly_and_a_random_one_has_its_rate(tmp_path: Path, network: Network) -> None:
    route = f'<route edges="{" ".join(way(network))}"/>'
    even = f'<flow id="f" begin="0" end="600" vehsPerHour="360">{route}</flow>'
    rows = journeys_of(read_demand(write(tmp_path, even)), network, 0.0, 600.0)
    assert [row.depart_s for row in rows] == [10.0 * k for k in range(60)]
    chance = f'<flow id="f" begin="0" end="3600" probability="0.1">{route}</flow>'
    drawn = [
        len(journeys_of(read_demand(write(tmp_path, chance, "chance")), network, 0.0, 3600.0, seed=k))
        for k in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(abs(n - 360) < 80 for n in drawn)


def test_a_scenario_with_motorcycles_says_so() -> None:
    scenario = open_scenario("thanh_hoa")
    rows = read_journeys(scenario, read_network(scenario.network, scenario.additional))
    assert rows.has_lane_sharing and (rows.begin_s, rows.end_s) == (scenario.begin_s, scenario.end_s)
    assert {rows.types[row.vehicle_type].vehicle_class for row in rows.rows} >= {"motorcycle", "passenger"}


@pytest.mark.parametrize("kind", ["route", "trip"])
def test_edges_that_do_not_join_are_refused(kind: str, tmp_path: Path, network: Network) -> None:
    dead_end = next(link for link in network.links if not any(row.from_link == link for row in network.connections))
    start = way(network)[0]
    text = {
        "route": f'<vehicle id="a" depart="1"><route edges="{dead_end} {start}"/></vehicle>',
        "trip": f'<trip id="a" depart="1" from="{dead_end}" to="{start}"/>',
    }[kind]
    with pytest.raises(BadScenario, match=r"demand: a: .*no way joins"):
        journeys_of(read_demand(write(tmp_path, text, kind)), network, 0.0, 60.0)
