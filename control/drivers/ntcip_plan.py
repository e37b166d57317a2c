"""A plan as NTCIP 1202 objects, and back; the offset is converted to the controller's own sync point.

::

    master zero      green          yellow
    |--------------->|=============>|         BEGIN_GREEN:  patternOffsetTime = offset_s
    |------ offset --|-- green -----|         BEGIN_YELLOW: patternOffsetTime = offset_s + green, modulo the cycle
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from control.drivers.base import Pair
from control.drivers.ber import Oid, Value
from control.drivers.objects import SYNC_POINT, number, oid, word
from traffic.errors import ControllerFault
from traffic.ids import PhaseNumber
from traffic.signals import Correction, ForceMode, Junction, Pattern, Plan, Split, SplitMode, SplitPlan, SyncPoint

Bindings = list[tuple[Oid, Value]]


def plan_bindings(junction: Junction, plan: Plan, pair: Pair, *, has_sync_point: bool) -> Bindings:
    """Return the objects that make a plan the content of a pair, pattern last.

    Phases without a split are omitted; where no split is marked, the junction's own phase is coordinated.
    `has_sync_point`: the controller has patternCoordSyncPoint.
    """
    splits = {split.phase: split for split in plan.split.splits}
    bindings: Bindings = []
    leading = _coordinated(junction, plan)
    for phase in junction.phases:
        split = splits.get(phase.number, Split(phase=phase.number, split_s=0, mode=SplitMode.OMITTED))
        where = (pair.split, int(phase.number))
        bindings += [
            (oid("splitTime", *where), split.split_s),
            (oid("splitMode", *where), number("splitMode", split.mode)),
            (oid("splitCoordPhase", *where), int(phase.number in leading)),
        ]
    pattern = plan.pattern
    bindings += [
        (oid("patternCycleTime", pair.pattern), pattern.cycle_s),
        (oid("patternOffsetTime", pair.pattern), controller_offset_s(junction, plan)),
        (oid("patternSequenceNumber", pair.pattern), pattern.sequence),
    ]
    if has_sync_point:
        bindings.append((oid("patternCoordSyncPoint", pair.pattern), SYNC_POINT[pattern.sync_point]))
    return bindings


def _coordinated(junction: Junction, plan: Plan) -> frozenset[PhaseNumber]:
    """Return the phases that a plan coordinates: those marked, else the junction's own."""
    marked = frozenset(split.phase for split in plan.split.splits if split.is_coordinated)
    return marked or frozenset({junction.coordinated})


def controller_offset_s(junction: Junction, plan: Plan) -> int:
    """Return the offset in the controller's terms, seconds; a green of broken seconds is rounded down."""
    return (plan.pattern.offset_s + _sync_shift_s(junction, plan)) % plan.pattern.cycle_s


def _sync_shift_s(junction: Junction, plan: Plan) -> int:
    """Return the whole seconds from the start of green to the controller's sync point."""
    if plan.pattern.sync_point is SyncPoint.BEGIN_GREEN:
        return 0
    first = next((s for s in plan.split.splits if s.is_coordinated), None)
    phase = junction.coordinated if first is None else first.phase
    return max(plan.split.split_s(phase) * 10 - junction.phase(phase).clearance_ds, 0) // 10


def unit_modes(plan: Plan) -> Mapping[str, int]:
    """Return what the plan expects of the objects that hold for all patterns; a driver never writes them."""
    return {
        "coordCorrectionMode": number("coordCorrectionMode", plan.pattern.correction),
        "coordForceMode": number("coordForceMode", plan.pattern.force_mode),
    }


def plan_from(junction: Junction, plan: Plan, pair: Pair, values: Mapping[Oid, Value]) -> Plan:
    """Return the plan that a controller holds in a pair.

    `plan` gives what NTCIP does not keep per pattern, and which phases have a split.

    Raises
    ------
    ControllerFault
        If a value is none that a plan can have.
    """
    splits = tuple(_split_from(split.phase, pair, values) for split in plan.split.splits)
    is_marked = any(split.is_coordinated for split in plan.split.splits)
    if not is_marked and {split.phase for split in splits if split.is_coordinated} == {junction.coordinated}:
        splits = tuple(replace(split, is_coordinated=False) for split in splits)
    held = SplitPlan(number=pair.split, splits=splits)
    sync = values.get(oid("patternCoordSyncPoint", pair.pattern))
    point = next((point for point, code in SYNC_POINT.items() if code == sync), plan.pattern.sync_point)
    raw = Pattern(
        number=pair.pattern,
        cycle_s=_whole(values, oid("patternCycleTime", pair.pattern)),
        offset_s=_whole(values, oid("patternOffsetTime", pair.pattern)),
        split=pair.split,
        sequence=_whole(values, oid("patternSequenceNumber", pair.pattern)),
        correction=Correction(plan.pattern.correction),
        force_mode=ForceMode(plan.pattern.force_mode),
        sync_point=point,
    )
    read = Plan(junction=plan.junction, pattern=raw, split=held)
    if not raw.cycle_s:
        return read
    offset_s = (raw.offset_s - _sync_shift_s(junction, read)) % raw.cycle_s
    return replace(read, pattern=replace(raw, offset_s=offset_s))


def _split_from(phase: PhaseNumber, pair: Pair, values: Mapping[Oid, Value]) -> Split:
    where = (pair.split, int(phase))
    mode = word("splitMode", _whole(values, oid("splitMode", *where)))
    try:
        known = SplitMode(mode)
    except ValueError as error:
        raise ControllerFault(f"splitMode.{pair.split}.{phase}", mode, "a mode of ours", "read its tables") from error
    return Split(
        phase=phase,
        split_s=_whole(values, oid("splitTime", *where)),
        mode=known,
        is_coordinated=bool(_whole(values, oid("splitCoordPhase", *where))),
    )


def _whole(values: Mapping[Oid, Value], name: Oid) -> int:
    value = values.get(name)
    if not isinstance(value, int):
        raise ControllerFault("read-back", f"{value!r} for {name}", "an integer", "release it, a person looks")
    return value
