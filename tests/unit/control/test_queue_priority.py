"""Who waits for whom in the queue model: turns in gaps, turns on red, merges, minor roads.

A crossing of 10 m from the line needs 0.8 sqrt(2 (10 + 5) / 2.6) + 1 = 3.72 s before the next vehicle with priority.
"""

from __future__ import annotations

from dataclasses import replace
from math import floor, sqrt

import numpy as np
import pytest

from control.core.arrays import STOP
from tests.unit.control.queue_film import departures, place_of, queue, states
from tests.unit.control.queue_towns import BY_HAND, SmallTown, TownMaker, trips
from traffic.network import VehicleType

PATIENT = replace(BY_HAND, patience_s=1e6)
GAP_S = 0.8 * sqrt(2.0 * 15.0 / 2.6) + 1.0
TO_LINE_S = 292.5 / 13.9
"""From a start at the limit to the stop line of 300 m of road."""
BOX = "west_0>north_0"


def make_left_turn(*stages: tuple[int, str]) -> SmallTown:
    """``west`` turns left across the stream from ``east``, waiting 5 m inside the junction: lamps (east, west)."""
    town = TownMaker()
    for name in ("east", "west", "north", "away"):
        town.road(name)
    through = town.way("east", "away", signal=("a", 0))
    town.way("west", "north", length_m=15.0, signal=("a", 1), waiting_m=5.0, yields_to=[through])
    town.signal("a", *stages)
    return town.build()


def make_side_road(*stages: tuple[int, str]) -> SmallTown:
    """``minor`` comes into ``out``, on which ``major`` has priority: lamps (major, minor), or no signals at all."""
    town = TownMaker()
    for name in ("major", "minor", "out"):
        town.road(name)
    signals = (("a", 0), ("a", 1)) if stages else (None, None)
    first = town.way("major", "out", signal=signals[0])
    town.way("minor", "out", signal=signals[1], yields_to=[first])
    if stages:
        town.signal("a", *stages)
    return town.build()


def test_a_permissive_turn_waits_for_the_opposing_stream_and_goes_in_its_gap() -> None:
    town = make_left_turn((600, "Gg"), (5, "rr"))
    stream_s = [*range(0, 48, 3), *range(54, 90, 3)]
    journeys = trips(["east", "away"], stream_s, depart_speed="max") + trips(["west", "north"], [0.0])
    turn = departures(town.model(journeys, 200.0, physics=PATIENT), town.plans, BOX)
    assert len(turn) == 1
    assert 45.0 + TO_LINE_S <= turn[0].leave_s <= 54.0 + TO_LINE_S - GAP_S


def test_who_waits_inside_the_junction_leaves_it_when_the_opposing_stream_stops() -> None:
    town = make_left_turn((60, "rr"), (30, "Gg"), (60, "rr"))
    journeys = trips(["east", "away"], [0.0] * 40) + trips(["west", "north"], [0.0] * 3)
    model = town.model(journeys, 330.0, physics=PATIENT)
    box = place_of(model, BOX)
    assert max(len(queue(model, state, box)) for state in states(model, town.plans)) == 1
    leaves_s = [row.leave_s for row in departures(model, town.plans, BOX)]
    assert 1 <= sum(leave_s < 165.0 for leave_s in leaves_s) <= 2  # who is inside, and who follows into the yellow
    assert len(leaves_s) >= 2 and all(95.0 <= leave_s % 165.0 <= 102.0 for leave_s in leaves_s)


def test_a_turn_on_red_stops_first() -> None:
    town = make_side_road((600, "rs"), (5, "Gr"))
    row = departures(town.model(trips(["minor", "out"], [0.0], depart_speed="max"), 60.0), town.plans, "minor_0")[0]
    assert row.code == STOP
    assert row.leave_s == pytest.approx(floor(TO_LINE_S) + 1.0 + 0.7)


def test_no_one_turns_on_plain_red() -> None:
    town = make_side_road((600, "rr"), (5, "GG"))
    assert departures(town.model(trips(["minor", "out"], [0.0]), 300.0), town.plans, "minor_0") == []


def test_a_turn_on_red_waits_for_the_stream_that_has_green() -> None:
    town = make_side_road((600, "Gs"), (5, "rG"))
    journeys = trips(["major", "out"], range(0, 60, 3), depart_speed="max") + trips(["minor", "out"], [0.0])
    model = town.model(journeys, 200.0, physics=PATIENT)
    assert departures(model, town.plans, "minor_0")[0].leave_s > 57.0 + TO_LINE_S


def test_a_turn_on_red_that_found_its_exit_full_goes_when_there_is_room() -> None:
    town = TownMaker()
    for name, length_m in (("turn", 300.0), ("side", 300.0), ("out", 30.0), ("end", 300.0)):
        town.road(name, length_m)
    town.way("turn", "out", signal=("a", 0))
    town.way("side", "out", signal=("a", 1))
    town.way("out", "end", signal=("b", 0))
    town.signal("a", (40, "rG"), (600, "sr"))
    town.signal("b", (60, "r"), (600, "G"))
    small = town.build()
    model = small.model(trips(["side", "out", "end"], [0.0] * 4) + trips(["turn", "out", "end"], [25.0]), 200.0)
    row = departures(model, small.plans, "turn_0")[0]
    assert row.code == STOP
    assert 65.0 < row.leave_s < 80.0


def test_two_streams_merge_at_the_merging_headway() -> None:
    town = TownMaker()
    for name in ("left", "right", "out"):
        town.road(name)
    town.way("left", "out")
    town.way("right", "out")
    small = town.build()
    journeys = trips(["left", "out"], [0.0], depart_speed="max") + trips(["right", "out"], [0.0], depart_speed="max")
    model = small.model(journeys, 100.0)
    first, second = (departures(model, small.plans, lane)[0].leave_s for lane in ("left_0", "right_0"))
    assert first == pytest.approx(TO_LINE_S)
    assert second == pytest.approx(TO_LINE_S + 1.3)


def test_a_minor_road_goes_only_where_the_gap_is_long_enough() -> None:
    rng = np.random.default_rng(7)
    stream_s = np.cumsum(rng.integers(2, 14, 60)).tolist()
    town = make_side_road()
    journeys = trips(["major", "out"], stream_s, depart_speed="max") + trips(["minor", "out"], [0.0] * 30)
    model = town.model(journeys, 600.0, physics=PATIENT)
    major, minor = (
        np.array([row.leave_s for row in departures(model, town.plans, f"{n}_0")]) for n in ("major", "minor")
    )
    assert (len(major), len(minor)) == (60, 30)
    for leave_s in minor:
        decided_s = leave_s - 1.4  # at most: before the start-up of 0.7 s, or the merging headway of 1.3 s
        assert not np.any((major > leave_s) & (major < decided_s + GAP_S))


def test_patience_ends_so_that_an_endless_stream_starves_no_one() -> None:
    town = make_side_road()
    journeys = trips(["major", "out"], range(0, 300, 3), depart_speed="max") + trips(["minor", "out"], [0.0])
    patient, impatient = (
        departures(town.model(journeys, 310.0, physics=physics), town.plans, "minor_0")
        for physics in (PATIENT, replace(BY_HAND, patience_s=180.0))
    )
    assert patient == []
    assert TO_LINE_S + 180.0 * (1.0 - 3.0 / GAP_S) <= impatient[0].leave_s <= TO_LINE_S + 90.0


def test_a_queue_spreads_over_the_lanes_of_its_approach() -> None:
    town = TownMaker()
    town.road("in", lanes=2)
    town.road("out", lanes=2)
    town.way("in", "out", lanes=(0, 0), signal=("a", 0))
    town.way("in", "out", lanes=(1, 1), signal=("a", 0))
    town.signal("a", (90, "r"), (600, "G"))
    small = town.build()
    model = small.model(trips(["in", "out"], [0.0] * 30), 200.0)
    assert [len(departures(model, small.plans, lane)) for lane in ("in_0", "in_1")] == [15, 15]


def test_a_vehicle_takes_the_lane_from_which_its_way_goes_on() -> None:
    town = TownMaker()
    for name, lanes in (("in", 1), ("middle", 2), ("ahead", 1), ("left", 1)):
        town.road(name, lanes=lanes)
    town.way("in", "middle")
    town.way("middle", "ahead", lanes=(0, 0), signal=("a", 0))
    town.way("middle", "left", lanes=(1, 0), signal=("a", 1))
    town.signal("a", (20, "rG"), (20, "Gr"))
    small = town.build()
    journeys = trips(["in", "middle", "ahead"], range(0, 60, 6)) + trips(["in", "middle", "left"], range(3, 63, 6))
    model = small.model(journeys, 400.0)
    ahead, left = ([row.vehicle for row in departures(model, small.plans, f"middle_{k}")] for k in (0, 1))
    assert (ahead, left) == (list(range(0, 20, 2)), list(range(1, 20, 2)))


def test_two_wheelers_that_share_a_lane_leave_in_the_second_in_which_they_are_due() -> None:
    rider = VehicleType(
        **{"id": "rider", "vehicle_class": "motorcycle"},  # type: ignore[arg-type]
        **{"length_m": 2.2, "accel_mps2": 6.0, "sigma": 0.0, "speed_dev": 0.0},
    )
    town = TownMaker()
    town.road("in", 600.0)
    town.road("out", 600.0)
    town.way("in", "out", signal=("a", 0))
    town.signal("a", (200, "r"), (600, "G"))
    small = town.build()
    small = replace(small, network=replace(small.network, vehicle_types={"rider": rider}))
    journeys = trips(["in", "out"], [0.0] * 80, vehicle_type="rider", depart_speed="max")
    rows = departures(small.model(journeys, 400.0, shares_lanes=True), small.plans, "in_0")
    assert len(rows) == 80
    assert np.diff([row.leave_s for row in rows])[4:] == pytest.approx(0.3 * (1.35 + 4.7 / 13.9))
    assert all(floor(row.leave_s) == row.second for row in rows[1:])
