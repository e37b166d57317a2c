"""Diagrams of the report against cycles worked by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ops.report_charts import geh_bounds
from ops.report_corridor import band, green_windows, shortest_way, stops
from ops.report_map import stub_length_m, tail
from ops.report_signals import Span, barrier_times_s, phase_turns, spans_of
from tests.unit.ops.report_factory import make_dual_ring, make_plan, make_street
from traffic.counts import geh
from traffic.ids import JunctionId, PhaseNumber

STREET = make_street()
JUNCTION = make_dual_ring(STREET, "j1")


def test_lamps_of_the_coordinated_phase_start_the_cycle() -> None:
    # Cycle 90: phase 1 has 14 s, phase 2 then 38 s of which 3 s yellow and 2 s red; the rest is cross street.
    plan = make_plan(JUNCTION, 90, 20)
    assert spans_of(JUNCTION, plan, 10) == [
        Span(begin_s=0.0, end_s=33.0, letter="G"),
        Span(begin_s=33.0, end_s=36.0, letter="y"),
        Span(begin_s=36.0, end_s=90.0, letter="r"),
    ]


@pytest.mark.parametrize("link_index", range(12))
def test_lamps_cover_the_cycle_without_gaps(link_index: int) -> None:
    spans = spans_of(JUNCTION, make_plan(JUNCTION, 90, 20), link_index)
    assert (spans[0].begin_s, spans[-1].end_s) == (0.0, 90.0)
    assert all(a.end_s == b.begin_s for a, b in pairwise(spans))


def test_barriers_stand_where_all_rings_cross() -> None:
    assert barrier_times_s(JUNCTION, make_plan(JUNCTION, 90, 0)) == [0.0, 52.0, 90.0]


def test_phases_name_their_approaches_and_turns() -> None:
    served = phase_turns(STREET, JUNCTION)
    assert served[PhaseNumber(1)] == "E·Đông ↰"
    assert served[PhaseNumber(2)] == "W·Tây ↑↱"


def test_green_windows_are_shifted_by_the_offset() -> None:
    assert green_windows(JUNCTION, make_plan(JUNCTION, 90, 20), 10) == [(20.0, 53.0)]
    # The opposing straight movement starts 2 s later, its left being 2 s longer.
    assert green_windows(JUNCTION, make_plan(JUNCTION, 90, 20), 4) == [(22.0, 53.0)]
    # Offset 80: the green goes on over the end of the cycle.
    assert green_windows(JUNCTION, make_plan(JUNCTION, 90, 80), 10) == [(80.0, 113.0)]


@pytest.mark.parametrize(
    ("windows", "travel_s", "found"),
    [
        ([[(0.0, 30.0)], [(20.0, 50.0)]], [0.0, 20.0], [(0.0, 30.0)]),
        ([[(0.0, 30.0)], [(20.0, 50.0)]], [0.0, 10.0], [(10.0, 30.0)]),
        ([[(0.0, 30.0)], [(0.0, 30.0)]], [0.0, 60.0], [(0.0, 30.0)]),
        ([[(0.0, 30.0)], [(0.0, 30.0)]], [0.0, 30.0], []),
        ([[(0.0, 30.0)], [(50.0, 70.0)]], [0.0, 0.0], [(0.0, 10.0)]),
        ([[(0.0, 30.0)], [(0.0, 30.0)]], [0.0, 640.0], [(20.0, 30.0)]),
    ],
    ids=["perfect", "part", "one-cycle-on", "none", "over-the-end", "far-away"],
)
def test_green_band_by_hand(
    windows: list[list[tuple[float, float]]], travel_s: list[float], found: list[tuple[float, float]]
) -> None:
    assert band(windows, travel_s, 60.0) == found


def test_the_corridor_is_walked_along_its_links() -> None:
    corridor = tuple(STREET.crossings)
    assert shortest_way(STREET, corridor[0], corridor[1]) == ["j0>j1"]
    places = stops(STREET, corridor)
    assert [place.distance_m for place in places] == [0.0, 380.0, 760.0]
    # Straight on from the west is link 10, from the east link 4, at the ends as in the middle.
    assert [(place.outbound, place.inbound) for place in places] == [(10, 4)] * 3


def test_junctions_that_are_not_joined_make_no_corridor() -> None:
    alone = make_street(1)
    assert stops(alone, [JunctionId("j0")]) == []


def test_geh_bounds_have_that_geh() -> None:
    flow = np.array([50.0, 400.0, 2500.0])
    low, high = geh_bounds(flow, 5.0)
    assert [geh(m, c) for m, c in zip(low, flow, strict=True)] == pytest.approx([5.0] * 3)
    assert [geh(m, c) for m, c in zip(high, flow, strict=True)] == pytest.approx([5.0] * 3)
    assert geh_bounds(np.array([0.0]), 5.0)[0][0] == 0.0


def test_the_coloured_stretch_ends_at_the_stop_line() -> None:
    assert tail([(0.0, 0.0), (60.0, 0.0), (60.0, 40.0)], 70.0) == [(30.0, 0.0), (60.0, 0.0), (60.0, 40.0)]
    assert tail([(0.0, 0.0), (10.0, 0.0)], 50.0) == [(0.0, 0.0), (10.0, 0.0)]
    assert stub_length_m(STREET) == pytest.approx(144.0)
