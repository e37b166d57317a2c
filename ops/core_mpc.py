"""Model-predictive control put together: the history, the clock and the plans of a scenario's town."""

from __future__ import annotations

from dataclasses import replace

from control.controllers.mpc import Mpc, MpcSettings
from control.queue_stages import StageClock
from ops.core_runs import stored_physics
from sim.demand import read_demand
from sim.history import link_history
from sim.network import read_vehicle_types
from sim.protocols import Protocol
from sim.twin import Town
from traffic.demand import LinkHistory
from traffic.scenario import Scenario

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
