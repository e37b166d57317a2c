"""What a pattern means to the controller: windows of the cycle, or the reason why it cannot run.

Positions count from the start of the first phase of each ring::

    0         start        force_off   end               cycle
    |---------|============|yyyyyyyyyrr|-----------------|
               green        clearance
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from traffic.errors import BadScenario
from traffic.ids import PhaseNumber
from traffic.signals import Correction, ForceMode, Junction, Plan, Recall, SplitMode, SyncPoint

MIN_CYCLE_S, MAX_CYCLE_S = 30, 255
"""Range of a cycle in NEMA TS 2, seconds."""


class FreeReason(IntEnum):
    """localFreeStatus of NTCIP 1202."""

    OTHER = 1
    NOT_FREE = 2
    COMMAND = 3
    TRANSITION = 4
    INPUT = 5
    PROGRAMMED = 6
    BAD_PLAN = 7
    BAD_CYCLE = 8
    SPLIT_OVERRUN = 9
    INVALID_OFFSET = 10
    FAILED = 11


@dataclass(frozen=True, slots=True)
class Window:
    """A phase's place in the cycle, tenths: start of green, force-off, end of red clearance."""

    start_ds: int
    force_off_ds: int
    end_ds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """A pattern that can run. `reference_ds` is the position in the cycle that the offset refers to.

    `slack_ds` is what the tightest ring can give up per cycle without cutting a minimum.
    """

    number: int
    cycle_ds: int
    offset_ds: int
    reference_ds: int
    windows: Mapping[PhaseNumber, Window]
    order: tuple[tuple[PhaseNumber, ...], ...]
    coordinated: frozenset[PhaseNumber]
    modes: Mapping[PhaseNumber, SplitMode]
    correction: Correction
    force_mode: ForceMode
    slack_ds: int


def rounded(junction: Junction, step_ds: int) -> Junction:
    """Return the junction with yellow and red clearance rounded up to whole steps of the street.

    Raises
    ------
    BadScenario
        If the step does not divide a second: minimum greens and splits would not be whole steps.
    """
    if step_ds < 1 or 10 % step_ds:
        where = f"step of junction {junction.id}"
        raise BadScenario(where, f"{step_ds / 10} s", "must divide 1 s: 0.1, 0.2, 0.5 or 1", "choose another step")
    phases = tuple(
        replace(p, yellow_ds=_up(p.yellow_ds, step_ds), red_clear_ds=_up(p.red_clear_ds, step_ds))
        for p in junction.phases
    )
    return replace(junction, phases=phases)


def _up(span_ds: int, step_ds: int) -> int:
    return -(-span_ds // step_ds) * step_ds


def served_splits(plan: Plan) -> dict[PhaseNumber, int]:
    """Return split seconds of the phases that the plan serves."""
    return {s.phase: s.split_s for s in plan.split.splits if s.split_s > 0 and s.mode is not SplitMode.OMITTED}


def free_reason(junction: Junction, plan: Plan) -> FreeReason | None:
    """Return why the controller cannot coordinate on this plan; None where it can."""
    cycle_s, splits = plan.pattern.cycle_s, served_splits(plan)
    coordinated = {s.phase for s in plan.split.splits if s.is_coordinated} & set(splits)
    if cycle_s == 0 or not coordinated or not set(splits) <= {p.number for p in junction.phases}:
        return FreeReason.BAD_PLAN
    if not MIN_CYCLE_S <= cycle_s <= MAX_CYCLE_S:
        return FreeReason.BAD_CYCLE
    if plan.pattern.offset_s >= cycle_s:
        return FreeReason.INVALID_OFFSET
    rings = [[p for p in ring if p in splits] for ring in junction.rings]
    if any(sum(junction.phase(p).min_split_s for p in ring) > cycle_s for ring in rings):
        return FreeReason.BAD_CYCLE
    sums = [sum(splits[p] for p in ring) for ring in rings]
    if max(sums) > cycle_s or any(splits[p] < junction.phase(p).min_split_s for ring in rings for p in ring):
        return FreeReason.SPLIT_OVERRUN
    if min(sums) < cycle_s or not _barriers_meet(junction, splits):
        return FreeReason.BAD_PLAN
    return None


def _barriers_meet(junction: Junction, splits: Mapping[PhaseNumber, int]) -> bool:
    spans = [
        [sum(splits.get(p, 0) for p in ring if p in group) for group in junction.barriers] for ring in junction.rings
    ]
    return all(span == spans[0] for span in spans)


def timetable(junction: Junction, plan: Plan) -> Timetable:
    """Return the windows of a plan that `free_reason` finds nothing wrong with."""
    splits = served_splits(plan)
    windows: dict[PhaseNumber, Window] = {}
    for ring in junction.rings:
        start = 0
        for number in ring:
            if number in splits:
                end = start + splits[number] * 10
                windows[number] = Window(start, end - junction.phase(number).clearance_ds, end)
                start = end
    first = next(s.phase for s in plan.split.splits if s.is_coordinated and s.phase in splits)
    begins_green = plan.pattern.sync_point is SyncPoint.BEGIN_GREEN
    slack = min(
        sum(splits[p] - junction.phase(p).min_split_s for p in ring if p in splits) * 10 for ring in junction.rings
    )
    return Timetable(
        number=plan.pattern.number,
        cycle_ds=plan.pattern.cycle_s * 10,
        offset_ds=plan.pattern.offset_s * 10,
        reference_ds=windows[first].start_ds if begins_green else windows[first].force_off_ds,
        windows=windows,
        order=junction.rings,
        coordinated=frozenset(s.phase for s in plan.split.splits if s.is_coordinated and s.phase in splits),
        modes={s.phase: _mode(junction, s.phase, s.mode) for s in plan.split.splits if s.phase in splits},
        correction=plan.pattern.correction,
        force_mode=plan.pattern.force_mode,
        slack_ds=slack,
    )


_RECALL_MODES = {
    Recall.NONE: SplitMode.NONE,
    Recall.MINIMUM: SplitMode.MINIMUM_RECALL,
    Recall.MAXIMUM: SplitMode.MAXIMUM_RECALL,
    Recall.PEDESTRIAN: SplitMode.PEDESTRIAN_RECALL,
}


def _mode(junction: Junction, phase: PhaseNumber, mode: SplitMode) -> SplitMode:
    """Return the plan's own mode, or the phase's recall where the plan leaves it open."""
    return free_mode(junction, phase) if mode is SplitMode.NONE else mode


def free_mode(junction: Junction, phase: PhaseNumber) -> SplitMode:
    """Return the phase's own recall as a split mode: what holds in free operation."""
    return _RECALL_MODES[junction.phase(phase).recall]
