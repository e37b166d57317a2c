"""What the centre does between counting and pushing: correct, calibrate, propose, judge.

Everything here is known to a centre: the scenario (network, history, installed signals) and what
came over the wires. The street's own demand and records are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

import numpy as np
from rich.progress import Progress

from control.plan.transition import moved_together
from ops.arms import Times
from ops.candidates import flows_mcu_h, make_candidates, saturated_movements
from ops.detectors import Place, detector_channels
from ops.judge import KEEP, Candidate, Verdict, judge
from ops.plan_runs import PlanRun, open_signals, run_plans
from ops.whole_counts import in_whole_vehicles
from sim.calibrate import Calibration, calibrate, write_demand
from sim.ensemble import run_many
from sim.sensors import counted_classes
from sim.street_demand import read_route_flows
from traffic.counts import TurnCount
from traffic.errors import UnsafeCommand
from traffic.events import Event, EventCode
from traffic.ids import JunctionId, MovementId
from traffic.network import Network
from traffic.scenario import Scenario
from traffic.signals import Plan

TWIN_TAIL_S = 120.0
"""Time after the window in which the twin lets those under way drive on, seconds."""


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
    """Return counts divided by what the cameras are known to detect of each class, in whole vehicles.

    A class that is never detected cannot be corrected and stays as it was counted.
    """

    def value_veh(row: TurnCount) -> float | None:
        rate = detection_rate.get(row.vehicle_class.value, 1.0)
        return row.count / rate if row.count is not None and rate > 0 else None

    return in_whole_vehicles((row, value_veh(row)) for row in counts)


def with_queue_growth(
    counts: Sequence[TurnCount], events: Iterable[Event], network: Network, window: tuple[float, float]
) -> list[TurnCount]:
    """Return counts as demand: what passed, plus what the queue grew by, per approach.

    The growth is pulses at an approach's advance detector less those at its stop line in the window. It is
    divided among movements and classes as what passed was; a queue that shrank takes nothing away.
    """
    place_of = {(row.junction, row.channel): (row.approach, row.place) for row in detector_channels(network)}
    pulses = Counter(
        place_of[event.junction, event.parameter]
        for event in events
        if event.code is EventCode.DETECTOR_ON
        and window[0] <= event.time_s < window[1]
        and (event.junction, event.parameter) in place_of
    )
    factor = {
        approach: max(1.0, pulses[approach, Place.ADVANCE] / passed)
        for (approach, place), passed in pulses.items()
        if place is Place.STOP
    }

    def value_veh(row: TurnCount) -> float | None:
        approach = network.movements[MovementId(row.movement)].approach
        return None if row.count is None else row.count * factor.get(approach, 1.0)

    return in_whole_vehicles((row, value_veh(row)) for row in counts)


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

    The first half of the seeds finds the best candidate, the second half is spent on it and the old plan.
    The choice of the best on the first half favours it a little there; the least gain that `judge` asks for
    and the fresh second half stand against that.

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
    made, refused = make_candidates(scenario, town, installed, flows)
    candidates = [row if row.name == KEEP else in_reach(row, installed, times.push_s) for row in made]
    twin = _Twin(scenario, calibration, times, folder, progress)
    first, rest = twin_seeds[: len(twin_seeds) // 2], twin_seeds[len(twin_seeds) // 2 :]
    delays, faults = twin.delays(candidates, first, "twin judges plans")
    rivals = {name: float(np.mean(row)) for name, row in delays.items() if name != KEEP}
    best = min((name for name, mean_s in rivals.items() if isfinite(mean_s)), key=rivals.__getitem__, default=KEEP)
    finalists = [row for row in candidates if row.name in (KEEP, best)]
    more, later_faults = twin.delays(finalists, rest, "twin judges the best two")
    for name, row in more.items():
        delays[name] += row
    return Choice(
        counts=tuple(marked),
        calibration=calibration,
        candidates=tuple(candidates),
        refused={**refused, **faults, **later_faults},
        verdict=judge({row.name: delays[row.name] for row in finalists}, others=delays),
    )


def in_reach(candidate: Candidate, installed: Mapping[JunctionId, Plan], push_s: float) -> Candidate:
    """Return a candidate whose offsets were moved together, so that it can be in effect three cycles after its push."""
    why = f"{candidate.why}; offsets moved together for a short transition"
    return replace(candidate, plans=moved_together(candidate.plans, installed, push_s), why=why)


@dataclass(frozen=True, slots=True)
class _Twin:
    """The calibrated twin of one street: runs candidates on seeds."""

    scenario: Scenario
    calibration: Calibration
    times: Times
    folder: Path
    progress: Progress | None

    def delays(
        self, candidates: Sequence[Candidate], seeds: Sequence[int], title: str
    ) -> tuple[dict[str, list[float]], dict[str, list[str]]]:
        """Return each candidate's delay on each seed, and what the guard refused; NaN where a run was refused."""
        runs = plan_runs(self.scenario, self.calibration, candidates, self.times, self.folder, seeds)
        delays: dict[str, list[float]] = {row.name: [] for row in candidates}
        refused: dict[str, list[str]] = {}
        outcomes = run_many([run for _, run in runs], run_plans, progress=self.progress, title=title)
        for (name, _), outcome in zip(runs, outcomes, strict=True):
            if isinstance(outcome.error, UnsafeCommand):
                refused[name] = [outcome.error.line]
            elif outcome.error is not None:
                raise outcome.error
            delays[name].append(float("nan") if outcome.result is None else outcome.result)
        return delays, refused


def plan_runs(
    scenario: Scenario,
    calibration: Calibration,
    candidates: Sequence[Candidate],
    times: Times,
    folder: Path,
    twin_seeds: Sequence[int],
) -> list[tuple[str, PlanRun]]:
    """Return the twin's runs with the candidates' names, seed by seed; a seed's demand is the same for all candidates.

    A run goes through the street's own timetable: the old plan until the push, then the candidate.
    """
    shortened = replace(scenario, end_s=times.window_to_s + TWIN_TAIL_S)
    runs: list[tuple[str, PlanRun]] = []
    for seed in twin_seeds:
        routes = folder / f"twin_{seed}.rou.xml"
        routes.parent.mkdir(parents=True, exist_ok=True)
        write_demand(routes, calibration, times.begin_s, shortened.end_s, np.random.default_rng([seed, 4]))
        for row in candidates:
            run = PlanRun(
                scenario=shortened,
                routes=routes,
                plans=tuple(row.plans.values()),
                seed=seed,
                switch_s=times.push_s,
                window=(times.window_from_s, times.window_to_s),
                folder=folder / f"{row.name}_{seed}",
            )
            runs.append((row.name, run))
    return runs
