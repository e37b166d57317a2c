from __future__ import annotations

import numpy as np
import pytest

from control.plan.offsets import Stop, green_seconds, progression
from tests.unit.control.fakes import make_crossroads, make_plan
from traffic.ids import JunctionId


def make_stop(name: str, green_s: int = 30, cycle_s: int = 60, travel_s: float = 0.0) -> Stop:
    green = np.arange(cycle_s) < green_s
    return Stop(junction=JunctionId(name), outbound=green, inbound=green, from_last_s=travel_s, to_last_s=travel_s)


def test_one_way_offsets_are_the_travel_times() -> None:
    stops = [make_stop("a"), make_stop("b", travel_s=20.0), make_stop("c", travel_s=25.0)]
    found = progression(stops, inbound_weight=0.0)
    assert found.outbound_band_s == 30
    assert found.offsets_s == {"a": 0, "b": 20, "c": 45}


def test_half_a_cycle_apart_both_ways_have_the_full_green() -> None:
    # Travel of half a cycle each way: alternate offsets of 30 s give both directions all of the green.
    stops = [make_stop("a"), make_stop("b", travel_s=30.0), make_stop("c", travel_s=30.0)]
    found = progression(stops)
    assert (found.outbound_band_s, found.inbound_band_s) == (30, 30)
    assert found.offsets_s == {"a": 0, "b": 30, "c": 0}


def test_a_quarter_cycle_apart_both_ways_share_the_green() -> None:
    # Travel of 15 s in a cycle of 60: whatever one way gains the other loses; bands sum to 30 of 60.
    found = progression([make_stop("a"), make_stop("b", travel_s=15.0)])
    assert found.outbound_band_s + found.inbound_band_s == 30


def test_both_ways_are_never_much_worse_than_one_way_alone() -> None:
    # The one-way offsets, whose band is the shortest green, are among the starts; green met on the way weighs 0.1.
    rng = np.random.default_rng(7)
    for _ in range(5):
        greens = rng.integers(20, 40, size=4).tolist()
        travel = [0.0, *rng.integers(5, 50, size=3).astype(float).tolist()]
        rows = zip(travel, greens, strict=True)
        found = progression([make_stop(str(n), green, travel_s=t) for n, (t, green) in enumerate(rows)])
        assert found.outbound_band_s + found.inbound_band_s >= min(greens) - 8


def test_cycles_must_be_common() -> None:
    with pytest.raises(ValueError, match="common cycle"):
        progression([make_stop("a"), make_stop("b", cycle_s=70)])


def test_green_seconds_start_at_the_coordinated_green() -> None:
    junction = make_crossroads()
    plan = make_plan(junction)
    through, left = green_seconds(junction, plan, 0), green_seconds(junction, plan, 2)
    assert (through.sum(), through[:15].all(), left.sum(), left[32:47].all()) == (15, True, 15, True)
