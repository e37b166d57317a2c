"""A street of drivers: what is sent, what is released, what a lost poll means. The drivers are fakes, no wires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from control.audit import MemoryAudit
from control.drivers.field import FieldPlant, ZoneReadings, is_same_timing
from control.guard import Guard
from control.limits import GuardLimits
from tests.unit.control.fakes import FakePlant, make_crossroads, make_plan
from tests.unit.control.test_guard import A, make_identity, make_status, select
from traffic.decisions import Extend, Release, Stage
from traffic.errors import ControllerFault, PlantLost, UnsafeCommand
from traffic.ids import JunctionId, PhaseNumber
from traffic.ports import ControllerStatus, Identity
from traffic.signals import Plan

B, C = JunctionId("b"), JunctionId("c")
BACKUP_S = 60


class ToldDriver:
    """Obeys, notes every call, and raises what it was told to raise by the call's name."""

    def __init__(self, name: JunctionId) -> None:
        self.junction, self.time_s = make_crossroads(name), 0.0
        self.calls: list[str] = []
        self.raises: dict[str, Exception] = {}
        self.is_confirmed = False
        self.greens, self.yellows = frozenset[PhaseNumber](), frozenset[PhaseNumber]()
        self.reads: Plan | None = None

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.raises:
            raise self.raises[name]

    def identify(self) -> Identity:
        return make_identity(self.junction)

    def status(self) -> ControllerStatus:
        self._call("status")
        lit = {"greens": self.greens, "yellows": self.yellows}
        return make_status(time_s=self.time_s, backup_time_s=BACKUP_S, **lit)

    def load(self, plan: Plan) -> Plan:
        self._call("load")
        return self.reads or replace(plan, pattern=replace(plan.pattern, number=7))

    def select(self, pattern: int) -> None:
        self._call(f"select {pattern}")

    def refresh(self) -> None:
        self._call("refresh")

    def release(self) -> None:
        self._call("release")


class Field:
    """Three controllers, what the plant was told to wait, and its record."""

    def __init__(self) -> None:
        fake = FakePlant([make_crossroads(name) for name in (A, B, C)])
        self.drivers = {name: ToldDriver(name) for name in (A, B, C)}
        self.waits: list[float] = []
        self.audit = MemoryAudit()
        self.told: list[tuple[JunctionId, str]] = []
        self.plant = FieldPlant(fake.network, fake.junctions, dict(self.drivers), self._wait, self.audit)
        self.plant.on_release = lambda name, why: self.told.append((name, why))

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        for driver in self.drivers.values():
            driver.time_s += seconds

    def push(self, names: Sequence[JunctionId] = (A, B, C)) -> None:
        self.plant.command([select(self.plant.junctions[name]) for name in names])

    def released(self) -> list[JunctionId]:
        return [name for name, driver in self.drivers.items() if "release" in driver.calls]


def test_a_plan_is_loaded_read_back_selected_under_its_number_there_and_polled() -> None:
    field = Field()
    field.push([A])
    assert field.drivers[A].calls == ["load", "select 7", "status"]
    assert field.plant.read_back == {A: True}
    assert [(r.kind, r.junction, r.detail["pattern"]) for r in field.audit.records] == [("push", A, 7)]
    assert not field.drivers[B].calls


def test_a_batch_that_fails_half_way_releases_all_that_were_sent_and_leaves_the_rest_alone() -> None:
    field = Field()
    field.drivers[B].raises["load"] = ControllerFault("controller of junction b", "differs")
    with pytest.raises(ControllerFault, match="differs"):
        field.push()
    assert field.drivers[A].calls[-1] == "release"
    assert "load" not in field.drivers[C].calls
    assert not any(call.startswith("select") for call in field.drivers[B].calls)
    field.plant.advance(100.0)
    assert "refresh" not in field.drivers[A].calls


def test_a_read_back_that_differs_is_not_selected_and_all_are_released() -> None:
    field = Field()
    field.drivers[C].reads = make_plan(field.drivers[C].junction, (21, 12, 19, 12))
    with pytest.raises(ControllerFault, match="read back"):
        field.push()
    assert field.plant.read_back == {A: True, B: True, C: False}
    assert not any(call.startswith("select") for call in field.drivers[C].calls)
    assert field.released() == [A, B, C]


def test_nothing_is_sent_where_one_decision_is_by_stages() -> None:
    field = Field()
    for decision in (Stage(B, 0), Extend(B, 10.0)):
        with pytest.raises(UnsafeCommand, match="plans only"):
            field.plant.command([select(field.plant.junctions[A]), decision])
    assert not field.drivers[A].calls


def test_leases_are_renewed_three_times_in_a_backup_time_and_time_passes_exactly() -> None:
    field = Field()
    field.push()
    field.plant.advance(3600.0)
    assert sum(field.waits) == pytest.approx(3600.0) and max(field.waits) <= BACKUP_S / 3
    assert field.drivers[B].calls.count("refresh") == 180


def test_no_sliver_of_time_is_waited_for() -> None:
    field = Field()
    field.push()
    for driver in field.drivers.values():
        driver.status = lambda: make_status(backup_time_s=100)  # type: ignore[method-assign]
    field.plant.advance(20.0)
    field.waits.clear()
    field.plant.advance(33.0 + 1 / 3 + 1e-12)
    assert len(field.waits) == 1


def test_a_plan_is_confirmed_once_and_recorded_with_its_time() -> None:
    field = Field()
    field.push([A])
    seen = [field.plant.is_confirmed]
    field.drivers[A].is_confirmed = True
    field.plant.advance(60.0)
    assert [*seen, field.plant.is_confirmed] == [False, True]
    confirmed = field.audit.of_kind("confirmed")
    assert [(r.junction, r.detail["time_s"]) for r in confirmed] == [(A, 20.0)]


def test_a_plan_not_confirmed_in_time_is_released_named_and_told_and_the_others_go_on() -> None:
    field = Field()
    field.push()
    field.drivers[B].raises["refresh"] = ControllerFault("controller of junction b", "still in transition 3 cycles")
    with pytest.raises(ControllerFault, match="still in transition"):
        field.plant.advance(60.0)
    assert sum(field.waits) == 60.0
    assert field.released() == [B] and [name for name, _ in field.told] == [B]
    assert field.drivers[A].calls.count("refresh") == 3
    del field.drivers[B].raises["refresh"]
    field.plant.advance(60.0)
    assert field.drivers[B].calls.count("refresh") == 1


def test_lost_polls_hold_on_and_a_controller_that_comes_back_keeps_its_plan() -> None:
    field = Field()
    field.push([A])
    field.drivers[A].raises["refresh"] = PlantLost("controller of junction a", "no answer")
    field.plant.advance(40.0)
    assert not field.released()
    assert [r.detail["time_s"] for r in field.audit.of_kind("lost_poll")] == [20.0, 40.0]
    del field.drivers[A].raises["refresh"]
    field.plant.advance(200.0)
    assert not field.released()


def test_a_controller_unheard_for_its_whole_backup_time_counts_as_released() -> None:
    field = Field()
    field.push([A, B])
    lost = PlantLost("controller of junction a", "no answer")
    field.drivers[A].raises |= {"refresh": lost, "release": lost}
    with pytest.raises(ControllerFault, match="lease"):
        field.plant.advance(BACKUP_S + 20.0)
    assert [name for name, _ in field.told] == [A]
    n_calls = len(field.drivers[A].calls)
    field.plant.advance(60.0)
    assert len(field.drivers[A].calls) == n_calls
    assert field.drivers[B].calls[-2:] == ["refresh", "status"]


def test_a_fault_that_a_mere_poll_finds_releases_and_is_told() -> None:
    field = Field()
    field.push([A, B])
    field.drivers[A].raises["status"] = ControllerFault("controller of junction a", "dropped to free: splitOverrun")
    with pytest.raises(ControllerFault, match="splitOverrun"):
        field.plant.snapshot()
    assert field.told == [(A, "controller of junction a: dropped to free: splitOverrun")]
    del field.drivers[A].raises["status"]
    field.plant.advance(60.0)
    assert "refresh" not in field.drivers[A].calls and "refresh" in field.drivers[B].calls


def test_a_poll_that_is_lost_releases_nothing() -> None:
    field = Field()
    field.push([A])
    field.drivers[A].raises["status"] = PlantLost("controller of junction a", "no answer")
    with pytest.raises(PlantLost):
        field.plant.snapshot()
    assert not field.released() and not field.told


def test_a_release_hands_back_only_what_holds_a_plan_of_ours() -> None:
    field = Field()
    field.push([A, B])
    field.plant.command([Release(A)])
    field.plant.release_all("end of the run")
    assert field.released() == [A, B] and "release" not in field.drivers[C].calls
    assert field.drivers[A].calls.count("release") == 1


def test_a_release_that_nobody_answers_is_recorded_as_that() -> None:
    field = Field()
    field.push([A, B])
    field.drivers[A].raises["release"] = PlantLost("controller of junction a", "no answer")
    field.plant.release_all("end of the run")
    answers = {record.junction: str(record.detail["answer"]) for record in field.audit.of_kind("release")}
    assert answers[A].startswith("no answer, its lease runs out") and answers[B] == "released"


def test_a_snapshot_knows_lamps_and_time_and_nothing_of_the_zones() -> None:
    field = Field()
    field.drivers[B].time_s = field.drivers[C].time_s = 30.0
    snapshot = field.plant.snapshot()
    assert snapshot.time_s == 30.0 and snapshot.stage == (-1, -1, -1)
    for zone in (snapshot.arriving_veh, snapshot.queued_veh, snapshot.leaving_veh, snapshot.zone_length_m):
        assert zone.shape == (len(field.plant.network.movements),) and np.isnan(zone).all()


def test_a_snapshot_has_what_cameras_see_and_the_stage_that_polls_show_with_when_it_was_first_seen() -> None:
    field = Field()
    n = len(field.plant.network.movements)
    seen = ZoneReadings(np.full(n, 4.0), np.full(n, 3.0), np.full(n, 1.0), np.full(n, 50.0))
    drivers = dict(field.drivers)
    plant = FieldPlant(field.plant.network, field.plant.junctions, drivers, lambda _: None, field.audit, lambda: seen)
    one, two, none = frozenset({PhaseNumber(1)}), frozenset({PhaseNumber(2)}), frozenset[PhaseNumber]()
    snapshots = []
    for time_s, greens, yellows in ((10.0, one, none), (20.0, one, none), (30.0, none, one), (40.0, two, none)):
        for driver in field.drivers.values():
            driver.time_s = time_s
        field.drivers[A].greens, field.drivers[A].yellows = greens, yellows
        snapshots.append(plant.snapshot())
    assert [row.stage[0] for row in snapshots] == [0, 0, -1, 1]
    assert [row.green_since_s[0] for row in snapshots] == [10.0, 10.0, 30.0, 40.0]
    assert snapshots[0].lamps[0] == plant.stages[A][0]
    assert (snapshots[0].arriving_veh[0], snapshots[0].queued_veh[0], snapshots[0].leaving_veh[0]) == (4.0, 3.0, 1.0)
    assert snapshots[0].zone_length_m[0] == 50.0


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"number": 9, "split": 9}, True),
        ({"offset_s": 5}, False),
        ({"cycle_s": 65}, False),
        ({"sequence": 2}, False),
    ],
    ids=["another number", "another offset", "another cycle", "another sequence"],
)
def test_a_plan_read_back_may_differ_in_its_numbers_only(change: dict[str, int], is_same: bool) -> None:
    plan = make_plan(make_crossroads())
    read = replace(
        plan,
        pattern=replace(plan.pattern, **change),  # type: ignore[arg-type]
        split=replace(plan.split, number=change.get("split", 1)),
    )
    assert is_same_timing(plan, read) is is_same


def test_a_split_read_back_otherwise_is_no_same_timing() -> None:
    plan = make_plan(make_crossroads())
    assert not is_same_timing(plan, make_plan(make_crossroads(), (21, 12, 19, 12)))
    assert not is_same_timing(plan, replace(plan, junction=B))


def test_a_fault_right_after_the_selection_releases_and_tells_once() -> None:
    field = Field()
    field.push([A])
    field.drivers[A].raises["status"] = ControllerFault("controller of junction a", "dropped to free")
    with pytest.raises(ControllerFault):
        field.push([A])
    assert [name for name, _ in field.told] == [A] and field.drivers[A].calls.count("release") == 1


def test_a_release_long_after_the_push_still_holds_commands_for_three_cycles() -> None:
    field = Field()
    guard = Guard(field.plant, GuardLimits(is_clearance_accepted=True), audit=field.audit)
    guard.command([select(field.plant.junctions[A])])
    guard.advance(1000.0)
    field.drivers[A].raises["refresh"] = ControllerFault("controller of junction a", "dropped to free")
    with pytest.raises(ControllerFault):
        guard.advance(20.0)
    del field.drivers[A].raises["refresh"]
    guard.advance(100.0)
    with pytest.raises(UnsafeCommand, match="no command before"):
        guard.command([select(field.plant.junctions[A], sequence=2)])
    guard.advance(100.0)
    guard.command([select(field.plant.junctions[A], sequence=3)])
