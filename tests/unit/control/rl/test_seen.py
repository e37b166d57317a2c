"""Observations and rewards by hand; unknown is not zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from control.rl.arena import Arena
from control.rl.observations import N_PER_MOVEMENT, Zones
from control.rl.rewards import REWARDS, reward_of
from tests.unit.control.fakes import FakePlant, make_crossroads
from tests.unit.control.rl.arenas import make_arena
from traffic.errors import BadScenario
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.snapshot import Snapshot

A, B = JunctionId("a"), JunctionId("b")


def make_snapshot(time_s: float = 0.0, **changes: object) -> Snapshot:
    plant = FakePlant([make_crossroads("a"), make_crossroads("b")])
    fields = {
        "time_s": time_s,
        "arriving_veh": np.arange(16.0),
        "queued_veh": np.full(16, 2.0),
        "leaving_veh": np.ones(16),
        "zone_length_m": np.full(16, 75.0),
        "stage": (2, -1),
        "green_since_s": (-30.0, 5.0),
    }
    return replace(plant.snapshot(), **{**fields, **changes})  # type: ignore[arg-type]


def test_zones_are_seen_as_shares_of_a_full_lane_with_the_lamps_after_them() -> None:
    seen = Zones(make_arena(("a", "b")))
    table = seen.of(make_snapshot(), B)[: 8 * N_PER_MOVEMENT].reshape(8, N_PER_MOVEMENT)
    assert table[:, 0] == pytest.approx(np.arange(8.0, 16.0) / 10.0), "75 m hold ten cars of 7.5 m"
    assert table[:, 1] == pytest.approx(0.2)
    assert table[:, 2] == pytest.approx(0.05), "two lanes beyond"
    assert (table[:, 3:6] == 1.0).all() and table[:, 6] == pytest.approx(0.5)
    assert seen.of(make_snapshot(), A)[-6:] == pytest.approx([0, 0, 1, 0, 0, 0.25]), "stage 2 for 30 s of 120"
    assert seen.of(make_snapshot(), B)[-6:] == pytest.approx([0, 0, 0, 0, 1, 0]), "in a change"


def test_unknown_and_empty_differ_by_the_flag() -> None:
    arriving = np.zeros(16)
    arriving[8] = np.nan
    table = Zones(make_arena(("a", "b"))).of(make_snapshot(arriving_veh=arriving), B)
    first, second = table[:N_PER_MOVEMENT], table[N_PER_MOVEMENT : 2 * N_PER_MOVEMENT]
    assert (first[0], first[3]) == (0.0, 0.0) and (first[4], first[5]) == (1.0, 1.0)
    assert (second[0], second[3]) == (0.0, 1.0)


def test_a_blind_junction_is_all_unknown_and_within_its_space() -> None:
    nothing = np.full(16, np.nan)
    seen = Zones(make_arena(("a", "b")))
    blind = make_snapshot(arriving_veh=nothing, queued_veh=nothing, leaving_veh=nothing)
    table = seen.of(blind, A)[: 8 * N_PER_MOVEMENT].reshape(8, N_PER_MOVEMENT)
    assert (table[:, :6] == 0.0).all()
    assert seen.of(blind, A) in seen.space(A)
    crowded = make_snapshot(arriving_veh=np.full(16, 1e9))
    assert seen.of(crowded, A) in seen.space(A)


def test_without_any_zone_it_is_one_clear_error() -> None:
    zone_m = np.full(16, 75.0)
    zone_m[8:] = np.nan
    with pytest.raises(BadScenario, match="observation of junction b: no detector zone"):
        Zones(make_arena(("a", "b"))).of(make_snapshot(zone_length_m=zone_m), A)
    arena = make_arena()
    bare = Network(**{**vars(arena.network), "movements": {}})
    with pytest.raises(BadScenario, match="observation of junction a: no detector zone"):
        Zones(replace(arena, network=bare))


def persons(arena: Arena) -> Arena:
    first = next(iter(arena.network.movements))
    return replace(arena, persons_per_vehicle={first: 20.0})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("queue", -10.0 * 8 * 3.0),
        ("delay", -10.0 * (np.arange(8.0).sum() + np.arange(8.0).sum() + 8) / 2),
        ("pressure", -10.0 * 100.0 * ((28.0 + 4.0) / 75.0 - 8 * 1.0 / 150.0)),
        ("person_delay", -10.0 * (32.0 + 19.0 * 0.5)),
    ],
)
def test_rewards_by_hand(name: str, value: float) -> None:
    before = make_snapshot()
    after = make_snapshot(10.0, queued_veh=np.full(16, 4.0), arriving_veh=np.arange(16.0) + 1.0)
    reward = reward_of(persons(make_arena(("a", "b"))), name)
    assert reward(before, after)[0] == pytest.approx(value)
    assert reward(before, after).shape == (2,)


@pytest.mark.parametrize("name", REWARDS)
def test_a_reward_counts_unknown_movements_like_the_known_ones(name: str) -> None:
    arriving = np.full(16, 4.0)
    reward = reward_of(make_arena(("a", "b")), name)
    whole = reward(make_snapshot(arriving_veh=arriving), make_snapshot(5.0, arriving_veh=arriving))
    gaps, queued = arriving.copy(), np.full(16, 2.0)
    gaps[[0, 3, 5]] = queued[[0, 3, 5]] = np.nan
    known = reward(
        make_snapshot(arriving_veh=gaps, queued_veh=queued), make_snapshot(5.0, arriving_veh=gaps, queued_veh=queued)
    )
    assert known == pytest.approx(whole)
    nothing = np.full(16, np.nan)
    blind = make_snapshot(arriving_veh=nothing, queued_veh=nothing, leaving_veh=nothing)
    assert (reward(blind, replace(blind, time_s=5.0)) == 0.0).all()
