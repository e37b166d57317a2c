"""Does the search beat what others give? Its plans against four others on demand seeds that no design has seen.

::

    static           what the network has
    webster          `evaluate --control webster --protocol legacy`: the installed clearances, as the search has them
    sumo_tools       SUMO's tlsCycleAdaptation with one cycle for all, then tlsCoordinator
    sumo_tools_own   the same with a cycle for each junction, as the tool does it if nothing is said
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.progress import Progress

from ops.bounds import check_number, make_folder
from ops.console import plain
from ops.evaluate_runs import programs_of, protocol_of
from ops.plan import PlanOptions, run_plan
from ops.plan_design import open_design
from ops.plan_files import PACKAGES, PROGRAMS
from ops.plan_runs import town_of
from ops.plan_trials import Contender, contender_of, run_trials
from ops.provenance import command_line, commit, versions
from ops.scenario_folder import open_scenario
from ops.statistics import mean_interval, paired_difference
from sim.ensemble import stderr_progress
from sim.tls_tools import coordinated_programs
from traffic.errors import BadInput
from traffic.scenario import Scenario

PLAN = "plan"
FIRST_SEED = 100
"""Demand seeds from here on are for claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlanOptions:
    """Demand seeds 100, 101, ... on which plans are compared, how they are searched, where results go."""

    seeds: int = 12
    plan: PlanOptions = PlanOptions()
    out: Path = Path("runs")


def run_bench_plan(scenarios: Sequence[str], options: BenchPlanOptions) -> dict[str, Any]:
    """Search a plan for every scenario and compare it.

    A file with every delay lies in `options.out`, written anew after each scenario and partial until the last.

    Raises
    ------
    BadInput
        If an option is not what it should be, or a scenario cannot be read.
    """
    check_number("--seeds", options.seeds, 2)
    if options.plan.method != "search":
        raise BadInput("--method", options.plan.method, "search", "leave it out")
    opened = [open_scenario(name) for name in scenarios]
    make_folder("--out", options.out)
    rows: list[dict[str, Any]] = []
    delays_s: dict[str, Mapping[str, Sequence[float]]] = {}
    result = _result(rows, options, is_partial=True)
    for name, scenario in zip(scenarios, opened, strict=True):
        delays_s[scenario.name], found = _compare(name, scenario, options)
        rows += found
        result = _result(rows, options, is_partial=scenario is not opened[-1])
        result["out"] = str(_write(result, options, delays_s))
    return result


def _result(rows: Sequence[Mapping[str, Any]], options: BenchPlanOptions, *, is_partial: bool) -> dict[str, Any]:
    """Return rows and how many scenarios are won: those on which every other one is beaten."""
    names = dict.fromkeys(row["scenario"] for row in rows)
    lost = {row["scenario"] for row in rows if row["beaten"] is False}
    return {
        "rows": list(rows),
        "won": len(names) - len(lost),
        "scenarios": len(names),
        "seeds": options.seeds,
        "first_seed": FIRST_SEED,
        "partial": is_partial,
    }


def _compare(
    name: str, scenario: Scenario, options: BenchPlanOptions
) -> tuple[Mapping[str, Sequence[float]], list[dict[str, Any]]]:
    """Return the delays of all contenders, and one row each."""
    out = options.out / "plan" / scenario.name
    planned = run_plan(name, replace(options.plan, out=out))
    seeds = range(FIRST_SEED, FIRST_SEED + options.seeds)
    with tempfile.TemporaryDirectory(prefix="bench-plan-") as folder, stderr_progress() as progress:
        contenders = [Contender(name=PLAN, additional=(out / PROGRAMS,)), *_others(scenario, Path(folder))]
        delays_s = _trials(scenario, contenders, seeds, progress, options.plan.jobs)
    return delays_s, [_row(scenario.name, other, delays_s, planned) for other in delays_s]


def _trials(
    scenario: Scenario, contenders: Sequence[Contender], seeds: Sequence[int], progress: Progress, jobs: int | None
) -> Mapping[str, Sequence[float]]:
    return run_trials(scenario, contenders, seeds, progress, jobs=jobs).delays_s


def _others(scenario: Scenario, folder: Path) -> list[Contender]:
    """Return what the plan is compared with; SUMO's tools only where they make something of the demand."""
    design = open_design(scenario)
    town = town_of(scenario)
    webster = programs_of("webster", town, protocol_of("legacy", scenario), scenario)
    static = Contender(name="static")
    if scenario.signals is not None:
        static = contender_of("static", design.junctions, design.installed)
    yellows = Counter(phase.yellow_ds for row in design.junctions.values() for phase in row.phases if phase.yellow_ds)
    yellow_s = round(yellows.most_common(1)[0][0] / 10) if yellows else 3
    found = [static, Contender(name="webster", programs=tuple(webster.values()))]
    for name, has_one_cycle in (("sumo_tools", True), ("sumo_tools_own", False)):
        files = coordinated_programs(
            scenario,
            folder / name,
            yellow_s=yellow_s,
            min_green_s=round(design.limits.min_green_s),
            has_one_cycle=has_one_cycle,
        )
        found.append(Contender(name=name, additional=files))
    return found


def _row(
    scenario: str, name: str, delays_s: Mapping[str, Sequence[float]], planned: Mapping[str, Any]
) -> dict[str, Any]:
    mean_s, low_s, high_s = mean_interval(delays_s[name])
    paired = paired_difference(delays_s[name], delays_s[PLAN])
    is_plan = name == PLAN
    return {
        "scenario": scenario,
        "control": name,
        "delay_s": mean_s,
        "delay_ci95_s": [low_s, high_s],
        "delay_worst_s": max(delays_s[name]),
        "difference_s": None if is_plan else paired.difference,
        "difference_ci95_s": None if is_plan else [paired.low, paired.high],
        "change_pct": None if is_plan else paired.change_pct,
        "beaten": None if is_plan else paired.high < 0.0,
        "search_cpu_s": planned["search_cpu_s"] if is_plan else None,
        "chosen": planned["chosen"] if is_plan else None,
    }


def _write(
    result: Mapping[str, Any], options: BenchPlanOptions, delays_s: Mapping[str, Mapping[str, Sequence[float]]]
) -> Path:
    path = options.out / "bench-plan.json"
    record = {**result, "settings": asdict(options), "delays_s": delays_s, "command": command_line()}
    record |= {"commit": commit(), "versions": versions(PACKAGES)}
    path.write_text(json.dumps(plain(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path
