"""Names of the objects that we use: name -> OID, bounds, access, and words for enumerated numbers.

`mib.py` holds the NTCIP part, generated; the two objects of RFC 1213 stand here. An agency names
its controllers in sysName, so that is where a controller says which junction it stands at::

    sysName.0               id of the junction ("A0")
    globalSetIDParameter.0  16-bit checksum over all that can be configured; it moves with every edit

The numbers of a table's row follow the object: `oid("splitTime", split, phase)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from control.drivers.ber import ErrorStatus, Oid, Value
from control.drivers.mib import ROWS, Row
from traffic.errors import BadInput
from traffic.ids import PhaseNumber
from traffic.signals import SyncPoint

RFC1213_ROWS: tuple[Row, ...] = (
    ("sysDescr", "1.3.6.1.2.1.1.1", 0, False, "octets", 0, 255, {}),
    ("sysName", "1.3.6.1.2.1.1.5", 0, True, "octets", 0, 255, {}),
)

FREE, FLASH, STANDBY = 254, 255, 0
"""Values of systemPatternControl and coordPatternStatus that are no pattern."""
NORMAL, TRANSACTION, VERIFY, DONE = 1, 2, 3, 6
"""Values of dbCreateTransaction."""
ADMINISTRATOR = b"administrator"
"""The community that NTCIP 1201 gives every right."""

SYNC_POINT: Mapping[SyncPoint, int] = {SyncPoint.BEGIN_GREEN: 3, SyncPoint.BEGIN_YELLOW: 5}
"""patternCoordSyncPoint of our sync points: firstCoordPhsGrnBegin, firstCoordPhsGrnEnd."""
UNIT_SYNC_POINT: Mapping[int, SyncPoint] = {2: SyncPoint.BEGIN_GREEN, 4: SyncPoint.BEGIN_YELLOW}
"""unitCoordSyncPoint, for patterns that refer to it: firstPhaseGreenBegin, firstPhaseGreenEnd."""

ALARM1_BITS: Mapping[int, str] = {
    0: "cycle fault",
    1: "coordination fault",
    2: "coordination failed",
    3: "cycle failed",
    4: "MMU flash",
    5: "local flash",
    6: "local free",
}
"""unitAlarmStatus1, NTCIP 1202 v03; bit 7 (coordination active) is no alarm."""
ALARM2_BITS: Mapping[int, str] = {
    0: "power restart",
    1: "low battery",
    2: "response fault",
    3: "external start",
    4: "stop time",
    6: "stall",
    7: "process failure",
}
"""unitAlarmStatus2, NTCIP 1202 v03; bit 5 (offset transition) is no alarm."""
TRANSITION_BIT = 5
"""Bit of unitAlarmStatus2 that is set while an offset is being corrected."""
DISABLE_REMOTE_BIT = 1
"""Bit of unitControl that makes the controller ignore all SETs."""

FREE_WORDS: Mapping[str, str] = {
    "other": "free for a reason of its own",
    "notFree": "not free",
    "commandFree": "free was commanded",
    "transitionFree": "cycling to a point where coordination can begin",
    "inputFree": "an input of the cabinet holds it free",
    "coordFree": "the called pattern is programmed to run free",
    "badPlan": "the called pattern is invalid",
    "badCycleTime": "the cycle is too short for the phases' minimum times",
    "splitOverrun": "the splits exceed the cycle, or one is below its minimum",
    "invalidOffset": "the offset is not below the cycle",
    "failed": "cycling diagnostics called for free",
}
"""localFreeStatus in words."""


@dataclass(frozen=True, slots=True)
class MibObject:
    """One object: `low` and `high` bound its value, or its length where it is octets."""

    name: str
    oid: Oid
    n_index: int
    is_writable: bool
    syntax: str
    low: int
    high: int
    words: Mapping[int, str] = field(default_factory=dict)

    def at(self, *index: int) -> Oid:
        """Return the OID of an instance: scalars end in 0, columns in their index."""
        if len(index) != self.n_index:
            raise BadInput(f"object {self.name}", index, f"needs {self.n_index} index numbers", "mend the call")
        return self.oid + (index or (0,))

    def fault(self, value: Value) -> ErrorStatus | None:
        """Return what is wrong with a value of this object; None where nothing is."""
        if self.syntax == "octets":
            if not isinstance(value, bytes):
                return ErrorStatus.WRONG_TYPE
            return None if self.low <= len(value) <= self.high else ErrorStatus.WRONG_LENGTH
        if self.syntax == "oid":
            return None if isinstance(value, tuple) else ErrorStatus.WRONG_TYPE
        if not isinstance(value, int):
            return ErrorStatus.WRONG_TYPE
        is_known = value in self.words if self.words else self.low <= value <= self.high
        return None if is_known else ErrorStatus.WRONG_VALUE


def _objects() -> dict[str, MibObject]:
    return {
        name: MibObject(name, tuple(map(int, dotted.split("."))), n_index, is_writable, syntax, low, high, words)
        for name, dotted, n_index, is_writable, syntax, low, high, words in (*ROWS, *RFC1213_ROWS)
    }


ASKED_ONLY = frozenset({"maxUserDefinedBackupTimeContent", "unitUserDefinedBackupTimeContentOID"})
"""Objects that a driver asks other makers' controllers for; the virtual controller has none of them."""
_ALL: Mapping[str, MibObject] = _objects()
OBJECTS: Mapping[str, MibObject] = {name: item for name, item in _ALL.items() if name not in ASKED_ONLY}
"""By name, without those of `ASKED_ONLY`."""
_BY_OID: Mapping[Oid, MibObject] = {item.oid: item for item in _ALL.values()}


def oid(name: str, *index: int) -> Oid:
    """Return the OID of an instance by name.

    Examples
    --------
    >>> oid("splitTime", 40, 2)[-4:]
    (1, 3, 40, 2)
    """
    return _ALL[name].at(*index)


def find(instance: Oid) -> tuple[MibObject, tuple[int, ...]] | None:
    """Return the object and index of an instance; None where it is none of ours."""
    for n_index in (1, 2):
        item = _BY_OID.get(instance[:-n_index])
        if item is not None and max(item.n_index, 1) == n_index:
            is_instance = item.n_index > 0 or instance[-1] == 0
            return (item, instance[-n_index:] if item.n_index else ()) if is_instance else None
    return None


def describe(instance: Oid) -> str:
    """Return `name.index` of an instance, dotted numbers where it is none of ours."""
    found = find(instance)
    if found is None:
        return ".".join(map(str, instance))
    item, index = found
    return ".".join((item.name, *map(str, index or (0,))))


def number(name: str, word: str) -> int:
    """Return the number of an enumerated value.

    Examples
    --------
    >>> number("splitMode", "phaseOmitted")
    7
    """
    for value, known in OBJECTS[name].words.items():
        if known == word:
            return value
    raise BadInput(f"object {name}", word, f"one of {', '.join(OBJECTS[name].words.values())}", "mend the value")


def word(name: str, value: int) -> str:
    """Return the word of an enumerated number; `unknown (n)` where the standard has none."""
    return OBJECTS[name].words.get(value, f"unknown ({value})")


def phases_in(groups: Mapping[int, int]) -> frozenset[PhaseNumber]:
    """Return the phases whose bits are set; `groups` maps group number to octet (bit 0 = phase 8g - 7).

    Examples
    --------
    >>> sorted(phases_in({1: 0b100010, 2: 0b1}))
    [2, 6, 9]
    """
    return frozenset(
        PhaseNumber(8 * group - 7 + bit) for group, octet in groups.items() for bit in range(8) if octet >> bit & 1
    )


def octet_of(phases: frozenset[PhaseNumber], group: int) -> int:
    """Return the octet of a group with these phases' bits set; the inverse of `phases_in`."""
    return sum(1 << (phase - 8 * group + 7) for phase in phases if 8 * group - 7 <= phase <= 8 * group)
