"""What every driver agrees on: reserved pairs, a selection, and when it counts as in effect.

::

    select          transition bit set           ours, settled
      |-------------------|------------------------|----------> confirmed
      |<-------- at most 3 cycles of the street's clock ------>|  else: release
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from traffic.ports import ControllerMode, ControllerStatus
from traffic.signals import Junction

CONFIRM_CYCLES = 3
"""Cycles within which a selected pattern must be in effect (also NTCIP 1202's coordination alarm)."""
GRACE_S = 2.0
"""Street time in which a controller may still report what it did before a selection, seconds."""


class Pair(NamedTuple):
    """A pattern and a split table of the centre's own."""

    pattern: int
    split: int


class Verdict(StrEnum):
    """What a poll says about a selection."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    HOLD = "hold"
    LOST = "lost"


@dataclass(slots=True, kw_only=True)
class Selection:
    """A pattern that was asked for, and when, on the street's clock."""

    pattern: int
    cycle_s: int
    since_s: float
    refreshed_s: float
    is_confirmed: bool = False

    @property
    def deadline_s(self) -> float:
        """Street time by which the pattern must be in effect."""
        return self.since_s + CONFIRM_CYCLES * self.cycle_s + GRACE_S


def judge(selection: Selection, status: ControllerStatus) -> tuple[Verdict, str]:
    """Return what a poll says about a selection, and why it is lost where it is.

    A preempt suspends the selection: the controller comes back to it by itself.
    """
    is_fresh = status.time_s - selection.since_s <= GRACE_S and not selection.is_confirmed
    match status.mode:
        case ControllerMode.PREEMPT:
            return Verdict.HOLD, ""
        case ControllerMode.FLASH | ControllerMode.MANUAL:
            return Verdict.LOST, f"went to {status.mode.value}"
        case ControllerMode.BACKUP:
            lapsed = "fell back to its local plan: the lease lapsed"
            return (Verdict.PENDING, "") if is_fresh else (Verdict.LOST, lapsed)
        case ControllerMode.FREE:
            return (Verdict.PENDING, "") if is_fresh else (Verdict.LOST, f"dropped to free: {status.free_reason}")
        case ControllerMode.COORDINATED if status.pattern == selection.pattern:
            return Verdict.CONFIRMED, ""
        case _:
            return _judge_late(selection, status)


def _judge_late(selection: Selection, status: ControllerStatus) -> tuple[Verdict, str]:
    """Judge a controller that is in transition, or coordinated on another pattern."""
    is_ours = status.pattern == selection.pattern
    if selection.is_confirmed:
        if is_ours or status.mode is ControllerMode.TRANSITION:
            return Verdict.HOLD, ""
        return Verdict.LOST, f"runs pattern {status.pattern} instead of {selection.pattern}"
    if status.time_s <= selection.deadline_s:
        return Verdict.PENDING, ""
    why = "still in transition" if is_ours else f"runs pattern {status.pattern}"
    return Verdict.LOST, f"{why} {CONFIRM_CYCLES} cycles after pattern {selection.pattern} was selected"


def green_conflicts(junction: Junction, status: ControllerStatus) -> list[str]:
    """Return the pairs of phases that show green or yellow together and must not."""
    lit = sorted(status.greens | status.yellows)
    return [
        f"phases {one} and {other} green or yellow together"
        for position, one in enumerate(lit)
        for other in lit[position + 1 :]
        if not _may_share(junction, one, other)
    ]


def _may_share(junction: Junction, one: int, other: int) -> bool:
    rings = [ring for ring in junction.rings if one in ring or other in ring]
    if len(rings) < 2:
        return False
    phases = {int(phase.number): phase for phase in junction.phases}
    allowed = phases[one].concurrency
    return any(one in group and other in group for group in junction.barriers) and (not allowed or other in allowed)
