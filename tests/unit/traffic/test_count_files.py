"""Counts and camera sites survive their files; nonsense is named by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from traffic.camera_sites import CameraSite, read_cameras, write_cameras
from traffic.count_files import HEADER, read_counts, write_counts
from traffic.counts import Health, TurnCount, VehicleClass
from traffic.errors import BadScenario
from traffic.ids import JunctionId, MovementId
from traffic.network import Network

COUNTS = [
    TurnCount(movement="a:b>c", vehicle_class=VehicleClass.CAR, start_s=0.0, period_s=900.0, count=7),
    TurnCount(
        movement="a:b>c",
        vehicle_class=VehicleClass.BUS,
        start_s=900.0,
        period_s=900.0,
        count=None,
        health=Health.DARK,
        is_censored=True,
    ),
]


def test_counts_come_back_as_they_were(tmp_path: Path) -> None:
    write_counts(tmp_path / "c.csv", COUNTS)
    assert read_counts(tmp_path / "c.csv") == COUNTS


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("a:b>c,car,0,900,-1,ok,False", "below 0"),
        ("a:b>c,car,0,900,1.5,ok,False", "line 2"),
        ("a:b>c,horse,0,900,1,ok,False", "horse"),
        ("a:b>c,car,0,0,1,ok,False", "must be >= 0 and > 0"),
        ("a:b>c,car,nan,900,1,ok,False", "must be >= 0 and > 0"),
        ("a:b>c,car,0,900,1,dark,False", "dark source counts unknown"),
        ("a:b>c,car,0,900,1,ok,maybe", "True or False"),
        (",car,0,900,1,ok,False", "no movement"),
        ("a:b>c,car,0,900", "line 2"),
    ],
)
def test_a_row_of_nonsense_is_named_by_its_line(tmp_path: Path, row: str, line: str) -> None:
    path = tmp_path / "c.csv"
    path.write_text(",".join(HEADER) + "\n" + row + "\n", encoding="utf-8")
    with pytest.raises(BadScenario, match=line):
        read_counts(path)


@pytest.mark.parametrize("text", ["", "a,b\n", ",".join(HEADER) + "\n"], ids=["empty", "other columns", "no row"])
def test_a_file_without_counts_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadScenario):
        read_counts(tmp_path / "c.csv")


def test_a_missing_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("none.csv", "b.csv"):
        with pytest.raises(BadScenario, match="must be CSV"):
            read_counts(tmp_path / name)


def test_all_faults_of_cameras_are_listed_at_once(tmp_path: Path) -> None:
    empty = Network(links={}, lanes={}, connections=(), crossings={}, movements={})
    site = CameraSite(id="c", junction=JunctionId("j"), x_m=0.0, y_m=1.0, movements=(MovementId("j:a>b"),))
    write_cameras(tmp_path / "cameras.toml", [site, site])
    with pytest.raises(BadScenario) as caught:
        read_cameras(tmp_path / "cameras.toml", empty)
    for part in ("camera c twice", "no junction j", "j:a>b is no movement"):
        assert part in caught.value.line


@pytest.mark.parametrize("text", ["", "version = 1\ncameras = []\n", "version = 2\n", "not toml ["])
def test_a_camera_file_without_cameras_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "cameras.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadScenario):
        read_cameras(tmp_path / "cameras.toml", Network(links={}, lanes={}, connections=(), crossings={}, movements={}))
