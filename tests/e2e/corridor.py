"""The schematic corridor's six virtual controllers on real UDP ports, and the whole chain of the centre before them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from control.audit import MemoryAudit
from control.drivers import ber
from control.drivers.agent import Responder
from control.drivers.ber import Pdu
from control.drivers.cabinet_server import CabinetServer
from control.drivers.field import FieldPlant
from control.drivers.ntcip import NtcipDriver
from control.drivers.objects import oid
from control.drivers.snmp import Endpoint, ObjectTable, SnmpClient
from control.guard import Guard, street_limits
from control.orders import STREET_DAY, orders_of
from ops.plan_runs import open_signals
from traffic.decisions import SelectPattern
from traffic.ids import JunctionId
from traffic.scenario import Scenario
from traffic.signals import Plan

BEGIN_S = 25_200.0
STEP_DS = 5


@dataclass(slots=True)
class CountingResponder(Responder):
    """An agent's answers, how many SETs came in, and whose answers are lost."""

    n_sets: int = 0
    is_mute: Callable[[ObjectTable], bool] = lambda _: False

    def answer(self, table: ObjectTable, data: bytes) -> bytes | None:
        if self.is_mute(table):
            return None
        self.n_sets += ber.decode(data).kind is Pdu.SET
        return Responder.answer(self, table, data)


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
        self.responder = CountingResponder(self.server.agent.responder.access)
        self.server.agent.responder = self.responder
        self.shown = self.server.tick(start_ds, {})
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
                self.shown = self.server.tick(self.now_ds, {})

    def push(self, plans: list[Plan], sequence_number: int = 1) -> None:
        self.guard.command(self.orders(plans, sequence_number))

    def orders(self, plans: list[Plan], sequence_number: int = 1) -> list[SelectPattern]:
        return orders_of(self.junctions, plans, sequence_number=sequence_number, time_s=self.now_ds / 10)

    def shifted(self, seconds: int = 11) -> list[Plan]:
        """Return the installed plans with other offsets."""
        return [
            replace(
                plan, pattern=replace(plan.pattern, offset_s=(plan.pattern.offset_s + seconds) % plan.pattern.cycle_s)
            )
            for plan in self.installed.values()
        ]

    def asked(self) -> dict[JunctionId, object]:
        """Return the pattern that each controller was asked for, straight from its table."""
        return self.held("systemPatternControl")

    def held(self, name: str, *index: int) -> dict[JunctionId, object]:
        """Return an object of each controller, straight from its table."""
        return {junction: c.tables.get(oid(name, *index)) for junction, c in self.server.controllers.items()}

    def close(self) -> None:
        self.stop.set()
        self.thread.join(5.0)
        for wire in self.clients.values():
            wire.close()
        self.server.close()
