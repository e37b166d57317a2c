"""How long the core takes to compile: `python -m ops.bench_core_compile CACHE SCENARIO`, a process for each figure.

Where compiled code is kept is settled before a kernel is imported, so nothing of the core is imported up here.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from traffic.errors import PlantLost

_ROOT = Path(__file__).resolve().parent.parent


def compile_s(scenario_folder: Path) -> tuple[float, float]:
    """Return what the first run of the installed plan takes longer than the second, seconds: cold, then cached.

    Raises
    ------
    PlantLost
        If a process fails.
    """
    with TemporaryDirectory(prefix="numba-") as cache:
        return _in_a_process(cache, scenario_folder), _in_a_process(cache, scenario_folder)


def _in_a_process(cache: str, scenario_folder: Path) -> float:
    command = [sys.executable, "-m", "ops.bench_core_compile", cache, str(scenario_folder)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        words = " ".join(done.stderr.split())[-300:]
        raise PlantLost("timing of the compilation", f"ended with code {done.returncode}: {words}")
    return float(done.stdout)


def first_run_s(cache: str, scenario_folder: Path) -> float:
    """Return how much longer the first run takes than the second in this process, CPU seconds."""
    import numba

    import control.core

    assert "control.core.run" not in sys.modules, f"{control.core.__name__} has its kernels already"
    numba.config.CACHE_DIR = cache  # type: ignore[attr-defined]
    from ops.core_runs import open_queue_model
    from ops.plan_runs import town_of
    from sim.sumocfg import open_folder

    scenario = open_folder(scenario_folder)
    model, plans = open_queue_model(scenario), [town_of(scenario).signals.plans]
    marks_s = [time.process_time()]
    for _ in range(2):
        model.run(plans)
        marks_s.append(time.process_time())
    return (marks_s[1] - marks_s[0]) - (marks_s[2] - marks_s[1])


if __name__ == "__main__":
    sys.stdout.write(f"{first_run_s(sys.argv[1], Path(sys.argv[2])):.6f}\n")
