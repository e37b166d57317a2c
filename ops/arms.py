"""One arm of the comparison: a street of one seed, held at fixed times, with or without a push.

Both arms of a seed run the same street: same day, same drivers, the same times at which it is held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from control.audit import MemoryAudit, Record
from control.drivers.field import FieldPlant
from control.drivers.ntcip import NtcipDriver
from control.drivers.snmp import Endpoint, SnmpClient
from control.guard import Guard, street_limits
from ops.plan_runs import STREET_DAY, open_signals, orders_of
from ops.street_api import StreetClient
from ops.street_process import StreetProcess
from ops.street_settings import TRUTH, StreetSettings
from sim.launch import TRIPS
from sim.trips import Trips, read_trips
from traffic.count_files import read_counts
from traffic.counts import TurnCount
from traffic.errors import ControllerFault, TrafficError
from traffic.events import Event
from traffic.ids import JunctionId
from traffic.ports import Driver
from traffic.scenario import Scenario
from traffic.signals import Plan

HOLD_S = 60.0
"""The street is held once a minute of its own time, so that the centre can poll and renew its lease."""
PAUSE_S = 1.0
"""Least street time between two polls of one dialogue."""
END_OF_RUN, INTERRUPTED = "end of the run", "interrupted"
"""Why controllers are released where none of them is at fault."""
CENTRE = b"centre"
"""The community of the centre; controllers tell masters apart by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The street's timetable, seconds of its clock: counting, push, measuring window, end."""

    begin_s: float
    count_from_s: float
    push_s: float
    window_from_s: float
    window_to_s: float
    end_s: float

    @classmethod
    def of(cls, scenario: Scenario, *, warm_up_s: float, count_s: float, window_s: float) -> Times:
        """Return the timetable that begins with the scenario.

        After the push three cycles of transition pass before the window; after it five minutes in
        which those still under way can finish.
        """
        count_from_s = scenario.begin_s + warm_up_s
        push_s = count_from_s + count_s
        window_from_s = push_s + 3 * scenario.guard.max_cycle_s
        window_to_s = window_from_s + window_s
        return cls(
            begin_s=scenario.begin_s,
            count_from_s=count_from_s,
            push_s=push_s,
            window_from_s=window_from_s,
            window_to_s=window_to_s,
            end_s=min(window_to_s + 300.0, scenario.end_s),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What one street run left behind; `events` is the log as the centre received it."""

    seed: int
    is_pushed: bool
    trips: Trips
    events: tuple[Event, ...]
    counts: tuple[TurnCount, ...]
    truth: tuple[TurnCount, ...]
    audit: tuple[Record, ...] = ()
    read_back: Mapping[JunctionId, bool] | None = None
    fault: str = ""


class Centre:
    """The centre's end of one street: guard over drivers, counts, clock. Knows wires and the scenario only.

    In a `with`, its controllers are released where anything goes wrong, and its wires are closed.
    """

    def __init__(self, scenario: Scenario, client: StreetClient) -> None:
        self.town, self.installed = open_signals(scenario)
        self.client, self.junctions, self.audit = client, self.town.signals.junctions, MemoryAudit()
        about = client.about()
        self.time_s, self.detection_rate = float(about["time_s"]), dict(about["detection_rate"])
        limits = street_limits(scenario.guard, scenario.clearance)
        self._clients = {
            JunctionId(name): SnmpClient(Endpoint(host=host, port=int(port), community=CENTRE))
            for name, (host, port) in about["controllers"].items()
        }
        drivers: dict[JunctionId, Driver] = {
            name: NtcipDriver(wire, self.junctions[name], limits, sleep=self._pause)
            for name, wire in self._clients.items()
        }
        self.plant = FieldPlant(self.town.network, self.junctions, drivers, self._wait, self.audit)
        self.guard = Guard(
            self.plant,
            limits,
            audit=self.audit,
            now=lambda: STREET_DAY + timedelta(seconds=self.time_s),
            authority=self.plant.authority,
        )

    def __enter__(self) -> Centre:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.release(error.line if isinstance(error, TrafficError) else INTERRUPTED)
        self.close()

    def watch(self, until_s: float, tick: Callable[[float], None] = lambda _: None) -> None:
        """Let the street run to `until_s`, polling and renewing leases on the way.

        A controller that had to be released is in the audit log; the street goes on.
        """
        while self.time_s < until_s - 1e-6:
            try:
                self.guard.advance(min(HOLD_S, until_s - self.time_s))
            except ControllerFault as fault:
                self.audit.append("fault", None, {"time_s": self.time_s, "error": fault.line})
            tick(self.time_s)

    def push(self, plans: Sequence[Plan], sequence_number: int = 1) -> None:
        """Send plans through the guard to their controllers.

        Raises
        ------
        UnsafeCommand
            If the guard refuses; nothing was sent.
        ControllerFault, PlantLost
            If a controller is not what it should be; all that were sent are released.
        """
        orders = orders_of(self.junctions, plans, sequence_number=sequence_number, time_s=self.time_s)
        self.guard.command(orders)

    def try_push(self, plans: Sequence[Plan]) -> str:
        """Push, and return why not where that failed: the street goes on with its own plans.

        Raises
        ------
        PlantLost
            If the street itself is gone.
        """
        try:
            self.push(plans)
        except TrafficError as error:
            self.client.about()
            return error.line
        return ""

    def release(self, reason: str) -> None:
        """Hand every controller back to its local plan."""
        self.plant.release_all(reason)

    def close(self) -> None:
        """Close the wires; what was sent stands."""
        for wire in self._clients.values():
            wire.close()

    def _wait(self, seconds: float) -> None:
        self.time_s = self.client.run_until(self.time_s + seconds)

    def _pause(self, seconds: float) -> None:
        """Wait within a dialogue: a held street's clock has to go on, or a verification would never end."""
        self._wait(max(PAUSE_S, seconds))


def run_arm(
    scenario: Scenario,
    settings: StreetSettings,
    times: Times,
    plans: Sequence[Plan] = (),
    tick: Callable[[float], None] = lambda _: None,
) -> Arm:
    """Run one street from its beginning to its end; push `plans`, if any, when it is time.

    A push that fails is told in `fault`: the street went on with its own plans.
    """
    with StreetProcess(settings) as street, Centre(scenario, street.client) as centre:
        centre.watch(times.push_s, tick)
        fault = centre.try_push(plans) if plans else ""
        centre.watch(times.end_s, tick)
        return finish(settings, centre, street, times, is_pushed=bool(plans), fault=fault)


def finish(
    settings: StreetSettings,
    centre: Centre,
    street: StreetProcess,
    times: Times,
    *,
    is_pushed: bool,
    fault: str = "",
) -> Arm:
    """Take what the centre may know, end the street, then open its trip records."""
    counts = tuple(street.client.counts(times.begin_s, times.end_s))
    events = tuple(street.client.events())
    read_back = dict(centre.plant.read_back)
    centre.release(END_OF_RUN)
    street.finish()
    return Arm(
        seed=settings.day_seed,
        is_pushed=is_pushed,
        trips=read_trips(Path(settings.folder) / TRIPS, times.end_s),
        events=events,
        counts=counts,
        truth=tuple(read_counts(Path(settings.folder) / TRUTH)),
        audit=tuple(centre.audit.records),
        read_back=read_back if is_pushed else None,
        fault=fault,
    )


def settings_of(base: StreetSettings, seed: int, folder: Path) -> StreetSettings:
    """Return the settings of another seed of the same street, in another folder."""
    return replace(base, day_seed=seed, driver_seed=seed, folder=str(folder))
