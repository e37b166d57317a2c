"""The search of the command `plan`: queue models for the demand seeds, starts, progress, the best few."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import Progress

from control.optimise.around import neighbours
from control.optimise.score import Score
from control.optimise.search import Found, search
from control.optimise.space import Genome, Space
from control.queue_model import QueueModel
from ops.bench_core_draws import Design
from ops.plan_design import starts
from ops.plan_verdict import Candidate
from sim.demand import seeded_routes
from sim.journeys import read_journeys
from traffic.errors import BadScenario
from traffic.scenario import Scenario

N_FINALISTS = 4
SEARCHED = "search"
"""Names of finalists begin with it; `search-1` is the best one by the queue model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """Demand seeds, the seed of everything random, CPU time, threads; see `ops.plan.PlanOptions`."""

    seeds: Sequence[int]
    seed: int
    budget_s: float
    may_reorder: bool
    n_threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What the search gave: candidates, the best one first, and what it took, CPU seconds."""

    candidates: tuple[Candidate, ...]
    n_plans: int
    compile_cpu_s: float
    search_cpu_s: float
    is_partial: bool


def queue_models(scenario: Scenario, design: Design, seeds: Sequence[int]) -> list[QueueModel]:
    """Return one queue model for each demand seed.

    Raises
    ------
    BadScenario
        If a vehicle's route cannot be driven.
    """
    with tempfile.TemporaryDirectory(prefix="plan-") as name:
        models = []
        for seed in seeds:
            routes = seeded_routes(scenario.routes, seed, scenario.begin_s, scenario.end_s, Path(name))
            journeys = read_journeys(scenario, design.network, routes=routes)
            models.append(QueueModel(design.network, design.junctions, journeys))
    return models


def run_search(scenario: Scenario, design: Design, options: SearchOptions, progress: Progress) -> Searched:
    """Search until the budget is spent, or Ctrl-C; the best few are candidates.

    Raises
    ------
    BadScenario
        If there is no legal plan to start from.
    UnsafeCommand
        If some junction has no legal plan.
    """
    begin_s = time.process_time()
    bar_s = max(1, round(options.budget_s))
    bar = progress.add_task(f"{scenario.name}: queue models", total=bar_s)
    models = queue_models(scenario, design, options.seeds)
    space = Space(design.junctions, design.installed, design.limits, may_reorder=options.may_reorder)
    score = Score(models, space, seed=options.seed, budget_s=options.budget_s, n_threads=options.n_threads)
    score.warm_up(space.installed)
    near = neighbours(design.network, [site.id for site in space.sites])
    ready_s = time.process_time()
    found, is_partial = None, False
    try:
        for found in search(score, starts(design, space), near, seed=options.seed):
            text = f"{scenario.name}: {found.stage}, {found.score:.1f} s/veh"
            progress.update(bar, completed=min(bar_s, round(score.spent_s)), description=text)
        progress.update(bar, completed=bar_s)
    except KeyboardInterrupt:
        is_partial = True
    if found is None:
        if is_partial:
            raise KeyboardInterrupt
        raise BadScenario(
            f"scenario {scenario.name}", "no legal plan to start from", next_move="widen the guard's limits"
        )
    return Searched(
        candidates=_candidates(score, space, found),
        n_plans=score.n_plans,
        compile_cpu_s=ready_s - begin_s,
        search_cpu_s=time.process_time() - ready_s,
        is_partial=is_partial,
    )


def _candidates(score: Score, space: Space, found: Found) -> tuple[Candidate, ...]:
    """Return the best plan and the best of the other stages, no two alike, best first."""
    genomes = list(dict.fromkeys([found.best, *found.finalists.values()]))
    order = np.argsort(score(genomes).score, kind="stable")[:N_FINALISTS].tolist()
    return tuple(
        _candidate(score, space, f"{SEARCHED}-{rank}", genomes[place]) for rank, place in enumerate(order, start=1)
    )


def _candidate(score: Score, space: Space, name: str, genome: Genome) -> Candidate:
    delay_s = float(score([genome]).delay_s.mean())
    return Candidate(
        name=name, junctions=space.junctions_of(genome), plans=space.plans_of(genome), core_delay_s=delay_s
    )
