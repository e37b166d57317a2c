"""The queue model as a plant: what it shows, when it changes, what it refuses, plans played and joined."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from control.queue_plant import QueuePlant
from tests.unit.control.fakes import make_plan
from tests.unit.control.mpc_factories import make_clock, make_street
from tests.unit.control.queue_sites import BEGIN_S, VPH, A, B, make_plant, make_site
from traffic.decisions import Extend, Release, SelectPattern, Stage
from traffic.errors import BadInput, UnsafeCommand
from traffic.ids import JunctionId
from traffic.lamps import change, cycle_intervals
from traffic.ports import Plant
from traffic.signals import Order

CYCLE_S = 64


def shown(plant: QueuePlant, seconds: int) -> list[tuple[str, int]]:
    """Return lamps and stage of the first junction, second by second."""
    rows = []
    for _ in range(seconds):
        snapshot = plant.snapshot()
        rows.append((snapshot.lamps[0], snapshot.stage[0]))
        plant.advance(1.0)
    return rows


def select(plant: QueuePlant, *splits_s: int) -> SelectPattern:
    junction, start = plant.junctions[A], datetime(2026, 1, 1, tzinfo=UTC)
    order = Order(
        plan=make_plan(junction, splits_s),
        config_hash=junction.config_hash,
        sequence_number=1,
        valid_from=start,
        expires=start + timedelta(days=1),
        issuer="test",
    )
    return SelectPattern(order)


def test_it_is_a_plant_at_the_begin_of_its_journeys() -> None:
    plant = make_plant()
    assert isinstance(plant, Plant)
    snapshot = plant.snapshot()
    assert (snapshot.time_s, snapshot.green_since_s) == (BEGIN_S, (BEGIN_S,))
    assert snapshot.arriving_veh.sum() == 0.0 and (snapshot.zone_length_m == 100.0).all()


def test_a_change_shows_yellow_and_all_red_and_then_the_stage() -> None:
    plant = make_plant(has_plans=False)
    stages = plant.stages[A]
    plant.advance(4.0)
    plant.command([Stage(A, 2)])
    (_, yellow), (_, red) = change(stages[0], stages[2], 3.0, 2.0)
    assert plant.snapshot().green_since_s == (BEGIN_S + 9.0,)
    assert shown(plant, 6) == [(yellow, -1)] * 3 + [(red, -1)] * 2 + [(stages[2], 2)]
    assert plant.snapshot().green_since_s == (BEGIN_S + 9.0,)


def test_clearances_are_rounded_up_to_whole_seconds() -> None:
    clock = make_clock(make_street(), clearance_s={A: [(3.4, 1.2)] * 4})
    plant = make_plant(has_plans=False, clock=clock)
    plant.command([Stage(A, 1)])
    assert plant.snapshot().green_since_s == (BEGIN_S + 6.0,)
    assert [stage for _, stage in shown(plant, 7)] == [-1] * 6 + [1]


def test_a_stage_may_be_asked_for_later_and_be_put_off() -> None:
    plant = make_plant(has_plans=False)
    plant.command([Stage(A, 1, BEGIN_S + 5.0)])
    plant.advance(3.0)
    plant.command([Extend(A, BEGIN_S + 20.0)])
    assert [stage for _, stage in shown(plant, 10)] == [0] * 10
    plant.command([Stage(A, 1, BEGIN_S + 15.0)])
    assert [stage for _, stage in shown(plant, 4)] == [0, 0, -1, -1]
    plant.command([Extend(A, BEGIN_S + 90.0)])
    plant.advance(5.0)
    assert plant.snapshot().stage == (1,)


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        (Stage(JunctionId("z"), 0), "junction z: not in this network"),
        (Stage(A, 4), r"stage 4: not there \(0-3\)"),
        (Stage(A, 3), "the junction is in a change"),
        (Release(A), "no plan of its own"),
        (Release(JunctionId("z")), "junction z: not in this network"),
    ],
    ids=["unknown", "no stage", "in a change", "no plan", "release of nobody"],
)
def test_what_cannot_be_is_refused_with_all_that_came_with_it(decision: Stage | Release, says: str) -> None:
    plant = make_plant("a", "b", has_plans=False)
    plant.command([Stage(A, 1)])
    with pytest.raises(UnsafeCommand, match=says):
        plant.command([Stage(B, 2), decision])
    plant.advance(10.0)
    assert plant.snapshot().stage == (1, 0)


def test_the_stage_to_which_it_changes_may_be_asked_for_again() -> None:
    plant = make_plant(has_plans=False)
    for _ in range(2):
        plant.command([Stage(A, 1)])
        plant.advance(1.0)
    plant.advance(3.0)
    assert plant.snapshot().stage == (1,)


@pytest.mark.parametrize("offset_s", [0, 17])
def test_a_junction_plays_what_is_installed_until_it_is_commanded(offset_s: int) -> None:
    plant = make_plant(is_held=False, offset_s=offset_s)
    cycle = "".join(
        interval.lamps[0] * (interval.duration_ds // 10)
        for interval in cycle_intervals(plant.junctions[A], make_plan(plant.junctions[A]))
    )
    start = int(BEGIN_S - offset_s) % CYCLE_S
    expected = [(cycle * 4)[start + k] for k in range(2 * CYCLE_S)]
    assert [lamps[0] for lamps, _ in shown(plant, 2 * CYCLE_S)] == expected
    while plant.snapshot().stage[0] < 0:
        plant.advance(1.0)
    held = plant.snapshot().stage[0]
    plant.command([Stage(A, held)])
    assert {stage for _, stage in shown(plant, 2 * CYCLE_S)} == {held}


def test_a_plan_that_is_in_a_change_is_not_broken_off() -> None:
    plant = make_plant(is_held=False)
    while plant.snapshot().stage[0] >= 0:
        plant.advance(1.0)
    for decision in (Stage(A, 0), Extend(A, BEGIN_S + 500.0)):
        with pytest.raises(UnsafeCommand, match="in a change"):
            plant.command([decision])


def test_released_it_holds_until_its_plan_comes_to_what_is_shown() -> None:
    plant, alone = make_plant(), make_plant(is_held=False)
    plant.command([Stage(A, 2)])
    plant.advance(10.0)
    alone.advance(10.0)
    plant.command([Release(A)])
    seen, theirs = shown(plant, 2 * CYCLE_S), shown(alone, 2 * CYCLE_S)
    joined = next(k for k in range(len(seen)) if seen[k:] == theirs[k:])
    assert all(stage == 2 for _, stage in seen[:joined]) and 0 < joined <= CYCLE_S


def test_a_pattern_is_joined_in_the_stage_that_it_shows() -> None:
    plant = make_plant()
    plant.command([select(plant, 10, 12, 30, 12)])
    plant.advance(3.0 * CYCLE_S)
    stages = [stage for _, stage in shown(plant, CYCLE_S)]
    assert [stages.count(k) for k in range(4)] == [5, 7, 25, 7]
    plant.command([Release(A)])
    plant.advance(3.0 * CYCLE_S)
    stages = [stage for _, stage in shown(plant, CYCLE_S)]
    assert [stages.count(k) for k in range(4)] == [15, 7, 15, 7]


def test_a_pattern_that_never_shows_what_runs_is_gone_to() -> None:
    plant = make_plant()
    plant.command([Stage(A, 3)])
    plant.advance(10.0)
    omitting = make_plan(plant.junctions[A], (32, 12, 20, 0))
    assert plant.snapshot().stage == (3,)
    plant.command([SelectPattern(replace(select(plant, 20, 12, 20, 12).order, plan=omitting))])
    (_, yellow), (_, red) = change(plant.stages[A][3], plant.stages[A][0], 3.0, 2.0)
    assert [lamps for lamps, _ in shown(plant, 5)] == [yellow] * 3 + [red] * 2
    plant.advance(2.0 * CYCLE_S)
    stages = [stage for _, stage in shown(plant, CYCLE_S)]
    assert [stages.count(k) for k in range(4)] == [27, 7, 15, 0]


def test_without_plans_no_junction_can_play_one() -> None:
    with pytest.raises(BadInput, match="queue plant: plans: none"):
        QueuePlant(make_site(has_plans=False), is_held=False)
    plant = make_plant(has_plans=False)
    with pytest.raises(UnsafeCommand, match="not without installed plans"):
        plant.command([select(plant, 20, 12, 20, 12)])


def test_zones_count_those_who_queue_at_red() -> None:
    plant = make_plant(has_plans=False)
    plant.command([Stage(A, 3)])
    plant.advance(120.0)
    snapshot = plant.snapshot()
    red = [plant.stages[A][3][row.link_indices[0]] == "r" for row in plant.network.movements.values()]
    assert snapshot.queued_veh[red].min() >= 3.0
    assert (snapshot.queued_veh <= snapshot.arriving_veh).all()
    expected = VPH / 3600.0 * 120.0
    assert snapshot.arriving_veh[red].mean() == pytest.approx(expected, rel=0.4)
    assert snapshot.queued_veh[~np.array(red)].max() <= 1.0


def test_asking_twice_and_in_other_steps_changes_nothing() -> None:
    plant, other, another = make_plant(seed=4), make_plant(seed=4), make_plant(seed=5)
    for _ in range(60):
        plant.snapshot()
        plant.advance(2.0)
    other.advance(120.0)
    another.advance(120.0)
    first, second = plant.snapshot(), other.snapshot()
    assert (first.arriving_veh == second.arriving_veh).all() and plant.lost_s == other.lost_s > 0.0
    assert plant.inserted == other.inserted > 30
    assert another.inserted > 30


@pytest.mark.parametrize("seconds", [0.5, -1.0])
def test_only_whole_seconds_pass(seconds: float) -> None:
    with pytest.raises(BadInput, match="whole seconds"):
        make_plant().advance(seconds)
