"""What is installed and planned as database values, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from control.drivers.ber import Oid, Value
from control.drivers.objects import SYNC_POINT, UNIT_SYNC_POINT, number, oid, word
from control.drivers.tables import Tables
from control.drivers.tables_layout import MAX_PATTERNS, Shape
from traffic.ids import PhaseNumber
from traffic.signals import (
    Action,
    Correction,
    DayPlan,
    DayPlanEvent,
    ForceMode,
    Junction,
    Pattern,
    Phase,
    Plan,
    Schedule,
    Split,
    SplitMode,
    SplitPlan,
    SyncPoint,
)

ENABLED, DUAL_ENTRY = 1 << 0, 1 << 10
"""Bits of phaseOptions."""
STARTUP_FLASH_S = 6
"""As delivered."""
TIMES: Mapping[str, str] = {
    "phaseWalk": "walk_s",
    "phasePedestrianClear": "ped_clear_s",
    "phaseMinimumGreen": "min_green_s",
    "phasePassage": "passage_ds",
    "phaseMaximum1": "max1_s",
    "phaseMaximum2": "max2_s",
    "phaseYellowChange": "yellow_ds",
    "phaseRedClear": "red_clear_ds",
}
"""Objects of a phase and the fields they hold."""


_CORRECTIONS = {number("coordCorrectionMode", mode): mode for mode in Correction}
_FORCE_MODES = {number("coordForceMode", mode): mode for mode in ForceMode}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalProgram:
    """What the controller runs by itself: its plans, and which of them when."""

    plans: tuple[Plan, ...]
    actions: tuple[Action, ...]
    day_plans: tuple[DayPlan, ...]
    schedules: tuple[Schedule, ...]


def all_day(plans: Iterable[Plan]) -> LocalProgram:
    """Return a program that runs the first plan at all times."""
    held = tuple(plans)
    return LocalProgram(
        plans=held,
        actions=(Action(number=1, pattern=held[0].pattern.number),),
        day_plans=(DayPlan(number=1, events=(DayPlanEvent(hour=0, minute=0, action=1),)),),
        schedules=(Schedule(number=1),),
    )


def shape_of(junction: Junction, program: LocalProgram) -> Shape:
    """Return how much the controller of a junction has of everything."""
    numbers = [n for plan in program.plans for n in (plan.pattern.number, plan.pattern.split)]
    return Shape(
        n_phases=8 if max(p.number for p in junction.phases) <= 8 else 16,
        n_rings=max(2, len(junction.rings)),
        n_overlaps=max(overlap.number for overlap in junction.overlaps),
        n_detectors=max((detector.number for detector in junction.detectors), default=1),
        n_patterns=min(max(MAX_PATTERNS, max(numbers) + 2), 253),
    )


def rows(junction: Junction, program: LocalProgram, backup_time_s: int) -> dict[Oid, Value]:
    """Return the database of a controller as delivered."""
    values: dict[Oid, Value] = {
        oid("sysName"): junction.id.encode(),
        oid("unitBackupTime"): backup_time_s,
        oid("unitStartUpFlash"): STARTUP_FLASH_S,
    }
    for phase in junction.phases:
        n = int(phase.number)
        values |= {oid(name, n): getattr(phase, field) or 0 for name, field in TIMES.items()}
        values[oid("phaseRing", n)] = phase.ring
        values[oid("phaseConcurrency", n)] = bytes(sorted(phase.concurrency))
        values[oid("phaseOptions", n)] = ENABLED | (DUAL_ENTRY if _is_last(junction, phase.number) else 0)
        values[oid("phaseStartup", n)] = number("phaseStartup", "greenNoWalk" if _starts(junction, n) else "phaseNotOn")
    for ring, order in enumerate(junction.rings, start=1):
        values[oid("sequenceData", 1, ring)] = bytes(order)
    for overlap in junction.overlaps:
        values[oid("overlapIncludedPhases", overlap.number)] = bytes(sorted(overlap.parents))
    for detector in junction.detectors:
        values[oid("vehicleDetectorCallPhase", detector.number)] = int(detector.call_phase)
    for plan in program.plans:
        values |= plan_rows(junction, plan)
    first = program.plans[0].pattern
    values[oid("coordCorrectionMode")] = number("coordCorrectionMode", first.correction)
    values[oid("coordForceMode")] = number("coordForceMode", first.force_mode)
    return values | _time_rows(program)


def _is_last(junction: Junction, phase: PhaseNumber) -> bool:
    group = next(g for g in junction.barriers if phase in g)
    return any([p for p in ring if p in group][-1:] == [phase] for ring in junction.rings)


def _starts(junction: Junction, phase: int) -> bool:
    group = next(g for g in junction.barriers if junction.coordinated in g)
    return any(next((p for p in ring if p in group), 0) == phase for ring in junction.rings)


def plan_rows(junction: Junction, plan: Plan) -> dict[Oid, Value]:
    """Return a local plan's rows; where no phase is marked, the junction's own is coordinated."""
    pattern, values = plan.pattern, dict[Oid, Value]()
    is_marked = any(split.is_coordinated for split in plan.split.splits)
    for split in plan.split.splits:
        where = (pattern.split, int(split.phase))
        leads = split.is_coordinated or (not is_marked and split.phase == junction.coordinated)
        values[oid("splitTime", *where)] = split.split_s
        values[oid("splitMode", *where)] = number("splitMode", split.mode)
        values[oid("splitCoordPhase", *where)] = int(leads)
    n = pattern.number
    shift_s = 0
    if pattern.sync_point is SyncPoint.BEGIN_YELLOW and pattern.cycle_s:
        lead = next((s.phase for s in plan.split.splits if s.is_coordinated), junction.coordinated)
        shift_s = max(plan.split.split_s(lead) * 10 - junction.phase(lead).clearance_ds, 0) // 10
    offset_s = pattern.offset_s if not shift_s else (pattern.offset_s + shift_s) % pattern.cycle_s
    return values | {
        oid("patternCycleTime", n): pattern.cycle_s,
        oid("patternOffsetTime", n): offset_s,
        oid("patternSplitNumber", n): pattern.split,
        oid("patternSequenceNumber", n): pattern.sequence,
        oid("patternCoordSyncPoint", n): SYNC_POINT[pattern.sync_point],
    }


def _time_rows(program: LocalProgram) -> dict[Oid, Value]:
    values: dict[Oid, Value] = {oid("timebaseAscPattern", a.number): a.pattern for a in program.actions}
    for day in program.day_plans:
        for place, event in enumerate(day.events, start=1):
            values[oid("dayPlanHour", day.number, place)] = event.hour
            values[oid("dayPlanMinute", day.number, place)] = event.minute
            values[oid("dayPlanActionNumberOID", day.number, place)] = oid("timebaseAscPattern", event.action)
    for schedule in program.schedules:
        n = schedule.number
        values[oid("timeBaseScheduleMonth", n)] = sum(1 << m for m in schedule.months)
        values[oid("timeBaseScheduleDay", n)] = sum(1 << d for d in schedule.weekdays)
        values[oid("timeBaseScheduleDate", n)] = sum(1 << d for d in schedule.days)
        values[oid("timeBaseScheduleDayPlan", n)] = schedule.day_plan
    return values


def plan_of(junction: Junction, tables: Tables, pattern: int) -> Plan:
    """Return the plan that the tables hold under a pattern number."""
    split_number = tables.held("patternSplitNumber", pattern)
    table = split_number if isinstance(split_number, int) and split_number else pattern
    splits = tuple(_split_of(tables, table, phase.number) for phase in junction.phases)
    sync = tables.whole("patternCoordSyncPoint", pattern)
    if word("patternCoordSyncPoint", sync) == "unitCoordSyncPoint":
        point = UNIT_SYNC_POINT.get(tables.whole("unitCoordSyncPoint"), SyncPoint.BEGIN_GREEN)
    else:
        point = next((p for p, code in SYNC_POINT.items() if code == sync), SyncPoint.BEGIN_GREEN)
    held = Pattern(
        number=pattern,
        cycle_s=tables.whole("patternCycleTime", pattern),
        offset_s=tables.whole("patternOffsetTime", pattern),
        split=table,
        sequence=tables.whole("patternSequenceNumber", pattern),
        correction=_CORRECTIONS.get(tables.whole("coordCorrectionMode"), Correction.SHORTWAY),
        force_mode=_FORCE_MODES.get(tables.whole("coordForceMode"), ForceMode.FLOATING),
        sync_point=point,
    )
    return Plan(junction=junction.id, pattern=held, split=SplitPlan(number=table, splits=splits))


def _split_of(tables: Tables, table: int, phase: PhaseNumber) -> Split:
    where = (table, int(phase))
    named = word("splitMode", tables.whole("splitMode", *where))
    mode = next((m for m in SplitMode if m.value == named), SplitMode.MAXIMUM_RECALL)
    return Split(
        phase=phase,
        split_s=tables.whole("splitTime", *where),
        mode=mode,
        is_coordinated=bool(tables.whole("splitCoordPhase", *where)),
    )


def junction_of(installed: Junction, tables: Tables) -> Junction:
    """Return the junction with the phase times that the tables hold."""
    phases = tuple(
        _phase_of(phase, {field: tables.whole(name, int(phase.number)) for name, field in TIMES.items()})
        for phase in installed.phases
    )
    return replace(installed, phases=phases)


def _phase_of(phase: Phase, times: Mapping[str, int]) -> Phase:
    """Return the phase with its times; pedestrian times that nobody knows stay unknown while the table holds 0."""
    known = {name: value for name, value in times.items() if value or getattr(phase, name) is not None}
    return replace(phase, **known)  # type: ignore[arg-type]


def wiring_fault(installed: Junction, values: Mapping[Oid, Value]) -> str:
    """Return what in the values contradicts the wiring of the cabinet: rings, concurrency, sequence, clearances."""
    for phase in installed.phases:
        n = int(phase.number)
        if values[oid("phaseRing", n)] != phase.ring:
            return f"phaseRing.{n} is wired to ring {phase.ring}"
        if values[oid("phaseConcurrency", n)] != bytes(sorted(phase.concurrency)):
            return f"phaseConcurrency.{n} is wired"
        for name, low in (("phaseYellowChange", phase.yellow_ds), ("phaseRedClear", phase.red_clear_ds)):
            if _number(values, name, n) < low:
                return f"{name}.{n} is below the installed {low} tenths"
    for ring, order in enumerate(installed.rings, start=1):
        if values[oid("sequenceData", 1, ring)] != bytes(order):
            return f"sequenceData.1.{ring} must be {list(order)}"
    return ""


def _number(values: Mapping[Oid, Value], name: str, index: int) -> int:
    value = values[oid(name, index)]
    return value if isinstance(value, int) else 0
