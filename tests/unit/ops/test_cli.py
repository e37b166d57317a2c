from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ops.cli import app
from ops.test import pytest_command, totals

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["evaluate"], ["evaluate", "grid", "--seeds", "many"], ["test", "--data"], ["demo", "--fast"]],
    ids=["unknown command", "no scenario", "no number", "no value", "unknown option"],
)
def test_a_wrong_use_is_status_2_with_nothing_on_stdout(words: list[str]) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "Error: " in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["test", "--data", "/no/such/folder"],
        ["scenario", "show", "../secret"],
        ["scenario", "check", "nowhere"],
        ["evaluate", "grid", "--control", "magic"],
        ["evaluate", "grid", "--seeds", "0"],
        ["evaluate", "grid", "--first-seed", "-1"],
        ["evaluate", "grid", "--control", "static", "--control", "static"],
        ["evaluate", "grid", "--out", "/dev/null/x"],
        ["evaluate", "../grid"],
        ["evaluate", "grid", "--control", "universal", "--model", "nowhere"],
        ["evaluate", "grid", "--control", "universal", "--model", "weights.pt"],
        ["train", "nowhere"],
        ["train", "generated", "--minutes", "0"],
        ["train", "generated", "--minutes", "nan"],
        ["train", "generated", "--minutes", "1", "--generations", "1"],
        ["train", "generated", "--generations", "0"],
        ["train", "generated", "--seed", "-1"],
        ["train", "generated", "--towns", "0"],
        ["train", "generated", "--judged", "0"],
        ["train", "generated", "--every", "0"],
        ["train", "generated", "--jobs", "0"],
        ["train", "generated", "--model", "../elsewhere"],
        ["train", "generated", "--out", "/dev/null/x"],
        ["train", "generated", "--resume", "/no/such/folder"],
        ["train", "grid", "--towns", "80", "--judged", "40"],
        ["demo", "grid"],
        ["demo", "--video", "/no.mp4"],
        ["demo", "--window", "0"],
        ["demo", "--count", "-5"],
        ["demo", "--spread", "nan"],
        ["demo", "--spread", "-1"],
        ["controllers", "thanh_hoa", "--speed", "-1"],
        ["controllers", "thanh_hoa", "--speed", "1000"],
        ["controllers", "thanh_hoa", "--http-port", "99999"],
        ["controllers", "thanh_hoa", "--duration", "-1"],
        ["controllers", "thanh_hoa", "--backup-time", "0"],
        ["bench", "loop", "nowhere"],
        ["bench", "loop", "--repeats", "0"],
        ["count", "/no/clip.mp4", "--camera", "/no/camera.toml"],
        ["demo", "nowhere"],
        ["controllers", "nowhere"],
        ["report", "/no/result.json"],
    ],
    ids=" ".join,
)
def test_bad_input_is_status_1_and_one_json_line_with_five_parts(words: list[str]) -> None:
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 1
    assert done.stdout.count("\n") == 1
    assert set(json.loads(done.stdout)["error"]) == {"kind", "where", "value", "limit", "next"}
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


def test_every_command_takes_json() -> None:
    group = typer.main.get_command(app)
    for command in group.commands.values():
        for leaf in getattr(command, "commands", {"": command}).values():
            assert "--json" in {word for option in leaf.params for word in option.opts}, leaf.name


def test_the_command_line_starts_without_heavy_modules() -> None:
    heavy = {"numpy", "torch", "cv2", "libsumo", "scipy", "matplotlib", "pydantic"}
    code = f"import sys, ops.cli; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_test_command_hands_the_data_folder_on() -> None:
    assert not any("--data" in word for word in pytest_command(None, 2))
    assert any("/data/real" in word for word in pytest_command(Path("/data/real"), 2))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("182 passed in 10.40s", (182, 0, 0)),
        ("1 failed, 12 passed, 3 deselected, 2 errors in 0.5s", (12, 3, 3)),
        ("no tests ran in 0.01s", (0, 0, 0)),
    ],
    ids=["good", "bad", "none"],
)
def test_totals_come_from_the_closing_line(line: str, expected: tuple[int, int, int]) -> None:
    assert tuple(totals(line).values()) == expected
