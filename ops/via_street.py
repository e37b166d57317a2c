"""The street of an evaluation: SUMO and its controllers in one process, held wherever the centre does not wait.

::

    centre --SNMP request--> UDP socket --> controller       the answer is made while the centre waits for it:
           <--SNMP answer--- UDP socket <--                  one thread, so equal seeds give equal streets
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from control.drivers.cabinet_server import CabinetServer
from control.drivers.field import ZoneReadings
from control.drivers.snmp import Endpoint, SnmpClient, UdpWire
from ops.street_centre import CENTRE
from sim.launch import Launch
from sim.street_lamps import LampStreet
from sim.twin import Town
from sim.zone_reader import zone_reader
from traffic.ids import JunctionId

EPSILON_DS = 1e-6


class ServedWire(UdpWire):
    """A wire whose other end gets its turn whenever the centre waits for an answer."""

    def __init__(self, endpoint: Endpoint, serve: Callable[[float], int]) -> None:
        super().__init__(endpoint)
        self._serve = serve

    def receive(self, deadline_s: float) -> bytes | None:
        """Let the controllers answer, then return the next datagram; None when the deadline passes."""
        self._serve(max(deadline_s - time.monotonic(), 0.0))
        return super().receive(deadline_s)


class HeldStreet:
    """A street of one run; its clock moves only in `wait`. Fills `ops.street_centre.StreetClock`.

    Parameters
    ----------
    what
        How SUMO is started; the controllers' step is SUMO's.
    town
        Junctions and local plans as the controllers hold them, and the cameras' zones.
    folder
        Run folder.
    backup_time_s
        Fail-safe time-out of the controllers, seconds.
    """

    def __init__(self, what: Launch, town: Town, folder: Path, *, backup_time_s: int) -> None:
        self._step_ds, self._now_ds = round(what.step_s * 10), round(what.begin_s * 10)
        self._end_s = what.end_s
        self._zone_length_m = town.zones.zone_length_m
        self.cabinets = CabinetServer(
            town.signals.junctions,
            list(town.signals.plans.values()),
            start_ds=self._now_ds,
            step_ds=self._step_ds,
            backup_time_s=backup_time_s,
        )
        try:
            self.lamps = LampStreet(what, town.network, folder)
        except BaseException:
            self.cabinets.close()
            raise
        self._read = zone_reader(self.lamps.simulation, town.zones)
        self._tick()

    @property
    def time_s(self) -> float:
        """The street's clock, seconds."""
        return self._now_ds / 10

    def wait(self, seconds: float) -> None:
        """Let the street run on, in whole steps; after its end the controllers' clocks go on alone."""
        until_ds = self._now_ds + seconds * 10 - EPSILON_DS
        while self._now_ds < until_ds:
            self._now_ds += self._step_ds
            if self._now_ds <= self._end_s * 10 + EPSILON_DS:
                self.lamps.step()
            self._tick()

    def cameras(self) -> ZoneReadings:
        """Return what the cameras see now."""
        arriving, queued, leaving = self._read()
        return ZoneReadings(arriving, queued, leaving, self._zone_length_m)

    def clients(self) -> dict[JunctionId, SnmpClient]:
        """Return a master's end of the wire to each controller."""
        ends = {
            name: Endpoint(host=host, port=port, community=CENTRE)
            for name, (host, port) in self.cabinets.addresses.items()
        }
        return {name: SnmpClient(end, ServedWire(end, self.cabinets.serve_pending)) for name, end in ends.items()}

    def close(self) -> None:
        """End SUMO and free the ports."""
        self.lamps.close()
        self.cabinets.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tick(self) -> None:
        shown = self.cabinets.tick(self._now_ds, {})
        if self._now_ds <= self._end_s * 10 + EPSILON_DS:
            for junction, lamps in shown.items():
                self.lamps.set_lamps(junction, lamps)
