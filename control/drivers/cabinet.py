"""The virtual controller: times its own signals from its own tables on the street's clock.

::

    tick(time) -> lease, clock, schedule -> pattern -> rings and barriers -> lamps -> conflict monitor
                     ^ SNMP: tables

A pattern that its tables cannot run makes it run free, with the reason in localFreeStatus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from control.drivers.ber import Value
from control.drivers.cabinet_calls import Calls, Controls
from control.drivers.cabinet_clock import CycleClock
from control.drivers.cabinet_detect import Detectors
from control.drivers.cabinet_log import CabinetLog
from control.drivers.cabinet_plan import FreeReason, Timetable, free_mode, free_reason, rounded, timetable
from control.drivers.cabinet_rings import Rings
from control.drivers.cabinet_start import start_dark, start_in_step, take_up
from control.drivers.cabinet_status import read_status
from control.drivers.cabinet_unit import ControlStatus, FlashStatus, Inputs, Unit
from control.drivers.objects import FLASH, FREE, phases_in
from control.drivers.tables import Tables
from control.drivers.tables_layout import CONTROLS, Slot, layout
from control.drivers.tables_rows import LocalProgram, junction_of, plan_of, rows, shape_of, wiring_fault
from traffic.events import EventCode
from traffic.ids import DetectorId, PhaseNumber
from traffic.lamps import Part, RingState, lamps
from traffic.ports import EventSink
from traffic.signals import Junction

FLASH_LETTER = "s"
"""All-red flash: everybody stops, then goes when the way is free."""
ALL_RED_DS = 30
"""All red after flash, before the first green."""
MAX_CATCH_UP_DS = 6000
"""A jump of the street's clock by more than this is not lived through but taken up in step."""
_HELD = {
    "phaseControlGroupPhaseOmit": "omit",
    "phaseControlGroupPedOmit": "ped_omit",
    "phaseControlGroupHold": "hold",
    "phaseControlGroupForceOff": "force_off",
    "phaseControlGroupVehCall": "vehicle_call",
    "phaseControlGroupPedCall": "ped_call",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CabinetSettings:
    """`epoch_s`: unix time of the street's time 0, a local midnight. `verify_ds`: how long a verification takes."""

    start_ds: int = 0
    step_ds: int = 1
    backup_time_s: int = 60
    epoch_s: int = 0
    verify_ds: int = 5
    has_monitor: bool = True


class VirtualController:
    """Fills `traffic.ports.Cabinet`; `tables` is what its SNMP agent serves, `inputs` what happens to the cabinet."""

    def __init__(
        self,
        junction: Junction,
        program: LocalProgram,
        settings: CabinetSettings | None = None,
        sink: EventSink | None = None,
    ) -> None:
        self.installed: Junction = junction
        self.settings: CabinetSettings = settings or CabinetSettings()
        now_ds = self.settings.start_ds
        self.log: CabinetLog = CabinetLog(junction=junction.id, sink=sink, now_ds=now_ds)
        self.controls: Controls = Controls()
        self.tables: Tables = Tables(
            layout=layout(shape_of(junction, program)),
            read=self._read,
            act=self._act,
            check=lambda values: wiring_fault(junction, values),
            committed=self._committed,
            is_remote=lambda: self.unit.is_remote,
            verify_ds=self.settings.verify_ds,
            values=rows(junction, program, self.settings.backup_time_s),
            now_ds=now_ds,
        )
        self.unit: Unit = Unit(tables=self.tables, epoch_s=self.settings.epoch_s, now_ds=now_ds, controls=self.controls)
        self.detectors: Detectors = Detectors(detectors=junction.detectors, emit=self.log.emit)
        self.detectors.begin(now_ds)
        self.calls: Calls = Calls(controls=self.controls)
        self.junction: Junction = rounded(junction_of(junction, self.tables), self.settings.step_ds)
        self.flash: FlashStatus = FlashStatus.NOT_FLASH
        self.free: FreeReason = FreeReason.NOT_FREE
        self.control: ControlStatus = ControlStatus.TIMEBASE
        self.pattern = FREE
        self.table: Timetable | None = None
        self.has_restarted: bool = False
        self.is_latched = False
        self.shown = "r" * junction.n_links
        self._dark_until_ds = self._flash_until_ds = now_ds
        self._is_stale = False
        self._minute = -1
        self._active_preempt = 0
        self._checked: dict[str, bool] = {}
        self._known: dict[tuple[RingState, ...], str] = {}
        self.rings: Rings = start_dark(self.junction, self.calls, self.settings.step_ds, now_ds)
        self._begin()

    @property
    def inputs(self) -> Inputs:
        """What happens to the cabinet."""
        return self.unit.inputs

    # -- the street's side ----------------------------------------------------------------------

    def tick(self, time_ds: int, detectors: Mapping[DetectorId, bool]) -> str:
        """Advance to this tenth of a second and return the lamp string.

        A clock that stands still or goes back changes nothing.
        """
        if time_ds - self.unit.now_ds > MAX_CATCH_UP_DS:
            self._set_now(time_ds)
            self._begin()
        while self.unit.now_ds + self.settings.step_ds <= time_ds:
            self._set_now(self.unit.now_ds + self.settings.step_ds)
            self._step(detectors)
        self.log.flush()
        return self.shown

    def restart(self) -> None:
        """Lose power and come back: start-up flash, all red, then the local plan. Nothing committed is lost."""
        self.tables.restart()
        self.unit.is_leased = self.unit.is_backup = False
        self.unit.zero()
        self.calls.vehicle.clear()
        self.calls.pedestrian.clear()
        self.has_restarted = True
        self.log.emit(EventCode.POWER_FAILURE, 0)
        self._flash_until_ds = self.unit.now_ds + self.tables.whole("unitStartUpFlash") * 10
        self._go_dark()
        self._set_flash(FlashStatus.STARTUP)

    def reset_monitor(self) -> None:
        """A person looked, and lets the monitor go."""
        self.is_latched = False

    # -- one step -------------------------------------------------------------------------------

    def _set_now(self, now_ds: int) -> None:
        self.unit.now_ds = self.log.now_ds = self.rings.now_ds = now_ds
        self.tables.tick(now_ds)

    def _step(self, states: Mapping[DetectorId, bool]) -> None:
        if self.unit.lapse_if_due():
            self._is_stale = True
        greens = frozenset(ring.phase for ring in self.rings.rings if ring.part is Part.GREEN)
        if self.installed.detectors:
            self.detectors.sense(states, self.calls, greens, self.settings.step_ds)
            self.detectors.report(self.unit.now_ds, self.tables.whole("volumeOccupancyPeriod") * 10)
        self._flash_if_called()
        if self.flash is not FlashStatus.NOT_FLASH:
            self._show(FLASH_LETTER * self.junction.n_links)
            return
        self._follow_command()
        if self.unit.now_ds >= self._dark_until_ds:
            self._move()
        self._show(self._lamps())

    def _move(self) -> None:
        clock = self.rings.clock
        if clock is not None and clock.now_ds < self.unit.now_ds:
            clock.advance(may_dwell=self._may_dwell(clock))
        if clock is not None:
            clock.move_zero(self.unit.zero_ds())
        self.rings.step()
        if self.controls.force_off:
            self.controls.force_off &= frozenset(r.phase for r in self.rings.rings if r.part is Part.GREEN)

    def _may_dwell(self, clock: CycleClock) -> bool:
        """Whether every coordinated phase is green, has not reached its yield point, and the clock may stand still."""
        position = clock.local_ds % clock.table.cycle_ds
        green = {ring.phase for ring in self.rings.rings if ring.part is Part.GREEN}
        windows = [clock.table.windows[phase] for phase in clock.table.coordinated]
        return clock.table.coordinated <= green and all(w.start_ds <= position < w.force_off_ds for w in windows)

    def _show(self, shown: str) -> None:
        if shown == self.shown:
            return
        if self.settings.has_monitor and self._conflicts(shown):
            self.is_latched = True
            self._set_flash(FlashStatus.MMU)
            shown = FLASH_LETTER * self.junction.n_links
        self.log.lamps(self.junction, self.shown, shown)
        self.shown = shown

    def _lamps(self) -> str:
        """Return what the rings show; overlaps are wired, so that the same states always show the same."""
        states = tuple(ring.state for ring in self.rings.rings)
        if states not in self._known:
            self._known[states] = lamps(self.installed, states)
        return self._known[states]

    def _conflicts(self, shown: str) -> bool:
        """Whether two foes show protected green: what the conflict monitor watches."""
        if shown not in self._checked:
            self._checked[shown] = any(shown[i] == "G" == shown[j] for i, j in self.junction.conflicts)
        return self._checked[shown]

    # -- flash ----------------------------------------------------------------------------------

    def _flash_if_called(self) -> None:
        wanted = self._flash_called()
        if wanted is self.flash:
            return
        if wanted is FlashStatus.AUTOMATIC and self.flash is FlashStatus.NOT_FLASH:
            self.rings.goal, self.rings.clock = frozenset(), None
            if any(ring.part is not Part.RED for ring in self.rings.rings):
                return
        if wanted is FlashStatus.NOT_FLASH:
            self._go_dark()
        self._set_flash(wanted)

    def _flash_called(self) -> FlashStatus:
        if self.is_latched:
            return FlashStatus.MMU
        if self.inputs.is_fault:
            return FlashStatus.FAULT
        if self.inputs.is_local_flash:
            return FlashStatus.LOCAL
        if self.unit.now_ds < self._flash_until_ds:
            return FlashStatus.STARTUP
        self._refresh_command()
        return FlashStatus.AUTOMATIC if self.pattern == FLASH else FlashStatus.NOT_FLASH

    def _set_flash(self, flash: FlashStatus) -> None:
        if flash is not self.flash:
            self.flash = flash
            self.log.emit(EventCode.UNIT_FLASH_STATUS, int(flash))

    def _go_dark(self) -> None:
        """All red, and the rings at their start."""
        self.rings = start_dark(self.junction, self.calls, self.settings.step_ds, self.unit.now_ds)
        self.rings.on_change, self.rings.on_walk = self.log.ring, self.log.emit
        self._dark_until_ds = max(self.unit.now_ds, self._flash_until_ds) + ALL_RED_DS
        self._is_stale = True

    # -- what to run ----------------------------------------------------------------------------

    def _begin(self) -> None:
        """Start in step with the command that holds now."""
        self._refresh_command()
        self._choose()
        if self.table is not None:
            zero_ds, now_ds = self.unit.zero_ds(), self.unit.now_ds
            step_ds = self.settings.step_ds
            clock = CycleClock(table=self.table, step_ds=step_ds, zero_ds=zero_ds, now_ds=now_ds, local_ds=0)
            self.rings = start_in_step(self.junction, clock, self.calls)
        else:
            self.rings = start_dark(self.junction, self.calls, self.settings.step_ds, self.unit.now_ds)
        self.rings.on_change, self.rings.on_walk = self.log.ring, self.log.emit
        self.rings.step()
        self._is_stale = False
        self._show(self._lamps())

    def _refresh_command(self) -> None:
        minute = self.unit.local_s() // 60
        if self._is_stale or minute != self._minute:
            self._minute = minute
            pattern, self.control = self.unit.command()
            if pattern != self.pattern:
                self.pattern, self._is_stale = pattern, True
                self.log.emit(EventCode.COORD_PATTERN_CHANGE, pattern)

    def _follow_command(self) -> None:
        """Take up a new pattern, an edited one, a preempt or its end; nothing lit changes by that."""
        self._refresh_command()
        preempt = self.unit.preempt
        if preempt != self._active_preempt:
            code = EventCode.PREEMPT_CALL_ON if preempt else EventCode.PREEMPT_CALL_OFF
            self.log.emit(code, preempt or self._active_preempt)
            self._active_preempt, self._is_stale = preempt, True
        if not self._is_stale and self.inputs.is_free is not (self.free is FreeReason.INPUT and not preempt):
            self._is_stale = True
        if not self._is_stale:
            return
        self._is_stale = False
        before = self.rings.clock.table if self.rings.clock is not None else None
        self.junction = self.rings.junction = rounded(junction_of(self.installed, self.tables), self.settings.step_ds)
        self._choose()
        self.rings.goal = self._dwell_phases() if preempt else None
        if self.table is None or preempt:
            self.rings.clock = None
        elif self.table != before:
            take_up(self.rings, self.table, self.unit.zero_ds())

    def _choose(self) -> None:
        """Set timetable, recalls and the reason for running free."""
        self.table = None
        if self.pattern in (FREE, FLASH):
            by_system = self.control is ControlStatus.SYSTEM
            self.free = FreeReason.COMMAND if by_system else FreeReason.PROGRAMMED
        elif self.inputs.is_free:
            self.free = FreeReason.INPUT
        elif self.pattern > self.tables.layout.n_patterns:
            self.free = FreeReason.BAD_PLAN
        else:
            plan = plan_of(self.installed, self.tables, self.pattern)
            self.free = free_reason(self.junction, plan) or FreeReason.NOT_FREE
            self.table = timetable(self.junction, plan) if self.free is FreeReason.NOT_FREE else None
        if self.unit.preempt:
            self.free = FreeReason.INPUT
        if self.table is not None:
            self.calls.modes, self.calls.coordinated = self.table.modes, self.table.coordinated
        else:
            self.calls.modes = {p.number: free_mode(self.junction, p.number) for p in self.junction.phases}
            self.calls.coordinated = frozenset()

    def _dwell_phases(self) -> frozenset[PhaseNumber]:
        """Return the phases that a preempt holds: the coordinated phase and, in other rings, the last beside it."""
        junction = self.junction
        group = next(g for g in junction.barriers if junction.coordinated in g)
        beside = [[p for p in ring if p in group] for ring in junction.rings]
        return frozenset(junction.coordinated if junction.coordinated in part else part[-1] for part in beside if part)

    # -- the master's side ----------------------------------------------------------------------

    def _committed(self) -> None:
        self._is_stale = True

    def _read(self, name: str, index: tuple[int, ...]) -> Value:
        return read_status(self, name, index)

    def _act(self, controls: Sequence[tuple[Slot, Value]]) -> None:
        """Obey controls that were accepted; each system control renews the lease."""
        for slot, value in controls:
            assert isinstance(value, int)
            name = slot.item.name
            if name in CONTROLS:
                self.unit.renew()
            if name == "systemPatternControl":
                self.unit.pattern_control = value
            elif name == "systemSyncControl":
                self.unit.set_sync(value)
            elif name == "unitControl":
                self.unit.unit_control = value
            elif name == "globalTime":
                self.unit.set_clock(value)
            elif name == "preemptControlState":
                (self.unit.preempts.add if value else self.unit.preempts.discard)(slot.index[0])
            else:
                self._hold(_HELD[name], slot.index[0], value)
        self._is_stale = True

    def _hold(self, control: str, group: int, octet: int) -> None:
        """Set one group's octet of a phase control."""
        held: frozenset[PhaseNumber] = getattr(self.controls, control)
        others = frozenset(phase for phase in held if not 8 * group - 7 <= phase <= 8 * group)
        setattr(self.controls, control, others | phases_in({group: octet}))
