"""Headways, saturation flow, arrivals on red, queue and occupancy, each against figures worked out by hand."""

from __future__ import annotations

import math

import pytest

from traffic.counts import VehicleClass
from vision.camera import COCO_CLASSES, Area, Camera
from vision.counter import Standing
from vision.crossings import Crossing
from vision.measure import LaneWatch, arrivals_on_red, headways_s, per_cycle, saturation
from vision.projection import road_plane
from vision.speed import fit_speed_kph


def crossing(time_s: float, place: float = 0.2) -> Crossing:
    car = VehicleClass.CAR
    return Crossing(
        line="L", direction="away", movement="m", vehicle_class=car, time_s=time_s, place=place, track=1, share=1.0
    )  # fmt: skip


def test_headways_are_lane_by_lane() -> None:
    rows = [crossing(1.0), crossing(2.0, 0.9), crossing(3.5), crossing(6.0), crossing(9.0, 0.8)]
    assert headways_s(rows, "L", 0, 2) == [2.5, 2.5]
    assert headways_s(rows, "L", 1, 2) == [7.0]


def test_saturation_ends_with_the_queue_and_leaves_the_start_up_out() -> None:
    # start-up 3 s, then one every 2 s to 23 s; the queue is gone, stragglers at 29 and 35 s
    times = [3.0, *(3.0 + 2.0 * i for i in range(1, 11)), 29.0, 35.0]
    flow = saturation(times, [(0.0, 40.0)])
    assert flow.sat_flow_vph is None  # seven headways after the first four vehicles: too few
    both = saturation([*times, *(100.0 + t for t in times)], [(0.0, 40.0), (100.0, 140.0)])
    assert both.sat_flow_vph == pytest.approx(1800.0)
    assert both.span_vph == (900.0, 1800.0, 1800.0, 1800.0, 1800.0)


def test_a_green_without_vehicles_says_nothing() -> None:
    flow = saturation([], [(0.0, 30.0)])
    assert (flow.span_vph, flow.sat_flow_vph, flow.n_greens) == ((), None, 1)
    assert arrivals_on_red([], [(0.0, 30.0)]) is None
    assert arrivals_on_red([1.0], []) is None


def test_cycles_run_from_green_to_green() -> None:
    assert per_cycle([1, 50, 61, 119, 130], [(0, 20), (60, 80), (120, 140)]) == [2, 2]


def test_speed_is_that_of_the_road_and_unknown_for_a_glimpse() -> None:
    assert fit_speed_kph([0.0, 0.1, 0.2], [[0, 0], [1, 0], [2, 0]]) is None
    assert fit_speed_kph([0.0, 0.2, 0.4], [[0, 0], [2, 0], [4, 0]]) == pytest.approx(36.0)
    assert fit_speed_kph([0.0, 0.2, 0.4], [[0, 0], [math.nan, 0], [4, 0]]) is None


def test_queue_and_occupancy_of_a_lane() -> None:
    lane = Area(name="1", points=((0, 100), (20, 100), (20, 0), (0, 0)))
    pixels, metres = [(0, 100), (20, 100), (20, 0), (0, 0)], [(0, 0), (4, 0), (4, 50), (0, 50)]
    camera = Camera(name="c", size=(100, 100), lines=(), class_map=dict(COCO_CLASSES), lanes=(lane,),
                    road=road_plane(pixels, metres))  # fmt: skip

    def user(y: float, *, is_standing: bool) -> Standing:
        box = (5.0, y - 8, 15.0, y + 2)
        return Standing(anchor=(10.0, y), box=box, is_standing=is_standing)

    watch = LaneWatch(camera)
    watch.see(0.0, [user(99.0, is_standing=True), user(60.0, is_standing=True), user(20.0, is_standing=False)])
    watch.see(0.5, [])  # looks are a second apart
    watch.see(1.0, [user(20.0, is_standing=False)])
    looks = watch.lanes["1"]
    assert looks.queue_veh == [2, 0]
    assert looks.queue_m == pytest.approx([20.0, 0.0])
    assert looks.is_covered == [True, False]
