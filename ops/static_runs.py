"""SUMO under static programs, in a process of its own: what a plan is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ops.bench_loop_runs import Replay, binary
from sim.launch import TRIPS, Launch
from sim.netfile import Program
from sim.programs import write_programs
from sim.trips import Trips, read_trips


def run_static(what: Launch, programs: Sequence[Program], folder: Path) -> tuple[Trips, float]:
    """Run a launch under programs, those of the network where there are none; return trip records and CPU seconds.

    Raises
    ------
    PlantLost
        If SUMO fails.
    """
    if programs:
        written = write_programs(folder / "plan.add.xml", programs)
        what = replace(what, additional=(*what.additional, written))
    sample = binary(Replay(what=what, times_s=(), folder=folder))
    return read_trips(folder / TRIPS, what.end_s), sample.process_cpu_s
