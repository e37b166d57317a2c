"""Attempts to get an unsafe command past the guard: lies, odd types, exceptions at the worst moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from control.audit import MemoryAudit
from control.drivers.field import FieldPlant, lamps_of
from control.lamp_rules import lamp_faults
from control.limits import GuardLimits, legacy_limits
from tests.unit.control.fakes import FakePlant, make_crossroads, make_plan
from tests.unit.control.test_guard import LIMITS, A, make_guard, make_identity, make_status, refuse, select
from traffic.decisions import Decision, Release, Stage
from traffic.errors import ControllerFault, PlantLost, UnsafeCommand
from traffic.ids import JunctionId, PhaseNumber
from traffic.ports import ControllerStatus, Driver, Identity
from traffic.signals import Overlap, Plan, SplitMode
from traffic.snapshot import Snapshot

B, C = JunctionId("b"), JunctionId("c")
STREET = GuardLimits(is_clearance_accepted=True)


class LyingPlant(FakePlant):
    """Tells what `lie` makes of its snapshot; fails on commands while `is_deaf`."""

    def __init__(self, names: Sequence[str] = ("a",)) -> None:
        super().__init__([make_crossroads(name) for name in names])
        self.lie: Callable[[Snapshot], Snapshot] = lambda snapshot: snapshot
        self.is_deaf = False
        self.attempts = 0

    def snapshot(self) -> Snapshot:
        return self.lie(super().snapshot())

    def command(self, decisions: Sequence[Decision]) -> None:
        self.attempts += 1
        if self.is_deaf:
            raise ControllerFault("controller of junction a", "reads back something else")
        super().command(decisions)


# ---- snapshots that cannot be true ------------------------------------------------------------

LIES: dict[str, Callable[[Snapshot], Snapshot]] = {
    "clock is NaN": lambda s: replace(s, time_s=nan),
    "clock is infinite": lambda s: replace(s, time_s=inf),
    "green since NaN": lambda s: replace(s, green_since_s=(nan,)),
    "green since the future": lambda s: replace(s, green_since_s=(s.time_s + 1,)),
    "a stage that is not there": lambda s: replace(s, stage=(99,)),
    "no lamps": lambda s: replace(s, lamps=()),
    "lamps of two": lambda s: replace(s, lamps=s.lamps * 2),
    "no stage": lambda s: replace(s, stage=()),
    "a reading short": lambda s: replace(s, arriving_veh=np.zeros(1)),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_nothing_is_commanded_on_a_snapshot_that_cannot_be_true(lie: Callable[[Snapshot], Snapshot]) -> None:
    plant = LyingPlant()
    guard = make_guard(plant)
    guard.advance(6)
    plant.lie = lie
    for _ in range(2):
        with pytest.raises(PlantLost, match="snapshot"):
            guard.command([Stage(A, 2)])
    assert plant.attempts == 0


def test_a_conflict_whose_release_fails_still_holds_commands() -> None:
    plant = LyingPlant(("a", "b"))
    guard = make_guard(plant)
    guard.advance(6)
    guard.command([Stage(A, 0), Stage(B, 0)])
    guard.advance(6)
    plant.lie = lambda s: replace(s, lamps=("GGGGGGGG", "GGGGGGGG"))
    plant.is_deaf = True
    for _ in range(2):
        with pytest.raises(ControllerFault):
            guard.snapshot()
    plant.is_deaf, plant.lie = False, lambda s: s
    line = refuse(guard, Stage(A, 2), Stage(B, 2))
    assert "junction a: released" in line and "junction b: released" in line


# ---- decisions that are not what they seem ----------------------------------------------------


def test_a_batch_that_says_something_else_when_read_again_is_read_once() -> None:
    class Turncoat(list[Decision]):
        reads = 0

        def __iter__(self) -> Iterator[Decision]:
            self.reads += 1
            return iter([Stage(A, 2)] if self.reads == 1 else [Stage(A, 2), Stage(A, 1)])

    plant = LyingPlant()
    guard = make_guard(plant)
    guard.advance(6)
    guard.command(Turncoat([Stage(A, 2)]))
    assert plant.commands == [(Stage(A, 2),)]


def test_a_decision_of_a_subclass_is_refused() -> None:
    class Chameleon(Stage):
        pass

    guard = make_guard()
    guard.advance(6)
    assert "no decision" in refuse(guard, Chameleon(A, 2))


class Small(int):
    """A number that claims to be within every bound."""

    def __le__(self, other: object) -> bool:
        return True

    def __ge__(self, other: object) -> bool:
        return True


def bad_plans() -> dict[str, Plan]:
    plan = make_plan(make_crossroads())

    def with_first(**changes: object) -> Plan:
        first = replace(plan.split.splits[0], **changes)  # type: ignore[arg-type]
        return replace(plan, split=replace(plan.split, splits=(first, *plan.split.splits[1:])))

    return {
        "omitted, as a plain word": with_first(mode="phaseOmitted"),
        "no mode": with_first(mode=None),
        "a mode of another kind": with_first(mode=SplitMode.OMITTED.value.upper()),
        "phase True": with_first(phase=True),
        "phase 1.0": with_first(phase=1.0),
        "coordinated by a word": with_first(is_coordinated="no"),
        "splits that can be changed": replace(plan, split=replace(plan.split, splits=list(plan.split.splits))),  # type: ignore[arg-type]
        "a cycle that claims to be small": replace(plan, pattern=replace(plan.pattern, cycle_s=Small(64))),
        "sequence True": replace(plan, pattern=replace(plan.pattern, sequence=True)),
        "a correction that is no correction": replace(plan, pattern=replace(plan.pattern, correction="dwell")),  # type: ignore[arg-type]
        "no split table": replace(plan, split=None),  # type: ignore[arg-type]
    }


@pytest.mark.parametrize("plan", bad_plans().values(), ids=bad_plans().keys())
def test_a_plan_of_odd_types_is_refused(plan: Plan) -> None:
    guard = make_guard()
    assert "plan" in refuse(guard, select(guard.junctions[A], plan))


@pytest.mark.parametrize("field", ["valid_from", "expires", "plan", "issuer", "config_hash"])
def test_an_order_of_odd_types_is_refused(field: str) -> None:
    guard = make_guard()
    decision = select(guard.junctions[A])
    order = replace(decision.order, **{field: 7})  # type: ignore[arg-type]
    assert refuse(guard, replace(decision, order=order))


def test_a_time_too_large_for_a_float_is_refused() -> None:
    guard = make_guard()
    guard.advance(6)
    assert "not before" in refuse(guard, Stage(A, 2, 10**400))


# ---- a batch that fails in the middle ---------------------------------------------------------


def test_after_a_batch_that_failed_no_command_for_three_cycles_and_twice_needs_a_person() -> None:
    plant = LyingPlant()
    guard = make_guard(plant)
    plant.is_deaf = True
    with pytest.raises(ControllerFault):
        guard.command([select(guard.junctions[A])])
    plant.is_deaf = False
    assert "no command before" in refuse(guard, select(guard.junctions[A], sequence=2))
    guard.advance(600)
    plant.is_deaf = True
    with pytest.raises(ControllerFault):
        guard.command([select(guard.junctions[A], sequence=3)])
    plant.is_deaf = False
    guard.advance(600)
    assert "a person must unlock it" in refuse(guard, select(guard.junctions[A], sequence=4))


class FakeDriver:
    """A driver that obeys, unless told what to raise."""

    def __init__(self, name: JunctionId) -> None:
        self.junction, self.released, self.time_s = make_crossroads(name), 0, 0.0
        self.on_select: BaseException | None = None
        self.on_release: BaseException | None = None
        self.on_refresh: BaseException | None = None
        self.is_confirmed = False

    def identify(self) -> Identity:
        return make_identity(self.junction)

    def status(self) -> ControllerStatus:
        return make_status(time_s=self.time_s)

    def load(self, plan: Plan) -> Plan:
        return plan

    def select(self, pattern: int) -> None:
        if self.on_select is not None:
            raise self.on_select

    def refresh(self) -> None:
        if self.on_refresh is not None:
            raise self.on_refresh

    def release(self) -> None:
        if self.on_release is not None:
            raise self.on_release
        self.released += 1


def make_field(names: Sequence[JunctionId] = (A, B, C)) -> tuple[FieldPlant, dict[JunctionId, FakeDriver]]:
    fake = FakePlant([make_crossroads(name) for name in names])
    drivers = {name: FakeDriver(name) for name in names}

    def wait(seconds: float) -> None:
        for driver in drivers.values():
            driver.time_s += seconds

    wired: dict[JunctionId, Driver] = dict(drivers)
    return FieldPlant(fake.network, fake.junctions, wired, wait, MemoryAudit()), drivers


def test_every_controller_of_a_failed_batch_is_released_whatever_the_others_answer() -> None:
    plant, drivers = make_field()
    drivers[A].on_release = UnsafeCommand("fence", "somebody else may write now")
    drivers[C].on_select = PlantLost("controller of junction c")
    with pytest.raises(PlantLost):
        plant.command([select(plant.junctions[name]) for name in (A, B, C)])
    assert drivers[B].released == 1 and drivers[C].released == 1


@pytest.mark.parametrize("error", [KeyError("x"), KeyboardInterrupt()], ids=["a fault of ours", "a person's Ctrl-C"])
def test_a_batch_broken_off_by_anything_is_released(error: BaseException) -> None:
    plant, drivers = make_field()
    drivers[B].on_select = error
    with pytest.raises(type(error)):
        plant.command([select(plant.junctions[name]) for name in (A, B, C)])
    assert (drivers[A].released, drivers[B].released, drivers[C].released) == (1, 1, 0)


def test_the_other_releases_of_a_batch_are_sent_though_one_fails() -> None:
    plant, drivers = make_field()
    drivers[A].on_release = PlantLost("controller of junction a")
    with pytest.raises(PlantLost):
        plant.command([Release(A), Release(B), Release(C)])
    assert drivers[B].released == 1 and drivers[C].released == 1


def test_one_controllers_clock_does_not_shorten_the_wait_of_the_others() -> None:
    plant, drivers = make_field()
    guard = make_guard(plant, STREET)  # type: ignore[arg-type]
    guard.command([select(plant.junctions[A])])
    drivers[C].time_s += 1e6
    guard.advance(30)
    other = make_plan(plant.junctions[A], (22, 12, 18, 12))
    with pytest.raises(UnsafeCommand, match="second plan change"):
        guard.command([select(plant.junctions[A], other, sequence=2)])


def test_a_controller_that_the_street_released_is_held_by_the_guard_too() -> None:
    plant, drivers = make_field()
    guard = make_guard(plant, STREET)  # type: ignore[arg-type]
    guard.command([select(plant.junctions[A])])
    drivers[A].on_refresh = ControllerFault("controller of junction a", "splitOverrun")
    with pytest.raises(ControllerFault):
        guard.advance(60)
    drivers[A].on_refresh = None
    with pytest.raises(UnsafeCommand, match="no command before"):
        guard.command([select(plant.junctions[A], sequence=2)])


def test_a_second_overlap_at_red_does_not_hide_a_conflicting_green() -> None:
    one, three, four = (PhaseNumber(n) for n in (1, 3, 4))
    overlaps = (
        Overlap(number=1, link_indices=(0,), protected=frozenset({one})),
        Overlap(number=2, link_indices=(2,), protected=frozenset({three})),
        Overlap(number=3, link_indices=(0,), permissive=frozenset({four})),
    )
    junction = replace(make_crossroads(), overlaps=overlaps)
    shown = lamps_of(junction, make_status(greens=frozenset({one, three})))
    assert shown == "GrGrrrrr"
    assert lamp_faults(junction, shown)


@pytest.mark.parametrize("limits", [legacy_limits(), LIMITS], ids=["legacy", "an evaluation"])
def test_a_street_is_not_guarded_by_less_than_all_rules(limits: GuardLimits) -> None:
    plant, _ = make_field()
    with pytest.raises(UnsafeCommand, match="a street needs every rule"):
        make_guard(plant, limits)  # type: ignore[arg-type]


def test_a_refused_push_does_not_throw_out_who_runs_there() -> None:
    plant, drivers = make_field()
    drivers[B].on_select = UnsafeCommand("controller of junction b", "another master's lease stands")
    with pytest.raises(UnsafeCommand):
        plant.command([select(plant.junctions[name]) for name in (A, B)])
    assert (drivers[A].released, drivers[B].released) == (1, 0)
