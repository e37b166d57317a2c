"""What the bench asks of the core: delays of plans, speed, compilation, decisions; answered by the queue model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import Protocol

from ops.bench_core_compile import compile_s
from ops.bench_core_mpc import MpcSpec, decision_ms
from ops.bench_core_plans import PlanSet
from ops.bench_core_statistics import FloatArray
from ops.bench_loop import alone
from ops.core_runs import CoreSpeed, core_delays, core_speed, open_queue_model
from ops.plan_runs import town_of
from sim.ensemble import n_cores
from traffic.scenario import Scenario

N_TIMED_REPLICAS = 50
"""Replicas that are divided among threads."""


class CoreSide(Protocol):
    """A core that can be compared with SUMO."""

    def delays_s(self, scenario: Scenario, plans: Sequence[PlanSet]) -> FloatArray:
        """Return the mean delay of every plan, shape (n_plan,), s/veh."""

    def speed(self, scenario: Scenario) -> CoreSpeed:
        """Return how fast one core runs the installed plan."""

    def two_threads(self, scenario: Scenario, n_tries: int) -> float | None:
        """Return by how much two threads are faster than one, best of each; None on one core."""

    def compile_s(self, scenario: Scenario) -> tuple[float, float]:
        """Return what a first run takes longer than a second: without a cache, and with one, seconds."""

    def mpc_ms(self, scenario: Scenario, folder: Path) -> float:
        """Return what a decision about all junctions takes, median, ms."""


class QueueModelSide:
    """The queue model as the core. What is timed runs in a process of its own, as SUMO does."""

    def delays_s(self, scenario: Scenario, plans: Sequence[PlanSet]) -> FloatArray:
        """Return the mean over replicas, the same for every plan."""
        return core_delays(scenario, [row.plans for row in plans])

    def speed(self, scenario: Scenario) -> CoreSpeed:
        """Return the speed of the installed plan."""
        return alone(core_speed, scenario)

    def two_threads(self, scenario: Scenario, n_tries: int) -> float | None:
        """Return wall time on one thread over that on two, the best of `n_tries` each, taken in turn."""
        return alone(two_threads, ThreadsSpec(scenario=scenario, n_tries=n_tries)) if n_cores() > 1 else None

    def compile_s(self, scenario: Scenario) -> tuple[float, float]:
        """Return it for two processes that share a new cache of Numba's: cold, then cached."""
        return compile_s(scenario.folder)

    def mpc_ms(self, scenario: Scenario, folder: Path) -> float:
        """Return what a decision takes in the legacy protocol, in a process of its own."""
        return alone(decision_ms, MpcSpec(scenario=scenario, folder=folder))


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadsSpec:
    """A scenario that is run on one and on two threads, and how often; picklable."""

    scenario: Scenario
    n_tries: int


def two_threads(spec: ThreadsSpec) -> float:
    """Return the best wall time of `N_TIMED_REPLICAS` replicas on one thread over the best on two."""
    model, plans = open_queue_model(spec.scenario), [town_of(spec.scenario).signals.plans]
    best_s = {1: inf, 2: inf}
    model.run(plans)
    for n_threads in (1, 2) * spec.n_tries:
        took_s = _wall_s(partial(model.run, plans, n_replicas=N_TIMED_REPLICAS, n_threads=n_threads))
        best_s[n_threads] = min(best_s[n_threads], took_s)
    return best_s[1] / best_s[2]


def _wall_s(work: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    work()
    return time.perf_counter() - started_s
