"""Runs of SUMO under fixed-time plans: made once, kept, and looked up from then on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ops.bench_core_draws import Design
from ops.bench_core_plans import PlanSet
from ops.bench_core_store import WINDOW_S, Ride, Store, open_store
from ops.plan_design import open_design
from ops.static_runs import run_static
from sim.ensemble import run_many, stderr_progress
from sim.launch import launch_of
from sim.measures import measure
from sim.netfile import Program
from sim.programs import programs_of_plans
from sim.trips import Trips
from traffic.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class RideSpec:
    """One run of SUMO with static programs; picklable."""

    scenario: Scenario
    programs: tuple[Program, ...]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A scenario, what plans are drawn for, the runs done so far; `jobs` processes run the others."""

    scenario: Scenario
    design: Design
    store: Store
    jobs: int | None = None

    def rides(self, plans: Sequence[PlanSet], seeds: Sequence[int]) -> list[list[Ride]]:
        """Return the rides of every plan on every driver seed, run where they are not known yet.

        Raises
        ------
        PlantLost, BadScenario
            If a run fails; the others are kept.
        """
        missing = [(plan, seed) for seed in seeds for plan in plans if self.store.get(plan, seed) is None]
        if missing:
            self._run(missing)
        return [[found for seed in seeds if (found := self.store.get(plan, seed))] for plan in plans]

    def _run(self, missing: Sequence[tuple[PlanSet, int]]) -> None:
        specs = [RideSpec(scenario=self.scenario, programs=self._programs(plan), seed=seed) for plan, seed in missing]
        with stderr_progress() as progress:
            title = f"{self.scenario.name}: SUMO, seeds to {missing[-1][1]}"
            outcomes = run_many(specs, ride, jobs=self.jobs, progress=progress, title=title)
            for (plan, seed), outcome in zip(missing, outcomes, strict=True):
                if outcome.error is not None:
                    raise outcome.error
                if outcome.result is not None:
                    self.store.put(plan, seed, outcome.result)

    def _programs(self, plan: PlanSet) -> tuple[Program, ...]:
        return programs_of_plans(self.design.junctions, plan.plans.values())


@contextmanager
def open_lab(scenario: Scenario, folder: Path, *, jobs: int | None = None) -> Iterator[Lab]:
    """Open the runs of a scenario that lie in `folder`.

    Raises
    ------
    BadInput
        If another process has them.
    BadScenario
        If the scenario cannot be read.
    """
    with open_store(scenario, folder) as store:
        yield Lab(scenario=scenario, design=open_design(scenario), store=store, jobs=jobs)


def ride(spec: RideSpec) -> Ride:
    """Run SUMO once on the demand as it is, teleports off, in a process of its own, and measure.

    Raises
    ------
    PlantLost
        If SUMO fails.
    """
    scenario = spec.scenario
    with tempfile.TemporaryDirectory(prefix="core-") as name:
        trips, _ = run_static(launch_of(scenario, seed=spec.seed), spec.programs, Path(name))
    measures = measure(trips, scenario.begin_s, scenario.end_s)
    arrived = arrivals(trips, scenario.begin_s, scenario.end_s)
    return Ride(
        delay_s=measures.delay_s,
        running=measures.running,
        not_departed=measures.not_departed,
        arrived_last=arrived[0],
        arrived_best=max(arrived),
    )


def arrivals(trips: Trips, begin_s: float, end_s: float) -> list[int]:
    """Return how many arrived in each window of 600 s, counted back from the end: the last one first."""
    arrived_s = (trips.scheduled_s + trips.depart_delay_s + trips.duration_s)[trips.has_arrived]
    n_windows = max(1, -int(-(end_s - begin_s) // WINDOW_S))
    places = np.minimum((np.maximum(end_s - arrived_s, 0.0) // WINDOW_S).astype(np.int64), n_windows - 1)
    return [int(number) for number in np.bincount(places, minlength=n_windows)]
