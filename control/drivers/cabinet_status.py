"""What a virtual controller tells about itself: every read-only object, and the controls it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from control.drivers.ber import Counter32, Value
from control.drivers.cabinet_plan import FreeReason
from control.drivers.cabinet_rings import Ring
from control.drivers.cabinet_unit import FlashStatus
from control.drivers.objects import FLASH, FREE, octet_of
from control.drivers.tables_layout import MAX_ACTIONS, MAX_DAY_PLANS, MAX_EVENTS, MAX_PREEMPTS, MAX_SCHEDULES
from traffic.ids import PhaseNumber
from traffic.lamps import Part, overlap_letter
from traffic.signals import GREEN_LETTERS

if TYPE_CHECKING:
    from control.drivers.cabinet import VirtualController

MAX_STATUS_S = 510
"""Greatest value of coordCycleStatus and coordSyncStatus."""
RingTest = Callable[[Ring, int], bool]


def read_status(cabinet: VirtualController, name: str, index: tuple[int, ...]) -> Value:
    """Return the value of a read-only object or a control; 0 for one that this controller has no use for."""
    if name in _SCALARS:
        return _SCALARS[name](cabinet)
    if name in _ROWS:
        return _ROWS[name](cabinet, index[0])
    return _FIXED.get(name, 0)


def is_in_transition(cabinet: VirtualController) -> bool:
    """Whether an offset is being corrected."""
    clock = cabinet.rings.clock
    return clock is not None and clock.error_ds != 0


# -- phases ---------------------------------------------------------------------------------------


def _lit(cabinet: VirtualController, group: int, test: RingTest) -> int:
    now_ds = cabinet.unit.now_ds
    if cabinet.flash is not FlashStatus.NOT_FLASH:
        return 0
    return octet_of(frozenset(ring.phase for ring in cabinet.rings.rings if test(ring, now_ds)), group)


def _is_green(ring: Ring, _: int) -> bool:
    return ring.part is Part.GREEN


def _is_yellow(ring: Ring, _: int) -> bool:
    return ring.part is Part.YELLOW


def _is_on(ring: Ring, _: int) -> bool:
    return ring.part is not Part.RED


def _walks(ring: Ring, now_ds: int) -> bool:
    return ring.part is Part.GREEN and now_ds < ring.walk_end_ds


def _clears(ring: Ring, now_ds: int) -> bool:
    return ring.part is Part.GREEN and ring.walk_end_ds <= now_ds < ring.ped_end_ds


def _installed(cabinet: VirtualController, group: int) -> int:
    return octet_of(frozenset(phase.number for phase in cabinet.junction.phases), group)


def _reds(cabinet: VirtualController, group: int) -> int:
    lit = _lit(cabinet, group, _is_green) | _lit(cabinet, group, _is_yellow)
    return _installed(cabinet, group) & ~lit


def _dont_walks(cabinet: VirtualController, group: int) -> int:
    walking = _lit(cabinet, group, _walks) | _lit(cabinet, group, _clears)
    return _installed(cabinet, group) & ~walking


def _called(cabinet: VirtualController, group: int, test: Callable[[PhaseNumber], bool]) -> int:
    return octet_of(frozenset(p.number for p in cabinet.junction.phases if test(p.number)), group)


def _nexts(cabinet: VirtualController, group: int) -> int:
    following = frozenset(ring.next_phase for ring in cabinet.rings.rings if ring.next_phase)
    return octet_of(following, group)


def _ring_status(cabinet: VirtualController, number: int) -> int:
    """Return ringStatus: coded bits C B A, and why the last green ended."""
    if number > len(cabinet.rings.rings):
        return 0
    ring = cabinet.rings.rings[number - 1]
    coded = {Part.YELLOW: 4, Part.RED_CLEAR: 5, Part.RED: 6}.get(ring.part)
    if coded is None:
        coded = 0 if cabinet.unit.now_ds < cabinet.rings.earliest_end_ds(ring) else 1
    why = 0 if ring.ending is None else 1 << (int(ring.ending) - 1)
    return coded | why


def _overlaps(cabinet: VirtualController, group: int, letters: frozenset[str]) -> int:
    if cabinet.flash is not FlashStatus.NOT_FLASH:
        return 0
    states = [ring.state for ring in cabinet.rings.rings]
    members = [o for o in cabinet.junction.overlaps if 8 * group - 7 <= o.number <= 8 * group]
    return sum(1 << (o.number - 8 * group + 7) for o in members if overlap_letter(o, states) in letters)


# -- coordination -----------------------------------------------------------------------------------


def _pattern(cabinet: VirtualController) -> int:
    if cabinet.flash is not FlashStatus.NOT_FLASH:
        return FLASH
    clock = cabinet.rings.clock
    return FREE if clock is None else clock.table.number


def _cycle(cabinet: VirtualController) -> int:
    """Return the seconds to the end of the local cycle, which begins at the offset's reference."""
    clock = cabinet.rings.clock
    if clock is None:
        return 0
    table = clock.table
    left_ds = table.cycle_ds - (clock.local_ds - table.reference_ds) % table.cycle_ds
    return min(left_ds // 10, MAX_STATUS_S)


def _sync(cabinet: VirtualController) -> int:
    clock = cabinet.rings.clock
    return 0 if clock is None else (clock.now_ds - clock.zero_ds) % clock.table.cycle_ds // 10


def _alarm1(cabinet: VirtualController) -> int:
    is_coordinated = cabinet.rings.clock is not None and cabinet.flash is FlashStatus.NOT_FLASH
    is_local_free = cabinet.free not in (FreeReason.NOT_FREE, FreeReason.COMMAND)
    is_local, is_mmu = cabinet.flash is FlashStatus.LOCAL, cabinet.flash is FlashStatus.MMU
    return _bits({7: is_coordinated, 6: is_local_free, 5: is_local, 4: is_mmu})


def _alarm2(cabinet: VirtualController) -> int:
    """Return unitAlarmStatus2; reading it clears the power restart, as the standard says."""
    has_restarted, cabinet.has_restarted = cabinet.has_restarted, False
    return _bits({5: is_in_transition(cabinet), 0: has_restarted})


def _short_alarm(cabinet: VirtualController) -> int:
    has_fault = any(reading.has_failed for reading in cabinet.detectors.readings.values())
    is_free = cabinet.free not in (FreeReason.NOT_FREE, FreeReason.COMMAND)
    flashes = cabinet.flash in (FlashStatus.LOCAL, FlashStatus.MMU)
    return _bits({5: has_fault, 3: is_free, 1: flashes, 0: cabinet.unit.preempt != 0})


def _bits(flags: Mapping[int, bool]) -> int:
    return sum(1 << bit for bit, flag in flags.items() if flag)


def _unit_control(cabinet: VirtualController) -> int:
    return cabinet.unit.unit_control | (0b10 if cabinet.inputs.is_remote_disabled else 0)


_SCALARS: Mapping[str, Callable[[VirtualController], Value]] = {
    "maxPhases": lambda c: c.tables.layout.n_phases,
    "maxPhaseGroups": lambda c: -(-c.tables.layout.n_phases // 8),
    "maxPatterns": lambda c: c.tables.layout.n_patterns,
    "maxSplits": lambda c: c.tables.layout.n_patterns,
    "maxRings": lambda c: max(2, len(c.installed.rings)),
    "maxOverlaps": lambda c: max(overlap.number for overlap in c.installed.overlaps),
    "maxVehicleDetectors": lambda c: max((d.number for d in c.installed.detectors), default=1),
    "maxVehicleDetectorStatusGroups": lambda c: -(-max((d.number for d in c.installed.detectors), default=1) // 8),
    "activeVolumeOccupancyDetectors": lambda c: len(c.installed.detectors),
    "volumeOccupancySequence": lambda c: c.detectors.sequence,
    "unitControlStatus": lambda c: int(c.control),
    "unitFlashStatus": lambda c: int(c.flash),
    "unitAlarmStatus1": _alarm1,
    "unitAlarmStatus2": _alarm2,
    "shortAlarmStatus": _short_alarm,
    "unitControl": _unit_control,
    "coordPatternStatus": _pattern,
    "localFreeStatus": lambda c: int(c.free),
    "coordCycleStatus": _cycle,
    "coordSyncStatus": _sync,
    "systemPatternControl": lambda c: c.unit.pattern_control,
    "systemSyncControl": lambda c: c.unit.sync_control,
    "timebaseAscActionStatus": lambda c: c.unit.local_action(),
    "preemptStatus": lambda c: c.unit.preempt,
    "globalSetIDParameter": lambda c: c.tables.checksum(),
    "globalTime": lambda c: c.unit.global_s(),
    "controllerLocalTime": lambda c: Counter32(c.unit.local_s()),
}
_ROWS: Mapping[str, Callable[[VirtualController, int], Value]] = {
    "phaseStatusGroupReds": _reds,
    "phaseStatusGroupYellows": lambda c, g: _lit(c, g, _is_yellow),
    "phaseStatusGroupGreens": lambda c, g: _lit(c, g, _is_green),
    "phaseStatusGroupDontWalks": _dont_walks,
    "phaseStatusGroupPedClears": lambda c, g: _lit(c, g, _clears),
    "phaseStatusGroupWalks": lambda c, g: _lit(c, g, _walks),
    "phaseStatusGroupVehCalls": lambda c, g: _called(c, g, c.calls.has_vehicle),
    "phaseStatusGroupPedCalls": lambda c, g: _called(c, g, c.calls.has_pedestrian),
    "phaseStatusGroupPhaseOns": lambda c, g: _lit(c, g, _is_on),
    "phaseStatusGroupPhaseNexts": _nexts,
    "phaseControlGroupPhaseOmit": lambda c, g: octet_of(c.controls.omit, g),
    "phaseControlGroupPedOmit": lambda c, g: octet_of(c.controls.ped_omit, g),
    "phaseControlGroupHold": lambda c, g: octet_of(c.controls.hold, g),
    "phaseControlGroupForceOff": lambda c, g: octet_of(c.controls.force_off, g),
    "phaseControlGroupVehCall": lambda c, g: octet_of(c.controls.vehicle_call, g),
    "phaseControlGroupPedCall": lambda c, g: octet_of(c.controls.ped_call, g),
    "vehicleDetectorStatusGroupActive": lambda c, g: c.detectors.group(g, alarms=False),
    "vehicleDetectorStatusGroupAlarms": lambda c, g: c.detectors.group(g, alarms=True),
    "detectorVolume": lambda c, n: c.detectors.readings[n].volume if n in c.detectors.readings else 0,
    "detectorOccupancy": lambda c, n: c.detectors.readings[n].occupancy if n in c.detectors.readings else 0,
    "patternSplitNumber": lambda _, n: n,
    "preemptState": lambda c, n: 6 if c.unit.preempt == n else 2,
    "preemptControlState": lambda c, n: int(n in c.unit.preempts),
    "ringStatus": _ring_status,
    "overlapStatusGroupReds": lambda c, g: _overlaps(c, g, frozenset("rs")),
    "overlapStatusGroupYellows": lambda c, g: _overlaps(c, g, frozenset("y")),
    "overlapStatusGroupGreens": lambda c, g: _overlaps(c, g, GREEN_LETTERS),
}
_FIXED: Mapping[str, Value] = {
    "sysDescr": b"Nga Tu virtual controller",
    "moduleMake": b"Nga Tu",
    "moduleModel": b"virtual controller",
    "moduleVersion": b"1",
    "moduleType": 3,
    "globalMaxModules": 1,
    "patternTableType": 2,
    "maxTimebaseAscActions": MAX_ACTIONS,
    "maxPreempts": MAX_PREEMPTS,
    "maxSequences": 1,
    "maxTimeBaseScheduleEntries": MAX_SCHEDULES,
    "maxDayPlans": MAX_DAY_PLANS,
    "maxDayPlanEvents": MAX_EVENTS,
}
