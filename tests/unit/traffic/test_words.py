from __future__ import annotations

import math
import pickle
from pathlib import Path

import pytest

from tests.unit.traffic.factories import make_dual_ring, make_single_ring
from traffic.counts import Health, TurnCount, VehicleClass, geh, total_by_movement
from traffic.demand import profile_from_counts
from traffic.errors import BadScenario, TrafficError, UnsafeCommand
from traffic.events import Event, EventCode, write_csv
from traffic.ids import JunctionId, LaneId, LinkId
from traffic.network import Movement, Network, movement_id
from traffic.scenario import read_scenario
from traffic.signals import Phase

GOOD = """
version = 1
name = "small"
title = "Small"
network = "net.net.xml"
routes = ["a.rou.xml"]
begin_s = 0
end_s = 900
"""


def write_scenario(folder: Path, text: str = GOOD) -> Path:
    for name in ("net.net.xml", "a.rou.xml"):
        (folder / name).write_text("<x/>")
    (folder / "scenario.toml").write_text(text)
    return folder


def make_count(movement: str, count: int | None, start_s: float = 0.0) -> TurnCount:
    health = Health.OK if count is not None else Health.LOST
    return TurnCount(
        movement=movement, vehicle_class=VehicleClass.CAR, start_s=start_s, period_s=900.0, count=count, health=health
    )


def test_an_error_is_one_line_and_survives_a_process_boundary() -> None:
    error = UnsafeCommand("split of phase 3", 4, "at least 10 s", "lengthen\nit")
    copy = pickle.loads(pickle.dumps(error))
    assert copy.line == "split of phase 3: 4 (at least 10 s); lengthen it"
    assert isinstance(copy, UnsafeCommand) and isinstance(copy, TrafficError)
    assert copy.as_json() == {
        "kind": "UnsafeCommand",
        "where": "split of phase 3",
        "value": "4",
        "limit": "at least 10 s",
        "next": "lengthen\nit",
    }


def test_an_unknown_part_makes_the_sum_unknown() -> None:
    assert total_by_movement([make_count("a", 3), make_count("a", None), make_count("b", 2)]) == {"a": None, "b": 2}


def test_a_dead_camera_cannot_count() -> None:
    with pytest.raises(ValueError, match="counts unknown"):
        TurnCount(movement="a", vehicle_class=VehicleClass.CAR, start_s=0.0, period_s=60.0, count=0, health=Health.LOST)


def test_geh_by_hand() -> None:
    assert geh(1100.0, 1000.0) == pytest.approx(math.sqrt(2 * 100**2 / 2100))
    assert geh(0.0, 0.0) == 0.0


def test_flow_profile_keeps_unknown_unknown() -> None:
    ids = [movement_id("j", "in", out) for out in ("x", "y")]
    movements = {
        m: Movement(
            id=m,
            junction=JunctionId("j"),
            approach=LinkId("in"),
            exit=LinkId(m[-1]),
            direction="s",
            connections=(),
            link_indices=(),
        )
        for m in ids
    }
    network = Network(links={}, lanes={}, connections=(), crossings={}, movements=movements)
    profile = profile_from_counts(
        network, [make_count(ids[0], 30), make_count(ids[1], 10), make_count(ids[1], None, 900.0)]
    )
    assert profile.flow_vph(ids[0], 10.0) == 120.0
    assert profile.turning_share(ids[0], 10.0) == 0.75
    assert math.isnan(profile.flow_vph(ids[1], 1000.0))
    assert math.isnan(profile.flow_vph(ids[0], 5000.0))


def test_min_split_serves_pedestrians_and_clearance() -> None:
    phase = Phase(number=make_single_ring().phases[0].number, walk_s=7, ped_clear_s=11, yellow_ds=35, red_clear_ds=20)
    assert phase.min_split_s == 18 + 6


def test_the_config_hash_changes_with_what_is_installed() -> None:
    assert make_single_ring().config_hash == make_single_ring().config_hash
    assert make_single_ring(yellow_ds=40).config_hash != make_single_ring().config_hash != make_dual_ring().config_hash


def test_events_are_written_with_tenths(tmp_path: Path) -> None:
    write_csv(tmp_path / "e.csv", [Event(123, JunctionId("a"), EventCode.BEGIN_GREEN, 2)])
    assert (tmp_path / "e.csv").read_text().splitlines()[1] == "12.3,a,1,2"


def test_a_good_scenario_has_absolute_paths(tmp_path: Path) -> None:
    scenario = read_scenario(write_scenario(tmp_path))
    assert scenario.network == tmp_path.resolve() / "net.net.xml"
    assert scenario.guard.max_red_s == 120.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("end_s = 900", "end_s = 0"), "end_s"),
        (('"net.net.xml"', '"../net.net.xml"'), "own folder"),
        (('"net.net.xml"', '"/etc/passwd"'), "own folder"),
        (('"net.net.xml"', '"gone.net.xml"'), "named but not there"),
        (("version = 1", "version = 9"), "version"),
        (("version = 1", "version = 1\ncolour = 2"), "colour"),
        (("version = 1", "version = "), "TOML"),
        (("begin_s = 0", "begin_s = nan"), "begin_s"),
    ],
    ids=["end", "dots", "absolute", "missing", "version", "key", "syntax", "nan"],
)
def test_a_bad_scenario_is_one_line(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(BadScenario) as caught:
        read_scenario(write_scenario(tmp_path, GOOD.replace(*change)))
    assert said in caught.value.line and "\n" not in caught.value.line


def test_all_faults_of_a_scenario_are_listed_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("begin_s = 0", "begin_s = -1").replace("version = 1", "version = 1\nstep_s = 7")
    with pytest.raises(BadScenario) as caught:
        read_scenario(write_scenario(tmp_path, text))
    assert "begin_s" in caught.value.line and "step_s" in caught.value.line


def test_ids_are_strings() -> None:
    assert LaneId("a_0") == "a_0"
