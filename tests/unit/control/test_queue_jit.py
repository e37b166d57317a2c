"""The core as compiled code and as plain Python gives the same bits; it is compiled once, not once a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np

from control.core.arrays import ARRIVED, LOSS, MOVES, RUNNING
from control.core.chance import bits, step_of
from tests.unit.control.queue_dump import dump

ROOT = Path(__file__).resolve().parents[3]
CACHE_REPORT = """
from control.core.ahead import time_plans
from control.core.rollout import roll_out, run_policy
from control.core.run import run_fixed
from control.core.stages import run_seconds
from control.core.zones import estimate
from tests.unit.control.queue_dump import dump
dump()
for kernel in (time_plans, run_fixed, run_policy, roll_out, run_seconds, estimate):
    print(len(kernel.stats.cache_hits), len(kernel.stats.cache_misses))
"""


def python(*command: str, **environment: str) -> str:
    command = (sys.executable, *command)
    whole = {**os.environ, **environment}
    done = subprocess.run(command, cwd=ROOT, env=whole, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_kernel_gives_the_same_bits_compiled_and_as_plain_python(tmp_path: Path) -> None:
    python("-m", "tests.unit.control.queue_dump", str(tmp_path / "plain.npz"), NUMBA_DISABLE_JIT="1")
    compiled = dump()
    with np.load(tmp_path / "plain.npz") as plain:
        assert set(plain.files) == set(compiled)
        differing = [name for name in plain.files if plain[name].tobytes() != compiled[name].tobytes()]
    assert differing == []
    assert compiled["block plans totals"][:, [LOSS, ARRIVED, RUNNING, MOVES]].all()


def test_the_counter_of_a_late_step_is_the_same_number_as_plain_python() -> None:
    vehicle, step = np.int32(7), np.int32(5000)
    assert step_of(vehicle, step) == step_of.py_func(vehicle, step) == 5000 * 2**20 + 7


def test_random_numbers_are_those_of_splitmix64() -> None:
    """The reference outputs for seed 1234567, rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64."""
    with np.errstate(over="ignore"):
        found = [int(bits.py_func(np.uint64(1234567), k)) for k in range(1, 6)]
    assert found == [
        *(6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431),
        16408922859458223821,
    ]


def cached() -> set[tuple[str, int]]:
    folder = Path(numba.config.CACHE_DIR)  # type: ignore[attr-defined]
    return {(str(path), path.stat().st_mtime_ns) for path in folder.rglob("*.nb?")}


def test_a_second_process_compiles_nothing() -> None:
    dump()
    before = cached()
    report = python("-c", CACHE_REPORT)
    assert report.split("\n")[:-1] == ["1 0"] * 6
    assert cached() == before and len(before) >= 10
