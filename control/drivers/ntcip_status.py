"""One poll of a controller, read as what it does, as far as authority goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from control.drivers.ber import Oid, Value
from control.drivers.objects import (
    ALARM1_BITS,
    ALARM2_BITS,
    DISABLE_REMOTE_BIT,
    FREE,
    FREE_WORDS,
    TRANSITION_BIT,
    oid,
    phases_in,
    word,
)
from traffic.errors import ControllerFault
from traffic.ids import PhaseNumber
from traffic.ports import ControllerMode, ControllerStatus

REQUIRED = (
    "unitControlStatus",
    "unitFlashStatus",
    "unitAlarmStatus1",
    "unitAlarmStatus2",
    "unitBackupTime",
    "coordOperationalMode",
    "coordPatternStatus",
    "localFreeStatus",
    "coordCycleStatus",
    "systemPatternControl",
    "globalTime",
)
"""Scalars that every poll needs."""
OPTIONAL = ("shortAlarmStatus", "unitControl", "unitUserDefinedBackupTime", "preemptStatus")
"""Scalars that older controllers lack."""
HELD_BY_HAND = {"manual", "remoteManualControl", "localManualControl"}
ON_ITS_WAY = {"notFree", "transitionFree"}
"""localFreeStatus of a controller that coordinates, or cycles to where it can begin."""
PREEMPT_BIT = 0
"""Bit of shortAlarmStatus."""


def poll_oids(optional: Sequence[str], n_groups: int) -> tuple[Oid, ...]:
    """Return what one poll asks for: scalars, and the greens and yellows of each group of eight phases."""
    scalars = [oid(name) for name in (*REQUIRED, *optional)]
    groups = range(1, n_groups + 1)
    lit = [oid(f"phaseStatusGroup{colour}", group) for group in groups for colour in ("Greens", "Yellows")]
    return (*scalars, *lit)


def status_from(values: Mapping[Oid, Value], n_groups: int) -> ControllerStatus:
    """Return what a poll says; an optional object that was not asked for says nothing.

    Raises
    ------
    ControllerFault
        If a value is no integer.
    """
    mode = mode_of(values)
    free = word("localFreeStatus", whole(values, "localFreeStatus"))
    is_free = free not in ON_ITS_WAY or (free == "notFree" and whole(values, "coordPatternStatus") == FREE)
    return ControllerStatus(
        time_s=float(whole(values, "globalTime")),
        mode=mode,
        pattern=whole(values, "coordPatternStatus"),
        cycle_position_s=whole(values, "coordCycleStatus"),
        free_reason=FREE_WORDS.get(free, free) if is_free else None,
        is_remote_enabled=not whole(values, "unitControl", 0) >> DISABLE_REMOTE_BIT & 1,
        backup_time_s=backup_time_s(values),
        greens=_lit(values, "Greens", n_groups),
        yellows=_lit(values, "Yellows", n_groups),
        alarms=_alarms(values),
    )


def mode_of(values: Mapping[Oid, Value]) -> ControllerMode:
    """Return the mode, the one that forbids most first."""
    flash = word("unitFlashStatus", whole(values, "unitFlashStatus"))
    control = word("unitControlStatus", whole(values, "unitControlStatus"))
    free = word("localFreeStatus", whole(values, "localFreeStatus"))
    is_preempted = whole(values, "preemptStatus", 0) or whole(values, "shortAlarmStatus", 0) >> PREEMPT_BIT & 1
    if is_preempted or flash == "preempt":
        return ControllerMode.PREEMPT
    if flash != "notFlash":
        return ControllerMode.FLASH
    if control in HELD_BY_HAND or whole(values, "coordOperationalMode"):
        return ControllerMode.MANUAL
    if free not in ON_ITS_WAY and control != "backupMode":
        return ControllerMode.FREE
    if whole(values, "unitAlarmStatus2") >> TRANSITION_BIT & 1 or free == "transitionFree":
        return ControllerMode.TRANSITION
    if control == "backupMode":
        return ControllerMode.BACKUP
    return ControllerMode.FREE if whole(values, "coordPatternStatus") == FREE else ControllerMode.COORDINATED


def backup_time_s(values: Mapping[Oid, Value]) -> int:
    """Return the fail-safe time-out in force, seconds: the user-defined one overrides."""
    return whole(values, "unitUserDefinedBackupTime", 0) or whole(values, "unitBackupTime")


def whole(values: Mapping[Oid, Value], name: str, unknown: int | None = None) -> int:
    """Return an integer scalar; `unknown` where it was not asked for."""
    value = values.get(oid(name))
    if value is None and unknown is not None:
        return unknown
    if not isinstance(value, int):
        raise ControllerFault(f"poll, {name}", repr(value), "an integer", "release it, a person looks")
    return value


def _lit(values: Mapping[Oid, Value], colour: str, n_groups: int) -> frozenset[PhaseNumber]:
    groups = {group: values.get(oid(f"phaseStatusGroup{colour}", group)) for group in range(1, n_groups + 1)}
    return phases_in({group: octet for group, octet in groups.items() if isinstance(octet, int)})


def _alarms(values: Mapping[Oid, Value]) -> frozenset[str]:
    tables = ((whole(values, "unitAlarmStatus1"), ALARM1_BITS), (whole(values, "unitAlarmStatus2"), ALARM2_BITS))
    return frozenset(name for octet, names in tables for bit, name in names.items() if octet >> bit & 1)
