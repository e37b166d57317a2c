"""Departures at random about what history expects."""

from __future__ import annotations

import numpy as np
import pytest

from control.core.arrays import Roads, State
from control.expected_draws import draw_departures
from control.state_estimate import first_belief
from tests.unit.control.mpc_factories import make_street, make_streets

NOW_S = 300.0


def base() -> tuple[Roads, State]:
    """Return roads with 800 veh/h on every approach, and a state in which whoever was due has entered."""
    streets = make_streets(make_street(), vph=400.0)
    roads, state = streets.roads, first_belief(streets).state
    for origin, (first, n) in enumerate(roads.origins):
        depart_s = roads.vehicles["depart"][roads.origin_vehicles[first : first + n]]
        state.origin_next[0, origin] = first + np.searchsorted(depart_s, NOW_S, side="right")
        state.origin_wake[0, origin] = roads.vehicles["depart"][roads.origin_vehicles[state.origin_next[0, origin]]]
    return roads, state


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_as_many_come_as_expected_on_average_and_not_evenly(spread: float) -> None:
    roads, state = base()
    counts = []
    for seed in range(60):
        drawn, _ = draw_departures(roads, state, NOW_S, spread, np.random.default_rng(seed))
        depart_s = drawn.vehicles["depart"]
        counts.append([np.sum((depart_s > NOW_S + start) & (depart_s <= NOW_S + start + 180.0)) for start in (0, 180)])
    assert np.mean(counts) == pytest.approx(4 * 800.0 * 180.0 / 3600.0, rel=0.06)
    excess = np.var(counts) / np.mean(counts)
    assert (0.6 < excess < 1.5) if spread == 0.0 else excess > 3.0


def test_whoever_was_due_is_left_alone_and_nobody_comes_in_the_past() -> None:
    roads, state = base()
    drawn, started = draw_departures(roads, state, NOW_S, 0.5, np.random.default_rng(1))
    old_s, new_s = roads.vehicles["depart"], drawn.vehicles["depart"]
    assert np.array_equal(old_s[old_s <= NOW_S], new_s[old_s <= NOW_S])
    assert new_s[old_s > NOW_S].min() >= NOW_S
    for origin, (first, n) in enumerate(roads.origins):
        own_s = new_s[roads.origin_vehicles[first : first + n]]
        assert np.all(np.diff(own_s) >= 0.0)
        assert started.origin_wake[0, origin] == own_s[state.origin_next[0, origin] - first]


def test_ways_are_shuffled_and_none_is_lost() -> None:
    roads, state = base()
    drawn, _ = draw_departures(roads, state, NOW_S, 0.5, np.random.default_rng(1))
    old, new = roads.vehicles["route"], drawn.vehicles["route"]
    assert sorted(old.tolist()) == sorted(new.tolist()) and not np.array_equal(old, new)


def test_who_waits_to_enter_goes_on_waiting() -> None:
    roads, state = base()
    state.origin_next[0, 0] -= 2
    state.origin_wake[0, 0] = NOW_S - 5.0
    _, started = draw_departures(roads, state, NOW_S, 0.5, np.random.default_rng(1))
    assert started.origin_wake[0, 0] == NOW_S - 5.0


def test_one_seed_gives_one_future() -> None:
    roads, state = base()
    first, again, other = (
        draw_departures(roads, state, NOW_S, 0.5, np.random.default_rng(seed))[0].vehicles["depart"]
        for seed in (7, 7, 8)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)
