"""Scaling counts: small ones, too, are corrected; nobody is made out of nothing; unknown stays unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.loop import corrected, with_queue_growth
from ops.video_counts import in_place
from ops.whole_counts import in_whole_vehicles
from tests.unit.ops.report_factory import make_street
from traffic.counts import Health, TurnCount, VehicleClass
from traffic.events import Event, EventCode
from traffic.ids import JunctionId

MOVEMENTS = [f"m{n}" for n in range(40)]


def make_row(
    count: int | None, movement: str = "m0", start_s: float = 0.0, kind: VehicleClass = VehicleClass.MOTORCYCLE
) -> TurnCount:
    health = Health.OK if count is not None else Health.DARK
    return TurnCount(movement=movement, vehicle_class=kind, start_s=start_s, period_s=300.0, count=count, health=health)


def total(rows: list[TurnCount], kind: VehicleClass = VehicleClass.MOTORCYCLE) -> int:
    return sum(row.count or 0 for row in rows if row.vehicle_class is kind)


@pytest.mark.parametrize("seen", [1, 2, 3, 4])
def test_small_counts_are_corrected_for_what_the_camera_misses(seen: int) -> None:
    rows = [make_row(seen, name, start_s) for start_s in (0.0, 300.0, 600.0) for name in MOVEMENTS]
    assert total(corrected(rows, {"motorcycle": 0.909})) == pytest.approx(len(rows) * seen / 0.909, abs=0.5)


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(list(VehicleClass))), max_size=60), st.floats(0.2, 5.0))
def test_the_sum_of_a_class_is_right_to_half_a_vehicle_and_no_row_by_more_than_one(
    counts: list[tuple[int, VehicleClass]], factor: float
) -> None:
    rows = [make_row(count, kind=kind) for count, kind in counts]
    made = in_whole_vehicles((row, (row.count or 0) * factor) for row in rows)
    for kind in VehicleClass:
        assert total(made, kind) == pytest.approx(factor * total(rows, kind), abs=0.5 + 1e-6)
    for row, scaled in zip(rows, made, strict=True):
        assert row.count is not None and scaled.count is not None
        assert abs(scaled.count - factor * row.count) <= 1.0 + 1e-6
        assert scaled.count == 0 or row.count > 0


def test_an_unknown_count_stays_unknown_whatever_it_would_be_scaled_by() -> None:
    assert corrected([make_row(None)], {"motorcycle": 0.5}) == [make_row(None)]
    assert in_whole_vehicles([(make_row(3), None)]) == [make_row(3)]


def test_a_class_that_the_camera_never_sees_cannot_be_corrected() -> None:
    assert [row.count for row in corrected([make_row(3)], {"motorcycle": 0.0})] == [3]


def test_pulses_of_a_channel_that_no_detector_has_are_no_arrivals() -> None:
    network = make_street()
    name = next(iter(network.movements))
    strange = [Event(10 + n, JunctionId("j0"), EventCode.DETECTOR_ON, 99) for n in range(50)]
    assert [row.count for row in with_queue_growth([make_row(5, name)], strange, network, (0.0, 900.0))] == [5]


def test_a_clip_in_which_the_camera_was_blind_says_unknown_not_empty() -> None:
    clip = [make_row(6, "m1"), make_row(None, "m1", 300.0), make_row(None, "m2")]
    rows = in_place([make_row(10, "m1"), make_row(10, "m2"), make_row(10, "m3")], clip)
    assert [row.count for row in rows] == [6, None, 10]
    assert rows[1].health is not Health.OK


def test_a_clips_flow_is_kept_over_all_periods() -> None:
    rows = in_place([make_row(0, "m1", start_s) for start_s in (0.0, 300.0, 600.0)], [make_row(4, "m1")])
    assert total(rows) == 12
    half = [make_row(5, "m1"), make_row(0, "m1", 300.0)]
    rows = in_place([make_row(0, "m1", start_s) for start_s in (0.0, 300.0, 600.0, 900.0)], half)
    assert total(rows) == 10


def test_a_class_that_the_clip_has_not_seen_did_not_pass() -> None:
    rows = in_place([make_row(10, "m1", kind=VehicleClass.BUS), make_row(10, "m1")], [make_row(3, "m1")])
    assert [row.count for row in rows] == [0, 3]
