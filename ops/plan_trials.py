"""Sets of programs run in SUMO on the same demand seeds: what verifies a plan, and what a claim about it rests on."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

from rich.progress import Progress

from ops.static_runs import run_static
from sim.demand import seeded_routes
from sim.ensemble import run_many
from sim.launch import launch_of
from sim.measures import measure
from sim.netfile import Program
from sim.programs import programs_of_plans
from traffic.ids import JunctionId
from traffic.scenario import Scenario
from traffic.signals import Junction, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One set of programs under a name; none: what the network has. `additional` is loaded after the scenario's own."""

    name: str
    programs: tuple[Program, ...] = ()
    additional: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSpec:
    """One run: a contender on a demand seed, which is the driver seed, too."""

    scenario: Scenario
    contender: Contender
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one run gave: delay s/veh, CPU time of SUMO."""

    delay_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Delays by contender, one value a seed, NaN where it was not run; CPU time of SUMO, seconds."""

    delays_s: Mapping[str, tuple[float, ...]]
    cpu_s: float


def contender_of(name: str, junctions: Mapping[JunctionId, Junction], plans: Mapping[JunctionId, Plan]) -> Contender:
    """Return plans as a contender."""
    return Contender(name=name, programs=programs_of_plans(junctions, plans.values()))


def run_trials(
    scenario: Scenario,
    contenders: Sequence[Contender],
    seeds: Sequence[int],
    progress: Progress,
    *,
    jobs: int | None = None,
) -> Trials:
    """Run every contender on every demand seed, seed by seed.

    Raises
    ------
    PlantLost, BadScenario
        If a run fails.
    """
    specs = [TrialSpec(scenario=scenario, contender=row, seed=seed) for seed in seeds for row in contenders]
    delays_s: dict[str, list[float]] = {row.name: [] for row in contenders}
    cpu_s = 0.0
    for outcome in run_many(specs, run_trial, jobs=jobs, progress=progress, title=f"{scenario.name}: SUMO"):
        if outcome.error is not None:
            raise outcome.error
        result = outcome.result
        delays_s[outcome.spec.contender.name].append(nan if result is None else result.delay_s)
        cpu_s += 0.0 if result is None else result.cpu_s
    return Trials(delays_s={name: tuple(row) for name, row in delays_s.items()}, cpu_s=cpu_s)


def run_trial(spec: TrialSpec) -> Trial:
    """Run SUMO once, teleports off, in a process of its own, and measure.

    Raises
    ------
    PlantLost
        If SUMO fails.
    """
    scenario = spec.scenario
    with tempfile.TemporaryDirectory(prefix="trial-") as name:
        folder = Path(name)
        routes = seeded_routes(scenario.routes, spec.seed, scenario.begin_s, scenario.end_s, folder)
        what = launch_of(scenario, seed=spec.seed, routes=routes, additional=spec.contender.additional)
        trips, cpu_s = run_static(what, spec.contender.programs, folder)
    return Trial(delay_s=measure(trips, scenario.begin_s, scenario.end_s).delay_s, cpu_s=cpu_s)
