"""One count a track and line, classes by vote, periods as long as they were watched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from traffic.counts import VehicleClass
from vision.boxes import CLASSES, Boxes
from vision.camera import COCO_CLASSES, Camera, CountLine
from vision.counter import MEMORY_S, Counter
from vision.crossings import Crossing, line_totals, turn_counts
from vision.tracker import Tracks

CAR, BUS, TRUCK = VehicleClass.CAR, VehicleClass.BUS, VehicleClass.TRUCK


def make_camera(*, period_s: float = 900.0, region: tuple[tuple[float, float], ...] | None = None) -> Camera:
    line = CountLine(
        name="L", start=(0.0, 50.0), end=(100.0, 50.0), directions=("away", "towards"), movements=("j:a>b", None)
    )
    return Camera(
        name="cam",
        size=(100, 100),
        lines=(line,),
        region=region,
        begin_s=3600.0,
        period_s=period_s,
        class_map=dict(COCO_CLASSES),
    )


def tracks(*rows: tuple[int, float], name: VehicleClass = CAR, confidence: float = 0.8) -> Tracks:
    """Return tracks (id, lower edge y) of boxes 10 wide and 10 high."""
    return Tracks(
        ids=np.array([row[0] for row in rows], np.int64),
        boxes=Boxes(
            xyxy=np.array([[40, row[1] - 10, 50, row[1]] for row in rows], np.float32).reshape(-1, 4),
            confidence=np.full(len(rows), confidence, np.float32),
            class_index=np.full(len(rows), CLASSES.index(name), np.int64),
        ),
    )


def drive(counter: Counter, track: int, ys: Sequence[float], *, start_s: float = 0.0) -> None:
    for step, y in enumerate(ys):
        counter.update(start_s + 0.1 * step, tracks((track, y)))


def make_crossing(time_s: float, name: VehicleClass = CAR) -> Crossing:
    return Crossing(
        line="L",
        direction="away",
        movement="j:a>b",
        vehicle_class=name,
        time_s=time_s,
        place=0.5,
        track=1,
        share=1.0,
    )


def test_a_crossing_has_its_movement_or_the_name_of_the_line() -> None:
    counter = Counter(make_camera())
    drive(counter, 1, [70, 30])
    drive(counter, 2, [30, 70], start_s=1.0)
    assert [row.movement for row in counter.crossings()] == ["j:a>b", "cam:L:towards"]


def test_the_class_is_voted_over_the_whole_track_by_confidence() -> None:
    counter = Counter(make_camera())
    for time_s, y, name, confidence in ((0.0, 70, TRUCK, 0.9), (0.1, 55, BUS, 0.4), (0.2, 45, BUS, 0.4)):
        counter.update(time_s, tracks((1, y), name=name, confidence=confidence))
    (row,) = counter.crossings()
    assert row.vehicle_class is TRUCK
    assert row.share == pytest.approx(0.9 / 1.7, abs=1e-5)


def test_votes_after_the_crossing_still_count() -> None:
    counter = Counter(make_camera())
    drive(counter, 1, [70, 30])
    for step in range(10):
        counter.update(1.0 + step / 10, tracks((1, 20), name=BUS))
    assert [row.vehicle_class for row in counter.crossings()] == [BUS]


def test_a_standing_van_that_was_hidden_and_found_again_is_one_van() -> None:
    counter = Counter(make_camera())
    drive(counter, 1, [30, 40, 51, *[52, 53] * 5])
    counter.update(1.5, tracks())
    drive(counter, 2, [53, 49, 53, 60, 70], start_s=2.0)
    assert [row.track for row in counter.crossings()] == [2]


def test_a_van_that_was_counted_before_it_was_hidden_is_not_counted_again() -> None:
    counter = Counter(make_camera())
    drive(counter, 1, [30, 40, *[56] * 8])
    counter.update(1.0, tracks())
    drive(counter, 2, [54, 48, 56, 70], start_s=2.0)
    assert len(counter.crossings()) == 1


@pytest.mark.parametrize("ys", [[30, 70], [70, 30]], ids=["elsewhere", "where one that moved was lost"])
def test_a_track_that_is_born_by_itself_inherits_nothing(ys: list[float]) -> None:
    counter = Counter(make_camera())
    drive(counter, 1, [30, 70])
    drive(counter, 2, ys, start_s=1.0)
    assert len(counter.crossings()) == 2


def test_a_road_user_is_forgotten_but_its_count_is_kept() -> None:
    counter = Counter(make_camera())
    drive(counter, 1, [30, 70])
    counter.update(0.2 + 2 * MEMORY_S, tracks())
    drive(counter, 2, [30, 70], start_s=20.0)
    assert [row.track for row in counter.crossings()] == [1, 2]


def test_outside_the_region_nothing_is_looked_at() -> None:
    counter = Counter(make_camera(region=((60.0, 0.0), (100.0, 0.0), (100.0, 100.0), (60.0, 100.0))))
    drive(counter, 1, [30, 70])
    assert counter.crossings() == []


def test_periods_start_with_the_camera_and_the_last_is_as_long_as_it_was_watched() -> None:
    rows = turn_counts(
        [make_crossing(10.0), make_crossing(70.0), make_crossing(80.0)], make_camera(period_s=60.0), 90.0
    )
    cars = [row for row in rows if row.movement == "j:a>b" and row.vehicle_class is CAR]
    assert [(row.start_s, row.period_s, row.count) for row in cars] == [(3600.0, 60.0, 1), (3660.0, 30.0, 2)]
    assert cars[1].flow_vph == pytest.approx(240.0)


def test_what_did_not_come_is_counted_as_zero() -> None:
    rows = turn_counts([], make_camera(), 90.0)
    assert {row.count for row in rows} == {0}
    assert len(rows) == 2 * len(VehicleClass)


def test_totals_are_by_line_direction_and_class() -> None:
    rows = line_totals([make_crossing(1.0), make_crossing(2.0, BUS)], make_camera())
    found = {(row["direction"], row["class"]): row["count"] for row in rows if row["count"]}
    assert found == {("away", "car"): 1, ("away", "bus"): 1}
