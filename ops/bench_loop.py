"""What control costs beside the bare simulation: CPU time as a ratio, from one interleaved run, medians.

::

    ratio = CPU(loop with max pressure behind the guard) / CPU(the same loop without, the same lamps replayed)

Every run has a process of its own; a pair whose trip records differ is an error, not a figure.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from rich.progress import Progress

from ops.bench_ensemble import evaluate_ratio
from ops.bench_env import stepped
from ops.bench_loop_runs import CONTROL, Sample, binary, controlled, record, replayed, spec_of
from ops.bench_sumo_rl import record_sumo_rl, run_sumo_rl
from ops.console import plain
from ops.provenance import command_line, commit, versions
from ops.scenario_folder import open_scenario
from sim.ensemble import n_cores, run_many, stderr_progress
from traffic.errors import BadInput, PlantLost, TrafficError
from traffic.scenario import Scenario

PACKAGES = ("eclipse-sumo", "libsumo", "numpy", "sumo-rl")
SpecT = TypeVar("SpecT")
ResultT = TypeVar("ResultT")
Work = Callable[[], Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchLoopOptions:
    """Options: `repeats` of every run, `evaluate_rounds` of 20 static seeds (0 leaves evaluate_ratio out)."""

    repeats: int = 5
    evaluate_rounds: int = 0
    seed: int = 0
    out: Path = Path("runs")


def run_bench_loop(scenarios: Sequence[str], options: BenchLoopOptions) -> dict[str, Any]:
    """Measure every scenario and return the table; a file with all samples lies in `options.out`.

    Raises
    ------
    BadInput
        If an option or a scenario is not what it should be.
    PlantLost
        If a replay does not repeat the controlled run's trip records.
    """
    for name, value, least in (("--repeats", options.repeats, 1), ("--evaluate", options.evaluate_rounds, 0)):
        if value < least:
            raise BadInput(name, value, f"at least {least}", "give a larger number")
    opened = [open_scenario(name) for name in scenarios]
    rows: list[dict[str, Any]] = []
    samples: dict[str, Any] = {}
    fault: BaseException | None = None
    try:
        for scenario in opened:
            row, taken = _measure(scenario, options)
            rows.append(row)
            samples[scenario.name] = taken
    except (TrafficError, KeyboardInterrupt) as error:
        fault = error
        if not rows:
            raise
    result = {"rows": rows, "partial": fault is not None, **_circumstances(options)}
    result["out"] = str(_write(result, samples, options.out))
    if fault is not None:
        raise fault
    return result


def _measure(scenario: Scenario, options: BenchLoopOptions) -> tuple[dict[str, Any], dict[str, list[Sample]]]:
    """Return the row of a scenario and the samples behind it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, stderr_progress() as progress:
        folder = Path(name)
        works = _works(scenario, options.seed, folder)
        taken = _interleaved(works, options.repeats, progress, scenario.name)
        _require_equal(scenario, [taken["replayed"], taken["controlled"], taken["binary"], taken["env"]])
        if "sumo_rl" in taken:
            _require_equal(scenario, [taken["sumo_rl_replayed"], taken["sumo_rl"]])
        ensemble = None
        if options.evaluate_rounds:
            ensemble = evaluate_ratio(scenario, options.evaluate_rounds, options.seed, folder / "ensemble", progress)
    return {"scenario": scenario.name, **_row(taken), "evaluate_ratio": ensemble}, taken


def _works(scenario: Scenario, seed: int, folder: Path) -> dict[str, Work]:
    """Return what is timed, by name; each of them starts a process of its own."""
    again = alone(record, spec_of(scenario, seed, folder / "replay"))
    spec = spec_of(scenario, seed, folder / "controlled")
    works: dict[str, Work] = {
        "replayed": lambda: alone(replayed, again),
        "controlled": lambda: alone(controlled, spec),
        "binary": lambda: alone(binary, again),
        "env": lambda: alone(stepped, replace(spec, folder=folder / "env")),
    }
    other = spec_of(scenario, seed, folder / "sumo_rl")
    try:
        bare = alone(record_sumo_rl, other)
    except TrafficError as error:
        sys.stderr.write(f"{scenario.name}: sumo_rl_ratio is null: {error.line}\n")
        return works
    return works | {"sumo_rl_replayed": lambda: alone(replayed, bare), "sumo_rl": lambda: alone(run_sumo_rl, other)}


def alone(make_run: Callable[[SpecT], ResultT], spec: SpecT) -> ResultT:
    """Run one spec in a new process; return its result or raise its error."""
    (outcome,) = run_many([spec], make_run, jobs=1)
    if outcome.error is not None:
        raise outcome.error
    assert outcome.result is not None
    return outcome.result


def _interleaved(works: dict[str, Work], repeats: int, progress: Progress, title: str) -> dict[str, list[Sample]]:
    """Return the samples of all works, taken in turn, every second round backwards."""
    bar = progress.add_task(title, total=repeats * len(works))
    taken: dict[str, list[Sample]] = {name: [] for name in works}
    for k in range(repeats):
        for name in list(works)[:: -1 if k % 2 else 1]:
            taken[name].append(works[name]())
            progress.advance(bar)
    return taken


def _require_equal(scenario: Scenario, groups: Sequence[Sequence[Sample]]) -> None:
    found = {sample.trips for group in groups for sample in group}
    if len(found) != 1:
        where = f"bench loop on {scenario.name}"
        raise PlantLost(where, f"{len(found)} kinds of trip records", "all runs alike", "report it with the scenario")


def _row(taken: dict[str, list[Sample]]) -> dict[str, Any]:
    """Return the figures of one scenario: medians, and the spread of the ratio over the rounds."""
    loop = {name: median(sample.loop_cpu_s for sample in group) for name, group in taken.items()}
    whole = {name: median(sample.process_cpu_s for sample in group) for name, group in taken.items()}
    rounds = [
        one.loop_cpu_s / other.loop_cpu_s for one, other in zip(taken["controlled"], taken["replayed"], strict=True)
    ]
    return {
        "bare_cpu_s": loop["replayed"],
        "controlled_cpu_s": loop["controlled"],
        "ratio": loop["controlled"] / loop["replayed"],
        "ratio_range": [min(rounds), max(rounds)],
        "env_ratio": loop["env"] / loop["replayed"],
        "sumo_rl_ratio": loop["sumo_rl"] / loop["sumo_rl_replayed"] if "sumo_rl" in loop else None,
        "bare_process_cpu_s": whole["replayed"],
        "controlled_process_cpu_s": whole["controlled"],
        "sumo_cpu_s": whole["binary"],
        "peak_mb": max(sample.peak_mb for sample in taken["controlled"]),
    }


def _circumstances(options: BenchLoopOptions) -> dict[str, Any]:
    """Return what the figures depend on beside the scenario."""
    return {
        "control": CONTROL,
        "protocol": "legacy",
        "repeats": options.repeats,
        "seed": options.seed,
        "cpu": cpu_model(),
        "cores": n_cores(),
        "load": os.getloadavg()[0],
        "commit": commit(),
        "versions": versions(PACKAGES),
    }


def cpu_model() -> str:
    """Return the name of the processor, as far as the system tells."""
    try:
        rows = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        rows = []
    names = [row.partition(":")[2].strip() for row in rows if row.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _write(result: dict[str, Any], samples: dict[str, Any], out: Path) -> Path:
    """Write the table, every sample, settings and command as JSON; return the path."""
    out.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    path = out / f"bench-loop-{stamp}.json"
    listed = {name: {k: [asdict(s) for s in group] for k, group in taken.items()} for name, taken in samples.items()}
    record_ = {**result, "samples": listed, "command": command_line()}
    path.write_text(json.dumps(plain(record_), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path
