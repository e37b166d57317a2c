"""The queue model against numbers worked by hand from its sources.

References
----------
G. Newell, A simplified car-following theory, Transportation Research B 36, 2002: headway tau + spacing / speed, and the
wave that runs upstream at spacing / tau. Highway Capacity Manual, 6th ed., ch. 19: a queue discharges at a constant
headway from about the fifth vehicle on. Uniform acceleration from rest: v = sqrt(2 a x), time lost to speed v: v / 2a.

The car by hand: 7.5 m from front to front, headway 1 s + 0.35 s + 7.5 m / speed, 2.6 m/s2, limit 13.9 m/s.
"""

from __future__ import annotations

from itertools import pairwise
from math import sqrt

import numpy as np
import pytest

from control.core.arrays import YELLOW
from tests.unit.control.queue_film import departures, place_of, queue, states
from tests.unit.control.queue_towns import BY_HAND, SmallTown, TownMaker, trips

LIMIT_MPS, SPACING_M, ACCEL, TAU_S = 13.9, 7.5, 2.6, 1.35
INSERTED_M = 300.0 - SPACING_M
"""A car starts with its rear at the beginning of the link: 7.5 m of the 300 m are behind it."""


def make_signal(*stages: tuple[int, str], length_m: float = 300.0) -> SmallTown:
    """``in ---[a]--- out``."""
    town = TownMaker()
    town.road("in", length_m)
    town.road("out")
    town.way("in", "out", signal=("a", 0))
    town.signal("a", *stages)
    return town.build()


def make_chain(lengths_m: list[float], way_m: float) -> SmallTown:
    """A road of 50 m, links in a row, and a road of 300 m; a signal that is green at either end of the row."""
    town = TownMaker()
    names = ["in", *(f"part{k}" for k in range(len(lengths_m))), "out"]
    for name, length_m in zip(names, [50.0, *lengths_m, 300.0], strict=True):
        town.road(name, length_m)
    for k, (before, after) in enumerate(pairwise(names)):
        signal = {0: ("a", 0), len(lengths_m): ("b", 0)}.get(k)
        town.way(before, after, length_m=way_m, signal=signal)
    for name in ("a", "b"):
        town.signal(name, (600, "G"), (5, "r"))
    return town.build()


def test_a_standing_queue_leaves_at_newells_headways_from_its_launch_on() -> None:
    town = make_signal((60, "r"), (600, "G"))
    leaves_s = [
        row.leave_s for row in departures(town.model(trips(["in", "out"], [0.0] * 25), 300.0), town.plans, "in_0")
    ]
    over_line_mps = [min(LIMIT_MPS, sqrt(2.0 * ACCEL * (k + 0.3) * SPACING_M)) for k in range(24)]
    headways_s = [TAU_S + SPACING_M / speed for speed in over_line_mps]
    headways_s[0] += BY_HAND.first_gap_s
    assert np.diff(leaves_s) == pytest.approx(headways_s)
    assert headways_s[5:] == pytest.approx([1.35 + 7.5 / 13.9] * 19)  # 1.89 s: 1905 vehicles an hour


def test_the_first_of_a_queue_starts_up_after_the_green_does() -> None:
    town = make_signal((60, "r"), (600, "G"))
    first = departures(town.model(trips(["in", "out"], [0.0]), 300.0), town.plans, "in_0")[0]
    assert first.leave_s == pytest.approx(60.0 + 5.0 + 0.7)


def test_alone_at_the_limit_a_car_takes_length_over_speed_and_loses_nothing() -> None:
    town = make_chain([200.0], way_m=10.0)
    model = town.model(trips(["in", "part0", "out"], [3.0], depart_speed="max"), 120.0)
    way_m = 50.0 - SPACING_M + 10.0 + 200.0 + 10.0 + 300.0
    assert departures(model, town.plans, "out_0")[0].leave_s == pytest.approx(3.0 + way_m / LIMIT_MPS)
    assert model.run([town.plans]).delay_s[0, 0] == pytest.approx(0.0, abs=1e-9)


def test_starting_from_rest_costs_half_the_speed_over_the_acceleration() -> None:
    town = make_chain([200.0], way_m=10.0)
    model = town.model(trips(["in", "part0", "out"], [3.0]), 120.0)
    assert model.run([town.plans]).delay_s[0, 0] == pytest.approx(LIMIT_MPS / (2.0 * ACCEL))


def test_joined_links_take_as_long_as_one_long_link() -> None:
    lengths_m = [12.0, 0.2, 30.0, 5.0, 1.5, 22.0]
    ends_s = []
    for parts_m in (lengths_m, [sum(lengths_m) + 5 * 4.0]):
        town = make_chain(parts_m, way_m=4.0)
        way = ["in", *(f"part{k}" for k in range(len(parts_m))), "out"]
        model = town.model(trips(way, [0.0, 3.0, 6.0, 20.0]), 120.0)
        assert place_of(model, "part0_0") == place_of(model, f"part{len(parts_m) - 1}_0")
        ends_s.append([row.leave_s for row in departures(model, town.plans, "out_0")])
    assert len(ends_s[0]) == 4 and ends_s[0] == pytest.approx(ends_s[1])


def test_a_lane_holds_its_length_over_the_spacing_and_the_queue_stands_back_into_the_next() -> None:
    maker = TownMaker()
    for name, length_m in (("in", 300.0), ("middle", 60.0), ("out", 300.0)):
        maker.road(name, length_m)
    maker.way("in", "middle", signal=("b", 0))
    maker.way("middle", "out", signal=("a", 0))
    maker.signal("a", (100, "r"), (600, "G"))
    maker.signal("b", (600, "G"), (5, "r"))
    town = maker.build()
    model = town.model(trips(["in", "middle", "out"], [0.0] * 20), 200.0)
    middle = place_of(model, "middle_0")
    counts = [len(queue(model, state, middle)) for state in states(model, town.plans)]
    assert max(counts) == counts[99] == 60.0 // 7.5
    left = departures(model, town.plans, "in_0")
    assert left[7].leave_s < 100.0
    wave_s = (60.0 / SPACING_M - 1.0) * TAU_S  # from the stop line back to the last place of the lane
    assert left[8].leave_s == pytest.approx(100.0 + 5.0 + 0.7 + wave_s)


@pytest.mark.parametrize(("arrival_s", "goes"), [(19.9, True), (20.9, True), (21.1, False), (22.9, False)])
def test_only_who_comes_within_the_first_second_of_yellow_uses_it(arrival_s: float, goes: bool) -> None:
    town = make_signal((20, "G"), (25, "r"), length_m=SPACING_M + LIMIT_MPS * arrival_s)
    row = departures(town.model(trips(["in", "out"], [0.0], depart_speed="max"), 120.0), town.plans, "in_0")[0]
    assert row.leave_s == pytest.approx(arrival_s if goes else 55.0 + 0.7)
    assert (row.code == YELLOW) == (arrival_s == 20.9)


def test_who_cannot_enter_waits_outside_and_that_counts_as_delay() -> None:
    town = make_signal((600, "r"), (5, "G"), length_m=30.0)
    outcome = town.model(trips(["in", "out"], [0.0] * 20, depart_speed="max"), 100.0).run([town.plans])
    inside = 30.0 / SPACING_M
    assert (outcome.inserted[0, 0], outcome.not_departed[0, 0]) == (inside, 20 - inside)
    unhindered_s = (30.0 - SPACING_M) / LIMIT_MPS
    assert outcome.delay_s[0, 0] == pytest.approx((16 * 100.0 + 4 * (100.0 - unhindered_s)) / 20)


def test_a_green_wave_of_the_right_offset_costs_nothing_and_a_wrong_one_the_wait() -> None:
    delays_s = {}
    for offset_s in (0, 24):
        town = TownMaker()
        for name in ("in", "middle", "out"):
            town.road(name, 323.6)
        town.way("in", "middle", signal=("a", 0))
        town.way("middle", "out", signal=("b", 0))
        town.signal("a", (15, "G"), (15, "r"))
        town.signal("b", (15, "G"), (15, "r"), offset_s=offset_s)
        small = town.build()
        model = small.model(trips(["in", "middle", "out"], [20.0], depart_speed="max"), 200.0)
        first, second = (departures(model, small.plans, lane)[0].leave_s for lane in ("in_0", "middle_0"))
        assert first == pytest.approx(20.0 + 316.1 / LIMIT_MPS)  # 42.74, in the green from 40 s on
        delays_s[offset_s] = second - first - (10.0 + 323.6) / LIMIT_MPS
    assert delays_s[24] == pytest.approx(0.0, abs=1e-9)
    assert delays_s[0] == pytest.approx(80.0 + 0.7 - first - (10.0 + 323.6) / LIMIT_MPS)
