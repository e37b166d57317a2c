"""The command `plan`: fixed-time plans for a scenario, by Webster or by search, checked by the guard and by SUMO.

::

    demand seeds 1 ... n ──► queue model ──► search ──► best few ──┐
                                                                   ├──► SUMO, seeds 99, 98, ... ──► the best one, or
    installed, Webster ────────────────────────────────────────────┘                                what is installed
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress

from control.guard import plan_faults
from ops.bench_core_draws import Design
from ops.bounds import check_number, make_folder
from ops.core_runs import stored_physics
from ops.plan_design import installed_faults, open_design, webster_plans
from ops.plan_files import plan_rows, write_plan, write_result
from ops.plan_heats import run_heats
from ops.plan_search import Searched, SearchOptions, run_search
from ops.plan_trials import Trials, contender_of
from ops.plan_verdict import INSTALLED, INTERRUPTED, WEBSTER, Candidate, Verdict, candidate_rows, choose
from ops.scenario_folder import open_scenario
from sim.ensemble import n_cores, stderr_progress
from traffic.errors import BadInput, TrafficError, UnsafeCommand
from traffic.scenario import Scenario

METHODS = ("webster", "search")
LAST_SEED = 99
"""Demand seeds up to here are for search; claims are judged on those above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """Options of a plan.

    Attributes
    ----------
    seeds, verify
        Number of demand seeds of the search (1, 2, ...), and of SUMO's verification (99, 98, ...); 0 leaves it out.
    seed
        Seed of everything that is random in the search.
    budget_s
        CPU time of the search, seconds, reckoned from its work.
    may_reorder
        Whether the order of phases is designed, too: such a plan needs another installation.
    jobs
        Threads of the search, and processes of SUMO.
    """

    method: str = "search"
    seeds: int = 8
    verify: int = 12
    seed: int = 1
    budget_s: float = 40.0
    may_reorder: bool = False
    jobs: int | None = None
    out: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """Candidates, the one to take without SUMO first, what was found out about them, and what broke it off."""

    candidates: tuple[Candidate, ...]
    searched: Searched | None
    trials: Trials = Trials(delays_s={}, cpu_s=0.0)
    fault: BaseException | None = None


def run_plan(scenario: str, options: PlanOptions) -> dict[str, Any]:
    """Make plans, write them, and return the table.

    Raises
    ------
    BadInput
        If an option is not what it should be, or the scenario cannot be read.
    UnsafeCommand
        If a junction has no legal plan.
    KeyboardInterrupt, PlantLost
        On Ctrl-C, and if SUMO fails; the best so far is written and marked partial.
    """
    _check(options)
    opened = open_scenario(scenario)
    out = options.out or Path("runs/plan") / opened.name
    make_folder("--out", out)
    design = open_design(opened)
    with stderr_progress() as progress:
        work = _work(opened, design, options, progress)
    verdict = choose(work.candidates, work.trials.delays_s)
    if work.fault is not None:
        verdict = Verdict(chosen=work.candidates[0].name, why=INTERRUPTED)
    chosen = next(row for row in work.candidates if row.name == verdict.chosen)
    _require_legal(design, chosen)
    files = write_plan(out, chosen, f"run.py plan {opened.name} --method {options.method} --seed {options.seed}")
    result = _result(opened, design, options, work, verdict)
    physics = asdict(stored_physics(opened))
    result |= {"signals": str(files[0]), "programs": str(files[1])}
    result["out"] = str(
        write_result(out, result, settings=asdict(options), delays_s=work.trials.delays_s, physics=physics)
    )
    if work.fault is not None:
        raise work.fault
    return result


def _check(options: PlanOptions) -> None:
    """Refuse what cannot be run, before anything is."""
    if options.method not in METHODS:
        raise BadInput("--method", options.method, " or ".join(METHODS), "choose one")
    check_number("--seeds", options.seeds, 1, LAST_SEED)
    check_number("--verify", options.verify, 0, LAST_SEED - options.seeds)
    check_number("--seed", options.seed, 0, 2**32 - 1)
    check_number("--budget", options.budget_s, 1, 86_400)
    check_number("--jobs", 1 if options.jobs is None else options.jobs, 1)
    if options.may_reorder and options.method != "search":
        raise BadInput("--stage-order", options.method, "only a search designs it", "leave it out")


def _work(scenario: Scenario, design: Design, options: PlanOptions, progress: Progress) -> _Work:
    """Search and verify; what Ctrl-C or a failure breaks off is kept."""
    searched, others = None, _other_candidates(design, options.method)
    if options.method == "search":
        search_options = SearchOptions(
            seeds=range(1, options.seeds + 1),
            seed=options.seed,
            budget_s=options.budget_s,
            may_reorder=options.may_reorder,
            n_threads=options.jobs or n_cores(),
        )
        searched = run_search(scenario, design, others, search_options, progress)
        others = searched.candidates
    if searched is not None and searched.is_partial:
        return _Work(candidates=others, searched=searched, fault=KeyboardInterrupt())
    if options.verify == 0:
        return _Work(candidates=others, searched=searched)
    contenders = [contender_of(row.name, row.junctions, row.plans) for row in others]
    seeds = range(LAST_SEED, LAST_SEED - options.verify, -1)
    try:
        trials = run_heats(scenario, contenders, seeds, progress, jobs=options.jobs)
    except (KeyboardInterrupt, TrafficError) as error:
        return _Work(candidates=others, searched=searched, fault=error)
    return _Work(candidates=others, searched=searched, trials=trials)


def _other_candidates(design: Design, method: str) -> tuple[Candidate, ...]:
    """Return Webster's plans and the installed ones, each if legal; Webster's have to be where they are asked for."""
    found = []
    try:
        found.append(Candidate(name=WEBSTER, junctions=design.junctions, plans=webster_plans(design)))
    except UnsafeCommand:
        if method == WEBSTER:
            raise
    if not installed_faults(design):
        found.append(Candidate(name=INSTALLED, junctions=design.junctions, plans=design.installed))
    return tuple(found)


def _require_legal(design: Design, chosen: Candidate) -> None:
    """Ask the guard once more, whatever the search believes."""
    for name, plan in chosen.plans.items():
        faults = plan_faults(chosen.junctions[name], plan, design.limits)
        if faults:
            raise UnsafeCommand(f"plan for junction {name}", "; ".join(faults), next_move="report it: a fault of ours")


def _result(scenario: Scenario, design: Design, options: PlanOptions, work: _Work, verdict: Verdict) -> dict[str, Any]:
    chosen = next(row for row in work.candidates if row.name == verdict.chosen)
    paired, searched = verdict.against_installed, work.searched
    faults = installed_faults(design)
    first = next(iter(faults.values()), [""])[0]
    return {
        "scenario": scenario.name,
        "method": options.method,
        "chosen": verdict.chosen,
        "why": verdict.why,
        "partial": work.fault is not None,
        "installed_fault": f"{first} ({len(faults)} junctions)" if faults else "none",
        "difference_s": paired.difference if paired else None,
        "difference_ci95_s": [paired.low, paired.high] if paired else None,
        "change_pct": paired.change_pct if paired else None,
        "new_installation": any(chosen.junctions[name] != row for name, row in design.junctions.items()),
        "plans_tried": searched.n_plans if searched else 0,
        "search_cpu_s": searched.search_cpu_s if searched else 0.0,
        "compile_cpu_s": searched.compile_cpu_s if searched else 0.0,
        "sumo_cpu_s": work.trials.cpu_s,
        "candidates": candidate_rows(work.candidates, work.trials.delays_s),
        "rows": plan_rows(chosen, design.installed),
    }
