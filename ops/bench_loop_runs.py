"""What is timed by `bench loop`, one process a run: the loop with a controller, and the same loop replayed without.

::

    record      max pressure behind the guard, once: what the lamps showed, and at which times the twin stopped
    controlled  the same again as `evaluate --protocol legacy` runs it        CPU of the loop / CPU of the process
    replayed    what was shown as a static program, stopping at the same times
    binary      the replay once more by the `sumo` program, without Python
"""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from control.controllers.max_pressure import MaxPressure
from control.guard import Guard
from control.one_by_one import OneByOne
from ops.evaluate_runs import EvaluateSpec, evaluate_one, limits_of, protocol_of, run_of
from sim.drive import drive
from sim.episode import Seed
from sim.heads import Moment
from sim.lamp_history import replay
from sim.launch import TRIPS, Launch, launch, write_configuration
from sim.netconvert import find_tool
from sim.programs import write_programs
from sim.twin import Twin
from traffic.errors import PlantLost
from traffic.ids import JunctionId
from traffic.scenario import Scenario

CONTROL = "max_pressure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one run in a process of its own took.

    Attributes
    ----------
    loop_cpu_s
        CPU time from the first to the last step; of the `sumo` program the same as `process_cpu_s`.
    process_cpu_s
        CPU time of the whole process, from its start to the last measure.
    peak_mb
        Peak resident memory of the process, MB.
    trips
        Digest of the trip records.
    """

    loop_cpu_s: float
    process_cpu_s: float
    peak_mb: float
    trips: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A run without a controller: SUMO with the programs that show what was shown, and the times to stop at."""

    what: Launch
    times_s: tuple[float, ...]
    folder: Path


def spec_of(scenario: Scenario, seed: int, folder: Path) -> EvaluateSpec:
    """Return the controlled run of a scenario under its legacy protocol."""
    protocol = protocol_of("legacy", scenario)
    return EvaluateSpec(scenario=scenario, control=CONTROL, protocol=protocol, seed=Seed(driver=seed), folder=folder)


def record(spec: EvaluateSpec) -> Replay:
    """Run the controller once, and return the run that shows the same lamps without it."""
    run = run_of(spec)
    limits = limits_of(run.town, spec.protocol, spec.scenario)
    with Twin(run.town, run.what, spec.folder, protocol=spec.protocol, reads_queue=False) as twin:
        drive(OneByOne(Guard(twin, limits)), MaxPressure(), run.what.end_s, spec.protocol)
        histories = twin.history()
    return replay_of(run.what, histories, spec.protocol.decision_s, spec.folder)


def replay_of(
    what: Launch, histories: Mapping[JunctionId, Sequence[Moment]], decision_s: float, folder: Path
) -> Replay:
    """Return the run that shows the same lamps, and stops where they change and where a decision falls due."""
    begin_s, end_s = what.begin_s, what.end_s
    shown = [replay(name, moments, begin_s, end_s) for name, moments in histories.items()]
    written = write_programs(folder / "shown.add.xml", shown)
    n_decisions = int((end_s - begin_s) // decision_s)
    stops = {round(begin_s + k * decision_s, 6) for k in range(n_decisions + 1)} | {end_s}
    stops |= {round(time_s, 6) for moments in histories.values() for time_s, _ in moments}
    return Replay(
        what=replace(what, additional=(*what.additional, written)),
        times_s=tuple(sorted(time_s for time_s in stops if begin_s < time_s <= end_s)),
        folder=folder,
    )


def controlled(spec: EvaluateSpec) -> Sample:
    """Run the controller as an evaluation does."""
    return sample(evaluate_one(spec).episode.cpu_s, spec.folder)


def replayed(again: Replay) -> Sample:
    """Run the same loop without a controller."""
    with launch(again.what, again.folder) as simulation:
        started_s = time.process_time()
        for time_s in again.times_s:
            simulation.step(time_s)
        cpu_s = time.process_time() - started_s
    return sample(cpu_s, again.folder)


def binary(again: Replay) -> Sample:
    """Run a launch by the `sumo` program, from its start to its end.

    Raises
    ------
    PlantLost
        If it fails.
    """
    again.folder.mkdir(parents=True, exist_ok=True)
    command = [str(find_tool("sumo")), "-c", str(write_configuration(again.what, again.folder))]
    with (again.folder / "sumo.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise PlantLost("sumo", f"ended with code {process.returncode}", next_move=f"see {again.folder / 'sumo.log'}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Sample(
        loop_cpu_s=cpu_s,
        process_cpu_s=cpu_s,
        peak_mb=usage.ru_maxrss * 1024 / 1e6,
        trips=digest_of_trips(again.folder / TRIPS),
    )


def idle(_: object) -> bool:
    """Start, import what a run of an evaluation needs, and do nothing."""
    return True


def sample(loop_cpu_s: float, folder: Path) -> Sample:
    """Return what this process took so far, its run being over."""
    process_cpu_s = time.process_time()
    return Sample(
        loop_cpu_s=loop_cpu_s,
        process_cpu_s=process_cpu_s,
        peak_mb=peak_mb(),
        trips=digest_of_trips(folder / TRIPS),
    )


def peak_mb() -> float:
    """Return the peak resident memory of this process, MB.

    Linux's own mark, since `ru_maxrss` of a started process begins at what its parent had.
    """
    try:
        rows = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(row.split()[1]) for row in rows if row.startswith("VmHWM:")) * 1024 / 1e6
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def digest_of_trips(path: Path) -> str:
    """Return a digest of trip records without their head, which names the time and the configuration."""
    text = path.read_text(encoding="utf-8")
    return hashlib.sha256(text[text.index("<tripinfos") :].partition(">")[2].encode()).hexdigest()
