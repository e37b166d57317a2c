"""Cameras placed at a junction of a scenario: what they look at is in the frame, and turns are those of the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.network import read_network
from traffic.counts import VehicleClass
from traffic.errors import BadScenario
from traffic.ids import JunctionId, LinkId
from traffic.network import Network
from traffic.ports import Pose
from vision.camera import fit_camera
from vision.camera_file import CameraFile
from vision.synthetic.camera import TurnTruth
from vision.synthetic.placing import approach_camera, junction_camera

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def network() -> Network:
    return read_network(ROOT / "scenarios" / "thanh_hoa" / "thanh_hoa.net.xml")


def test_a_camera_over_a_junction_has_turns_of_the_network(network: Network) -> None:
    saved = junction_camera(network, JunctionId("buu_dien"))
    assert CameraFile.model_validate(saved.model_dump()) == saved
    assert len(saved.zones) >= 4 and len(saved.turns) >= 3
    assert all(turn.movement in network.movements for turn in saved.turns)


def test_the_road_of_an_approach_camera_is_where_the_stop_line_is(network: Network) -> None:
    saved = approach_camera(network, JunctionId("giua"), LinkId("buu_dien_giua"))
    camera = fit_camera(saved, (640, 360), "camera")
    assert camera.road is not None
    ends = [network.lanes[name].shape[-1] for name in network.links[LinkId("buu_dien_giua")].lanes]
    seen = camera.road.to_road([camera.lines[0].start, camera.lines[0].end])
    for x, y in seen:
        assert min((x - a) ** 2 + (y - b) ** 2 for a, b in ends) < 5.0**2


def test_a_strange_junction_or_approach_is_named(network: Network) -> None:
    with pytest.raises(BadScenario, match="no such junction"):
        junction_camera(network, JunctionId("nowhere"))
    with pytest.raises(BadScenario, match="no approach 'nowhere'"):
        approach_camera(network, JunctionId("giua"), LinkId("nowhere"))


def pose(lane: str, position_m: float) -> Pose:
    return Pose(
        id="v", vehicle_class="motorcycle", x_m=0.0, y_m=0.0, heading_rad=0.0, speed_mps=5.0, length_m=2.0,
        width_m=0.8, lane=lane, lane_position_m=position_m,
    )  # fmt: skip


def test_a_true_turn_is_dated_at_the_stop_line_and_made_once() -> None:
    truth = TurnTruth([("in", "out")])
    way = [("in_0", 90.0), ("in_1", 99.0), (":j_3_0", 5.0), ("out_0", 2.0), ("out_0", 8.0), ("out_0", 20.0)]
    for time_s, (lane, position_m) in enumerate(way):
        truth.see(float(time_s), [pose(lane, position_m)])
    assert truth.events == [("in", "out", VehicleClass.MOTORCYCLE, 1.0)]
