"""`calibrate --queue-model` on a generated grid with a real SUMO."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from control.queue_physics import Physics
from ops.calibrate_core import CalibrateOptions, run_calibrate
from ops.core_runs import FILE, open_queue_model, stored_physics
from ops.keys import keys_of
from ops.scenario_folder import open_scenario
from tests.e2e.test_plan import make_folder

ROOT = Path(__file__).resolve().parents[2]
SMALL = CalibrateOptions(plans=8, seeds=1, evaluations=28, jobs=2)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def fitted(town: Path) -> dict[str, Any]:
    return run_calibrate(str(town), SMALL)


def test_every_key_of_a_calibration_stands_in_the_dictionary(fitted: dict[str, Any]) -> None:
    flat = {name for name, value in fitted.items() if not isinstance(value, dict)}
    found = flat | {f"{name}.{key}" for name in set(fitted) - flat for key in fitted[name]}
    assert found == {key.name for key in keys_of("calibrate")}


def test_the_fit_is_no_worse_than_the_defaults(fitted: dict[str, Any]) -> None:
    before, after = fitted["misfit_before"], fitted["misfit"]
    assert after["links"] + after["links_near_default"] <= before["links"] + before["links_near_default"] + 0.05
    assert abs(after["bias"]) <= abs(before["bias"]) + 0.02


def test_what_is_written_is_used_from_then_on_and_says_how_it_was_made(fitted: dict[str, Any], town: Path) -> None:
    record = json.loads((town / FILE).read_text(encoding="utf-8"))
    scenario = open_scenario(str(town))
    physics = stored_physics(scenario)
    assert physics == Physics(**record["physics"])
    row = open_queue_model(scenario).compiled.roads.physics[0]
    assert row.reaction == physics.reaction_s and row.minor == physics.minor_mps
    assert record["settings"]["seed"] == SMALL.seed
    assert {"commit", "versions", "command", "network_sha256", "misfit"} <= set(record)


def test_the_same_seed_gives_the_same_parameters(fitted: dict[str, Any], town: Path, tmp_path: Path) -> None:
    first = json.loads((town / FILE).read_text(encoding="utf-8"))
    again = tmp_path / "again.json"
    run_calibrate(str(town), CalibrateOptions(plans=8, seeds=1, evaluations=28, jobs=1, out=again))
    assert json.loads(again.read_text(encoding="utf-8"))["physics"] == first["physics"]


def test_ctrl_c_while_sumo_runs_ends_quietly_and_writes_nothing(town: Path, tmp_path: Path) -> None:
    out = tmp_path / "never.json"
    words = ["calibrate", str(town), "--queue-model", "--plans", "8", "--seeds", "90", "--out", str(out)]
    child = subprocess.Popen(
        [sys.executable, "-c", "from ops.cli import main; main()", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "FORCE_COLOR": "1"},
    )
    assert child.stderr is not None
    until, seen = time.monotonic() + 300.0, ""
    while not re.search(r"[1-9]\d*/720", seen) and time.monotonic() < until:
        seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", child.stderr.readline(200))
    child.send_signal(signal.SIGINT)
    _, rest = child.communicate(timeout=300.0)
    assert child.returncode == 130
    assert "Traceback" not in rest
    assert not out.exists()
