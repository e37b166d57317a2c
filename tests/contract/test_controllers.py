"""What every controller keeps: same state and snapshot, same decision; nothing hidden; blindness survived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.controllers.fixed_time import FixedTime
from control.controllers.greedy import Greedy
from control.controllers.max_pressure import MaxPressure
from control.guard import Guard
from control.limits import GuardLimits
from control.one_by_one import OneByOne
from tests.unit.control.fakes import FakePlant, make_crossroads
from tests.unit.control.mpc_factories import make_mpc, make_plan_mpc, make_universal
from traffic.decisions import Stage
from traffic.ports import Controller
from traffic.snapshot import Snapshot

CONTROLLERS: dict[str, Callable[[], Controller[Any]]] = {
    "fixed_time": FixedTime,
    "greedy": Greedy,
    "max_pressure": MaxPressure,
    "mpc": make_mpc,
    "plan_mpc": make_plan_mpc,
    "universal": make_universal,
}
BY_STAGES = {name: make for name, make in CONTROLLERS.items() if name not in ("fixed_time", "plan_mpc")}
every = pytest.mark.parametrize("make", CONTROLLERS.values(), ids=CONTROLLERS.keys())
by_stages = pytest.mark.parametrize("make", BY_STAGES.values(), ids=BY_STAGES.keys())


def make_plant() -> FakePlant:
    return FakePlant([make_crossroads("a"), make_crossroads("b")])


def with_readings(snapshot: Snapshot, arriving: object, leaving: object = 0.0) -> Snapshot:
    shape = snapshot.arriving_veh.shape
    return replace(
        snapshot,
        arriving_veh=np.broadcast_to(np.asarray(arriving, dtype=float), shape).copy(),
        leaving_veh=np.broadcast_to(np.asarray(leaving, dtype=float), shape).copy(),
    )


READINGS = st.lists(st.sampled_from([0.0, 1.0, 3.0, 12.5, float("nan")]), min_size=16, max_size=16)


@every
@given(arriving=READINGS, leaving=READINGS)
@settings(max_examples=50, deadline=None)
def test_same_state_and_snapshot_same_decision(
    make: Callable[[], Controller[Any]], arriving: list[float], leaving: list[float]
) -> None:
    plant = make_plant()
    snapshot = with_readings(plant.snapshot(), arriving, leaving)
    controller, other = make(), make()
    state = controller.start(plant)
    first, _ = controller.decide(snapshot, state)
    controller.decide(with_readings(snapshot, 5.0), state)
    again, _ = controller.decide(snapshot, state)
    elsewhere, _ = other.decide(snapshot, other.start(plant))
    assert list(first) == list(again) == list(elsewhere)
    for decision in first:
        assert isinstance(decision, Stage)
        assert 0 <= decision.stage < len(plant.stages[decision.junction])


@every
def test_a_snapshot_is_read_and_never_written(make: Callable[[], Controller[Any]]) -> None:
    plant = make_plant()
    snapshot = with_readings(plant.snapshot(), 2.0)
    for array in (snapshot.arriving_veh, snapshot.leaving_veh, snapshot.queued_veh, snapshot.zone_length_m):
        array.setflags(write=False)
    controller = make()
    controller.decide(snapshot, controller.start(plant))


@every
def test_starting_reads_no_traffic(make: Callable[[], Controller[Any]]) -> None:
    class Blindfold(FakePlant):
        def snapshot(self) -> Snapshot:
            raise AssertionError("start may not look at traffic")

    make().start(Blindfold())


@every
def test_what_comes_later_changes_nothing_before(make: Callable[[], Controller[Any]]) -> None:
    """No foresight on a fake street: readings after 300 s differ, decisions up to then do not."""

    def decisions_until_300(later: float) -> list[object]:
        plant, said = make_plant(), []
        controller = make()
        state = controller.start(plant)
        rng = np.random.default_rng(3)
        while plant.time_s < 600.0:
            plant.readings[:] = rng.integers(0, 9, size=16) if plant.time_s <= 300.0 else later
            decided, state = controller.decide(plant.snapshot(), state)
            if plant.time_s <= 300.0:
                said.append((plant.time_s, tuple(decided)))
            plant.command(decided)
            plant.advance(10)
        return said

    assert decisions_until_300(0.0) == decisions_until_300(9.0)


LOST = [(make, lost) for make in BY_STAGES.values() for lost in (slice(None), slice(0, 1)) if make != make_universal]


def seen_at_a(controller: Controller[Any], readings: object) -> list[tuple[int, str]]:
    """Return stage and lamps of junction a at every decision in 600 s, its detectors saying the same all the time."""
    plant = make_plant()
    state = controller.start(plant)
    plant.readings[8:] = 1.0
    plant.readings[:8] = readings
    seen = []
    for _ in range(60):
        snapshot = plant.snapshot()
        seen.append((snapshot.stage[0], snapshot.lamps[0]))
        decided, state = controller.decide(snapshot, state)
        plant.command(decided)
        plant.advance(10)
    return seen


@pytest.mark.parametrize(("make", "lost"), [*LOST, (make_universal, slice(None))])
def test_a_blind_junction_is_served_in_turn(make: Callable[[], Controller[Any]], lost: slice) -> None:
    readings = np.zeros(8)
    readings[lost] = float("nan")
    served = {stage for stage, _ in seen_at_a(make(), readings)}
    assert {0, 1, 2, 3} <= served, "unknown is not empty: every stage is served"


@pytest.mark.parametrize("place", range(8))
def test_a_movement_that_the_universal_policy_does_not_see_is_served_beside_heavy_ones(place: int) -> None:
    readings = np.full(8, 9.0)
    readings[place] = float("nan")
    reds = "".join(lamps[place] for _, lamps in seen_at_a(make_universal(), readings))
    assert max(map(len, reds.replace("g", "G").split("G"))) * 10.0 <= 150.0, "120 s, and what runs ends first"


@by_stages
@pytest.mark.parametrize("place", [0, 1, 2, 7])
def test_the_only_vehicles_are_served(make: Callable[[], Controller[Any]], place: int) -> None:
    plant = make_plant()
    plant.command([Stage(junction, 0) for junction in plant.junctions])
    plant.readings[place] = 9.0
    controller = make()
    state = controller.start(plant)
    for _ in range(4):
        decided, state = controller.decide(plant.snapshot(), state)
        plant.command(decided)
        plant.advance(10)
    link = list(plant.network.movements.values())[place].link_indices[0]
    assert plant.snapshot().lamps[0][link] in "Gg"


@by_stages
def test_a_junction_in_a_change_is_left_alone(make: Callable[[], Controller[Any]]) -> None:
    plant = make_plant()
    snapshot = replace(with_readings(plant.snapshot(), [0, 0, 9, 0] * 4), stage=(-1, -1))
    controller = make()
    assert list(controller.decide(snapshot, controller.start(plant))[0]) == []


@by_stages
def test_behind_the_guard_nothing_is_forced_late_and_nothing_released(make: Callable[[], Controller[Any]]) -> None:
    plant = make_plant()
    guard = Guard(plant, GuardLimits(is_push=False, max_red_s=90.0))
    behind = OneByOne(guard)
    controller = make()
    state = controller.start(behind)
    rng = np.random.default_rng(11)
    waits = np.zeros(16)
    links = [m.link_indices[0] for m in plant.network.movements.values()]
    for _ in range(180):
        plant.readings[:] = rng.poisson([6, 0.4, 1, 0.2] * 4)
        plant.readings[3] = 1.0
        decided, state = controller.decide(behind.snapshot(), state)
        behind.command(decided)
        behind.advance(5)
    for _, shown, staged, _ in plant.history:
        letter = shown[0][links[3]]
        waits[3] = waits[3] + 1 if letter not in "Gg" and staged[0] else 0
        assert waits[3] <= 90.0
    assert guard.counts.released == 0


def test_a_tie_stays_with_the_running_stage() -> None:
    plant = make_plant()
    snapshot = with_readings(plant.snapshot(), 2.0)
    greedy = Greedy()
    assert list(greedy.decide(replace(snapshot, stage=(0, 2)), greedy.start(plant))[0]) == []


def test_pressure_turns_away_from_a_full_exit() -> None:
    # From the north through and from the east through: as many come, but the north's exit is full.
    plant = make_plant()
    arriving, leaving = np.zeros(16), np.zeros(16)
    arriving[[0, 2]] = 6.0
    leaving[0] = 30.0
    snapshot = replace(with_readings(plant.snapshot(), arriving, leaving), stage=(1, 0))
    controller = MaxPressure()
    decided, _ = controller.decide(snapshot, controller.start(plant))
    assert Stage(next(iter(plant.junctions)), 2) in decided
