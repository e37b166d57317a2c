"""The event log: Indiana traffic signal high-resolution data, 100 ms stamps.

References
----------
Sturdevant et al., Indiana Traffic Signal Hi Resolution Data Logger Enumerations, Purdue University, 2012,
doi 10.4231/K4RN35SH.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from traffic.ids import JunctionId


class EventCode(IntEnum):
    """The enumerations that we write."""

    PHASE_ON = 0
    BEGIN_GREEN = 1
    GAP_OUT = 4
    MAX_OUT = 5
    FORCE_OFF = 6
    END_GREEN = 7
    BEGIN_YELLOW = 8
    END_YELLOW = 9
    BEGIN_RED_CLEAR = 10
    END_RED_CLEAR = 11
    BEGIN_WALK = 21
    BEGIN_PED_CLEAR = 22
    BEGIN_DONT_WALK = 23
    PHASE_CALL = 43
    PHASE_CALL_DROPPED = 44
    OVERLAP_BEGIN_GREEN = 61
    OVERLAP_BEGIN_YELLOW = 63
    OVERLAP_BEGIN_RED_CLEAR = 64
    DETECTOR_OFF = 81
    DETECTOR_ON = 82
    PREEMPT_CALL_ON = 102
    PREEMPT_CALL_OFF = 104
    COORD_PATTERN_CHANGE = 131
    CYCLE_LENGTH_CHANGE = 132
    OFFSET_LENGTH_CHANGE = 133
    COORD_CYCLE_STATE = 150
    UNIT_FLASH_STATUS = 173
    UNIT_ALARM = 174
    POWER_FAILURE = 182


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One line of the log: tenths of a second of the street's clock, junction, code, parameter."""

    time_ds: int
    junction: JunctionId
    code: EventCode
    parameter: int

    @property
    def time_s(self) -> float:
        """The stamp in seconds."""
        return self.time_ds / 10.0


HEADER = ("time_s", "junction", "event_code", "event_param")


def write_csv(path: Path, events: Iterable[Event]) -> None:
    """Write events as CSV, the columns of the field: stamp, signal, event code, event parameter."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows((f"{e.time_ds / 10:.1f}", e.junction, int(e.code), e.parameter) for e in events)
