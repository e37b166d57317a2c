"""The Protocols through which sim, control and vision meet; ops chooses what fills them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar, runtime_checkable

from traffic.counts import TurnCount
from traffic.decisions import Decision
from traffic.events import Event
from traffic.ids import DetectorId, JunctionId, MovementId, PhaseNumber
from traffic.network import Network
from traffic.signals import Junction, Plan
from traffic.snapshot import Snapshot

StateT = TypeVar("StateT")


@runtime_checkable
class Plant(Protocol):
    """Whatever obeys the signals: the SUMO twin, a queue model, a street behind a driver."""

    @property
    def network(self) -> Network:
        """The roads."""

    @property
    def junctions(self) -> Mapping[JunctionId, Junction]:
        """What is installed, in the order of `network.crossings`."""

    @property
    def stages(self) -> Mapping[JunctionId, Sequence[str]]:
        """The stages that `Stage` decisions number, lamp strings."""

    def snapshot(self) -> Snapshot:
        """What the detectors and lamps say now; asking twice gives the same answer."""

    def command(self, decisions: Sequence[Decision]) -> None:
        """Obey, or raise UnsafeCommand and change nothing."""

    def advance(self, seconds: float) -> None:
        """Move the clock; raises PlantLost if nothing answers."""


class Controller(Protocol[StateT]):
    """Decides what the signals do; its state is in the open, so that a run can be replayed."""

    def start(self, plant: Plant) -> StateT:
        """Return the state before the first decision; may read network and junctions, never traffic."""

    def decide(self, snapshot: Snapshot, state: StateT) -> tuple[Sequence[Decision], StateT]:
        """Return decisions (none = leave it as it is) and the next state."""


class Cabinet(Protocol):
    """A controller in the field: times its own signals from its own tables."""

    def tick(self, time_ds: int, detectors: Mapping[DetectorId, bool]) -> str:
        """Advance to this tenth of a second and return the lamp string."""


class Lamps(Protocol):
    """Where lamp states are set and read (the street's signal heads)."""

    def set_lamps(self, junction: JunctionId, lamps: str) -> None:
        """Show this lamp string."""

    def read_lamps(self, junction: JunctionId) -> str:
        """Return what is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """A road user at one instant: front centre in network metres, heading in radians (0 = east, anticlockwise)."""

    id: str
    vehicle_class: str
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    length_m: float
    width_m: float
    lane: str
    lane_position_m: float


class Scene(Protocol):
    """What a camera looks at."""

    def poses(self) -> Sequence[Pose]:
        """All road users now."""


class CountSource(Protocol):
    """A camera, a detector, a file or the store."""

    def counts(self, start_s: float, end_s: float) -> Sequence[TurnCount]:
        """Return the counts whose period lies within [start_s, end_s)."""


class ControllerMode(StrEnum):
    """What a controller in the field is doing, as far as authority goes."""

    COORDINATED = "coordinated"
    FREE = "free"
    TRANSITION = "transition"
    FLASH = "flash"
    PREEMPT = "preempt"
    MANUAL = "manual"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a controller says it is, and the facts that decide whether it may be commanded.

    `phases` holds what is installed: (minimum green s, yellow ds, red clearance ds).
    `has_local_plan` must be read from its time-of-day tables; without one it is not commanded.
    """

    junction: JunctionId
    config_hash: str
    phases: Mapping[PhaseNumber, tuple[int, int, int]]
    backup_time_s: int
    max_patterns: int
    has_local_plan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerStatus:
    """What was read back from a controller in one poll. `free_reason` is None unless it runs free."""

    time_s: float
    mode: ControllerMode
    pattern: int
    cycle_position_s: int
    free_reason: str | None
    is_remote_enabled: bool
    backup_time_s: int
    greens: frozenset[PhaseNumber]
    yellows: frozenset[PhaseNumber]
    alarms: frozenset[str]


class Driver(Protocol):
    """Speaks to one controller in the field; every call is idempotent and reads back what it wrote."""

    @property
    def is_confirmed(self) -> bool:
        """Whether the selected pattern was seen in effect, out of transition."""

    def identify(self) -> Identity:
        """Read who is there; raises PlantLost if nobody answers."""

    def load(self, plan: Plan) -> Plan:
        """Write a plan into the pattern not in effect, by transaction; return what was read back."""

    def select(self, pattern: int) -> None:
        """Ask for a pattern and take the lease."""

    def refresh(self) -> None:
        """Renew the lease."""

    def status(self) -> ControllerStatus:
        """Poll."""

    def release(self) -> None:
        """Hand back to the local plan."""


class DemandForecast(Protocol):
    """Flows expected from history and counts, never from a route file."""

    def flow_vph(self, movement: MovementId, time_s: float) -> float:
        """Return the flow expected, vehicles per hour; NaN where unknown."""

    def turning_share(self, movement: MovementId, time_s: float) -> float:
        """Return the movement's share of its approach, 0-1; NaN where unknown."""


class Lease(Protocol):
    """One writer a controller."""

    def acquire(self, junction: JunctionId, holder: str, ttl_s: float) -> int:
        """Return a fencing token that rises with every new holder; raises UnsafeCommand if another holds it."""

    def is_current(self, junction: JunctionId, token: int) -> bool:
        """Whether this token may still write."""

    def release(self, junction: JunctionId, token: int) -> None:
        """Give it up."""


class AuditLog(Protocol):
    """An append-only record."""

    def append(self, kind: str, junction: JunctionId | None, detail: Mapping[str, object]) -> None:
        """Write one record; it is durable when this returns."""


class EventSink(Protocol):
    """Where the event log goes."""

    def emit(self, events: Iterable[Event]) -> None:
        """Take events in order of time."""


class Clock(Protocol):
    """Wall, street or test time."""

    def now(self) -> datetime:
        """Return a tz-aware time."""

    def sleep(self, seconds: float) -> None:
        """Wait on this clock."""
