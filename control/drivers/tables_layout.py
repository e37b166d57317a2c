"""Which objects a virtual controller has, and how each behaves when it is set.

One layout serves all controllers of one shape, so that a thousand of them cost little memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import product

from control.drivers.ber import Oid, Value
from control.drivers.objects import OBJECTS, MibObject

MAX_PATTERNS = 32
"""Patterns and split tables that a controller has, unless its local plans have higher numbers."""
MAX_ACTIONS, MAX_SCHEDULES, MAX_DAY_PLANS, MAX_EVENTS = 32, 16, 16, 16
MAX_PREEMPTS = 2


class Kind(Enum):
    """What a SET of an object does."""

    LOCKED = "needs a transaction"
    SETTING = "takes effect at once, or with the transaction that is open"
    CONTROL = "takes effect at once, always"
    STATUS = "is read only"


CONTROLS = frozenset(
    {
        "phaseControlGroupPhaseOmit",
        "phaseControlGroupPedOmit",
        "phaseControlGroupHold",
        "phaseControlGroupForceOff",
        "phaseControlGroupVehCall",
        "phaseControlGroupPedCall",
        "unitControl",
        "systemPatternControl",
        "systemSyncControl",
        "preemptControlState",
    }
)
"""The system control parameters of NTCIP 1202: a SET of one renews the lease; backup zeroes them."""
IMMEDIATE = CONTROLS | {"globalTime", "dbCreateTransaction"}
LOCKED_PREFIXES = ("phase", "overlap", "pattern", "split", "sequence", "vehicleDetector")
CAPABILITIES = frozenset(name for name in OBJECTS if name.startswith(("max", "globalMax"))) | {
    "patternTableType",
    "patternSplitNumber",
    "sysDescr",
    "moduleMake",
    "moduleModel",
    "moduleVersion",
    "moduleType",
    "activeVolumeOccupancyDetectors",
}
"""Read only, and fixed by what is installed."""
DEFAULTS: Mapping[str, Value] = {
    "phaseStartup": 2,
    "splitMode": 2,
    "patternSequenceNumber": 1,
    "patternCoordSyncPoint": 3,
    "unitCoordSyncPoint": 2,
    "coordCorrectionMode": 3,
    "coordMaximumMode": 4,
    "coordForceMode": 2,
    "globalDaylightSaving": 2,
    "systemSyncControl": 255,
    "volumeOccupancyPeriod": 60,
    "dayPlanActionNumberOID": (0, 0),
}
"""What an object holds that nobody has written: these, else 0, else no octets."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One instance: its object, its index, what a SET does, what it holds at first."""

    item: MibObject
    index: tuple[int, ...]
    kind: Kind
    default: Value


@dataclass(frozen=True, slots=True)
class Shape:
    """How much a controller has of everything."""

    n_phases: int
    n_rings: int
    n_overlaps: int
    n_detectors: int
    n_patterns: int


@dataclass(frozen=True, slots=True)
class Layout:
    """All instances of a shape, by OID and in order."""

    slots: Mapping[Oid, Slot]
    order: tuple[Oid, ...]
    n_phases: int
    n_patterns: int


@lru_cache(maxsize=64)
def layout(shape: Shape) -> Layout:
    """Return the instances of all controllers of a shape."""
    slots = {
        item.at(*index): Slot(item, index, _kind(item), _default(item))
        for item in OBJECTS.values()
        for index in _indices(item, shape)
    }
    return Layout(slots, tuple(sorted(slots)), shape.n_phases, shape.n_patterns)


def _kind(item: MibObject) -> Kind:
    if item.name in IMMEDIATE:
        return Kind.CONTROL
    if item.name in CAPABILITIES or not item.is_writable:
        return Kind.STATUS
    return Kind.LOCKED if item.name.startswith(LOCKED_PREFIXES) else Kind.SETTING


def _default(item: MibObject) -> Value:
    if item.name in DEFAULTS:
        return DEFAULTS[item.name]
    return b"" if item.syntax == "octets" else 0


def _indices(item: MibObject, shape: Shape) -> Iterable[tuple[int, ...]]:
    if item.n_index == 0:
        return [()]
    spans = next((spans for prefix, spans in _spans(shape) if item.name.startswith(prefix)), None)
    if spans is None:
        return []
    return product(*(range(1, span + 1) for span in spans))


def _spans(shape: Shape) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the number of rows by the start of a column's name; the first that fits holds."""
    groups, overlaps, detectors = (-(-n // 8) for n in (shape.n_phases, shape.n_overlaps, shape.n_detectors))
    return (
        ("phaseStatusGroup", (groups,)),
        ("phaseControlGroup", (groups,)),
        ("phase", (shape.n_phases,)),
        ("vehicleDetectorStatusGroup", (detectors,)),
        ("vehicleDetector", (shape.n_detectors,)),
        ("detector", (shape.n_detectors,)),
        ("pattern", (shape.n_patterns,)),
        ("split", (shape.n_patterns, shape.n_phases)),
        ("timebaseAscPattern", (MAX_ACTIONS,)),
        ("preempt", (MAX_PREEMPTS,)),
        ("sequenceData", (1, shape.n_rings)),
        ("ringStatus", (shape.n_rings,)),
        ("overlapStatusGroup", (overlaps,)),
        ("overlap", (shape.n_overlaps,)),
        ("module", (1,)),
        ("timeBaseSchedule", (MAX_SCHEDULES,)),
        ("dayPlan", (MAX_DAY_PLANS, MAX_EVENTS)),
    )
