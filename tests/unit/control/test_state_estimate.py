"""What the core believes after a look at the detector zones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.core.arrays import State
from control.state_estimate import Belief, Streets, first_belief, see
from tests.unit.control.mpc_factories import make_snapshot, make_street, make_streets

PLANT = make_street("a", "b")
STREETS = make_streets(PLANT)
N = len(PLANT.network.movements)


def vehicles(streets: Streets, state: State, lane: int) -> np.ndarray:  # type: ignore[type-arg]
    row, now = streets.roads.lanes[lane], state.lanes[0, lane]
    return state.slots[0, (now["head"] - row["first"] + np.arange(now["count"])) % row["room"] + row["first"]]


def lane_of(movement: int) -> int:
    return int(STREETS.roads.conns["start"][list(PLANT.network.movements.values())[movement].connections[0]])


def look(arriving: object, queued: object = 0.0, before: Belief | None = None) -> Belief:
    return see(STREETS, before or first_belief(STREETS), make_snapshot(PLANT, arriving, queued))


@given(counts=st.lists(st.integers(0, 12), min_size=N, max_size=N))
@settings(max_examples=25, deadline=None)
def test_every_lane_has_as_many_as_its_zone_counts(counts: list[int]) -> None:
    belief = look(counts)
    assert [int(belief.state.lanes["count"][0, lane_of(m)]) for m in range(N)] == counts


def test_those_that_stand_are_at_the_stop_line_and_the_others_come() -> None:
    arriving, queued = np.zeros(N), np.zeros(N)
    arriving[0], queued[0] = 6.0, 4.0
    arrive_s = vehicles(STREETS, look(arriving, queued).state, lane_of(0))["arrive"]
    assert (arrive_s[:4] == 0.0).all()
    assert (arrive_s[4:] > 1.0).all()
    assert (np.diff(arrive_s) >= 0.0).all(), "nobody overtakes in a lane"


def test_fractions_come_out_even_over_many_looks() -> None:
    share = np.zeros(N)
    share[[0, 1]] = 0.7, 0.3
    belief, totals = first_belief(STREETS), np.zeros(2)
    for _ in range(100):
        belief = look(share, before=Belief(first_belief(STREETS).state, 0.0, belief.n_seen))
        totals += [belief.state.lanes["count"][0, lane_of(m)] for m in (0, 1)]
    assert totals == pytest.approx([70.0, 30.0], abs=2.0)


def test_an_unknown_reading_keeps_what_the_model_has_of_that_approach_only() -> None:
    first = look([3.0] * N)
    arriving = np.full(N, 1.0)
    arriving[0] = np.nan
    second = look(arriving, before=first)
    counts = [int(second.state.lanes["count"][0, lane_of(m)]) for m in range(N)]
    assert counts[:2] == [3, 3]
    assert counts[2:] == [1] * (N - 2)


def test_vehicles_beyond_the_zone_come_in_the_model_and_are_kept() -> None:
    # The links are 300 m long, the zones 100 m: who enters is unseen for 14 s.
    plant = make_street()
    streets = make_streets(plant, vph=600.0)
    belief = first_belief(streets)
    for _ in range(4):
        belief = see(streets, belief, make_snapshot(plant, 0.0))
        plant.advance(10)
    far = [v for lane in range(len(streets.roads.lanes)) for v in vehicles(streets, belief.state, lane)]
    assert len(far) > 8
    assert all(v["arrive"] > 30.0 + 100.0 / 13.89 for v in far if streets.roads.conns["end"][v["conn"]] >= 0)


def test_a_belief_is_never_written_again() -> None:
    first = look([2.0] * N)
    kept = [array.copy() for array in first.state]
    look([5.0] * N, before=first)
    assert all(np.array_equal(a, b) for a, b in zip(kept, first.state, strict=True))


def test_a_stage_that_the_guard_chose_is_believed() -> None:
    plant = make_street()
    streets = make_streets(plant)
    belief = see(streets, first_belief(streets), make_snapshot(plant, 0.0, stage=(0,)))
    belief = see(streets, belief, make_snapshot(plant, 0.0, stage=(2,), time_s=10.0, green_since_s=(8.0,)))
    assert belief.state.signals["stage"][0, 0] == 2
    assert belief.state.signals["since"][0, 0] == 8.0
