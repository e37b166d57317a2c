"""What `scenario check`, `list` and `show` say of good and of broken folders."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.keys import keys_of
from ops.scenario import run_scenario_list, run_scenario_show
from ops.scenario_check import run_scenario_check
from ops.scenario_folder import SCENARIOS
from traffic.errors import BadScenario

OURS = ("arterial", "grid", "thanh_hoa")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of thanh_hoa to break."""
    copy = tmp_path / "thanh_hoa"
    shutil.copytree(SCENARIOS / "thanh_hoa", copy, ignore=shutil.ignore_patterns("*.py", "__pycache__", "README.md"))
    return copy


def edit(path: Path, old: str, new: str, count: int = -1) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def found(folder: Path, weight: str) -> str:
    result = run_scenario_check(str(folder))
    return " | ".join(f"{row['part']}: {row['what']}" for row in result["rows"] if row["weight"] == weight)


def test_our_scenarios_are_listed_and_readable() -> None:
    rows = {row["name"]: row for row in run_scenario_list()["rows"]}
    assert set(OURS) <= set(rows)
    assert [rows[name]["state"] for name in OURS] == ["ok"] * 3
    assert [rows[name]["schematic"] for name in OURS] == [False, False, True]


def test_a_broken_folder_is_listed_with_its_fault(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    row = run_scenario_list(tmp_path)["rows"][0]
    assert row["name"] == "bad" and "no scenario.toml" in row["state"]


def test_facts_of_thanh_hoa_name_its_signals_and_its_picture() -> None:
    facts = run_scenario_show("thanh_hoa")
    assert facts["signals"] == 6 and facts["cameras"] == 6 and facts["schematic"] is True
    assert facts["departures"] > 4000
    assert "SCHEMATIC" in Path(facts["picture"]).read_text(encoding="utf-8")
    assert "SCHEMATIC" in Path(facts["readme"]).read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize("name", OURS)
def test_every_key_that_is_printed_is_in_the_dictionary(name: str) -> None:
    shown, checked = run_scenario_show(name), run_scenario_check(name)
    for command, result in (("scenario show", shown), ("scenario check", checked)):
        names = {key.name for key in keys_of(command)}
        assert set(result) - {"rows", "exit_code"} <= names
        assert {f"rows[].{key}" for row in result["rows"] for key in row} <= names


def test_nothing_stands_against_thanh_hoa_in_the_field() -> None:
    result = run_scenario_check("thanh_hoa")
    assert (result["faults"], result["push_blocked"], result["notes"], result["exit_code"]) == (0, 0, 0, 0)


@pytest.mark.parametrize("name", ["arterial", "grid"])
def test_generated_towns_run_but_are_never_pushed(name: str) -> None:
    result = run_scenario_check(name)
    assert result["faults"] == 0 and result["push_blocked"] > 0 and result["exit_code"] == 0


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no network": (lambda f: (f / "thanh_hoa.net.xml").write_text(""), "network: .*must be whole XML"),
    "network cut off": (
        lambda f: (f / "thanh_hoa.net.xml").write_bytes((f / "thanh_hoa.net.xml").read_bytes()[:9000]),
        "network: .*must be whole XML",
    ),
    "no demand in the period": (
        lambda f: edit(f / "scenario.toml", "end_s = 28800", "end_s = 25200.05"),
        "demand: .*no demand in",
    ),
    "routes over unknown edges": (
        lambda f: edit(f / "thanh_hoa.rou.xml", "bac_n_in", "nowhere", 1),
        "demand: .*edge nowhere",
    ),
    "tau below the step": (
        lambda f: edit(f / "vn_types.add.xml", 'tau="1.0"', 'tau="0.6"'),
        "demand: type mc: tau 0.6 s",
    ),
    "signals of another network": (
        lambda f: edit(f / "signals.json", '"id": "giua"', '"id": "khac"'),
        "signals: .*unknown to the network",
    ),
    "signals cut off": (
        lambda f: (f / "signals.json").write_bytes((f / "signals.json").read_bytes()[:500]),
        "signals: .*must be JSON",
    ),
    "counts of another network": (
        lambda f: edit(f / "counts.csv", "bac:bac_e_in>bac_n_out", "bac:bac_e_in>moon"),
        "counts: bac:bac_e_in>moon: no such movement",
    ),
    "counts that are no numbers": (
        lambda f: edit(f / "counts.csv", ",car,25200,900,", ",car,25200,900,x", 1),
        "counts: .*1 lines at fault",
    ),
    "no counts": (lambda f: (f / "counts.csv").write_text(""), "counts: .*empty file"),
    "cameras with unknown keys": (
        lambda f: edit(f / "cameras.toml", "x_m = 12.0", "x_m = 12.0\nzoom = 3", 1),
        "cameras: .*zoom",
    ),
    "a camera at another junction": (
        lambda f: edit(f / "cameras.toml", 'junction = "bac"', 'junction = "xa"', 1),
        "cameras: .*no junction xa",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_part_is_one_fault_line_and_exit_1(folder: Path, name: str) -> None:
    breaks, line = BROKEN[name]
    breaks(folder)
    result = run_scenario_check(str(folder))
    assert result["exit_code"] == 1
    text = found(folder, "fault")
    assert re.search(line, text), text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('network = "thanh_hoa.net.xml"', 'network = "../thanh_hoa.net.xml"', "own folder"),
        ('network = "thanh_hoa.net.xml"', 'network = "gone.net.xml"', "named but not there"),
        ("version = 1", "version = 1\ncolour = 3", "colour"),
        ("begin_s = 25200", "begin_s = 99999", "must be above"),
        ("version = 1", "version = [", "must be TOML"),
    ],
    ids=["outside", "missing", "unknown key", "period", "not toml"],
)
def test_a_scenario_file_that_cannot_be_read_stops_at_once(folder: Path, old: str, new: str, line: str) -> None:
    edit(folder / "scenario.toml", old, new)
    with pytest.raises(BadScenario, match=line):
        run_scenario_check(str(folder))


def test_names_with_dots_and_names_of_nothing_are_refused() -> None:
    for name in ("../thanh_hoa", "thanh_hoa/../grid/../..", "no_such_town", ""):
        with pytest.raises(BadScenario):
            run_scenario_check(name)


def signals(folder: Path, change: Callable[[dict[str, list[dict[str, object]]]], None]) -> None:
    path = folder / "signals.json"
    saved = json.loads(path.read_text(encoding="utf-8"))
    change(saved)
    path.write_text(json.dumps(saved), encoding="utf-8")


def test_unknown_pedestrians_block_a_push_not_an_evaluation(folder: Path) -> None:
    def forget(saved: dict[str, list[dict[str, object]]]) -> None:
        saved["junctions"][0]["phases"][0]["walk_s"] = None  # type: ignore[index]

    signals(folder, forget)
    assert "pedestrian times unknown" in found(folder, "no push")
    assert found(folder, "fault") == ""


def test_a_yellow_below_the_formula_blocks_a_push(folder: Path) -> None:
    def shorten(saved: dict[str, list[dict[str, object]]]) -> None:
        for phase in saved["junctions"][0]["phases"]:
            phase["yellow_ds"] = 30  # type: ignore[index]

    signals(folder, shorten)
    assert "yellow 3.0 s (formula 3.3 s)" in found(folder, "no push")


def test_rings_that_do_not_add_up_block_a_push(folder: Path) -> None:
    def stretch(saved: dict[str, list[dict[str, object]]]) -> None:
        saved["plans"][0]["splits"][0]["split_s"] += 1  # type: ignore[index]

    signals(folder, stretch)
    assert "signals:" in found(folder, "no push")


def test_a_camera_that_lost_half_shows_as_inconsistent_counts(folder: Path) -> None:
    path = folder / "counts.csv"
    rows = path.read_text(encoding="utf-8").splitlines()
    halved = [_halved(row) if row.startswith("ql47:") else row for row in rows]
    path.write_text("\n".join(halved) + "\n", encoding="utf-8")
    assert "link ql47_buu_dien:" in found(folder, "note")


def _halved(row: str) -> str:
    cells = row.split(",")
    return ",".join([*cells[:4], str(int(cells[4]) // 2), *cells[5:]])
