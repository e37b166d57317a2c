"""The command `benchmark`: controls on many networks, seeds and both protocols; a table, a chart, a statement each.

::

    scenarios x protocols x seeds x controls ──► runs/*.json, one file a finished run ──► rows ──► .md, .svg, .json
                                                  └── what is there is not run again
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from control.policy_files import load_policy
from ops.benchmark_chart import benchmark_chart, panels_of
from ops.benchmark_rows import Cell, rows_of, statements_of
from ops.benchmark_set import (
    BOTH,
    NAMES,
    OWN,
    BenchmarkOptions,
    in_protocol,
    open_scenarios,
    protocols_of,
    specs_of,
    subject_of,
)
from ops.benchmark_store import BenchmarkRun, kept_run, run_and_keep, weights_digest, with_places, write_text
from ops.benchmark_table import markdown
from ops.bounds import check_number, make_folder
from ops.console import plain
from ops.core_policy import UNIVERSAL
from ops.evaluate import PACKAGES
from ops.evaluate_runs import PROTOCOLS, EvaluateRun
from ops.provenance import command_line, commit, versions
from sim.ensemble import run_many, stderr_progress
from traffic.errors import BadInput, TrafficError

NAME, RUNS = "benchmark", "runs"


@dataclass(slots=True, kw_only=True)
class _Done:
    """What became of the runs, by file: results, errors, how many were there before, and what broke it off."""

    runs: dict[Path, EvaluateRun] = field(default_factory=dict)
    errors: dict[Path, TrafficError] = field(default_factory=dict)
    n_kept: int = 0
    fault: KeyboardInterrupt | None = None


def run_benchmark(names: Sequence[str], options: BenchmarkOptions) -> dict[str, Any]:
    """Run every control on every scenario, protocol and seed; write table, chart and result; return the result.

    Raises
    ------
    BadInput
        If an option or a scenario is not what it should be.
    TrafficError
        If every run failed: the first one's error.
    KeyboardInterrupt
        On Ctrl-C, when what is done is written.
    """
    _check(options)
    scenarios = open_scenarios(names or OWN)
    if UNIVERSAL in options.controls:
        load_policy(options.model)
    make_folder("--out", options.out)
    make_folder("--out", options.out / RUNS)
    todo = with_places(specs_of(scenarios, options), options.out / RUNS)
    done = _do(todo, options.jobs)
    if not done.runs and done.errors:
        raise next(iter(done.errors.values()))
    result = _result(cells_of(todo, done.runs, done.errors), options, todo, done)
    _write(result, options, todo, done)
    if done.fault is not None:
        raise done.fault
    return result


def _check(options: BenchmarkOptions) -> None:
    """Refuse what cannot be run, before anything is."""
    if options.protocol not in (*PROTOCOLS, BOTH):
        raise BadInput("--protocol", options.protocol, f"{', '.join(PROTOCOLS)} or {BOTH}", "choose one")
    unknown = [name for name in options.controls if name not in NAMES]
    if unknown or not options.controls:
        raise BadInput("--control", ", ".join(unknown) or "none", ", ".join(NAMES), "choose from these")
    for protocol in protocols_of(options):
        forms = [in_protocol(name, protocol) for name in options.controls]
        if len(set(forms)) != len(forms):
            limit = f"each once; under {protocol} they are {', '.join(forms)}"
            raise BadInput("--control", ", ".join(options.controls), limit, "leave out what repeats")
    if options.subject is not None and options.subject not in options.controls:
        raise BadInput(
            "--subject", options.subject, f"one of {', '.join(options.controls)}", "name a control that runs"
        )
    for name, value, least in (
        ("--seeds", options.seeds, 1),
        ("--demand-seed", options.first_demand_seed, 0),
        ("--jobs", 1 if options.jobs is None else options.jobs, 1),
    ):
        check_number(name, value, least)


def _do(todo: Sequence[BenchmarkRun], jobs: int | None) -> _Done:
    """Do the runs that are not kept yet, each in a process of its own: what is shipped has to be repeatable."""
    found = {run.path: kept for run in todo if (kept := kept_run(run.path)) is not None}
    missing = [run for run in todo if run.path not in found]
    done = _Done(runs=found, n_kept=len(found))
    with stderr_progress() as progress:
        if found:
            progress.console.print(f"{len(found)} of {len(todo)} runs were done before, {len(missing)} are to do")
        try:
            for outcome in run_many(missing, run_and_keep, jobs=jobs, progress=progress, title=NAME, is_fresh=True):
                if outcome.result is not None:
                    done.runs[outcome.spec.path] = outcome.result
                elif outcome.error is not None:
                    done.errors[outcome.spec.path] = outcome.error
        except KeyboardInterrupt as interrupt:
            done.fault = interrupt
    return done


def cells_of(
    todo: Sequence[BenchmarkRun], runs: Mapping[Path, EvaluateRun], errors: Mapping[Path, TrafficError]
) -> list[Cell]:
    """Return what became of the runs by scenario and protocol, in order."""
    cells: dict[tuple[str, str], Cell] = {}
    for run in todo:
        spec = run.spec
        key = (spec.scenario.name, spec.protocol.name)
        cell = cells.setdefault(key, Cell(scenario=key[0], protocol=key[1], runs={}))
        of_control = cell.runs.setdefault(spec.control, [])
        if run.path in runs:
            of_control.append(runs[run.path])
        elif run.path in errors:
            cell.errors.setdefault(spec.control, []).append(errors[run.path])
    return list(cells.values())


def _result(
    cells: Sequence[Cell], options: BenchmarkOptions, todo: Sequence[BenchmarkRun], done: _Done
) -> dict[str, Any]:
    chart = _write_chart(cells, options.out) if done.runs else None
    return {
        "protocols": list(protocols_of(options)),
        "seeds": options.seeds,
        "demand_seed": options.first_demand_seed,
        "rows": rows_of(cells),
        "statements": statements_of(cells, subject_of(options)),
        "runs": len(todo),
        "runs_kept": done.n_kept,
        "failed": len(done.errors),
        "partial": len(done.runs) < len(todo),
        "table": str(options.out / f"{NAME}.md"),
        "chart": None if chart is None else str(chart),
        "out": str(options.out / f"{NAME}.json"),
    }


def _write_chart(cells: Sequence[Cell], out: Path) -> Path:
    path = out / f"{NAME}.svg"
    write_text(path, benchmark_chart(panels_of([cell for cell in cells if any(cell.runs.values())])))
    return path


def _write(result: dict[str, Any], options: BenchmarkOptions, todo: Sequence[BenchmarkRun], done: _Done) -> None:
    """Write the table, and the result with every run, settings, versions, commit and command."""
    about = {"command": command_line(), "commit": commit()}
    write_text(Path(result["table"]), markdown({**plain(result), **about}))
    record = {
        **result,
        **about,
        "settings": asdict(options),
        "versions": versions(PACKAGES),
        "weights_sha256": next(filter(None, (weights_digest(run.spec) for run in todo)), None),
        "each": [_each(run, done.runs[run.path]) for run in todo if run.path in done.runs],
    }
    write_text(Path(result["out"]), json.dumps(plain(record), indent=1, allow_nan=False) + "\n")


def _each(todo: BenchmarkRun, run: EvaluateRun) -> dict[str, Any]:
    about = {"scenario": todo.spec.scenario.name, "protocol": todo.spec.protocol.name, "kept_in": todo.path.name}
    return {**about, **asdict(run)}
