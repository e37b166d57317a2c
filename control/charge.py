"""What the guard remembers of one junction: who times it, since when, and what was last seen there."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from traffic.ids import JunctionId
from traffic.signals import Plan


class Timing(StrEnum):
    """Who times a junction now."""

    INSTALLED = "installed"
    PLAN = "plan"
    STAGES = "stages"


@dataclass(slots=True)
class Charge:
    """One junction in the guard's charge. Times are the plant's clock, seconds."""

    junction: JunctionId
    place: int
    timing: Timing = Timing.INSTALLED
    last_sequence: int = 0
    plan: Plan | None = None
    plan_since_s: float = -inf
    held_until_s: float = -inf
    pending: tuple[float, int] | None = None
    expected: int = -1
    is_switching: bool = False
    is_suspended: bool = False
    is_locked: bool = False
    lamps: str = ""
    stage: int = -1
    green_since_s: float = 0.0
    seen_green_s: float = -inf
    release_times_s: list[float] = field(default_factory=list)


@dataclass(slots=True)
class GuardCounts:
    """How often the guard had to act; every one of them is also a record of the audit log."""

    refused: int = 0
    forced: int = 0
    released: int = 0
    readback_faults: int = 0
    installed_conflicts: int = 0
