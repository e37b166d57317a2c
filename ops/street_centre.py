"""The centre's end of a street's controllers: guard over drivers over SNMP.

::

    guard -- FieldPlant -- NtcipDriver -- SnmpClient ~~UDP~~ controller        one a junction

Time passes on the street only where the centre waits: in a dialogue, or between two decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

from control.audit import MemoryAudit
from control.drivers.field import FieldPlant, ZoneReadings
from control.drivers.ntcip import NtcipDriver
from control.drivers.snmp import SnmpClient
from control.guard import Guard, GuardLimits
from control.orders import STREET_DAY
from traffic.errors import ControllerFault, TrafficError
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.signals import Junction

PAUSE_S = 1.0
"""Least street time between two polls of one dialogue."""
INTERRUPTED = "interrupted"
"""Why controllers are released where none of them is at fault and the run did not end."""
CENTRE = b"centre"
"""The community of the centre; controllers tell masters apart by it."""


class StreetClock(Protocol):
    """Whatever holds a street at fixed times."""

    @property
    def time_s(self) -> float:
        """The street's clock, seconds."""

    def wait(self, seconds: float) -> None:
        """Let this much street time pass."""


class FieldCentre:
    """A guarded street behind its wires. In a `with`, controllers are released where anything goes wrong.

    Parameters
    ----------
    network, junctions
        What stands in the street.
    clients
        The wire to each controller; they are closed with the centre.
    limits
        Of a street; drivers refuse others.
    clock
        The street's clock.
    cameras
        What sees the detector zones; None where nothing does.
    """

    def __init__(
        self,
        network: Network,
        junctions: Mapping[JunctionId, Junction],
        clients: Mapping[JunctionId, SnmpClient],
        limits: GuardLimits,
        clock: StreetClock,
        cameras: Callable[[], ZoneReadings] | None = None,
    ) -> None:
        self.junctions, self.audit = junctions, MemoryAudit()
        self._clients, self._clock = clients, clock
        drivers = {
            name: NtcipDriver(wire, junctions[name], limits, sleep=self._pause) for name, wire in clients.items()
        }
        self.plant = FieldPlant(network, junctions, drivers, clock.wait, self.audit, cameras)
        self.guard = Guard(
            self.plant,
            limits,
            audit=self.audit,
            now=lambda: STREET_DAY + timedelta(seconds=clock.time_s),
            authority=self.plant.authority,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.release(error.line if isinstance(error, TrafficError) else INTERRUPTED)
        self.close()

    @property
    def time_s(self) -> float:
        """The street's clock, seconds."""
        return self._clock.time_s

    def advance(self, seconds: float) -> None:
        """Let time pass and renew leases; a controller that had to be released is in the audit, the street goes on."""
        try:
            self.guard.advance(seconds)
        except ControllerFault as fault:
            self.note(fault)

    def note(self, fault: ControllerFault) -> None:
        """Write a fault into the audit."""
        self.audit.append("fault", None, {"time_s": self.time_s, "error": fault.line})

    def release(self, reason: str) -> None:
        """Hand every controller back to its local plan."""
        self.plant.release_all(reason)

    def close(self) -> None:
        """Close the wires; what was sent stands."""
        for wire in self._clients.values():
            wire.close()

    def _pause(self, seconds: float) -> None:
        """Wait within a dialogue: a held street's clock has to go on, or a verification would never end."""
        self._clock.wait(max(PAUSE_S, seconds))
