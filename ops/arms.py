"""One arm of the comparison: a street of one seed, held at fixed times, with or without a push.

Both arms of a seed run the same street: same day, same drivers, the same times at which it is held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from control.audit import Record
from control.drivers.snmp import Endpoint, SnmpClient
from control.guard import street_limits
from control.orders import orders_of
from ops.plan_runs import open_signals
from ops.street_api import StreetClient
from ops.street_centre import CENTRE, FieldCentre
from ops.street_process import StreetProcess
from ops.street_settings import TRUTH, StreetSettings
from sim.launch import TRIPS
from sim.trips import Trips, read_trips
from traffic.count_files import read_counts
from traffic.counts import TurnCount
from traffic.errors import TrafficError
from traffic.events import Event
from traffic.ids import JunctionId
from traffic.scenario import Scenario
from traffic.signals import Plan

HOLD_S = 60.0
"""The street is held once a minute of its own time, so that the centre can poll and renew its lease."""
END_OF_RUN = "end of the run"
"""Why controllers are released where nothing went wrong."""


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


class HeldClock:
    """The clock of a street that a harness holds over HTTP; fills `StreetClock`."""

    def __init__(self, client: StreetClient, time_s: float) -> None:
        self._client, self.time_s = client, time_s

    def wait(self, seconds: float) -> None:
        """Let the street run on."""
        self.time_s = self._client.run_until(self.time_s + seconds)


class Centre(FieldCentre):
    """The centre's end of one street: guard over drivers, counts, clock. Knows wires and the scenario only."""

    def __init__(self, scenario: Scenario, client: StreetClient) -> None:
        self.town, self.installed = open_signals(scenario)
        about = client.about()
        self.client, self.detection_rate = client, dict(about["detection_rate"])
        clients = {
            JunctionId(name): SnmpClient(Endpoint(host=host, port=int(port), community=CENTRE))
            for name, (host, port) in about["controllers"].items()
        }
        limits = street_limits(scenario.guard, scenario.clearance)
        clock = HeldClock(client, float(about["time_s"]))
        super().__init__(self.town.network, self.town.signals.junctions, clients, limits, clock)

    def watch(self, until_s: float, tick: Callable[[float], None] = lambda _: None) -> None:
        """Let the street run to `until_s`, polling and renewing leases on the way."""
        while self.time_s < until_s - 1e-6:
            self.advance(min(HOLD_S, until_s - self.time_s))
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
