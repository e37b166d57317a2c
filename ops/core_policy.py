"""The universal policy put together: weights, and the history, clock and plans of a scenario's town."""

from __future__ import annotations

from control.controllers.policy import UniversalPolicy
from control.expected_demand import mean_flows
from control.policy_files import load_policy
from ops.core_mpc import clock_of, history_of
from sim.protocols import Protocol
from sim.twin import Town
from traffic.errors import BadScenario
from traffic.scenario import Scenario

POLICY_ZONE_M = 150.0
"""Length of the zones of its cameras, metres; it was trained on 50-150."""
UNIVERSAL = "universal"
"""The policy under `models/` that is taken where none is named."""


def universal_of(scenario: Scenario, town: Town, protocol: Protocol, model: str = UNIVERSAL) -> UniversalPolicy:
    """Return the controller for a town.

    Parameters
    ----------
    model
        A name under `models/`, or the path to a folder, see `control.policy_files`.

    Raises
    ------
    BadWeights
        If there is no such policy, or it is not what this version can run.
    BadScenario
        If there is nothing to see: no movement over any signal.
    """
    weights = load_policy(model)
    if not town.network.movements:
        where = f"scenario {scenario.name}"
        raise BadScenario(where, "no movement over a signal", "the policy sees movements", "choose another control")
    flows = mean_flows(history_of(scenario, town))
    return UniversalPolicy(weights, flows, clock_of(town, protocol), town.zones.zone_length_m, town.signals.plans)
