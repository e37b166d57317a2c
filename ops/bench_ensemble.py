"""What an evaluation costs beside the bare runs: 20 seeds of `static` over the ensemble, and 20 times `sumo`."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from rich.progress import Progress

from ops.bench_loop_runs import Replay, Sample, binary, digest_of_trips, idle, spec_of
from ops.evaluate_runs import EvaluateSpec, evaluate_one
from sim.ensemble import Outcome, n_cores, run_many
from sim.launch import TRIPS, launch_of
from traffic.errors import PlantLost
from traffic.scenario import Scenario

SEEDS = 20
Runs = Callable[[], Iterable[Outcome[Any, Any]]]


def evaluate_ratio(scenario: Scenario, rounds: int, seed: int, folder: Path, progress: Progress) -> float:
    """Return CPU(20 seeds of `static` as `evaluate` runs them) / CPU(20 runs of the `sumo` program), a median.

    Counted are all worker processes and what the parent does meanwhile; one start of a worker a core, with its
    imports, is taken off. Both sides write the same outputs and keep all cores busy.

    Raises
    ------
    PlantLost
        If the trip records of a seed differ between both sides, or a run failed.
    """
    jobs = n_cores()
    bar = progress.add_task(f"{scenario.name}: evaluate", total=rounds)
    ratios: list[float] = []
    for _ in range(rounds):
        specs = [_spec(scenario, seed + k, folder / f"evaluate-{k}") for k in range(SEEDS)]
        bare = [_bare(scenario, seed + k, folder / f"sumo-{k}") for k in range(SEEDS)]
        start_s, _ = _cpu_s(lambda: run_many([None] * jobs, idle, jobs=jobs))
        whole_s, _ = _cpu_s(lambda specs=specs: run_many(specs, evaluate_one, jobs=jobs))  # type: ignore[misc]
        _, samples = _cpu_s(lambda bare=bare: run_many(bare, binary, jobs=jobs))  # type: ignore[misc]
        _require_equal(scenario, specs, samples)
        ratios.append((whole_s - start_s) / sum(sample.process_cpu_s for sample in samples))
        progress.advance(bar)
    return median(ratios)


def _spec(scenario: Scenario, seed: int, folder: Path) -> EvaluateSpec:
    return replace(spec_of(scenario, seed, folder), control="static")


def _bare(scenario: Scenario, seed: int, folder: Path) -> Replay:
    return Replay(what=launch_of(scenario, seed=seed), times_s=(scenario.end_s,), folder=folder)


def _cpu_s(runs: Runs) -> tuple[float, list[Any]]:
    """Return the CPU time of this process and of all workers that ended meanwhile, and the results."""
    before_s = _used_s()
    outcomes = list(runs())
    used_s = _used_s() - before_s
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    return used_s, [outcome.result for outcome in outcomes]


def _used_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _require_equal(scenario: Scenario, specs: list[EvaluateSpec], samples: list[Sample]) -> None:
    for spec, sample in zip(specs, samples, strict=True):
        if digest_of_trips(spec.folder / TRIPS) != sample.trips:
            where = f"evaluate on {scenario.name}, seed {spec.seed.driver}"
            raise PlantLost(where, "other trip records than sumo's", "the same", "report it with the scenario")
