"""What holds in the queue model whatever the town, the demand and the plans: laws on random grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.core.arrays import LOSS, RED, Array, State
from control.queue_model import Outcome, QueueModel
from control.queue_physics import Physics
from tests.unit.control.queue_film import queues, states
from tests.unit.control.queue_grids import Case, cases, make_case

few = settings(max_examples=25, deadline=None, derandomize=True)
many = settings(max_examples=100, deadline=None, derandomize=True)


def row_of(outcome: Outcome, plan: int) -> Outcome:
    """Return the outcome of one set of plans."""
    return replace(outcome, **{name: getattr(outcome, name)[plan : plan + 1] for name in outcome.__slots__})


def same(one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes are equal to the bit."""
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in one.__slots__)


@many
@given(cases())
def test_every_vehicle_is_in_one_place(case: Case) -> None:
    outcome = case.model.run(case.plans, n_replicas=2)
    due = sum(row.depart_s < case.model.journeys.end_s for row in case.model.journeys.rows)
    assert np.all(outcome.scheduled == due)
    assert np.all(outcome.scheduled == outcome.inserted + outcome.not_departed)
    assert np.all(outcome.inserted == outcome.running + outcome.arrived)


@many
@given(cases())
def test_nothing_is_negative_and_everything_is_finite(case: Case) -> None:
    outcome = case.model.run(case.plans, n_replicas=2)
    for name in outcome.__slots__:
        values = getattr(outcome, name)
        assert np.all(np.isfinite(values)) and np.all(values >= 0.0), name
    assert np.all(outcome.lane_loss_s.sum(axis=2) <= outcome.totals[..., LOSS] * (1 + 1e-9) + 1e-6)


def check_second(model: QueueModel, before: list[list[int]], conns: Array, state: State) -> list[list[int]]:
    """Check what one second did to every lane: first in first out, no more than its room, no one over a red."""
    now = queues(model, state)
    roads = model.compiled.roads
    for lane, (old, new) in enumerate(zip(before, now, strict=True)):
        left = len([vehicle for vehicle in old if vehicle not in new])
        assert old[left:] == new[: len(old) - left], "first in, first out"
        assert len(new) <= roads.lanes[lane]["room"]
        assert len(set(new)) == len(new)
        for vehicle in old[:left]:
            assert state.lamps[0, conns[vehicle]] != RED
    everyone = [vehicle for lane in now for vehicle in lane]
    assert len(set(everyone)) == len(everyone)
    return now


@few
@given(cases(seconds=100))
def test_lanes_are_first_in_first_out_within_their_room_and_no_one_passes_a_red(case: Case) -> None:
    model = case.model
    before: list[list[int]] = [[] for _ in model.compiled.roads.lanes]
    conns = np.zeros(max(1, len(model.compiled.roads.vehicles)), np.int32)
    for state in states(model, case.plans[0]):
        before = check_second(model, before, conns, state)
        for lane, row in enumerate(model.compiled.roads.lanes):
            places = (state.lanes["head"][0, lane] - row["first"] + np.arange(len(before[lane]))) % row["room"]
            conns[before[lane]] = state.slots["conn"][0, places + row["first"]]


@few
@given(cases(), st.integers(0, 2**63), st.integers(2, 4))
def test_the_same_seed_gives_the_same_answer_whatever_the_threads_and_the_batch(
    case: Case, seed: int, n_threads: int
) -> None:
    model, plans = case.model, case.plans
    together = model.run(plans, n_replicas=3, seed=seed)
    assert same(together, model.run(plans, n_replicas=3, seed=seed, n_threads=n_threads))
    for place in range(len(plans)):
        alone = model.run([plans[place]], n_replicas=3, seed=seed)
        assert same(alone, row_of(together, place))
    fewer = model.run(plans, n_replicas=1, seed=seed)
    assert np.array_equal(fewer.totals[:, 0], together.totals[:, 0])


def test_other_seeds_and_other_replicas_give_other_answers() -> None:
    case = make_case((2, 2), 80, 5, 300)
    answers = [case.model.run(case.plans[:1], n_replicas=4, seed=seed).delay_s for seed in (0, 1, 2**40)]
    assert len(np.unique(np.concatenate(answers))) == 12


def test_without_chance_all_replicas_are_equal() -> None:
    case = make_case((2, 2), 80, 5, 300)
    types = {name: replace(row, speed_dev=0.0) for name, row in case.model.journeys.types.items()}
    rows = tuple(replace(row, depart_pos="base") for row in case.model.journeys.rows)
    model = QueueModel(
        case.model.network,
        case.model.junctions,
        replace(case.model.journeys, types=types, rows=rows),
        Physics(noise=0.0),
    )
    assert len(np.unique(model.run(case.plans[:1], n_replicas=4).delay_s)) == 1


@pytest.mark.parametrize("shape", [(1, 1), (3, 2)], ids=str)
def test_an_empty_town_stays_empty(shape: tuple[int, int]) -> None:
    case = make_case(shape, 0, 1, 100)
    outcome = case.model.run(case.plans)
    assert not outcome.totals.any() and not outcome.delay_s.any()
