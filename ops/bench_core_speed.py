"""CPU time of SUMO, micro and meso, on the installed plan: full runs net of runs of one step, taken in turn.

SUMO writes nothing here, neither trip records nor totals: the least that it can cost. Its mesoscopic model has junction
control switched on, or it would not see the signals.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from math import nan
from pathlib import Path
from statistics import median

from rich.progress import Progress

from sim.launch import Launch, launch_of, write_configuration
from sim.netconvert import find_tool
from traffic.errors import PlantLost
from traffic.scenario import Scenario


class Engine(StrEnum):
    """SUMO's two models."""

    MICRO = "micro"
    MESO = "meso"


OPTIONS = {Engine.MICRO: (), Engine.MESO: ("--mesosim", "true", "--meso-junction-control", "true")}
Work = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """CPU seconds of every full run and of every run of one step, and the seconds that lie between them."""

    span_s: float
    full_s: tuple[float, ...]
    one_step_s: tuple[float, ...]

    @property
    def sim_s_per_cpu_s(self) -> float:
        """Simulated seconds a CPU second: medians, net of the run of one step; NaN where that leaves nothing."""
        net_s = median(self.full_s) - median(self.one_step_s)
        return self.span_s / net_s if net_s > 0.0 else nan


def sumo_cpu_s(what: Launch, engine: Engine, folder: Path) -> float:
    """Run the `sumo` program without outputs and return its CPU time, seconds.

    Raises
    ------
    PlantLost
        If it fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    configuration = write_configuration(what, folder)
    rows = configuration.read_text(encoding="utf-8").splitlines()
    configuration.write_text("\n".join(row for row in rows if "-output" not in row), encoding="utf-8")
    command = [str(find_tool("sumo")), "-c", str(configuration), *OPTIONS[engine]]
    with (folder / "sumo.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise PlantLost("sumo", f"ended with code {process.returncode}", next_move=f"see {folder / 'sumo.log'}")
    return usage.ru_utime + usage.ru_stime


def sumo_works(scenario: Scenario, folder: Path) -> dict[str, Work]:
    """Return what is timed of a scenario: each engine's full run and its run of one step."""
    full = launch_of(scenario, seed=0)
    one_step = replace(full, end_s=full.begin_s + full.step_s)
    return {
        f"{engine} {name}": lambda what=what, engine=engine, name=name: sumo_cpu_s(what, engine, folder / name)  # type: ignore[misc]
        for engine in Engine
        for name, what in (("full", full), ("one step", one_step))
    }


def speeds_of(scenario: Scenario, taken: dict[str, list[float]]) -> dict[Engine, Speed]:
    """Return the speeds of both engines from the samples of `sumo_works`."""
    span_s = scenario.end_s - scenario.begin_s - scenario.step_s
    return {
        engine: Speed(
            span_s=span_s, full_s=tuple(taken[f"{engine} full"]), one_step_s=tuple(taken[f"{engine} one step"])
        )
        for engine in Engine
    }


def interleaved(works: dict[str, Work], repeats: int, progress: Progress, title: str) -> dict[str, list[float]]:
    """Return the samples of all works, taken in turn, every second round backwards."""
    bar = progress.add_task(title, total=repeats * len(works))
    taken: dict[str, list[float]] = {name: [] for name in works}
    for k in range(repeats):
        for name in list(works)[:: -1 if k % 2 else 1]:
            taken[name].append(works[name]())
            progress.advance(bar)
    return taken
