"""Who a controller is and what is installed in it, read and compared with the junction it should be.

sysName.0 names the junction. Phases, rings and, where it has them, overlaps are read from its tables; only if
all of them are the junction's does it carry the junction's configuration hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from control.drivers.base import Pair
from control.drivers.ber import Oid, Value
from control.drivers.ntcip_status import OPTIONAL, backup_time_s
from control.drivers.objects import FLASH, describe, oid
from control.drivers.snmp import SnmpClient
from traffic.errors import ControllerFault
from traffic.ids import JunctionId, PhaseNumber
from traffic.ports import Identity
from traffic.signals import Junction, Phase

TIMES = {
    "phaseMinimumGreen": "min_green_s",
    "phaseWalk": "walk_s",
    "phasePedestrianClear": "ped_clear_s",
    "phasePassage": "passage_ds",
    "phaseMaximum1": "max1_s",
    "phaseMaximum2": "max2_s",
    "phaseYellowChange": "yellow_ds",
    "phaseRedClear": "red_clear_ds",
    "phaseRing": "ring",
}
"""Objects of a phase, and the field of `Phase` that each must equal; seconds or tenths as in both."""
LONGEST_TABLE = 255
"""Rows of a table that a controller can have at most (NTCIP 1202); of one that claims more none is read."""
SCALARS = ("maxPhases", "maxPatterns", "maxSplits", "maxRings", "maxTimebaseAscActions", "unitBackupTime")
MAYBE = ("sysName", "maxOverlaps", "globalSetIDParameter", "coordCorrectionMode", "coordForceMode", "systemSyncControl")
LEASE_OBJECT = oid("systemPatternControl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What was read of a controller: its identity, where it differs, what it can do, which pairs are ours."""

    identity: Identity
    differences: tuple[str, ...]
    pairs: tuple[Pair, Pair]
    renumbered: frozenset[int]
    optional: tuple[str, ...]
    scalars: Mapping[str, Value | None]
    has_sync_point: bool

    def has(self, name: str) -> bool:
        """Whether the controller has this optional scalar."""
        return self.scalars.get(name) is not None


def portray(client: SnmpClient, junction: Junction, patterns: tuple[int, int] | None) -> Portrait:
    """Read a controller.

    `patterns` are the two of the centre's own; None takes its two highest.

    Raises
    ------
    PlantLost
        If nobody answers.
    ControllerFault
        If it lacks what NTCIP 1202 requires, or a reserved pair is used by its own schedule.
    """
    scalars = _scalars(client)
    where = f"controller at {client.endpoint.host}:{client.endpoint.port}"
    reserved = patterns or (_whole(scalars, "maxPatterns") - 1, _whole(scalars, "maxPatterns"))
    n_actions = _whole(scalars, "maxTimebaseAscActions")
    actions = client.get_many([oid("timebaseAscPattern", n) for n in range(1, n_actions + 1)])
    scheduled = {value for value in actions if isinstance(value, int) and 0 < value < FLASH}
    pairs, renumbered = _pairs(client, scalars, reserved, scheduled, where)
    phases, differences = _installed(client, junction, scalars)
    differences += _backup_differences(client, scalars)
    has_sync_point = client.find_many([oid("patternCoordSyncPoint", pairs[0].pattern)])[0] is not None
    name = scalars["sysName"]
    identity = Identity(
        junction=JunctionId(name.decode("utf-8", "replace") if isinstance(name, bytes) else ""),
        config_hash=_hash_of(differences) if differences else junction.config_hash,
        phases=phases,
        backup_time_s=backup_time_s({oid(known): value for known, value in scalars.items() if value is not None}),
        max_patterns=_whole(scalars, "maxPatterns"),
        has_local_plan=bool(scheduled),
    )
    optional = tuple(known for known in OPTIONAL if scalars[known] is not None)
    return Portrait(
        identity=identity,
        differences=tuple(differences),
        pairs=pairs,
        renumbered=renumbered,
        optional=optional,
        scalars=scalars,
        has_sync_point=has_sync_point,
    )


def _scalars(client: SnmpClient) -> dict[str, Value | None]:
    names = (*SCALARS, *MAYBE, *OPTIONAL)
    values = client.find_many([oid(name) for name in names])
    scalars = dict(zip(names, values, strict=True))
    missing = [name for name in SCALARS if not isinstance(scalars[name], int)]
    if missing:
        where = f"controller at {client.endpoint.host}:{client.endpoint.port}"
        raise ControllerFault(f"{where}: lacks", ", ".join(missing), "NTCIP 1202 requires them", "use another driver")
    for name in SCALARS:
        if name.startswith("max") and _whole(scalars, name) > LONGEST_TABLE:
            where = f"controller at {client.endpoint.host}:{client.endpoint.port}: {name}"
            raise ControllerFault(where, scalars[name], f"at most {LONGEST_TABLE}", "look at the controller")
    return scalars


def _whole(scalars: Mapping[str, Value | None], name: str) -> int:
    value = scalars[name]
    assert isinstance(value, int)
    return value


def _pairs(
    client: SnmpClient,
    scalars: Mapping[str, Value | None],
    reserved: tuple[int, int],
    scheduled: set[int],
    where: str,
) -> tuple[tuple[Pair, Pair], frozenset[int]]:
    """Return the reserved pairs, and the patterns whose split number must be written (read-only since v02)."""
    n_patterns = _whole(scalars, "maxPatterns")
    if not 1 <= min(reserved) < max(reserved) <= n_patterns or reserved[0] == reserved[1]:
        raise ControllerFault(f"{where}: reserved patterns", reserved, f"two of 1-{n_patterns}", "choose others")
    used = sorted(scheduled & set(reserved))
    if used:
        raise ControllerFault(f"{where}: reserved pattern", used[0], "its own schedule uses it", "reserve another")
    numbers = range(1, n_patterns + 1)
    values = client.get_many([oid("patternSplitNumber", n) for n in numbers])
    splits = {n: value for n, value in zip(numbers, values, strict=True) if isinstance(value, int)}
    nameless = sorted(set(reserved) - set(splits))
    if nameless:
        raise ControllerFault(
            f"{where}: patternSplitNumber.{nameless[0]}", None, "a whole number", "look at its tables"
        )
    local = {splits[n] for n in scheduled if n in splits}
    pairs = tuple(Pair(n, _own_split(n, splits, local | {splits[m] for m in reserved if m != n})) for n in reserved)
    shared = sorted({pair.split for pair in pairs} & local)
    if shared or pairs[0].split == pairs[1].split or max(pair.split for pair in pairs) > _whole(scalars, "maxSplits"):
        told = [pair.split for pair in pairs]
        raise ControllerFault(f"{where}: split tables", told, "each reserved pattern needs its own", "reserve others")
    return (pairs[0], pairs[1]), frozenset(pair.pattern for pair in pairs if splits[pair.pattern] != pair.split)


def _own_split(pattern: int, splits: Mapping[int, int], taken: set[int]) -> int:
    """Return the split table that a reserved pattern names, or, where that is shared, the one of its own number."""
    return splits[pattern] if splits[pattern] and splits[pattern] not in taken else pattern


def _installed(
    client: SnmpClient, junction: Junction, scalars: Mapping[str, Value | None]
) -> tuple[dict[PhaseNumber, tuple[int, int, int]], list[str]]:
    """Return (minimum green s, yellow ds, red clearance ds) of each phase, and all that is not the junction's."""
    expected: dict[Oid, Value | None] = {}
    for phase in junction.phases:
        for name, attribute in TIMES.items():
            expected[oid(name, int(phase.number))] = getattr(phase, attribute)
    for ring in range(1, _whole(scalars, "maxRings") + 1):
        order = junction.rings[ring - 1] if ring <= len(junction.rings) else ()
        expected[oid("sequenceData", 1, ring)] = bytes(order)
    for overlap in junction.overlaps:
        if isinstance(scalars["maxOverlaps"], int) and overlap.number <= scalars["maxOverlaps"]:
            expected[oid("overlapIncludedPhases", overlap.number)] = bytes(sorted(overlap.parents))
    read = dict(zip(expected, client.find_many(list(expected)), strict=True))
    differences = [
        f"{describe(name)} is {_told(read[name])}, not {_told(value)}"
        for name, value in expected.items()
        if not _is_same(name, read[name], value)
    ]
    if len(junction.rings) > _whole(scalars, "maxRings"):
        differences.append(f"maxRings is {scalars['maxRings']!r}, not {len(junction.rings)}")
    differences += _strangers(client, junction, _whole(scalars, "maxPhases"))
    return {phase.number: _timing(read, phase) for phase in junction.phases}, differences


def _timing(read: Mapping[Oid, Value | None], phase: Phase) -> tuple[int, int, int]:
    names = ("phaseMinimumGreen", "phaseYellowChange", "phaseRedClear")
    values = [read[oid(name, int(phase.number))] for name in names]
    low, yellow, red = (value if isinstance(value, int) else -1 for value in values)
    return low, yellow, red


def _is_same(name: Oid, read: Value | None, expected: Value | None) -> bool:
    """Whether a value is the junction's; what the junction does not know cannot differ."""
    if expected is None:
        return True
    if isinstance(expected, bytes) and not expected:
        return read in (None, b"")
    if name[:-1] == oid("overlapIncludedPhases", 1)[:-1] and isinstance(read, bytes):
        return bytes(sorted(read)) == expected
    return read == expected


def _strangers(client: SnmpClient, junction: Junction, n_phases: int) -> list[str]:
    """Return phases that are enabled there but are none of the junction's."""
    installed = {int(phase.number) for phase in junction.phases}
    others = [n for n in range(1, n_phases + 1) if n not in installed]
    options = client.find_many([oid("phaseOptions", n) for n in others])
    enabled = [n for n, option in zip(others, options, strict=True) if _is_enabled(option)]
    rings = client.find_many([oid("phaseRing", n) for n in enabled])
    rows = zip(enabled, rings, strict=True)
    return [f"phase {n} is enabled in ring {ring!r}, not of this junction" for n, ring in rows if ring]


def _is_enabled(options: Value | None) -> bool:
    return isinstance(options, int) and bool(options & 1)


def _backup_differences(client: SnmpClient, scalars: Mapping[str, Value | None]) -> list[str]:
    """Return what is wrong with a user-defined fail-safe: it must be refreshed by the object that we write."""
    if not scalars["unitUserDefinedBackupTime"]:
        return []
    count = client.find_many([oid("maxUserDefinedBackupTimeContent")])[0]
    rows = range(1, count + 1) if isinstance(count, int) else range(0)
    listed = client.find_many([oid("unitUserDefinedBackupTimeContentOID", row) for row in rows])
    if any(isinstance(row, tuple) and row in (LEASE_OBJECT, LEASE_OBJECT[:-1]) for row in listed):
        return []
    return ["unitUserDefinedBackupTime is on, but systemPatternControl does not refresh it"]


def _told(value: Value | None) -> str:
    return value.hex(" ") if isinstance(value, bytes) else str(value)


def _hash_of(differences: list[str]) -> str:
    """Return a hash that is no junction's, the same for the same differences."""
    return "not-" + hashlib.sha256("\n".join(differences).encode()).hexdigest()[:12]
