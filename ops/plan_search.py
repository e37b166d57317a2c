"""The search of the command `plan`: queue models for the demand seeds, starts, progress, the best few."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from rich.progress import Progress

from control.optimise.around import neighbours
from control.optimise.score import Score
from control.optimise.search import Found, search
from control.optimise.space import Genome, Space
from ops.bench_core_draws import Design
from ops.core_runs import open_queue_model
from ops.plan_design import starts
from ops.plan_verdict import Candidate
from traffic.errors import BadScenario
from traffic.scenario import Scenario

N_FINALISTS = 6
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


def run_search(
    scenario: Scenario, design: Design, others: Sequence[Candidate], options: SearchOptions, progress: Progress
) -> Searched:
    """Search until the budget is spent, or Ctrl-C; candidates are the best few, then the others.

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
    models = [open_queue_model(scenario, demand_seed=seed) for seed in options.seeds]
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
        candidates=(*_candidates(score, space, found), *(_judged(row, score) for row in others)),
        n_plans=score.n_plans,
        compile_cpu_s=ready_s - begin_s,
        search_cpu_s=time.process_time() - ready_s,
        is_partial=is_partial,
    )


def _candidates(score: Score, space: Space, found: Found) -> tuple[Candidate, ...]:
    """Return what came of the best starts, no two alike, best first."""
    genomes = list(dict.fromkeys(row.genome for row in found.climbers))[:N_FINALISTS]
    return tuple(_candidate(score, space, f"{SEARCHED}-{rank}", row) for rank, row in enumerate(genomes, start=1))


def _judged(candidate: Candidate, score: Score) -> Candidate:
    """Return a candidate with the queue model's delay."""
    rows = [model.run([candidate.plans], seed=score.seed).delay_s[0, 0] for model in score.models]
    return replace(candidate, core_delay_s=float(np.mean(rows)))


def _candidate(score: Score, space: Space, name: str, genome: Genome) -> Candidate:
    delay_s = float(score([genome]).delay_s.mean())
    return Candidate(
        name=name, junctions=space.junctions_of(genome), plans=space.plans_of(genome), core_delay_s=delay_s
    )
