"""Many virtual controllers in one process, one UDP port each, ticked by whoever has the street's clock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from control.drivers.agent import Access, SnmpAgent
from control.drivers.cabinet import CabinetSettings, VirtualController
from control.drivers.tables_rows import all_day
from traffic.errors import BadScenario
from traffic.ids import DetectorId, JunctionId
from traffic.ports import EventSink
from traffic.signals import Junction, Plan


class CabinetServer:
    """Controllers of a street and their SNMP agents. `addresses` maps a junction to (host, port).

    Parameters
    ----------
    junctions
        What is installed.
    plans
        Local plans; a junction's first one runs all day, the others are in its tables.
    start_ds, step_ds
        The street's clock at the start, and its step, tenths.
    backup_time_s
        Fail-safe time-out as delivered; 0 = off.
    sink
        Where the event log goes.

    Raises
    ------
    BadScenario
        If a junction has no local plan, or the step does not divide a second.
    """

    def __init__(
        self,
        junctions: Mapping[JunctionId, Junction],
        plans: Sequence[Plan],
        *,
        start_ds: int = 0,
        step_ds: int = 1,
        backup_time_s: int = 60,
        sink: EventSink | None = None,
    ) -> None:
        settings = CabinetSettings(start_ds=start_ds, step_ds=step_ds, backup_time_s=backup_time_s)
        local = {identity: [plan for plan in plans if plan.junction == identity] for identity in junctions}
        without = [identity for identity, own in local.items() if not own]
        if without:
            told = ", ".join(without)
            raise BadScenario("local plans: none for", told, "at least one each", "add them to signals.json")
        self.controllers = {
            identity: VirtualController(junction, all_day(local[identity]), settings, sink)
            for identity, junction in junctions.items()
        }
        communities = frozenset({b"administrator", b"centre", b"technician"})
        self.agent = SnmpAgent(Access(read=communities | {b"public"}, write=communities))
        self.addresses: dict[JunctionId, tuple[str, int]] = {
            identity: (self.agent.host, self.agent.add(controller.tables))
            for identity, controller in self.controllers.items()
        }

    def tick(self, time_ds: int, detectors: Mapping[DetectorId, bool]) -> dict[JunctionId, str]:
        """Advance all controllers to this tenth of a second and return their lamp strings."""
        return {identity: controller.tick(time_ds, detectors) for identity, controller in self.controllers.items()}

    def serve_pending(self, timeout_s: float = 0.0) -> int:
        """Answer what has come in, waiting at most `timeout_s` for it; return the number of datagrams."""
        return self.agent.serve(timeout_s)

    def write_addresses(self, path: Path) -> None:
        """Write {junction: [host, port]} as JSON."""
        path.write_text(json.dumps({str(name): list(address) for name, address in self.addresses.items()}) + "\n")

    def close(self) -> None:
        """Give the ports back."""
        self.agent.close()
