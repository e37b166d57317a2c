"""The local cycle clock: where in its cycle a coordinated controller is, and how it moves to a new offset.

::

    desired   |----|----|----|----|----|     runs with the street's clock
    local     |-----|-----|-----|----|----|  add: each step of six stands still, until both agree
              |---|---|---|----|----|----|   subtract: one step of five counts twice

An add lengthens cycles by a fifth, a subtract shortens them by a sixth, as the Signal Timing Manual
(NCHRP 812, 7.7) has it; force-offs follow the local clock, while minimum greens, walks and clearances are timed
in real tenths and never give way.
"""

from __future__ import annotations

from dataclasses import dataclass

from control.drivers.cabinet_plan import Timetable
from traffic.signals import Correction

ADD_STEPS, SUBTRACT_STEPS = 6, 5
"""Every so many steps the local clock stands still, or counts twice."""


@dataclass(slots=True, kw_only=True)
class CycleClock:
    """Local position, in tenths, never wrapped; `zero_ds` is the street time of the master's zero."""

    table: Timetable
    step_ds: int
    zero_ds: int
    now_ds: int
    local_ds: int
    is_adding: bool = True
    _beat: int = 0

    def desired_ds(self) -> int:
        """Return the position in the cycle, 0 <= position < cycle, that the offset asks for now."""
        table = self.table
        return (self.now_ds - self.zero_ds - table.offset_ds + table.reference_ds) % table.cycle_ds

    @property
    def error_ds(self) -> int:
        """How far the local clock has to gain, modulo the cycle."""
        return (self.desired_ds() - self.local_ds) % self.table.cycle_ds

    def plan_correction(self) -> None:
        """Choose the way to the offset; a subtract that the splits leave no room for becomes an add."""
        cycle, error = self.table.cycle_ds, self.error_ds
        has_room = self.table.slack_ds * ADD_STEPS >= cycle
        wanted = self.table.correction
        is_shorter = error * SUBTRACT_STEPS <= (cycle - error) * ADD_STEPS
        subtracts = wanted is Correction.SUBTRACT_ONLY or (wanted is Correction.SHORTWAY and is_shorter)
        self.is_adding = not (subtracts and has_room)
        self._beat = 0

    def advance(self, *, may_dwell: bool) -> None:
        """Move on by one step; `may_dwell` while the coordinated phases hold green before their yield point."""
        error = self.error_ds
        self.now_ds += self.step_ds
        self.local_ds += self.step_ds
        if error == 0:
            self._settle()
            return
        stand_ds = min(self.step_ds, self.table.cycle_ds - error)
        if self.table.correction is Correction.DWELL:
            if may_dwell:
                self.local_ds -= stand_ds
            return
        self._beat += 1
        if self.is_adding and self._beat >= ADD_STEPS:
            self._beat, self.local_ds = 0, self.local_ds - stand_ds
        elif not self.is_adding and self._beat >= SUBTRACT_STEPS:
            self._beat, self.local_ds = 0, self.local_ds + min(self.step_ds, error)

    def _settle(self) -> None:
        """Notice a new error (midnight, a sync pulse, a clock that was set) as soon as it appears."""
        if self.error_ds:
            self.plan_correction()

    def move_zero(self, zero_ds: int) -> None:
        """Take a new master zero; a correction begins if it is out of step with the old one."""
        if zero_ds != self.zero_ds:
            self.zero_ds = zero_ds
            self.plan_correction()

    def fall_back(self, late_ds: int) -> None:
        """Admit that the rings are late by so much: the local clock goes back and a correction begins."""
        self.local_ds -= late_ds
        self.plan_correction()
