"""What the centre does between counting and pushing: correct, calibrate, propose, judge.

Everything here is known to a centre: the scenario (network, history, installed signals) and what
came over the wires. The street's own demand and records are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.progress import Progress

from ops.arms import Times
from ops.candidates import flows_mcu_h, make_candidates, saturated_movements
from ops.judge import KEEP, Candidate, Verdict, judge
from ops.plan_runs import PlanRun, open_signals, run_plans
from sim.calibrate import Calibration, calibrate, write_demand
from sim.ensemble import run_many
from sim.sensors import counted_classes
from sim.street_demand import read_route_flows
from traffic.counts import TurnCount
from traffic.errors import UnsafeCommand
from traffic.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the centre made of its counts, and what it decided."""

    counts: tuple[TurnCount, ...]
    calibration: Calibration
    candidates: tuple[Candidate, ...]
    refused: Mapping[str, Sequence[str]]
    verdict: Verdict

    @property
    def chosen(self) -> Candidate:
        """The candidate that goes to the street; "keep" means nothing is sent."""
        return next(row for row in self.candidates if row.name == self.verdict.chosen)

    @property
    def is_kept(self) -> bool:
        """Whether the old plan stays."""
        return self.verdict.chosen == KEEP


def corrected(counts: Sequence[TurnCount], detection_rate: Mapping[str, float]) -> list[TurnCount]:
    """Return counts divided by what the cameras are known to detect of each class, rounded to whole vehicles."""
    return [
        row
        if row.count is None
        else replace(row, count=round(row.count / detection_rate.get(row.vehicle_class.value, 1.0)))
        for row in counts
    ]


def choose(
    scenario: Scenario,
    counts: Sequence[TurnCount],
    times: Times,
    folder: Path,
    *,
    twin_seeds: Sequence[int],
    progress: Progress | None = None,
) -> Choice:
    """Calibrate the twin to counts, judge candidate plans on paired seeds, and choose.

    Raises
    ------
    TrafficError
        If the counts are unknown or no run of a candidate ends.
    """
    town, installed = open_signals(scenario)
    flows = flows_mcu_h(counts, scenario.mcu)
    censored = saturated_movements(scenario, town, installed, flows)
    marked = [replace(row, is_censored=row.movement in censored) for row in counts]
    calibration = calibrate(
        town.network,
        read_route_flows(scenario),
        marked,
        counted_classes(town.network),
        np.random.default_rng(twin_seeds[0]),
    )
    candidates, refused = make_candidates(scenario, town, installed, flows)
    runs = plan_runs(scenario, calibration, candidates, times, folder, twin_seeds)
    delays: dict[str, list[float]] = {row.name: [] for row in candidates}
    outcomes = run_many([run for _, run in runs], run_plans, progress=progress, title="twin judges plans")
    for (name, _), outcome in zip(runs, outcomes, strict=True):
        if isinstance(outcome.error, UnsafeCommand):
            refused = {**refused, name: [outcome.error.line]}
        elif outcome.error is not None:
            raise outcome.error
        delays[name].append(float("nan") if outcome.result is None else outcome.result)
    return Choice(
        counts=tuple(marked),
        calibration=calibration,
        candidates=tuple(candidates),
        refused=refused,
        verdict=judge(delays),
    )


def plan_runs(
    scenario: Scenario,
    calibration: Calibration,
    candidates: Sequence[Candidate],
    times: Times,
    folder: Path,
    twin_seeds: Sequence[int],
) -> list[tuple[str, PlanRun]]:
    """Return the twin's runs with the candidates' names, seed by seed; a seed's demand is the same for all candidates.

    A run warms up as long as the street did, and measures as long as the street counted.
    """
    warm_up_s = times.count_from_s - times.begin_s
    end_s = times.begin_s + warm_up_s + (times.push_s - times.count_from_s)
    shortened = replace(scenario, end_s=end_s)
    runs: list[tuple[str, PlanRun]] = []
    for seed in twin_seeds:
        routes = folder / f"twin_{seed}.rou.xml"
        routes.parent.mkdir(parents=True, exist_ok=True)
        write_demand(routes, calibration, times.begin_s, end_s, np.random.default_rng([seed, 4]))
        for row in candidates:
            run = PlanRun(
                scenario=shortened,
                routes=routes,
                plans=tuple(row.plans.values()),
                seed=seed,
                from_s=times.count_from_s,
                folder=folder / f"{row.name}_{seed}",
            )
            runs.append((row.name, run))
    return runs
