"""Demand seeds, historic flows, and demand that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.demand import check_demand, read_demand, seeded_routes, time_of
from sim.history import link_flows, profile_of_demand
from sim.network import read_network
from tests.unit.sim.net_files import write_net
from traffic.errors import BadScenario
from traffic.ids import LinkId, MovementId

ROUTES = """<routes><vType id="car"/><route id="through" edges="W0 W1 E"/>
{vehicles}
<flow id="f" begin="0" end="3600" vehsPerHour="120" from="S" to="N" type="car"/></routes>"""


def write_routes(folder: Path, vehicles: str | None = None) -> Path:
    rows = "".join(f'<vehicle id="v{i}" depart="{i * 10}" route="through" type="car"/>\n' for i in range(100))
    path = folder / "small.rou.xml"
    path.write_text(ROUTES.format(vehicles=rows if vehicles is None else vehicles), encoding="utf-8")
    return path


def test_seed_0_is_the_file_as_it_is(tmp_path: Path) -> None:
    path = write_routes(tmp_path)
    assert seeded_routes([path], 0, 0.0, 1000.0, tmp_path) == (path,)


def test_a_seed_gives_the_same_demand_twice_and_another_seed_another(tmp_path: Path) -> None:
    path = write_routes(tmp_path)
    texts = [
        seeded_routes([path], seed, 0.0, 1000.0, tmp_path / folder)[0].read_text(encoding="utf-8")
        for folder, seed in (("a", 5), ("b", 5), ("c", 6))
    ]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("seed", [1, 2, 100, 101])
def test_a_seed_keeps_period_order_size_and_routes(tmp_path: Path, seed: int) -> None:
    (path,) = seeded_routes([write_routes(tmp_path)], seed, 0.0, 1000.0, tmp_path)
    demand = read_demand((path,))
    departs = [row.depart_s for row in demand.departures]
    assert 90 <= len(departs) <= 110
    assert departs == sorted(departs)
    assert all(0.0 <= depart_s < 1000.0 for depart_s in departs)
    assert len({row.id for row in demand.departures}) == len(departs)
    assert {demand.edges_of(row) for row in demand.departures} == {("W0", "W1", "E")}
    assert 108.0 <= demand.flows[0].vehicles_per_hour() <= 132.0


def test_a_seed_moves_no_departure_by_more_than_a_minute(tmp_path: Path) -> None:
    vehicles = '<vehicle id="only" depart="500" route="through" type="car"/>'
    (path,) = seeded_routes([write_routes(tmp_path, vehicles)], 9, 0.0, 1000.0, tmp_path)
    assert all(abs(row.depart_s - 500.0) <= 60.0 for row in read_demand((path,)).departures)


def test_historic_flows_follow_routes_and_quickest_ways(tmp_path: Path) -> None:
    network = read_network(write_net(tmp_path))
    demand = read_demand((write_routes(tmp_path),))
    flows = link_flows(demand, network, 0.0, 1000.0)
    assert flows[(LinkId("W0"), LinkId("W1"))] == pytest.approx(360.0)
    assert flows[(LinkId("S"), LinkId("N"))] == pytest.approx(120.0)
    profile = profile_of_demand(demand, network, 0.0, 1000.0, period_s=500.0)
    assert profile.mean_vph(MovementId("C:S>N")) == pytest.approx(120.0, rel=0.1)
    assert profile.turning_share(MovementId("C:W1>E"), 100.0) == 1.0


def test_an_unknown_edge_and_an_empty_period_are_refused(tmp_path: Path) -> None:
    network = read_network(write_net(tmp_path))
    demand = read_demand((write_routes(tmp_path),))
    check_demand(demand, network.links, 0.0, 1000.0, "small")
    with pytest.raises(BadScenario, match="edge W1"):
        check_demand(demand, set(network.links) - {LinkId("W1")}, 0.0, 1000.0, "small")
    with pytest.raises(BadScenario, match="no demand in 5000-6000 s"):
        check_demand(demand, network.links, 5000.0, 6000.0, "small")


@pytest.mark.parametrize(
    "vehicles",
    [
        pytest.param('<vehicle id="v" depart="soon" route="through"/>', id="depart is no time"),
        pytest.param('<vehicle id="v" route="through"/>', id="no depart"),
        pytest.param('<flow id="g" begin="0" end="9" vehsPerHour="many" from="S" to="N"/>', id="rate is no number"),
        pytest.param(
            '<vehicle id="v" depart="1" route="through"><param key="device.ssm.file" value="/tmp/x"/></vehicle>',
            id="a device that writes",
        ),
    ],
)
def test_bad_demand_is_one_clear_line(tmp_path: Path, vehicles: str) -> None:
    with pytest.raises(BadScenario) as caught:
        read_demand((write_routes(tmp_path, vehicles),))
    assert "small.rou.xml" in caught.value.line


def test_times_are_seconds_or_clocks() -> None:
    assert time_of("1:02:03", "x") == 3723.0
    assert time_of("12.5", "x") == 12.5
