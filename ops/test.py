"""The command `test`: every test in one run, nothing skipped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from traffic.errors import BadInput, MissingTool

ROOT = Path(__file__).resolve().parent.parent
COUNTED = re.compile(r"(\d+) (passed|failed|error|errors|deselected)\b")


def pytest_command(data: Path | None, cores: int) -> list[str]:
    """Return the command line of the test run: all tests, spread over the cores by file."""
    command = [sys.executable, "-m", "pytest", "--color=auto", "-q", "-n", str(cores), "--dist", "loadfile"]
    # With `--data DIR` in two words pytest would take DIR for what to collect, and for its root.
    return [*command, *([] if data is None else [f"--data={data}"]), str(ROOT / "tests")]


def totals(output: str) -> dict[str, int]:
    """Return how many tests passed, failed and were left out, from pytest's closing line.

    Examples
    --------
    >>> totals("== 1 failed, 12 passed, 3 deselected, 1 error in 0.52s ==")
    {'passed': 12, 'failed': 2, 'deselected': 3}
    """
    found = {"passed": 0, "failed": 0, "deselected": 0}
    for number, word in COUNTED.findall(output):
        found["failed" if word.startswith(("fail", "error")) else word] += int(number)
    return found


def run_test(*, data: Path | None = None) -> dict[str, Any]:
    """Run every test; with `data`, the tests on real data too.

    Returns
    -------
    dict
        passed, failed, deselected, wall_s and pytest's own exit_code.

    Raises
    ------
    BadInput
        If `data` is no folder.
    MissingTool
        If pytest is not installed.
    """
    if data is not None and not data.is_dir():
        raise BadInput("--data", data, "no such folder", "give the folder that holds resco/ and footage/")
    begin = time.monotonic()
    command = pytest_command(None if data is None else data.resolve(), os.cpu_count() or 1)
    last = ""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                sys.stderr.write(line)
                last = line if line.strip() else last
        except KeyboardInterrupt:
            child.terminate()
            raise
    if "No module named pytest" in last:
        raise MissingTool("pytest", sys.executable, "not installed", "start through python3 run.py test")
    wall_s = round(time.monotonic() - begin, 1)
    return {**totals(last), "wall_s": wall_s, "exit_code": child.returncode}
