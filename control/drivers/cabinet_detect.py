"""Detectors: calls and extensions for the rings, volume and occupancy for the master."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from control.drivers.cabinet_calls import Calls
from traffic.events import EventCode
from traffic.ids import DetectorId, PhaseNumber
from traffic.signals import Detector

WATCHDOG_FAULT = 216
"""detectorOccupancy of a detector that says nothing."""
OVERFLOW = 255
FULL = 200
"""detectorOccupancy counts in half percent."""


@dataclass(slots=True)
class Reading:
    """One detector: what it says now, what it counted in this period and in the last whole one."""

    is_on: bool = False
    has_failed: bool = False
    arrivals: int = 0
    occupied_ds: int = 0
    failed_in_period: bool = False
    volume: int = 0
    occupancy: int = 0


@dataclass(slots=True, kw_only=True)
class Detectors:
    """All detectors of a junction. A detector that the street does not name has failed: its phase is called always."""

    detectors: tuple[Detector, ...]
    emit: Callable[[EventCode, int], None]
    readings: dict[int, Reading] = field(default_factory=dict)
    sequence: int = 0
    _period_started_ds: int = 0

    def __post_init__(self) -> None:
        self.readings = {detector.number: Reading() for detector in self.detectors}

    def begin(self, now_ds: int) -> None:
        """Begin the first period."""
        self._period_started_ds = now_ds

    def sense(
        self, states: Mapping[DetectorId, bool], calls: Calls, greens: frozenset[PhaseNumber], step_ds: int
    ) -> None:
        """Take one step's states; a wheel on a phase that is not green is remembered until it is served."""
        occupied, failed = set(), set()
        for detector in self.detectors:
            reading, state = self.readings[detector.number], states.get(detector.id)
            reading.has_failed = state is None
            if state is None:
                reading.failed_in_period, reading.is_on = True, False
                failed.add(detector.call_phase)
                continue
            if state is not reading.is_on:
                self.emit(EventCode.DETECTOR_ON if state else EventCode.DETECTOR_OFF, detector.number)
                reading.arrivals += state
            reading.is_on = state
            if state:
                reading.occupied_ds += step_ds
                occupied.add(detector.call_phase)
                if detector.call_phase not in greens:
                    calls.vehicle.add(detector.call_phase)
        calls.occupied, calls.failed = frozenset(occupied), frozenset(failed)

    def report(self, now_ds: int, period_ds: int) -> None:
        """Close the period if it is over; a failed detector reports a fault code, never a count."""
        if not period_ds or now_ds - self._period_started_ds < period_ds:
            return
        for reading in self.readings.values():
            reading.volume = 0 if reading.failed_in_period else min(reading.arrivals, OVERFLOW)
            share = FULL * reading.occupied_ds // period_ds
            reading.occupancy = WATCHDOG_FAULT if reading.failed_in_period else min(share, FULL)
            reading.arrivals, reading.occupied_ds, reading.failed_in_period = 0, 0, reading.has_failed
        self.sequence = (self.sequence + 1) % 256
        self._period_started_ds = now_ds

    def group(self, number: int, *, alarms: bool) -> int:
        """Return the octet of a group of eight: active, or in alarm."""
        members = range(8 * number - 7, 8 * number + 1)
        readings = [self.readings.get(n) for n in members]
        bits = [r is not None and (r.has_failed if alarms else r.is_on) for r in readings]
        return sum(1 << place for place, bit in enumerate(bits) if bit)
