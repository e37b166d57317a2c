"""The unit: who commands it, for how long, what its clock says, and whether it flashes.

A SET of a system control parameter takes the lease; when nobody renews it within the backup time, the
unit zeroes all controls and runs its local plan: backup.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

from control.drivers.cabinet_calls import NO_PHASES, Controls
from control.drivers.objects import FREE, STANDBY, find
from control.drivers.tables import Tables
from control.drivers.tables_layout import MAX_DAY_PLANS, MAX_EVENTS, MAX_PREEMPTS, MAX_SCHEDULES

DAY_DS = 864_000
LOCAL_TIME_BASE = 255
"""systemSyncControl: offsets count from local midnight."""


class ControlStatus(IntEnum):
    """unitControlStatus."""

    SYSTEM = 2
    STANDBY = 3
    BACKUP = 4
    MANUAL = 5
    TIMEBASE = 6


class FlashStatus(IntEnum):
    """unitFlashStatus."""

    NOT_FLASH = 2
    AUTOMATIC = 3
    LOCAL = 4
    FAULT = 5
    MMU = 6
    STARTUP = 7
    PREEMPT = 8


@dataclass(slots=True, kw_only=True)
class Inputs:
    """What a technician, a fault or a train does to the cabinet; tests set these."""

    is_local_flash: bool = False
    is_fault: bool = False
    is_remote_disabled: bool = False
    is_free: bool = False
    preempt: int = 0


@dataclass(slots=True, kw_only=True)
class Unit:
    """Command, lease and clock. `epoch_s` is the unix time of the street's time 0."""

    tables: Tables
    epoch_s: int
    now_ds: int
    controls: Controls
    inputs: Inputs = field(default_factory=Inputs)
    pattern_control: int = STANDBY
    sync_control: int = LOCAL_TIME_BASE
    unit_control: int = 0
    preempts: set[int] = field(default_factory=set)
    drift_ds: int = 0
    is_leased: bool = False
    is_backup: bool = False
    leased_ds: int = 0
    _sync_zero_ds: int | None = None

    # -- lease ----------------------------------------------------------------------------------

    def renew(self) -> None:
        """Take the lease."""
        self.is_leased, self.is_backup, self.leased_ds = True, False, self.now_ds

    def backup_time_s(self) -> int:
        """Return the fail-safe time-out in force, seconds; 0 = off."""
        return self.tables.whole("unitUserDefinedBackupTime") or self.tables.whole("unitBackupTime")

    def lapse_if_due(self) -> bool:
        """Fall to backup if the lease has run out; return whether it just did."""
        limit_ds = self.backup_time_s() * 10
        if not self.is_leased or not limit_ds or self.now_ds - self.leased_ds < limit_ds:
            return False
        self.is_leased, self.is_backup = False, True
        self.zero()
        return True

    def zero(self) -> None:
        """Reset all system controls."""
        self.pattern_control, self.sync_control, self.unit_control = STANDBY, LOCAL_TIME_BASE, 0
        self._sync_zero_ds = None
        self.preempts.clear()
        self.controls.omit = self.controls.ped_omit = self.controls.hold = NO_PHASES
        self.controls.force_off = self.controls.vehicle_call = self.controls.ped_call = NO_PHASES

    @property
    def is_remote(self) -> bool:
        """Whether masters may set anything."""
        return not (self.inputs.is_remote_disabled or self.unit_control & 0b10)

    @property
    def preempt(self) -> int:
        """The preempt that is called, 0 = none."""
        called = [n for n in range(1, MAX_PREEMPTS + 1) if n == self.inputs.preempt or n in self.preempts]
        return called[0] if called else 0

    # -- command --------------------------------------------------------------------------------

    def command(self) -> tuple[int, ControlStatus]:
        """Return the pattern that holds now and who asks for it."""
        manual = self.tables.whole("coordOperationalMode")
        if manual:
            return manual, ControlStatus.MANUAL
        if self.pattern_control != STANDBY:
            return self.pattern_control, ControlStatus.SYSTEM
        if self.is_backup:
            return self.local_pattern(), ControlStatus.BACKUP
        return self.local_pattern(), ControlStatus.STANDBY if self.is_leased else ControlStatus.TIMEBASE

    def local_pattern(self) -> int:
        """Return what the schedule asks for at this time of day; free where it asks for nothing."""
        action = self.local_action()
        return (self.tables.whole("timebaseAscPattern", action) if action else 0) or FREE

    def local_action(self) -> int:
        """Return the time base action in force, 0 = none."""
        now = datetime.fromtimestamp(self.local_s(), tz=UTC)
        day_plan = self._day_plan(now)
        events = list(self._events(day_plan)) if day_plan else []
        if not events:
            return 0
        minute = now.hour * 60 + now.minute
        past = [event for event in events if event[0] <= minute]
        return max(past or events)[1]

    def _day_plan(self, now: datetime) -> int:
        """Return the day plan of the schedule row that fits today and names the fewest days."""
        weekday = now.isoweekday() % 7 + 1
        fitting = []
        for row in range(1, MAX_SCHEDULES + 1):
            names = ("timeBaseScheduleMonth", "timeBaseScheduleDate", "timeBaseScheduleDay")
            months, dates, days = (self.tables.whole(name, row) for name in names)
            if months >> now.month & 1 and dates >> now.day & 1 and days >> weekday & 1:
                breadth = months.bit_count() * dates.bit_count() * days.bit_count()
                fitting.append((breadth, row))
        row = min(fitting)[1] if fitting else 0
        day_plan = self.tables.whole("timeBaseScheduleDayPlan", row) if row else 0
        return day_plan if day_plan <= MAX_DAY_PLANS else 0

    def _events(self, day_plan: int) -> Iterable[tuple[int, int]]:
        """Yield (minute of the day, action) of a day plan."""
        for place in range(1, MAX_EVENTS + 1):
            target = self.tables.held("dayPlanActionNumberOID", day_plan, place)
            found = find(target) if isinstance(target, tuple) else None
            if found is not None and found[0].name == "timebaseAscPattern":
                hour = self.tables.whole("dayPlanHour", day_plan, place)
                yield hour * 60 + self.tables.whole("dayPlanMinute", day_plan, place), found[1][0]

    # -- clock ----------------------------------------------------------------------------------

    def global_s(self) -> int:
        """Return the unit's own clock, unix seconds."""
        return self.epoch_s + (self.now_ds + self.drift_ds) // 10

    def local_s(self) -> int:
        """Return the unit's local time, seconds since 1970 in its own zone."""
        return self.global_s() + self.tables.whole("controllerStandardTimeZone")

    def set_clock(self, unix_s: int) -> None:
        """Set the unit's clock."""
        self.drift_ds = (unix_s - self.epoch_s) * 10 - self.now_ds

    def set_sync(self, position_s: int) -> None:
        """Take a sync command: the position in the system cycle now; 255 goes back to the time base."""
        self.sync_control = position_s
        self._sync_zero_ds = None if position_s == LOCAL_TIME_BASE else self.now_ds - position_s * 10

    def zero_ds(self) -> int:
        """Return the street time of master zero: the last sync command, else the last local midnight."""
        if self._sync_zero_ds is not None:
            return self._sync_zero_ds
        zone_s = self.tables.whole("controllerStandardTimeZone")
        return self.now_ds - (self.now_ds + self.drift_ds + (self.epoch_s + zone_s) * 10) % DAY_DS
