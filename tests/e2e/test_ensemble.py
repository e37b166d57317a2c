"""Many runs over processes: order, errors, a killed worker, an interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sim.ensemble import Outcome, run_many
from tests.e2e.ensemble_runs import Spec, run
from traffic.errors import BadScenario, PlantLost

ROOT = Path(__file__).resolve().parents[2]


def test_results_come_in_order_whatever_becomes_of_the_others() -> None:
    specs: list[Spec] = [("square", 1), ("die", 2), ("refuse", 3), ("square", 4), ("square", 5)]
    outcomes = list(run_many(specs, run, jobs=2))
    assert [outcome.spec for outcome in outcomes] == specs
    assert [outcome.result for outcome in outcomes] == [1, None, None, 16, 25]
    assert isinstance(outcomes[1].error, PlantLost)
    assert "killed by signal 9" in str(outcomes[1].error)
    assert isinstance(outcomes[2].error, BadScenario)


def test_a_worker_is_used_again_unless_every_run_is_to_have_its_own() -> None:
    specs: list[Spec] = [("pid", n) for n in range(4)]
    shared, fresh = ({row.result for row in run_many(specs, run, jobs=2, is_fresh=own)} for own in (False, True))
    assert (len(shared), len(fresh)) == (2, 4)


def test_nothing_to_run_is_no_outcome() -> None:
    assert list(run_many([], run)) == []


def test_an_interruption_keeps_what_is_done_and_marks_the_rest() -> None:
    specs: list[Spec] = [("square", 3), ("wait", 0), ("square", 4)]
    outcomes: list[Outcome[Spec, int]] = []

    def collect() -> None:
        for outcome in run_many(specs, run, jobs=1):
            outcomes.append(outcome)
            if len(outcomes) == 1:
                threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        collect()
    assert [(outcome.is_done, outcome.error) for outcome in outcomes] == [(True, None), (False, None), (False, None)]


SLOW_TO_IMPORT = """
import os, signal, sys, time
from pathlib import Path

if __name__ == "__mp_main__":
    Path("worker").write_text(f"{os.getpid()}\\n")
    time.sleep(1.0)

from sim.ensemble import run_many

def run(spec):
    return spec

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print([outcome.result for outcome in run_many([1], run)])
"""


def test_ctrl_c_passes_workers_by_even_while_they_import(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW_TO_IMPORT)
    with subprocess.Popen(
        [sys.executable, "slow.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        note = tmp_path / "worker"
        while process.poll() is None and not (note.exists() and note.read_text().endswith("\n")):
            time.sleep(0.01)
        os.kill(int(note.read_text()), signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (0, "[1]\n", "")
