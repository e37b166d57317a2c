"""Zones walked upstream by hand on the small network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.detectors import compile_zones
from sim.network import read_network
from tests.unit.sim.net_files import net_text, write_net
from traffic.ids import LaneId, LinkId, MovementId
from traffic.network import Network
from traffic.zones import Piece, Zones

W0, W1, E, S = LaneId("W0_0"), LaneId("W1_0"), LaneId("E_0"), LaneId("S_0")


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return read_network(write_net(tmp_path))


def arriving(network: Network, zones: Zones, movement: str) -> dict[Piece, float]:
    place = network.movement_index[MovementId(movement)]
    rows = zip(zones.arriving.movement, zones.arriving.piece, zones.arriving.share, strict=True)
    return {zones.pieces[piece]: share for index, piece, share in rows if index == place}


def test_a_zone_goes_on_over_a_split_edge_and_divides_what_is_shared(network: Network) -> None:
    """50 m = 20 m of W1, 10 m inside the node, the last 20 m of W0; three in four of W0 come on."""
    flows = {(LinkId("W0"), LinkId("W1")): 300.0, (LinkId("W0"), LinkId("X")): 100.0}
    zones = compile_zones(network, flows, zone_m=50.0)
    assert arriving(network, zones, "C:W1>E") == {Piece(W1, None, None): 1.0, Piece(W0, 80.0, None): 0.75}
    assert zones.zone_length_m.tolist() == [50.0, 50.0]


def test_a_zone_ends_where_less_than_half_of_the_flow_comes_on(network: Network) -> None:
    flows = {(LinkId("W0"), LinkId("W1")): 100.0, (LinkId("W0"), LinkId("X")): 300.0}
    zones = compile_zones(network, flows, zone_m=50.0)
    assert arriving(network, zones, "C:W1>E") == {Piece(W1, None, None): 1.0}
    assert zones.zone_length_m.tolist() == [20.0, 50.0]


def test_a_long_lane_is_watched_at_its_end_and_an_exit_at_its_start(network: Network) -> None:
    zones = compile_zones(network, zone_m=50.0)
    assert arriving(network, zones, "C:S>N") == {Piece(S, 150.0, None): 1.0}
    assert Piece(E, None, 50.0) in zones.pieces


def test_a_vehicle_on_a_shared_lane_counts_once(network: Network, tmp_path: Path) -> None:
    turn = '<connection from="W1" to="N" fromLane="0" toLane="0" via=":C_0_0" tl="C" linkIndex="0" dir="l" state="O"/>'
    shared = read_network(write_net(tmp_path, net_text().replace("</net>", f"{turn}</net>"), "shared.net.xml"))
    flows = {(LinkId("W1"), LinkId("E")): 60.0, (LinkId("W1"), LinkId("N")): 20.0}
    zones = compile_zones(shared, flows, zone_m=15.0)
    counted = zones.arriving.apply(np.ones(len(zones.pieces)), len(shared.movements))
    assert counted[shared.movement_index[MovementId("C:W1>E")]] == pytest.approx(0.75)
    assert counted[shared.movement_index[MovementId("C:W1>N")]] == pytest.approx(0.25)
