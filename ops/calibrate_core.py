"""Fit the queue model of a scenario to SUMO: what both say of the same plans on the same demand.

::

    16 plans x 3 demand seeds (1-99)  ->  SUMO's delays, once
    parameters  ->  the core's delays of the same  ->  misfit  ->  CMA-ES  ->  better parameters, some hundred times

The plans are drawn from another seed than those on which the core is judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cma
import numpy as np
from rich.progress import Progress

from control.queue_model import QueueModel
from control.queue_physics import Physics
from ops.bench_core_plans import Kind, PlanSet, calibration_plans
from ops.bench_core_rides import design_for
from ops.bench_core_statistics import FloatArray, spearman
from ops.bounds import check_number
from ops.calibrate_core_runs import truths
from ops.core_runs import FILE, network_digest, open_queue_model
from ops.provenance import command_line, commit, versions
from ops.scenario_folder import open_scenario
from sim.ensemble import stderr_progress
from traffic.errors import BadInput
from traffic.scenario import Scenario

RANGES = {
    "reaction_s": (0.05, 0.8),
    "first_gap_s": (0.0, 1.5),
    "start_up_s": (0.0, 2.0),
    "gap_scale": (0.3, 2.0),
    "patience_s": (40.0, 400.0),
    "rolling_gap": (0.3, 1.0),
    "yellow_s": (0.0, 3.5),
    "acceleration_loss": (0.3, 2.5),
    "wrong_lane_veh": (0.0, 8.0),
    "side_step_veh": (0.0, 3.0),
    "noise": (0.0, 0.3),
    "merge_s": (0.5, 2.0),
    "insertion": (0.5, 1.6),
    "jam_s": (0.8, 2.0),
    "minor_mps": (2.0, 14.0),
    "crossing": (0.0, 1.5),
}
"""What is fitted, and within which bounds."""
N_REPLICAS = 2
PACKAGES = ("eclipse-sumo", "numba", "numpy", "cma")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateOptions:
    """Options: plans and demand seeds that SUMO runs, evaluations of the search, its seed, where the result goes."""

    plans: int = 16
    seeds: int = 3
    evaluations: int = 400
    seed: int = 1
    jobs: int | None = None
    out: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """How the core's delays differ from SUMO's over all plans; `bias` and the spreads are of ln(core / SUMO)."""

    bias: float
    spread: float
    spread_near_default: float
    rho: float
    rho_near_default: float

    @property
    def value(self) -> float:
        """What is minimised: plans near the default differ by little, so that their spread counts most."""
        ranks = 0.02 * (1.0 - self.rho) + 0.01 * (1.0 - self.rho_near_default)
        return 0.3 * self.bias**2 + self.spread**2 + 4.0 * self.spread_near_default**2 + ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is fitted: plans, SUMO's delays (n_plan, n_seed), and one model a demand seed."""

    plans: Sequence[PlanSet]
    sumo_s: FloatArray
    models: Sequence[QueueModel]

    def misfit(self, physics: Physics) -> Misfit:
        """Return how far the core is from SUMO under these parameters."""
        rows = [
            model.with_physics(physics)
            .run([row.plans for row in self.plans], n_replicas=N_REPLICAS)
            .delay_s.mean(axis=1)
            for model in self.models
        ]
        core_s, sumo_s = np.mean(rows, axis=0), self.sumo_s.mean(axis=1)
        is_near = np.array([row.kind is Kind.NEAR_DEFAULT for row in self.plans])
        ratio = np.log(np.maximum(core_s, 1e-3) / np.maximum(sumo_s, 1e-3))
        return Misfit(
            bias=float(ratio.mean()),
            spread=float(ratio.std()),
            spread_near_default=float(ratio[is_near].std()),
            rho=spearman(core_s, sumo_s),
            rho_near_default=spearman(core_s[is_near], sumo_s[is_near]),
        )


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
    case = _case(opened, options)
    before = case.misfit(Physics())
    best, is_partial = Physics(), False
    with stderr_progress() as progress:
        try:
            for best in search(case, options.evaluations, options.seed, progress):  # noqa: B007
                pass
        except KeyboardInterrupt:
            is_partial = True
    after = case.misfit(best)
    result = {
        "scenario": opened.name,
        "physics": asdict(best),
        **{f"before_{name}": value for name, value in asdict(before).items()},
        **asdict(after),
        "plans": len(case.plans),
        "seeds": options.seeds,
        "partial": is_partial,
        "out": str(out),
    }
    _write(result, opened, options, out)
    if is_partial:
        raise KeyboardInterrupt
    return result


def _check_writable(out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("a", encoding="utf-8"):
            pass
        if not out.stat().st_size:
            out.unlink()
    except OSError as error:
        raise BadInput(str(out), str(error.strerror), "must be writable", "give another file with --out") from error


def _case(scenario: Scenario, options: CalibrateOptions) -> Case:
    design = design_for(scenario)
    plans = calibration_plans(design, options.plans)
    seeds = list(range(1, options.seeds + 1))
    found = truths(scenario, design, plans, seeds, jobs=options.jobs)
    return Case(
        plans=plans,
        sumo_s=np.array([[row.delay_s for row in rows] for rows in found]),
        models=[open_queue_model(scenario, demand_seed=seed, physics=Physics()) for seed in seeds],
    )


def search(case: Case, evaluations: int, seed: int, progress: Progress) -> Iterator[Physics]:
    """Yield better and better parameters.

    References
    ----------
    N. Hansen, The CMA Evolution Strategy: A Tutorial, 2016.
    """
    start = _to_unit(Physics())
    bar = progress.add_task("calibrate", total=evaluations)
    least = case.misfit(Physics()).value
    yield Physics()
    options = {"bounds": [0.0, 1.0], "seed": seed, "verbose": -9, "maxfevals": evaluations, "popsize": 14}
    strategy = cma.CMAEvolutionStrategy(start, 0.15, options)
    while not strategy.stop():
        points = strategy.ask()
        values = []
        for point in points:
            physics = _from_unit(point)
            misfit = case.misfit(physics).value
            values.append(misfit + 1e-4 * float(np.sum((np.asarray(point) - start) ** 2)))
            if misfit < least:
                least = misfit
                yield physics
            progress.advance(bar)
        strategy.tell(points, values)


def _to_unit(physics: Physics) -> FloatArray:
    return np.array([(getattr(physics, name) - low) / (high - low) for name, (low, high) in RANGES.items()])


def _from_unit(point: Sequence[float]) -> Physics:
    values = {
        name: round(low + (high - low) * float(x), 4)
        for (name, (low, high)), x in zip(RANGES.items(), point, strict=True)
    }
    return replace(Physics(), **values)  # type: ignore[arg-type]


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
