"""Model-predictive control put together: the history, the clock and the plans of a scenario's town."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from control.controllers.mpc import Mpc, MpcSettings, MpcState
from control.queue_stages import StageClock
from ops.core_runs import stored_physics
from ops.scenario_folder import open_scenario
from sim.demand import read_demand
from sim.drive import drive
from sim.episode import open_town
from sim.history import link_history
from sim.launch import launch_of
from sim.network import read_vehicle_types
from sim.protocols import LEGACY, Protocol
from sim.twin import Town, Twin
from traffic.decisions import Decision
from traffic.demand import LinkHistory
from traffic.ports import Plant
from traffic.scenario import Scenario
from traffic.snapshot import Snapshot

MPC_ZONE_M = 150.0
"""Length of the zones of its cameras, metres: the design allows 50-150."""


def history_of(scenario: Scenario, town: Town) -> LinkHistory:
    """Return what history knows of a scenario: the flows of its demand file as it is, whatever the seed of a run."""
    types = {**read_vehicle_types(scenario.routes), **town.network.vehicle_types}
    demand = read_demand(scenario.routes)
    return link_history(demand, town.network, scenario.begin_s, scenario.end_s, types=types)


def clock_of(town: Town, protocol: Protocol) -> StageClock:
    """Return a protocol in the core's words."""
    return StageClock(
        decision_s=protocol.decision_s,
        clearance_s={
            name: tuple(protocol.clearance_s(town.signals.junctions[name], stage) for stage in stages)
            for name, stages in town.stages.items()
        },
        min_green_s=protocol.min_green_s,
        is_by_green=protocol.is_clocked_by_green,
    )


def mpc_of(scenario: Scenario, town: Town, protocol: Protocol, settings: MpcSettings | None = None) -> Mpc:
    """Return the controller for a town, its model calibrated where somebody did that; headways do not vary."""
    chosen = settings or MpcSettings(physics=replace(stored_physics(scenario), noise=0.0))
    return Mpc(history_of(scenario, town), clock_of(town, protocol), town.signals.plans, chosen)


def mpc_ms(scenario: str | Scenario, *, n_threads: int = 2, until_s: float = 900.0) -> float:
    """Return the median wall time of a decision about all junctions at once, warm, milliseconds.

    The twin runs under the fixed clock of the legacy protocol, so that every junction decides at every decision;
    estimate, copies of the state and all stages' 60 s are counted, SUMO and its detectors are not.

    Raises
    ------
    BadScenario
        If the scenario cannot be run.
    """
    opened = open_scenario(scenario) if isinstance(scenario, str) else scenario
    town = open_town(opened, zone_m=MPC_ZONE_M)
    settings = MpcSettings(physics=replace(stored_physics(opened), noise=0.0), n_threads=n_threads)
    timed = _Timed(mpc_of(opened, town, LEGACY, settings))
    end_s = min(opened.end_s, opened.begin_s + until_s)
    with (
        TemporaryDirectory(prefix="mpc-") as folder,
        Twin(town, launch_of(opened, seed=0), Path(folder), protocol=LEGACY) as twin,
    ):
        drive(twin, timed, end_s, LEGACY)
    return 1e3 * median(timed.spans_s[1:])


class _Timed:
    """A controller that notes how long another one takes to decide."""

    def __init__(self, inner: Mpc) -> None:
        self._inner = inner
        self.spans_s: list[float] = []

    def start(self, plant: Plant) -> MpcState:
        return self._inner.start(plant)

    def decide(self, snapshot: Snapshot, state: MpcState) -> tuple[Sequence[Decision], MpcState]:
        begun_s = time.perf_counter()
        decided = self._inner.decide(snapshot, state)
        self.spans_s.append(time.perf_counter() - begun_s)
        return decided
