"""Calibrate the queue model of a scenario: what SUMO and the core say of the same plans on the same demand.

::

    24 plans x 3 demand seeds (1-99)  ->  SUMO's delays and lost time by link, once
    all drivers (CMA-ES)  ->  links  ->  all drivers again, in smaller steps  ->  links  ->  queue_model.json

The plans are drawn from another seed than those on which the core is judged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from control.queue_physics import Physics
from ops.bench_core_plans import calibration_plans
from ops.bounds import check_number
from ops.calibrate_core_fit import Case, fit_links, search
from ops.calibrate_core_runs import Truth, truths
from ops.core_runs import FILE, network_digest, open_queue_model
from ops.plan_design import open_design
from ops.provenance import command_line, commit, versions
from ops.scenario_folder import open_scenario
from sim.ensemble import stderr_progress
from traffic.errors import BadInput
from traffic.ids import LinkId
from traffic.scenario import Scenario

PACKAGES = ("eclipse-sumo", "numba", "numpy", "cma")
FIRST_STEP, SECOND_STEP = 0.15, 0.08
"""Steps of the two searches, as shares of the ranges."""
ROUNDS, FIRST_GAIN, SECOND_GAIN = 12, 0.12, 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateOptions:
    """Options: plans and demand seeds that SUMO runs, evaluations of the search, its seed, where the result goes."""

    plans: int = 24
    seeds: int = 3
    evaluations: int = 600
    seed: int = 1
    jobs: int | None = None
    out: Path | None = None


def run_calibrate(scenario: str, options: CalibrateOptions) -> dict[str, Any]:
    """Fit the queue model of a scenario and write its parameters; they are used from then on.

    Raises
    ------
    BadInput
        If an option or the scenario is not what it should be, or the result cannot be written.
    PlantLost
        If SUMO fails.
    """
    for name, value, least in (
        ("--plans", options.plans, 8),
        ("--seeds", options.seeds, 1),
        ("--evaluations", options.evaluations, 1),
    ):
        check_number(name, value, least)
    opened = open_scenario(scenario)
    out = options.out or opened.folder / FILE
    _check_writable(out)
    case = make_case(opened, options)
    before, best, is_partial = case.misfit(Physics()), Physics(), False
    with stderr_progress() as progress:
        try:
            for found in fit(case, options, progress):
                best = found
        except KeyboardInterrupt:
            is_partial = True
    result = {
        "scenario": opened.name,
        "misfit": case.misfit(best)._asdict(),
        "misfit_before": before._asdict(),
        "plans": len(case.plans),
        "seeds": options.seeds,
        "partial": is_partial,
        "out": str(out),
    }
    _write({**result, "physics": asdict(best)}, opened, options, out)
    if is_partial:
        raise KeyboardInterrupt
    return result


def fit(case: Case, options: CalibrateOptions, progress: Progress) -> Iterator[Physics]:
    """Yield better and better parameters: all drivers, links, and both once more in smaller steps."""
    first, best = options.evaluations * 3 // 5, Physics()
    bar = (progress, progress.add_task("calibrate", total=options.evaluations + 2 * ROUNDS))
    least = case.misfit(best).value
    steps: tuple[Callable[[Physics], Iterator[Physics]], ...] = (
        lambda start: search(case, start, first, step=FIRST_STEP, seed=options.seed, progress=bar),
        lambda start: fit_links(case, start, ROUNDS, gain=FIRST_GAIN, progress=bar),
        lambda start: search(
            case, start, options.evaluations - first, step=SECOND_STEP, seed=options.seed + 1, progress=bar
        ),
        lambda start: fit_links(case, start, ROUNDS, gain=SECOND_GAIN, progress=bar),
    )
    for step in steps:
        for physics in step(best):
            value = case.misfit(physics).value
            if value < least:
                least, best = value, physics
                yield physics


def make_case(scenario: Scenario, options: CalibrateOptions) -> Case:
    """Let SUMO run the plans, and return what there is to fit.

    Raises
    ------
    BadScenario, PlantLost
        If the scenario cannot be used, or a run fails.
    """
    design = open_design(scenario)
    plans = calibration_plans(design, options.plans)
    seeds = list(range(1, options.seeds + 1))
    found = truths(scenario, design, plans, seeds, jobs=options.jobs)
    models = [open_queue_model(scenario, demand_seed=seed, physics=Physics()) for seed in seeds]
    joined = models[0].compiled.joined
    links = sorted(set(joined.values()))
    return Case(
        plans=plans,
        models=models,
        delay_s=np.array([np.mean([row.delay_s for row in rows]) for rows in found]),
        links=links,
        link_loss_s=np.array([_by_link(rows, links, joined) for rows in found]),
    )


def _by_link(rows: list[Truth], links: list[LinkId], joined: dict[LinkId, LinkId]) -> list[float]:
    """Return the mean lost time by joined link."""
    totals = dict.fromkeys(links, 0.0)
    for row in rows:
        for link, lost_s in row.link_loss_s.items():
            if link in joined:
                totals[joined[link]] += lost_s / len(rows)
    return list(totals.values())


def _check_writable(out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("a", encoding="utf-8"):
            pass
        if not out.stat().st_size:
            out.unlink()
    except OSError as error:
        raise BadInput(str(out), str(error.strerror), "must be writable", "give another file with --out") from error


def _write(result: dict[str, Any], scenario: Scenario, options: CalibrateOptions, out: Path) -> None:
    """Write parameters, fit, settings, versions and commit as JSON, whole or not at all."""
    record = {
        **{name: value for name, value in result.items() if name != "out"},
        "network_sha256": network_digest(scenario),
        "settings": {name: value for name, value in asdict(options).items() if name != "out"},
        "command": command_line(),
        "commit": commit(),
        "versions": versions(PACKAGES),
    }
    draft = out.with_suffix(".part")
    draft.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    draft.replace(out)
