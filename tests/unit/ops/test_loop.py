"""What the centre makes of its counts, and which candidates it makes of them."""

from __future__ import annotations

from dataclasses import replace
from math import isnan, nan
from pathlib import Path

import pytest

from ops.candidates import flows_mcu_h, make_candidates, saturated_movements
from ops.detectors import detector_channels
from ops.judge import judge
from ops.log_delay import Place
from ops.loop import corrected, with_queue_growth
from ops.plan_runs import open_signals
from ops.street_settings import StreetSettings
from ops.video_counts import in_place
from traffic.counts import Health, TurnCount, VehicleClass
from traffic.errors import BadInput
from traffic.events import Event, EventCode
from traffic.ids import MovementId
from traffic.scenario import read_scenario

ROOT = Path(__file__).resolve().parents[3]
SCENARIO = read_scenario(ROOT / "scenarios" / "thanh_hoa")
TOWN, INSTALLED = open_signals(SCENARIO)
MOVEMENT = next(iter(TOWN.network.movements.values()))


def make_count(count: int | None, movement: str = MOVEMENT.id, kind: VehicleClass = VehicleClass.CAR) -> TurnCount:
    health = Health.OK if count is not None else Health.LOST
    return TurnCount(movement=movement, vehicle_class=kind, start_s=0.0, period_s=900.0, count=count, health=health)


def test_counts_are_divided_by_what_the_camera_detects_and_unknown_stays_unknown() -> None:
    seen = corrected([make_count(90), make_count(None)], {"car": 0.9})
    assert [row.count for row in seen] == [100, None]


def pulses(place: Place, number: int) -> list[Event]:
    channel = next(
        row.channel
        for row in detector_channels(TOWN.network)
        if (row.junction, row.approach, row.place) == (MOVEMENT.junction, MOVEMENT.approach, place)
    )
    return [Event(10 + k, MOVEMENT.junction, EventCode.DETECTOR_ON, channel) for k in range(number)]


@pytest.mark.parametrize(
    ("arrived", "left", "expected"), [(130, 100, 65), (100, 100, 50), (80, 100, 50)], ids=["grew", "stood", "shrank"]
)
def test_a_queue_that_grew_is_demand_that_was_not_counted(arrived: int, left: int, expected: int) -> None:
    events = pulses(Place.ADVANCE, arrived) + pulses(Place.STOP, left)
    grown = with_queue_growth([make_count(50)], events, TOWN.network, (0.0, 900.0))
    assert grown[0].count == expected


def test_flows_are_in_motorcycle_units_and_unknown_is_nan() -> None:
    flows = flows_mcu_h([make_count(10), make_count(10, kind=VehicleClass.MOTORCYCLE)], {"car": 3.4, "motorcycle": 1.0})
    assert flows[MOVEMENT.id] == pytest.approx(4 * (34 + 10))
    assert isnan(flows_mcu_h([make_count(None)], {})[MOVEMENT.id])


def light_flows() -> dict[MovementId, float]:
    return dict.fromkeys(TOWN.network.movements, 100.0)


def test_keeping_is_always_a_candidate_and_all_are_legal() -> None:
    candidates, refused = make_candidates(SCENARIO, TOWN, INSTALLED, light_flows())
    assert candidates[0].name == "keep" and dict(candidates[0].plans) == INSTALLED
    assert {row.name for row in candidates} | set(refused) <= {"keep", "splits", "webster"}
    plans = [tuple(row.plans.values()) for row in candidates]
    assert len(set(plans)) == len(plans)


def test_a_heavy_movement_is_flagged_as_a_lower_bound() -> None:
    flows = light_flows() | {MOVEMENT.id: 6000.0}
    assert MOVEMENT.id in saturated_movements(SCENARIO, TOWN, INSTALLED, flows)
    assert MOVEMENT.id not in saturated_movements(SCENARIO, TOWN, INSTALLED, light_flows())


def test_a_candidate_that_was_dropped_is_shown_but_not_judged() -> None:
    verdict = judge({"keep": [50.0, 51.0], "a": [49.9, 50.9]}, others={"keep": [50.0], "a": [49.9], "b": [1.0]})
    assert verdict.chosen == "keep" and set(verdict.against_keep) == {"a"}
    assert verdict.delays_s["b"][0] == 1.0 and isnan(verdict.delays_s["b"][1])
    assert judge({"keep": [50.0, 51.0], "a": [nan, nan]}).chosen == "keep"


def test_a_clip_replaces_the_counts_of_its_movement_only() -> None:
    other = list(TOWN.network.movements)[1]
    clip = [replace(make_count(6), period_s=60.0)]
    rows = in_place([make_count(10), make_count(7, movement=other), make_count(None)], clip)
    assert [row.count for row in rows] == [90, 7, None]


def test_a_street_faster_than_its_lease_is_refused() -> None:
    settings = StreetSettings(scenario="x", folder="y", shift_seed=1, day_seed=1, driver_seed=1, backup_time_s=60)
    assert replace(settings, speed=20.0).check().speed == 20.0
    with pytest.raises(BadInput, match="at most 20"):
        replace(settings, speed=21.0).check()
