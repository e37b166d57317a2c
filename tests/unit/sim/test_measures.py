"""Measures and signal faults, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.heads import Moment
from sim.lamp_history import lamp_faults, longest_red_s, replay
from sim.measures import measure
from sim.trips import read_trips
from tests.unit.sim.random_programs import make_crossing
from traffic.errors import PlantLost
from traffic.ids import JunctionId

ROW = (
    '<tripinfo id="{id}" depart="{depart}" departLane="x" departPos="0" departSpeed="0" departDelay="{delay}"'
    ' arrival="{arrival}" arrivalLane="" arrivalPos="0" arrivalSpeed="0" duration="{duration}" routeLength="1"'
    ' waitingTime="{wait}" waitingCount="{stops}" stopTime="0" timeLoss="{loss}" rerouteNo="0" devices=""'
    ' vType="car" speedFactor="1" vaporized=""/>'
)


def write_records(path: Path) -> Path:
    """Period 100-200 s: a arrives, b is under way, c never got in, d is scheduled before the period."""
    rows = [
        {"id": "a", "depart": 110, "delay": 4, "arrival": 150, "duration": 40, "wait": 10, "stops": 1, "loss": 16},
        {"id": "b", "depart": 160, "delay": 0, "arrival": -1, "duration": 40, "wait": 20, "stops": 3, "loss": 30},
        {"id": "c", "depart": -1, "delay": 70, "arrival": -1, "duration": 0, "wait": 0, "stops": 0, "loss": 0},
        {"id": "d", "depart": 101, "delay": 9, "arrival": 120, "duration": 19, "wait": 0, "stops": 0, "loss": 5},
    ]
    path.write_text("<tripinfos>\n" + "\n".join(ROW.format(**row) for row in rows) + "\n</tripinfos>", encoding="utf-8")
    return path


def test_delay_counts_the_unfinished_and_those_never_inserted(tmp_path: Path) -> None:
    trips = read_trips(write_records(tmp_path / "trips.xml"), 200.0)
    assert trips.scheduled_s.tolist() == [106.0, 160.0, 130.0, 92.0]
    found = measure(trips, 100.0, 200.0)
    assert found.delay_s == pytest.approx((16 + 4 + 30 + 70) / 3)
    assert (found.vehicles, found.arrived, found.running, found.not_departed) == (3, 1, 1, 1)
    assert (found.trip_time_s, found.wait_s, found.stops) == (40.0, 15.0, 2.0)
    assert found.queue_veh == pytest.approx(30 / 100)


def test_rescos_delay_leaves_out_who_was_passed_by_later_departures(tmp_path: Path) -> None:
    trips = read_trips(write_records(tmp_path / "trips.xml"), 200.0)
    assert measure(trips, 100.0, 200.0).delay_resco_s == pytest.approx((16 + 4 + 30) / 2)
    blocked_last = replace(trips, scheduled_s=trips.scheduled_s + np.array([0, 0, 40, 0]))
    assert measure(blocked_last, 100.0, 200.0).delay_resco_s == pytest.approx((16 + 4 + 30 + 70) / 3)


def test_records_of_a_run_that_did_not_end_are_refused(tmp_path: Path) -> None:
    path = write_records(tmp_path / "trips.xml")
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    with pytest.raises(PlantLost, match="not whole"):
        read_trips(path, 200.0)


CROSSING = replace(make_crossing(2), conflicts=frozenset({(0, 1)}))


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param([(0, "Gr"), (10, "yr"), (13, "rr"), (15, "rG")], (0, 0, 0), id="clean"),
        pytest.param([(0, "Gr"), (10, "rr"), (15, "rG")], (1, 0, 0), id="green to red"),
        pytest.param([(0, "Gr"), (10, "sr"), (15, "rG")], (1, 0, 0), id="green to turn on red"),
        pytest.param([(0, "Gr"), (10, "yr"), (13, "rG")], (0, 1, 0), id="no all-red"),
        pytest.param([(0, "Gr"), (10, "GG"), (20, "yG")], (0, 0, 1), id="foes green together"),
    ],
)
def test_faults_are_counted_on_what_was_shown(history: list[Moment], expected: tuple[int, int, int]) -> None:
    found = lamp_faults(history, CROSSING, 5.0)
    assert (found.direct_green_to_red, found.intergreen_violations, found.conflicting_greens) == expected


def test_a_link_that_yields_may_follow_at_once() -> None:
    yielding = replace(CROSSING, permissive=frozenset({(1, 0)}))
    assert lamp_faults([(0, "Gr"), (10, "yg")], yielding, 5.0).intergreen_violations == 0
    assert lamp_faults([(0, "Gr"), (10, "yg")], CROSSING, 5.0).intergreen_violations == 1


def test_a_replay_shows_again_what_was_shown() -> None:
    program = replay(JunctionId("J"), [(57.0, "Gr"), (70.0, "yr"), (73.0, "rG")], 57.0, 100.0)
    assert [program.lamps_at(time_s) for time_s in (57.0, 69.0, 70.0, 73.0, 99.0)] == ["Gr", "Gr", "yr", "rG", "rG"]


def test_the_longest_red_is_of_links_that_are_ever_green_and_one_that_never_ends_counts() -> None:
    history = [(10.0, "Grrs"), (40.0, "yrrs"), (43.0, "rGrr"), (60.0, "gyrr")]
    assert longest_red_s(history, 70.0) == 33.0
    assert longest_red_s(history, 120.0) == 60.0
    assert longest_red_s([(0.0, "rr")], 99.0) == 0.0
