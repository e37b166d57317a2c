"""The table of NTCIP objects: instances, bounds, words; with real data, every OID against the list."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from control.drivers import mib, objects
from control.drivers.ber import ErrorStatus
from control.drivers.make_objects import USED, make
from control.drivers.objects import OBJECTS, RFC1213_ROWS, describe, find, oid
from traffic.errors import BadInput
from traffic.signals import Correction, ForceMode, SplitMode

KINDS = {"INTEGER": "integer", "OCTET": "octets", "OBJECT": "oid", "Counter": "counter"}
ASC, GLOBAL = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 1), (1, 3, 6, 1, 4, 1, 1206, 4, 2, 6)


@pytest.mark.parametrize(
    ("name", "index", "expected"),
    [
        ("unitBackupTime", (), (*ASC, 3, 3, 0)),
        ("phaseMinimumGreen", (2,), (*ASC, 1, 2, 1, 4, 2)),
        ("phaseControlGroupForceOff", (1,), (*ASC, 1, 5, 1, 5, 1)),
        ("splitTime", (40, 2), (*ASC, 4, 9, 1, 3, 40, 2)),
        ("sequenceData", (1, 2), (*ASC, 7, 3, 1, 3, 1, 2)),
        ("dbCreateTransaction", (), (*GLOBAL, 2, 1, 0)),
        ("dayPlanHour", (1, 3), (*GLOBAL, 3, 3, 5, 1, 3, 1, 3)),
        ("sysName", (), (1, 3, 6, 1, 2, 1, 1, 5, 0)),
    ],
)
def test_instances_have_the_oids_of_the_notes(name, index, expected):
    assert oid(name, *index) == expected
    assert describe(expected) == ".".join((name, *map(str, index or (0,))))


def test_every_object_is_found_again_by_its_instance():
    for item in OBJECTS.values():
        index = tuple(range(1, item.n_index + 1))
        assert find(item.at(*index)) == (item, index)
    assert len(OBJECTS) == len({item.oid for item in OBJECTS.values()})
    assert len(OBJECTS) + len(objects.ASKED_ONLY) == len(mib.ROWS) + len(RFC1213_ROWS)


@pytest.mark.parametrize(
    "instance", [(), (1,), (*ASC, 3, 3), (*ASC, 3, 3, 1), (*ASC, 4, 9, 1, 3, 40), (1, 2, 3, 4)], ids=str
)
def test_what_is_no_instance_is_not_found(instance):
    assert find(instance) is None


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("unitBackupTime", 900, None),
        ("unitBackupTime", 65_536, ErrorStatus.WRONG_VALUE),
        ("unitBackupTime", b"9", ErrorStatus.WRONG_TYPE),
        ("splitMode", 7, None),
        ("splitMode", 9, ErrorStatus.WRONG_VALUE),
        ("dbCreateTransaction", 4, ErrorStatus.WRONG_VALUE),
        ("sequenceData", b"\x01\x02", None),
        ("sequenceData", b"x" * 256, ErrorStatus.WRONG_LENGTH),
        ("sequenceData", 3, ErrorStatus.WRONG_TYPE),
        ("dayPlanActionNumberOID", (1, 3), None),
        ("dayPlanActionNumberOID", 3, ErrorStatus.WRONG_TYPE),
    ],
)
def test_values_are_checked_against_syntax_and_bounds(name, value, fault):
    assert OBJECTS[name].fault(value) is fault


def test_a_wrong_number_of_indices_is_named():
    with pytest.raises(BadInput, match="splitTime"):
        oid("splitTime", 1)


def test_our_words_are_those_of_the_standard():
    numbers = {mode: objects.number("splitMode", mode) for mode in SplitMode}
    assert list(numbers.values()) == [2, 3, 4, 5, 6, 7]
    assert [objects.number("coordCorrectionMode", word) for word in Correction] == [2, 3, 4, 5]
    assert [objects.number("coordForceMode", word) for word in ForceMode] == [2, 3]
    assert objects.word("localFreeStatus", 9) == "splitOverrun"
    assert objects.word("localFreeStatus", 77) == "unknown (77)"
    assert set(objects.FREE_WORDS) == set(OBJECTS["localFreeStatus"].words.values())
    assert set(objects.SYNC_POINT.values()) <= set(OBJECTS["patternCoordSyncPoint"].words)
    with pytest.raises(BadInput, match="one of"):
        objects.number("splitMode", "sometimes")


def test_phase_bits_go_both_ways():
    phases = objects.phases_in({1: 0b1000_0010, 2: 0b1})
    assert sorted(phases) == [2, 8, 9]
    assert (objects.octet_of(phases, 1), objects.octet_of(phases, 2)) == (0b1000_0010, 0b1)


@pytest.mark.data
def test_every_oid_syntax_and_access_is_that_of_the_list(data_dir: Path):
    with (data_dir / "ntcip" / "oids.csv").open(newline="", encoding="utf-8") as file:
        listed = {row["name"]: row for row in csv.DictReader(file)}
    for name, dotted, _, is_writable, kind, *_ in mib.ROWS:
        row = listed[name]
        assert dotted == row["oid_in_text"], name
        assert is_writable is (row["access"] == "read-write"), name
        first_word = re.match(r"\w+", row["syntax"])
        assert first_word and kind == KINDS[first_word[0]], name


@pytest.mark.data
def test_the_table_in_the_repository_is_what_the_script_makes(data_dir: Path):
    assert make(data_dir / "ntcip" / "oids.csv") == Path(mib.__file__).read_text(encoding="utf-8")


def test_a_list_that_is_missing_or_lacks_an_object_is_named(tmp_path: Path):
    with pytest.raises(BadInput, match=r"none\.csv"):
        make(tmp_path / "none.csv")
    (tmp_path / "oids.csv").write_text("name,oid_in_text\n", encoding="utf-8")
    for name in ("NTCIP1201-v03.mib", "NTCIP1202-v03.mib"):
        (tmp_path / name).write_text("", encoding="utf-8")
    with pytest.raises(BadInput, match=USED.split(maxsplit=1)[0]):
        make(tmp_path / "oids.csv")
