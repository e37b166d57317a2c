"""Write `mib.py`, the table of the NTCIP objects that we use, from the list of all of them.

Run it from the root of the repository::

    python -m control.drivers.make_objects ../shared/data/ntcip/oids.csv

The list gives name, OID, syntax and access; the MIB files beside it give what a CSV cell cut off
(enumerations) and how tables are indexed.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from traffic.errors import BadInput

USED = """
maxPhases maxPhaseGroups phaseWalk phasePedestrianClear phaseMinimumGreen phasePassage phaseMaximum1 phaseMaximum2
phaseYellowChange phaseRedClear phaseRedRevert phaseStartup phaseOptions phaseRing phaseConcurrency
phaseStatusGroupReds phaseStatusGroupYellows phaseStatusGroupGreens phaseStatusGroupDontWalks
phaseStatusGroupPedClears phaseStatusGroupWalks phaseStatusGroupVehCalls phaseStatusGroupPedCalls
phaseStatusGroupPhaseOns phaseStatusGroupPhaseNexts phaseControlGroupPhaseOmit phaseControlGroupPedOmit
phaseControlGroupHold phaseControlGroupForceOff phaseControlGroupVehCall phaseControlGroupPedCall
maxVehicleDetectors maxVehicleDetectorStatusGroups vehicleDetectorCallPhase vehicleDetectorStatusGroupActive
vehicleDetectorStatusGroupAlarms
volumeOccupancySequence volumeOccupancyPeriod activeVolumeOccupancyDetectors detectorVolume detectorOccupancy
unitStartUpFlash unitBackupTime unitUserDefinedBackupTime maxUserDefinedBackupTimeContent
unitUserDefinedBackupTimeContentOID unitControlStatus unitFlashStatus unitAlarmStatus2
unitAlarmStatus1 shortAlarmStatus unitControl
coordOperationalMode coordCorrectionMode coordMaximumMode coordForceMode maxPatterns patternTableType
patternCycleTime patternOffsetTime patternSplitNumber patternSequenceNumber patternCoordSyncPoint maxSplits
splitTime splitMode splitCoordPhase coordPatternStatus localFreeStatus coordCycleStatus coordSyncStatus
systemPatternControl systemSyncControl unitCoordSyncPoint timebaseAscPatternSync maxTimebaseAscActions
timebaseAscPattern timebaseAscActionStatus
maxPreempts preemptState preemptControlState preemptStatus
maxRings maxSequences sequenceData ringStatus
maxOverlaps overlapIncludedPhases overlapStatusGroupReds overlapStatusGroupYellows overlapStatusGroupGreens
globalSetIDParameter globalMaxModules moduleMake moduleModel moduleVersion moduleType
dbCreateTransaction dbVerifyStatus dbVerifyError globalTime globalDaylightSaving controllerStandardTimeZone
controllerLocalTime maxTimeBaseScheduleEntries timeBaseScheduleMonth timeBaseScheduleDay timeBaseScheduleDate
timeBaseScheduleDayPlan maxDayPlans maxDayPlanEvents dayPlanHour dayPlanMinute dayPlanActionNumberOID
"""
MIB_FILES = ("NTCIP1201-v03.mib", "NTCIP1202-v03.mib")
HEAD = '''"""The NTCIP objects that we use: name, OID, indices, access, syntax, bounds, names of values.

Made by `python -m control.drivers.make_objects {source}`; do not edit, run that again.

Derived from NTCIP 1202 v03 and NTCIP 1201 v03. Copyright by AASHTO / ITE / NEMA. Used by permission.
"""

from __future__ import annotations

Row = tuple[str, str, int, bool, str, int, int, dict[int, str]]

# name, OID without instance, number of indices (0: a scalar), writable, syntax, least and greatest value
# (length for octets), names of enumerated values
ROWS: tuple[Row, ...] = (
'''
INTEGER_BOUNDS = (-(2**31), 2**31 - 1)
MAX_OCTETS = 255


def make(source: Path) -> str:
    """Return the text of `mib.py`.

    Raises
    ------
    BadInput
        If the list or a MIB is missing, or lacks an object that we use.
    """
    try:
        with source.open(newline="", encoding="utf-8") as file:
            listed = {row["name"]: row for row in csv.DictReader(file)}
        mib = "\n".join((source.parent / name).read_text("utf-8", "replace") for name in MIB_FILES)
    except OSError as error:
        raise BadInput(str(source), error.strerror, "oids.csv beside its MIB files", "name the list") from error
    used = USED.split()
    missing = [name for name in used if name not in listed]
    if missing:
        raise BadInput(str(source), ", ".join(missing), "objects that we use are not listed", "use the v03 list")
    lines = [_row(listed[name], mib) for name in used]
    return HEAD.format(source=source.name) + "".join(f"    {line},\n" for line in lines) + ")\n"


def _row(listed: Mapping[str, str], mib: str) -> str:
    name = listed["name"]
    syntax = _syntax(name, mib)
    kind, low, high = _bounds(syntax)
    values = {int(number): word for word, number in re.findall(r"(\w+)\s*\((\d+)\)", _braces(syntax))}
    if values:
        low, high = min(values), max(values)
    parts = (name, listed["oid_in_text"], _n_index(listed["parent"], mib), listed["access"] == "read-write")
    row = (*parts, kind, low, high, values)
    text = "(" + ", ".join(_literal(part) for part in row) + ")"
    return text if len(text) <= 114 else _folded(row)


def _folded(row: tuple[object, ...]) -> str:
    head, values = row[:-1], row[-1]
    assert isinstance(values, dict)
    first = ", ".join(_literal(part) for part in head)
    inner = "".join(f"            {number}: {_literal(word)},\n" for number, word in values.items())
    last = "{\n" + inner + "        }" if values else "{}"
    return f"(\n        {first.replace(', ', ',' + chr(10) + ' ' * 8)},\n        {last},\n    )"


def _literal(part: object) -> str:
    if isinstance(part, str):
        return f'"{part}"'
    if isinstance(part, dict):
        return "{" + ", ".join(f"{key}: {_literal(value)}" for key, value in part.items()) + "}"
    return repr(part)


def _syntax(name: str, mib: str) -> str:
    match = re.search(rf"^\s*{name}\s+OBJECT-TYPE\s+SYNTAX\s+(.*?)\s+ACCESS", mib, re.MULTILINE | re.DOTALL)
    if match is None:
        raise BadInput("MIB files", name, "an object that we use is not defined", "use the v03 files")
    return " ".join(match.group(1).split())


def _braces(syntax: str) -> str:
    return syntax.partition("{")[2].partition("}")[0]


def _bounds(syntax: str) -> tuple[str, int, int]:
    """Return kind, least and greatest of a SYNTAX clause."""
    spans = re.search(r"\(\s*(-?\d+)\s*\.\.\s*(\d+)\s*\)", syntax)
    low_high = (int(spans.group(1)), int(spans.group(2))) if spans else None
    if syntax.startswith(("OCTET STRING", "DisplayString")):
        return "octets", *(low_high or (0, MAX_OCTETS))
    if syntax.startswith("OBJECT IDENTIFIER"):
        return "oid", 0, 128
    if syntax.startswith("Counter"):
        return "counter", 0, 2**32 - 1
    return "integer", *(low_high or INTEGER_BOUNDS)


def _n_index(parent: str, mib: str) -> int:
    clause = re.search(rf"^\s*{parent}\s+OBJECT-TYPE.*?INDEX\s*\{{([^}}]*)\}}", mib, re.MULTILINE | re.DOTALL)
    is_entry = parent.lower().endswith("entry")
    return len(clause.group(1).split(",")) if clause and is_entry else 0


def main(arguments: list[str]) -> int:
    """Write `mib.py` beside this file; the one argument is the list."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m control.drivers.make_objects OIDS_CSV\n")
        return 2
    Path(__file__).with_name("mib.py").write_text(make(Path(arguments[0])), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
