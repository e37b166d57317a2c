"""The street: SUMO, its controllers and its cameras in one process, reachable only over wires.

SNMP (one UDP port a controller), HTTP for camera counts and the event log (`ops.street_api`). The
demand comes from seeds that the centre does not know. `python -m ops.street SETTINGS.json`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from control.drivers.cabinet_server import CabinetServer
from ops.detectors import detector_channels
from ops.street_api import serve_desk
from ops.street_settings import READY, TRUTH, StreetSettings
from sim.launch import launch_of
from sim.network import read_network
from sim.sensors import Pulse
from sim.street import Street
from sim.street_demand import write_street_demand
from sim.sumocfg import open_folder
from traffic.camera_sites import read_cameras
from traffic.count_files import write_counts
from traffic.counts import TurnCount
from traffic.errors import BadInput, TrafficError, UnsafeCommand
from traffic.events import Event, EventCode
from traffic.ids import JunctionId, LinkId, MovementId
from traffic.network import Network
from traffic.saved import read_signals
from traffic.scenario import Scenario
from vision.virtual_camera import PERFECT, CameraNoise, Periods, VirtualCamera

EPSILON_DS = 1e-6


class EventBook:
    """The street's event log in memory; an `EventSink`. After each step's pulses it is in order of time."""

    def __init__(self, network: Network) -> None:
        self.events: list[Event] = []
        self._n_ordered = 0
        self._channel: Mapping[tuple[JunctionId, LinkId, str], int] = {
            (row.junction, row.approach, row.place.value): row.channel for row in detector_channels(network)
        }

    def emit(self, events: Iterable[Event]) -> None:
        """Take events in order of time."""
        self.events.extend(events)

    def pulse(self, pulses: Sequence[Pulse]) -> None:
        """Write a detector-on event for every vehicle that came onto a detector in the step that has just ended.

        A stamp is the tenth that ends after it, so that nothing is stamped into a step that was read already.
        """
        fresh = self.events[self._n_ordered :]
        fresh += [
            Event(
                ceil(pulse.time_s * 10 - EPSILON_DS),
                pulse.junction,
                EventCode.DETECTOR_ON,
                self._channel[pulse.junction, pulse.approach, pulse.place],
            )
            for pulse in pulses
        ]
        self.events[self._n_ordered :] = sorted(fresh, key=lambda event: event.time_ds)
        self._n_ordered = len(self.events)


class RunningStreet:
    """One street and its desk. The main thread runs it; the desk's threads only look, and move its goal."""

    def __init__(self, settings: StreetSettings) -> None:
        self.settings = settings
        folder = Path(settings.folder)
        scenario = _shortened(open_folder(Path(settings.scenario)), settings)
        network = read_network(scenario.network)
        if scenario.signals is None:
            raise BadInput(f"scenario {scenario.name}", "no signals.json", "controllers need their plans", "make one")
        junctions, plans = read_signals(scenario.signals, network.crossings)
        routes = folder / "street.rou.xml"
        folder.mkdir(parents=True, exist_ok=True)
        write_street_demand(
            routes,
            scenario,
            network,
            shift_seed=settings.shift_seed,
            day_seed=settings.day_seed,
            spread=settings.spread,
        )
        self.book = EventBook(network)
        self.cabinets = CabinetServer(
            junctions,
            plans,
            start_ds=round(scenario.begin_s * 10),
            step_ds=round(settings.step_s * 10),
            backup_time_s=settings.backup_time_s,
            sink=self.book,
        )
        periods = Periods(begin_s=scenario.begin_s, period_s=settings.count_period_s)
        self.cameras = [
            VirtualCamera(view, CameraNoise(), np.random.default_rng([settings.driver_seed, number, 3]), periods)
            for number, view in enumerate(_views(scenario, network))
        ]
        self._truth = VirtualCamera(network.movements, PERFECT, np.random.default_rng(0), periods)
        what = replace(launch_of(scenario, seed=settings.driver_seed, routes=(routes,)), step_s=settings.step_s)
        self.street = Street(what, network, folder)
        self.end_s = scenario.end_s
        self._goal_s = self._now_s = scenario.begin_s
        self._moved = threading.Condition()
        self._harness = os.getppid()
        self._is_stopped = False
        self._is_over = False

    # ---- the desk: called from the HTTP server's threads ---------------------------------------

    def about(self) -> dict[str, Any]:
        """Scenario, clock and the controllers' addresses."""
        noise = CameraNoise()
        return {
            "scenario": self.settings.scenario,
            "time_s": self._now_s,
            "step_s": self.settings.step_s,
            "controllers": {name: list(address) for name, address in self.cabinets.addresses.items()},
            "detection_rate": {name.value: rate for name, rate in noise.detection_rate.items()},
        }

    def counts(self, start_s: float, end_s: float) -> list[TurnCount]:
        """What the cameras counted in [start_s, end_s)."""
        with self._moved:
            return [row for camera in self.cameras for row in camera.counts(start_s, end_s)]

    def events(self, after_ds: int) -> list[Event]:
        """The event log after a stamp."""
        with self._moved:
            return [event for event in self.book.events if event.time_ds > after_ds]

    def run_until(self, time_s: float) -> float:
        """Let the street run to `time_s`, or its end, and return its clock."""
        if self.settings.speed > 0:
            raise UnsafeCommand("street", "runs at its own speed", "only a held street can be moved", "wait instead")
        with self._moved:
            self._goal_s = max(self._goal_s, min(time_s, self.end_s))
            goal_s = self._goal_s
            self._moved.notify_all()
            self._moved.wait_for(lambda: self._now_s >= goal_s - 1e-6 or self._is_over)
            return self._now_s

    def stop(self) -> None:
        """End the run."""
        with self._moved:
            self._is_stopped = True
            self._moved.notify_all()

    # ---- the run: the main thread --------------------------------------------------------------

    def run(self) -> None:
        """Run until the end or a stop, answering SNMP all the while."""
        self._show(self.cabinets.tick(round(self._now_s * 10), {}))
        started_s, begin_s = time.monotonic(), self._now_s
        while not self._is_stopped and not self._is_done():
            if self.settings.speed > 0:
                elapsed_s = time.monotonic() - started_s
                self._goal_s = min(self.end_s, begin_s + elapsed_s * self.settings.speed)
            if self._now_s < self._goal_s - 1e-6:
                self._step()
                self.cabinets.serve_pending(0.0)
            else:
                self.cabinets.serve_pending(0.02)

    def close(self) -> None:
        """End SUMO, free the ports, wake whoever waits; write what really passed, which no wire tells."""
        write_counts(Path(self.settings.folder) / TRUTH, self._truth.counts(0.0, self._now_s))
        self.street.close()
        self.cabinets.close()
        with self._moved:
            self._is_over = True
            self._moved.notify_all()

    def _is_done(self) -> bool:
        """Whether a street at its own speed is at its end, or a held one has lost the harness that moves it."""
        if self.settings.speed > 0:
            return self._now_s >= self.end_s - 1e-6
        return os.getppid() != self._harness

    def _step(self) -> None:
        pulses, passages = self.street.advance()
        now_s = self.street.time_s
        with self._moved:
            self._show(self.cabinets.tick(round(now_s * 10), {}))
            for camera in (*self.cameras, self._truth):
                camera.see(passages, until_s=now_s)
            self.book.pulse(pulses)
            self._now_s = now_s
            if now_s >= self._goal_s - 1e-6:
                self._moved.notify_all()

    def _show(self, shown: Mapping[JunctionId, str]) -> None:
        for junction, lamps in shown.items():
            self.street.set_lamps(junction, lamps)


def _shortened(scenario: Scenario, settings: StreetSettings) -> Scenario:
    """Return the scenario over the settings' period, where they name one."""
    return replace(scenario, begin_s=settings.begin_s or scenario.begin_s, end_s=settings.end_s or scenario.end_s)


def _views(scenario: Scenario, network: Network) -> list[tuple[MovementId, ...]]:
    """Return what each camera sees: the scenario's own cameras, or one a junction."""
    if scenario.cameras is not None:
        return [site.movements for site in read_cameras(scenario.cameras, network)]
    return [tuple(m.id for m in network.movements.values() if m.junction == name) for name in network.crossings]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a street from a settings file; `READY` in its folder says when it can be reached."""
    path = Path((sys.argv[1:] if arguments is None else arguments)[0])
    try:
        run_street(StreetSettings(**json.loads(path.read_text(encoding="utf-8"))))
    except TrafficError as error:
        sys.stderr.write(f"{error.line}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run_street(settings: StreetSettings) -> None:
    """Run a street to its end or a stop.

    Raises
    ------
    BadInput
        If the settings, or the scenario that they name, cannot be run.
    """
    street = RunningStreet(settings.check())
    try:
        server = serve_desk(street, settings.http_port)
        ready = Path(settings.folder) / READY
        address = {"url": f"http://127.0.0.1:{server.server_address[1]}", "settings": asdict(settings)}
        ready.with_suffix(".part").write_text(json.dumps(address), encoding="utf-8")
        ready.with_suffix(".part").replace(ready)
        street.run()
    finally:
        street.close()
    server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
