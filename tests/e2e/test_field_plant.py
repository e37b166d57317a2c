"""The whole chain to the street: guard, drivers, UDP, one virtual controller a junction of the schematic corridor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from control.audit import MemoryAudit
from control.drivers.ber import Binding
from control.drivers.cabinet_server import CabinetServer
from control.drivers.field import FieldPlant
from control.drivers.ntcip import NtcipDriver
from control.drivers.objects import oid
from control.drivers.snmp import Endpoint, SnmpClient
from control.guard import Guard, street_limits
from ops.plan_runs import STREET_DAY, open_signals, orders_of
from traffic.decisions import Stage
from traffic.errors import ControllerFault, PlantLost, TrafficError, UnsafeCommand
from traffic.ids import JunctionId
from traffic.scenario import Scenario, read_scenario
from traffic.signals import Plan, Split

ROOT = Path(__file__).resolve().parents[2]
BEGIN_S = 25_200.0
STEP_DS = 5
PATTERN_CONTROL = oid("systemPatternControl")
BAD = JunctionId("giua")


class Corridor:
    """Six controllers behind their drivers and the guard; the clock runs only where a dialogue or a wait lets it."""

    def __init__(self, scenario: Scenario) -> None:
        town, self.installed = open_signals(scenario)
        self.junctions = town.signals.junctions
        start_ds = round(BEGIN_S * 10)
        self.server = CabinetServer(
            self.junctions, list(self.installed.values()), start_ds=start_ds, step_ds=STEP_DS, backup_time_s=300
        )
        self.now_ds, self.lock, self.stop = start_ds, threading.Lock(), threading.Event()
        self.server.tick(start_ds, {})
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        limits = street_limits(scenario.guard, scenario.clearance)
        self.clients = {
            name: SnmpClient(Endpoint(host=host, port=port, community=b"centre", timeout_s=1.0, retries=2))
            for name, (host, port) in self.server.addresses.items()
        }
        drivers = {
            name: NtcipDriver(wire, self.junctions[name], limits, sleep=lambda _: self.wait(1.0))
            for name, wire in self.clients.items()
        }
        self.audit = MemoryAudit()
        self.plant = FieldPlant(town.network, self.junctions, drivers, self.wait, self.audit)
        self.guard = Guard(
            self.plant,
            limits,
            audit=self.audit,
            now=lambda: STREET_DAY + timedelta(seconds=self.now_ds / 10),
            authority=self.plant.authority,
        )

    def _serve(self) -> None:
        while not self.stop.is_set():
            with self.lock:
                self.server.serve_pending(0.002)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 10 / STEP_DS)):
            with self.lock:
                self.now_ds += STEP_DS
                self.server.tick(self.now_ds, {})

    def push(self, plans: list[Plan]) -> None:
        orders = orders_of(self.junctions, plans, sequence_number=1, time_s=self.now_ds / 10)
        self.guard.command(orders)

    def asked(self) -> dict[JunctionId, object]:
        """Return the pattern that each controller was asked for, straight from its table."""
        return {name: cabinet.tables.get(PATTERN_CONTROL) for name, cabinet in self.server.controllers.items()}

    def close(self) -> None:
        self.stop.set()
        self.thread.join(5.0)
        for wire in self.clients.values():
            wire.close()
        self.server.close()


@pytest.fixture
def corridor() -> Iterator[Corridor]:
    street = Corridor(read_scenario(ROOT / "scenarios" / "thanh_hoa"))
    yield street
    street.close()


def shifted(corridor: Corridor) -> list[Plan]:
    """Return the installed plans with other offsets."""
    return [
        replace(plan, pattern=replace(plan.pattern, offset_s=(plan.pattern.offset_s + 11) % plan.pattern.cycle_s))
        for plan in corridor.installed.values()
    ]


def test_plans_are_pushed_confirmed_kept_by_the_lease_and_released(corridor: Corridor) -> None:
    plans = shifted(corridor)
    corridor.push(plans)
    assert corridor.plant.read_back == {plan.junction: True for plan in plans}
    corridor.guard.advance(3 * plans[0].pattern.cycle_s)
    assert corridor.plant.is_confirmed
    corridor.guard.advance(900.0)
    assert all(isinstance(number, int) and number > 0 for number in corridor.asked().values())
    corridor.plant.release_all("end")
    assert set(corridor.asked().values()) == {0}


def test_a_centre_that_is_gone_leaves_the_local_plans_running(corridor: Corridor) -> None:
    corridor.push(shifted(corridor))
    corridor.wait(700.0)
    patterns = {c.tables.get(oid("coordPatternStatus")) for c in corridor.server.controllers.values()}
    assert patterns == {1}


def test_a_controller_that_drops_to_free_is_released_and_the_others_go_on(corridor: Corridor) -> None:
    corridor.push(shifted(corridor))
    corridor.guard.advance(300.0)
    corridor.server.controllers[BAD].inputs.is_free = True
    with pytest.raises(ControllerFault, match="giua"):
        corridor.guard.advance(300.0)
    asked = corridor.asked()
    assert asked.pop(BAD) == 0
    assert 0 not in asked.values()


def make_bad(corridor: Corridor, fault: str) -> None:
    """Put one controller into a state in which it may not be commanded."""
    cabinet = corridor.server.controllers[BAD]
    with corridor.lock:
        match fault:
            case "flash":
                cabinet.inputs.is_local_flash = True
            case "preempt":
                cabinet.inputs.preempt = 1
            case "remote disabled":
                cabinet.inputs.is_remote_disabled = True
            case "manual":
                assert cabinet.tables.set([Binding(oid("coordOperationalMode"), 1)], b"technician")[0] == 0
            case "fail-safe off":
                assert cabinet.tables.set([Binding(oid("unitBackupTime"), 0)], b"technician")[0] == 0
            case "another junction":
                assert cabinet.tables.set([Binding(oid("sysName"), b"elsewhere")], b"technician")[0] == 0
    if fault == "silent":
        host = corridor.clients[BAD].endpoint
        corridor.clients[BAD].close()
        dead = SnmpClient(replace(host, port=9, timeout_s=0.2, retries=0))
        corridor.clients[BAD] = dead
        corridor.plant._posts[BAD].driver = NtcipDriver(dead, corridor.junctions[BAD], corridor.guard.limits)
    corridor.wait(5.0)


@pytest.mark.parametrize(
    "fault", ["flash", "preempt", "remote disabled", "manual", "fail-safe off", "another junction", "silent"]
)
def test_one_bad_controller_and_nothing_is_pushed_anywhere(corridor: Corridor, fault: str) -> None:
    make_bad(corridor, fault)
    with pytest.raises((UnsafeCommand, ControllerFault, PlantLost)) as caught:
        corridor.push(shifted(corridor))
    named = "127.0.0.1:9" if fault == "silent" else str(BAD)
    assert "\n" not in caught.value.line and named in caught.value.line
    assert set(corridor.asked().values()) == {0}
    assert not corridor.audit.of_kind("push")


def short_split(plan: Plan) -> Plan:
    first, second, *rest = plan.split.splits
    moved = first.split_s - 3
    rows = (replace(first, split_s=3), replace(second, split_s=second.split_s + moved), *rest)
    return replace(plan, split=replace(plan.split, splits=rows))


def unequal(plan: Plan) -> Plan:
    rows = (replace(plan.split.splits[0], split_s=plan.split.splits[0].split_s + 1), *plan.split.splits[1:])
    return replace(plan, split=replace(plan.split, splits=rows))


def late(plan: Plan) -> Plan:
    return replace(plan, pattern=replace(plan.pattern, offset_s=plan.pattern.cycle_s))


def crowded(plan: Plan) -> Plan:
    rows = (*plan.split.splits, Split(phase=plan.split.splits[0].phase, split_s=10))
    return replace(plan, split=replace(plan.split, splits=rows))


@pytest.mark.parametrize("spoil", [short_split, unequal, late, crowded], ids=lambda f: str(f.__name__))
def test_one_illegal_plan_and_nothing_is_sent(corridor: Corridor, spoil: object) -> None:
    plans = shifted(corridor)
    plans[2] = spoil(plans[2])  # type: ignore[operator]
    before = {
        name: cabinet.tables.get(oid("dbCreateTransaction")) for name, cabinet in corridor.server.controllers.items()
    }
    with pytest.raises(TrafficError, match="guard refused"):
        corridor.push(plans)
    after = {
        name: cabinet.tables.get(oid("dbCreateTransaction")) for name, cabinet in corridor.server.controllers.items()
    }
    assert before == after and set(corridor.asked().values()) == {0}
    assert not corridor.audit.of_kind("push")


def test_a_stage_is_not_for_this_street(corridor: Corridor) -> None:
    with pytest.raises(UnsafeCommand):
        corridor.guard.command([Stage(BAD, 0)])
    assert set(corridor.asked().values()) == {0}
