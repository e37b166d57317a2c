"""Others on the same generated grid, in turn in one run: SUMO micro and meso, UXsim in its C++ mode, and the core."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from rich.progress import Progress

from ops.bench_core_speed import Engine, interleaved, speeds_of, sumo_works
from ops.bench_core_uxsim import UxsimSample, UxsimSpec, run_uxsim, uxsim_spec, uxsim_version
from ops.bench_loop import alone
from traffic.errors import TrafficError
from traffic.scenario import Scenario

UXSIM = "uxsim"


def peer_rows(
    scenario: Scenario,
    repeats: int,
    folder: Path,
    progress: Progress,
    core_speed: Callable[[Scenario], float],
) -> list[dict[str, Any]]:
    """Return a row a peer: simulated seconds a CPU second, null where it is not installed.

    Raises
    ------
    PlantLost
        If SUMO fails.
    """
    works = {**sumo_works(scenario, folder), "core": lambda: core_speed(scenario)}
    try:
        spec = uxsim_spec(scenario)
        alone(run_uxsim, spec)
        works[UXSIM] = partial(uxsim_cpu_s, spec)
    except TrafficError as error:
        sys.stderr.write(f"{scenario.name}: uxsim is null: {error.line}\n")
    taken = interleaved(works, repeats, progress, f"{scenario.name}: peers")
    speeds = speeds_of(scenario, taken)
    span_s = scenario.end_s - scenario.begin_s
    found = {
        "sumo micro": (version("eclipse-sumo"), speeds[Engine.MICRO].sim_s_per_cpu_s),
        "sumo meso": (version("eclipse-sumo"), speeds[Engine.MESO].sim_s_per_cpu_s),
        UXSIM: (uxsim_version(), span_s / median(taken[UXSIM]) if UXSIM in taken else None),
        "core": (None, median(taken["core"])),
    }
    return [
        {"peer": peer, "version": number, "scenario": scenario.name, "sim_s_per_cpu_s": speed}
        for peer, (number, speed) in found.items()
    ]


def uxsim_cpu_s(spec: UxsimSpec) -> float:
    """Run UXsim in a process of its own, and return the CPU time of its simulation, seconds."""
    sample: UxsimSample = alone(run_uxsim, spec)
    return sample.cpu_s
