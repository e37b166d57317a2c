"""The signal model, lossless to NTCIP 1202.

Integer seconds and tenths of a second exactly as NTCIP has them; a split includes its yellow
and red clearance::

    phase 1  |walk|ped clear|....green....|yellow|red clear|
             |<------------------ split ------------------>|

Lamp states are strings with one letter per SUMO link index of the junction, as in SUMO's
`tlLogic`: `G` protected green, `g` green that yields, `y` yellow, `r` red, `s` turn on red
after a stop.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from traffic.ids import DetectorId, JunctionId, LaneId, PhaseNumber

GREEN_LETTERS = frozenset("Gg")


class Recall(StrEnum):
    """What calls a phase when no detector does."""

    NONE = "none"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    PEDESTRIAN = "pedestrian"


class SplitMode(StrEnum):
    """NTCIP splitMode, by name; the number is in `control.drivers.objects`."""

    NONE = "none"
    MINIMUM_RECALL = "minimumVehicleRecall"
    MAXIMUM_RECALL = "maximumVehicleRecall"
    PEDESTRIAN_RECALL = "pedestrianRecall"
    MAX_AND_PED_RECALL = "maximumVehicleAndPedestrianRecall"
    OMITTED = "phaseOmitted"


class Correction(StrEnum):
    """How a controller moves to a new offset."""

    DWELL = "dwell"
    SHORTWAY = "shortway"
    ADD_ONLY = "addOnly"
    SUBTRACT_ONLY = "subtractOnly"


class ForceMode(StrEnum):
    """Where unused green goes: to the next phase (floating) or to the coordinated one (fixed)."""

    FLOATING = "floating"
    FIXED = "fixed"


class SyncPoint(StrEnum):
    """Which instant of the coordinated phase the controller's own offset refers to."""

    BEGIN_GREEN = "beginGreen"
    BEGIN_YELLOW = "beginYellow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One NEMA phase. `walk_s` and `ped_clear_s`: 0 = no pedestrians, None = unknown."""

    number: PhaseNumber
    ring: int = 1
    concurrency: frozenset[PhaseNumber] = frozenset()
    min_green_s: int = 5
    walk_s: int | None = 0
    ped_clear_s: int | None = 0
    passage_ds: int = 30
    max1_s: int = 50
    max2_s: int = 50
    yellow_ds: int = 30
    red_clear_ds: int = 20
    recall: Recall = Recall.MAXIMUM

    @property
    def clearance_ds(self) -> int:
        """Intergreen: yellow plus red clearance, tenths of a second."""
        return self.yellow_ds + self.red_clear_ds

    @property
    def has_unknown_pedestrians(self) -> bool:
        """Whether nobody said if, and how long, pedestrians walk here."""
        return self.walk_s is None or self.ped_clear_s is None

    @property
    def min_service_s(self) -> int:
        """Shortest legal green, seconds: min green, and walk + pedestrian clearance where known."""
        return max(self.min_green_s, (self.walk_s or 0) + (self.ped_clear_s or 0))

    @property
    def min_split_s(self) -> int:
        """Shortest legal split: `min_service_s` plus intergreen, rounded up to whole seconds."""
        return self.min_service_s + -(-self.clearance_ds // 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Links that move together, and the phases that drive them.

    A group green in two phases that follow one another stays green between them.
    `link_indices` are positions in the lamp string. `turn_on_red` lists the phases in whose
    green the group, itself red, shows `s`; `turn_on_red_change` the same for their intergreen.
    """

    number: int
    link_indices: tuple[int, ...]
    protected: frozenset[PhaseNumber] = frozenset()
    permissive: frozenset[PhaseNumber] = frozenset()
    turn_on_red: frozenset[PhaseNumber] = frozenset()
    turn_on_red_change: frozenset[PhaseNumber] = frozenset()

    @property
    def parents(self) -> frozenset[PhaseNumber]:
        """Phases in which the group is green."""
        return self.protected | self.permissive


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A road sensor that calls a phase; `lanes` are the lanes it watches."""

    number: int
    id: DetectorId
    call_phase: PhaseNumber
    lanes: tuple[LaneId, ...] = ()
    length_m: float = 50.0


@dataclass(frozen=True, kw_only=True)
class Junction:
    """What is installed at one junction: phases, rings, barriers, overlaps, conflicts.

    `rings` is sequence 1: phase numbers in their order of service, ring by ring. `barriers`
    are the concurrency groups between two barriers, in order; every ring crosses from one to
    the next together with the others. `conflicts` are pairs (i < j) of link indices whose
    paths cross, from the geometry; `permissive` pairs (yielding, priority) may move together
    if the yielding one shows `g` or `s`.
    """

    id: JunctionId
    n_links: int
    phases: tuple[Phase, ...]
    rings: tuple[tuple[PhaseNumber, ...], ...]
    barriers: tuple[frozenset[PhaseNumber], ...]
    overlaps: tuple[Overlap, ...]
    detectors: tuple[Detector, ...] = ()
    conflicts: frozenset[tuple[int, int]] = frozenset()
    permissive: frozenset[tuple[int, int]] = frozenset()
    coordinated: PhaseNumber = PhaseNumber(1)

    def phase(self, number: PhaseNumber) -> Phase:
        """Return the phase with this number; KeyError where there is none."""
        return self._by_number[number]

    @cached_property
    def _by_number(self) -> Mapping[PhaseNumber, Phase]:
        return {phase.number: phase for phase in self.phases}

    @cached_property
    def config_hash(self) -> str:
        """First 16 hex digits of the sha256 of all that is installed, in a canonical form."""
        text = json.dumps(_plain(asdict(self)), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    """Return `value` with sets as sorted lists, so that its JSON is canonical."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A phase's share of the cycle, seconds, its yellow and red clearance included."""

    phase: PhaseNumber
    split_s: int
    mode: SplitMode = SplitMode.NONE
    is_coordinated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlan:
    """The splits of all phases, under a number of the controller's split table."""

    number: int
    splits: tuple[Split, ...]

    def split_s(self, phase: PhaseNumber) -> int:
        """Return a phase's split in seconds; KeyError where the plan has none."""
        for split in self.splits:
            if split.phase == phase:
                return split.split_s
        raise KeyError(phase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Cycle, offset, split and sequence, chosen as one.

    `offset_s` is the start of green of the first coordinated phase after master zero (local
    midnight or the last sync pulse), 0 <= offset < cycle. `sync_point` keeps what the
    controller itself means by an offset; drivers convert.
    """

    number: int
    cycle_s: int
    offset_s: int
    split: int
    sequence: int = 1
    correction: Correction = Correction.SHORTWAY
    force_mode: ForceMode = ForceMode.FLOATING
    sync_point: SyncPoint = SyncPoint.BEGIN_GREEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One junction's timing: a pattern and the split plan that it names."""

    junction: JunctionId
    pattern: Pattern
    split: SplitPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Number of a time-of-day action and the pattern that it selects."""

    number: int
    pattern: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlanEvent:
    """From this time of day on, this action."""

    hour: int
    minute: int
    action: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPlan:
    """The events of one day."""

    number: int
    events: tuple[DayPlanEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Which day plan holds on which months, days of the month and weekdays (1 = Sunday)."""

    number: int
    months: frozenset[int] = frozenset(range(1, 13))
    days: frozenset[int] = frozenset(range(1, 32))
    weekdays: frozenset[int] = frozenset(range(1, 8))
    day_plan: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is sent to a controller: a plan, for whom, in which sequence, for how long.

    `config_hash` is that of the `Junction` the plan was made for; `sequence_number` only ever
    rises per junction; `valid_from` and `expires` are tz-aware times of the street's clock.
    """

    plan: Plan
    config_hash: str
    sequence_number: int
    valid_from: datetime
    expires: datetime
    issuer: str
    note: str = field(default="", compare=False)
