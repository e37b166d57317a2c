"""How long a decision of the model-predictive control takes: all stages of all junctions rolled out, on all cores.

Timed in SUMO under the legacy protocol, in which all junctions decide at once, over minutes 10 to 20 of the period.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from control.controllers.mpc import MpcSettings
from control.guard import Guard
from control.one_by_one import OneByOne
from ops.core_mpc import mpc_of
from ops.evaluate_runs import EvaluateSpec, limits_of, protocol_of, run_of
from sim.drive import drive
from sim.ensemble import n_cores
from sim.episode import Seed
from sim.twin import Twin
from traffic.decisions import Decision
from traffic.ports import Controller, Plant
from traffic.scenario import Scenario
from traffic.snapshot import Snapshot

FROM_S, TO_S = 600.0, 1200.0
"""From when to when decisions are timed, seconds after the begin; the whole run where it is shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MpcSpec:
    """A scenario whose decisions are timed, and the run's folder; picklable."""

    scenario: Scenario
    folder: Path


@dataclass(slots=True)
class Timed:
    """A controller with a watch: (simulated time, wall time in ms) of every decision."""

    controller: Controller[Any]
    times: list[tuple[float, float]] = field(default_factory=list)

    def start(self, plant: Plant) -> Any:
        """Start the controller."""
        return self.controller.start(plant)

    def decide(self, snapshot: Snapshot, state: Any) -> tuple[Sequence[Decision], Any]:
        """Let it decide, and note how long that took."""
        started_s = time.perf_counter()
        answer = self.controller.decide(snapshot, state)
        self.times.append((snapshot.time_s, 1000.0 * (time.perf_counter() - started_s)))
        return answer


def decision_ms(spec: MpcSpec) -> float:
    """Return the median time of a decision, ms: state estimate, copies of the state and all roll-outs.

    Raises
    ------
    BadScenario
        If the scenario cannot be run.
    """
    begin_s = spec.scenario.begin_s
    scenario = replace(spec.scenario, end_s=min(spec.scenario.end_s, begin_s + TO_S))
    protocol = protocol_of("legacy", scenario)
    run = run_of(
        EvaluateSpec(scenario=scenario, control="mpc", protocol=protocol, seed=Seed(driver=0), folder=spec.folder)
    )
    timed = Timed(mpc_of(scenario, run.town, protocol, MpcSettings(n_threads=n_cores())))
    with Twin(run.town, run.what, run.folder, protocol=protocol) as twin:
        drive(OneByOne(Guard(twin, limits_of(run.town, protocol, scenario))), timed, run.what.end_s, protocol)
    late = [took_ms for time_s, took_ms in timed.times if time_s >= begin_s + FROM_S]
    return median(late or [took_ms for _, took_ms in timed.times])
