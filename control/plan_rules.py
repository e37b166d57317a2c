"""What a plan and the order that carries it must keep; every fault at once, one line each.

::

    ring 1  |-- 1 --|---- 2 ----|| 3 |-- 4 --|     splits of a ring sum to the cycle,
    ring 2  |---- 5 ----|-- 6 --||- 7 -|- 8 -|     and all rings meet at a barrier ||
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from control.lamp_rules import cycle_faults, lamp_faults, longest_reds_s
from control.limits import GuardLimits
from traffic.errors import UnsafeCommand
from traffic.ids import PhaseNumber
from traffic.lamps import coordinated_start_ds, cycle_intervals
from traffic.signals import Junction, Order, Plan, SplitMode

LONGEST_SPLIT_S = 255
LAST_PATTERN = 253
LAST_PHASE = 16


def plan_faults(junction: Junction, plan: Plan, limits: GuardLimits) -> list[str]:
    """Return every rule of the guard that a plan breaks; an empty list is a legal plan.

    The legacy profile asks only whether it is for this junction, well formed, and free of
    conflicting greens.
    """
    if plan.junction != junction.id:
        return [f"plan {plan.pattern.number}: made for junction {plan.junction} (this is {junction.id})"]
    malformed = _split_shape(junction, plan) + _pattern_shape(junction, plan)
    if malformed:
        return malformed
    faults = _ring_sums(junction, plan)
    if limits.is_street:
        faults += _site_limits(junction, plan, limits) + _split_times(junction, plan, limits)
    if limits.is_push:
        faults += pedestrian_faults(junction)
    return faults + _lamps_of_cycle(junction, plan, limits)


def _where(junction: Junction, plan: Plan) -> str:
    return f"plan {plan.pattern.number} of junction {junction.id}"


def _is_whole(value: object, low: int, high: int) -> bool:
    """Whether a value is an integer (no bool, no float, no NaN, no subclass) within [low, high]."""
    return type(value) is int and low <= value <= high


def _split_shape(junction: Junction, plan: Plan) -> list[str]:
    """Return faults of the split table's form: phases missing, unknown, twice, omitted, not whole seconds."""
    where, faults = _where(junction, plan), []
    named = [split.phase for split in plan.split.splits]
    installed = [number for ring in junction.rings for number in ring]
    for number in sorted(set(installed) - set(named)):
        faults.append(f"{where}: phase {number} has no split (every phase is served)")
    for number in sorted(set(named) - set(installed), key=repr):
        faults.append(f"{where}: phase {number} is not installed (phases {sorted(installed)})")
    for number in sorted({n for n in named if named.count(n) > 1}, key=repr):
        faults.append(f"{where}: phase {number} has {named.count(number)} splits (one each)")
    for split in plan.split.splits:
        if split.mode is SplitMode.OMITTED:
            faults.append(f"{where}: phase {split.phase} is omitted (every phase is served)")
        if not _is_whole(split.split_s, 1, LONGEST_SPLIT_S):
            faults.append(f"{where}: split {split.split_s} of phase {split.phase} (whole 1-{LONGEST_SPLIT_S} s)")
    return faults


def _pattern_shape(junction: Junction, plan: Plan) -> list[str]:
    """Return faults of the pattern's form: numbers, sequence, cycle and offset as NTCIP can hold them."""
    where, pattern, faults = _where(junction, plan), plan.pattern, []
    if not _is_whole(pattern.number, 1, LAST_PATTERN):
        faults.append(f"{where}: pattern number {pattern.number} (1-{LAST_PATTERN}; 254 is free, 255 flash)")
    if pattern.split != plan.split.number or not _is_whole(pattern.split, 1, LAST_PATTERN):
        faults.append(f"{where}: names split table {pattern.split} but carries {plan.split.number} (the same, 1-253)")
    if not _is_whole(pattern.sequence, 1, 1):
        faults.append(f"{where}: sequence {pattern.sequence} (1, the installed one)")
    if not _is_whole(pattern.cycle_s, 1, LONGEST_SPLIT_S):
        faults.append(f"{where}: cycle {pattern.cycle_s} s (whole seconds, at most {LONGEST_SPLIT_S})")
    elif not _is_whole(pattern.offset_s, 0, pattern.cycle_s - 1):
        faults.append(f"{where}: offset {pattern.offset_s} s (whole, 0 <= offset < {pattern.cycle_s} s)")
    return faults


def _ring_sums(junction: Junction, plan: Plan) -> list[str]:
    """Return rings whose splits do not sum to the cycle, and barriers at which the rings do not meet."""
    where, faults = _where(junction, plan), []
    for index, ring in enumerate(junction.rings, start=1):
        total = sum(plan.split.split_s(number) for number in ring)
        if total != plan.pattern.cycle_s:
            faults.append(f"{where}: splits of ring {index} sum to {total} s (the cycle is {plan.pattern.cycle_s} s)")
    for position, group in enumerate(junction.barriers, start=1):
        spans = [_span_s(plan, ring, group) for ring in junction.rings]
        if len(set(spans)) > 1:
            faults.append(f"{where}: rings reach barrier {position} after {spans} s (together)")
    flagged = [split.phase for split in plan.split.splits if split.is_coordinated]
    groups = {next(i for i, group in enumerate(junction.barriers) if number in group) for number in flagged}
    if len(groups) > 1 or len(flagged) > len(junction.rings):
        faults.append(f"{where}: coordinated phases {flagged} (one per ring, within one barrier group)")
    return faults


def _span_s(plan: Plan, ring: Sequence[PhaseNumber], group: frozenset[PhaseNumber]) -> int:
    return sum(plan.split.split_s(number) for number in ring if number in group)


def _site_limits(junction: Junction, plan: Plan, limits: GuardLimits) -> list[str]:
    cycle_s = plan.pattern.cycle_s
    if limits.min_cycle_s <= cycle_s <= limits.max_cycle_s:
        return []
    return [f"{_where(junction, plan)}: cycle {cycle_s} s (site limits {limits.min_cycle_s}-{limits.max_cycle_s} s)"]


def _split_times(junction: Junction, plan: Plan, limits: GuardLimits) -> list[str]:
    """Return splits shorter than minimum green, or walk and pedestrian clearance, plus the intergreen."""
    faults = []
    for phase in junction.phases:
        least_s = max(phase.min_service_s, limits.min_green_s) + phase.clearance_ds / 10.0
        split_s = plan.split.split_s(phase.number)
        if split_s < least_s:
            why = f"min green or walk and clearance {least_s - phase.clearance_ds / 10.0:g} s + intergreen"
            faults.append(f"{_where(junction, plan)}: split {split_s} s of phase {phase.number} ({least_s:g} s: {why})")
    return faults


def pedestrian_faults(junction: Junction) -> list[str]:
    """Return the phases of which nobody said whether, and how long, pedestrians walk; they block a push."""
    return [
        f"phase {phase.number} of junction {junction.id}: pedestrian times unknown (0 or seconds before a push)"
        for phase in junction.phases
        if phase.has_unknown_pedestrians
    ]


def _lamps_of_cycle(junction: Junction, plan: Plan, limits: GuardLimits) -> list[str]:
    """Return what the lamps of the whole cycle break: conflicts, clearances, minimum greens, longest red."""
    where = _where(junction, plan)
    try:
        intervals = cycle_intervals(junction, plan)
        coordinated_start_ds(junction, plan)
    except UnsafeCommand as error:
        return [error.line]
    if not limits.is_street:
        shown = dict.fromkeys(interval.lamps for interval in intervals)
        return [f"{where}: {fault}" for lamps in shown for fault in lamp_faults(junction, lamps)]
    faults = [f"{where}: {fault}" for fault in cycle_faults(junction, intervals, limits.min_green_s)]
    for link, red_s in longest_reds_s(junction, intervals).items():
        if red_s > limits.max_red_s:
            faults.append(f"{where}: link {link} is red for {red_s:g} s (at most {limits.max_red_s:g} s)")
    return faults


def order_faults(junction: Junction, order: Order, now: datetime, last_sequence: int) -> list[str]:
    """Return what an order breaks: for whom it is, what it was made for, its place in the sequence, its validity."""
    where, faults = f"order {order.sequence_number} for junction {junction.id}", []
    if order.plan.junction != junction.id:
        faults.append(f"{where}: carries a plan for {order.plan.junction} (this junction's own)")
    if order.config_hash != junction.config_hash:
        faults.append(f"{where}: made for configuration {order.config_hash} (installed {junction.config_hash})")
    if not _is_whole(order.sequence_number, last_sequence + 1, 2**63 - 1):
        faults.append(f"{where}: sequence number {order.sequence_number} (above {last_sequence}, the last one)")
    if not order.issuer:
        faults.append(f"{where}: no issuer (somebody answers for it)")
    times = (order.valid_from, order.expires)
    if any(time.utcoffset() is None for time in times):
        return [*faults, f"{where}: valid {times[0]} to {times[1]} (times carry a time zone)"]
    if order.expires <= order.valid_from:
        faults.append(f"{where}: expires {order.expires} before it is valid from {order.valid_from} (after)")
    if now < order.valid_from:
        faults.append(f"{where}: valid from {order.valid_from} (now is {now})")
    if now >= order.expires:
        faults.append(f"{where}: expired {order.expires} (now is {now})")
    return faults
