"""`benchmark` from the command line on a generated town: keys, Ctrl-C, kill -9, and going on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ops.keys import keys_of
from tests.e2e.test_plan import make_folder

ROOT = Path(__file__).resolve().parents[2]
CONTROLS = ("actuated", "max_pressure")
N_RUNS = 2 * 2 * len(CONTROLS)


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one scenario folder in it."""
    folder = tmp_path_factory.mktemp("towns")
    (folder / "town").mkdir()
    make_folder(folder / "town")
    return folder


@pytest.fixture(scope="module")
def whole(towns: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of a benchmark that nobody interrupted."""
    child = start(towns, tmp_path_factory.mktemp("whole"))
    out, err = child.communicate(timeout=600.0)
    assert child.returncode == 0, err
    result: dict[str, Any] = json.loads(out)
    return result


def start(towns: Path, out: Path) -> subprocess.Popen[str]:
    words = ["benchmark", str(towns), "--seeds", "2", "--jobs", "1", "--out", str(out), "--json"]
    controls = [word for name in CONTROLS for word in ("--control", name)]
    return subprocess.Popen(
        [sys.executable, "-c", "from ops.cli import main; main()", *words, *controls],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kept(out: Path) -> list[Path]:
    """Return the files of finished runs; a file that is being written has another name."""
    return sorted((out / "runs").glob("*.json"))


def start_and_wait(towns: Path, out: Path, n_runs: int) -> subprocess.Popen[str]:
    child = start(towns, out)
    until = time.monotonic() + 300.0
    while len(kept(out)) < n_runs and child.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert n_runs <= len(kept(out)) < N_RUNS
    return child


def without_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "cpu_s"} for row in rows]


def test_every_key_is_in_the_dictionary_and_every_control_has_a_row(whole: dict[str, Any]) -> None:
    lists = ("rows", "statements")
    shown = {name for name in whole if name not in lists} | {
        f"{name}[].{key}" for name in lists for key in whole[name][0]
    }
    assert shown == {key.name for key in keys_of("benchmark")}
    assert [(row["protocol"], row["control"]) for row in whole["rows"]] == [
        *(("legacy", name) for name in CONTROLS),
        *(("safe", name) for name in ("actuated_safe", *CONTROLS[1:])),
    ]
    assert (whole["runs"], whole["runs_kept"], whole["failed"], whole["partial"]) == (N_RUNS, 0, 0, False)
    for row in whole["rows"]:
        assert (row["scenario"], row["seeds"], row["error"]) == ("town", 2, None)
        assert row["arrived"] > 0 and 0 < row["longest_red_s"] <= 360
        assert row["delay_ci95_s"][0] <= row["delay_s"] <= row["delay_worst_s"]
        if row["protocol"] == "safe":
            assert (row["direct_green_to_red"], row["intergreen_violations"], row["conflicting_greens"]) == (0, 0, 0)


def test_the_statements_agree_with_the_rows(whole: dict[str, Any]) -> None:
    for statement in whole["statements"]:
        rows = {row["control"]: row for row in whole["rows"] if row["protocol"] == statement["protocol"]}
        assert statement["best_delay_s"] == min(row["delay_s"] for row in rows.values())
        ours_s = rows["max_pressure"]["delay_s"]
        assert (statement["subject"], statement["subject_delay_s"]) == ("max_pressure", ours_s)
        rival = "actuated_safe" if statement["protocol"] == "safe" else "actuated"
        assert statement["actuated_change_pct"] == pytest.approx(100 * (ours_s / rows[rival]["delay_s"] - 1))
        assert statement["max_pressure_change_pct"] is None
        assert statement["reached"] == (statement["actuated_change_pct"] <= -10.0)


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(
    towns: Path, whole: dict[str, Any], tmp_path: Path
) -> None:
    child = start_and_wait(towns, tmp_path, 2)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=300.0)
    assert child.returncode == 130
    assert json.loads(out)["error"]["kind"] == "Interrupted"
    record = json.loads((tmp_path / "benchmark.json").read_text("utf-8"))
    assert record["partial"] is True and record["rows"][0]["control"] == "actuated"
    check_it_goes_on(towns, whole, tmp_path)


def test_kill_9_costs_the_runs_under_way_only(towns: Path, whole: dict[str, Any], tmp_path: Path) -> None:
    child = start_and_wait(towns, tmp_path, 2)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=300.0)
    assert not (tmp_path / "benchmark.json").exists()
    check_it_goes_on(towns, whole, tmp_path)


def check_it_goes_on(towns: Path, whole: dict[str, Any], out: Path) -> None:
    """Run the same command again: what was kept is not run again, and the rows are those of an unbroken run."""
    before = {path: path.stat().st_mtime_ns for path in kept(out)}
    again = start(towns, out)
    text, err = again.communicate(timeout=600.0)
    assert again.returncode == 0, err
    result = json.loads(text)
    assert len(before) <= result["runs_kept"] < N_RUNS
    assert f"{result['runs_kept']} of {N_RUNS} runs were done before" in err
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(kept(out)) == N_RUNS
    assert without_times(result["rows"]) == without_times(whole["rows"])
    assert result["statements"] == whole["statements"]
