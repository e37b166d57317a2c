"""What one decision at stage level must keep, against what was last seen; one line per fault, or None."""

from __future__ import annotations

from control.charge import Charge
from control.limits import GuardLimits
from control.longest_red import CallWatch
from control.stage_table import StageTable
from traffic.decisions import Extend, Stage
from traffic.snapshot import Snapshot

LARGEST_S = 1e12
"""Beyond every clock; a larger number is no time."""


def is_number(value: object) -> bool:
    """Whether a value is a finite real number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_S


def is_index(value: object, length: int) -> bool:
    """Whether a value is a place in a sequence of this length."""
    return type(value) is int and 0 <= value < length


def stage_index_fault(decision: Stage, table: StageTable) -> str | None:
    """Return what is wrong with the stage itself, whatever the state: unknown, or conflicting greens."""
    stage = decision.stage
    if not is_index(stage, len(table.lamps)):
        return f"junction {decision.junction}: stage {stage} (0-{len(table.lamps) - 1})"
    if stage in table.conflicting:
        return f"junction {decision.junction}: stage {stage} {table.lamps[stage]} (foes never move together)"
    if not is_number(decision.not_before_s):
        return f"junction {decision.junction}: not before {decision.not_before_s} s (a time of the plant's clock)"
    return None


def stage_fault(
    decision: Stage, charge: Charge, table: StageTable, snapshot: Snapshot, watch: CallWatch, limits: GuardLimits
) -> str | None:
    """Return what a switch breaks: a change in progress, least service, its time, the longest red of others."""
    where, now = f"junction {decision.junction}", snapshot.time_s
    running = snapshot.stage[charge.place]
    if running < 0 or charge.is_switching:
        return f"{where}: stage {decision.stage} asked in a change (after the next stage is green)"
    if decision.not_before_s != 0.0 and decision.not_before_s < now:
        return f"{where}: not before {decision.not_before_s:g} s is past (now {now:g} s; 0 means now)"
    if decision.not_before_s > now + limits.max_red_s:
        return f"{where}: not before {decision.not_before_s:g} s (within {limits.max_red_s:g} s)"
    if decision.stage == running:
        return None
    start = max(now, decision.not_before_s)
    green_s = start - snapshot.green_since_s[charge.place]
    if green_s < table.least_s[running]:
        return f"{where}: green of {green_s:g} s (least service of stage {running} is {table.least_s[running]:g} s)"
    return _waits_fault(decision.stage, start, charge, table, watch, now)


def _waits_fault(
    stage: int, start: float, charge: Charge, table: StageTable, watch: CallWatch, now: float
) -> str | None:
    """Return whether serving a stage from `start` on would keep a standing call red for too long."""
    where = f"junction {charge.junction}: stage {stage}"
    if stage not in table.cover and not watch.has_room_for(charge.place, stage):
        return f"{where} leaves no room to serve the others within the longest red (stages {list(table.cover)})"
    served_at = start + table.change_s + table.least_s[stage]
    if watch.is_quiet_until(charge.place, served_at):
        return None
    latest, oldest = watch.latest_start(charge.place)
    if stage == oldest and start <= max(now, latest):
        return None
    if start > latest or watch.latest_start(charge.place, served_by=stage)[0] < served_at:
        return f"{where} would keep calls red too long (stage {oldest}, the oldest call, first)"
    return None


def extend_fault(
    decision: Extend, charge: Charge, snapshot: Snapshot, watch: CallWatch, limits: GuardLimits
) -> str | None:
    """Return what an extension breaks: nothing runs, it is past, or it outlasts the longest red."""
    where, now, until = f"junction {decision.junction}", snapshot.time_s, decision.until_s
    if not is_number(until) or until < now:
        return f"{where}: extend until {until} s (a time from {now:g} s on)"
    if snapshot.stage[charge.place] < 0 or charge.is_switching:
        return f"{where}: extend in a change (a green stage)"
    if until > now + limits.max_red_s:
        return f"{where}: extend by {until - now:g} s (the longest red is {limits.max_red_s:g} s)"
    latest = watch.latest_start(charge.place)[0]
    if until > latest:
        return f"{where}: extend until {until:g} s (the oldest call needs the change at {latest:g} s)"
    return None
