"""A scenario's own network to train on: its vehicles under demand seeds, in the core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from control.policy_runs import Exercise
from ops.core_mpc import history_of
from ops.core_policy import POLICY_ZONE_M
from ops.core_runs import open_queue_model
from ops.evaluate_runs import protocol_of
from ops.plan_runs import town_of
from ops.train_set import Conditions, drill
from sim.twin import Town
from traffic.demand import LinkHistory
from traffic.errors import BadScenario
from traffic.scenario import Scenario

_PROTOCOLS = ("safe", "legacy")


def scenario_exercises(scenario: Scenario, demand_seeds: Sequence[int]) -> Iterator[Exercise]:
    """Yield an exercise a demand seed, the protocols in turn.

    Raises
    ------
    BadScenario
        If the scenario cannot be run, or has no movement over a signal.
    """
    town = town_of(scenario)
    if not town.network.movements:
        where = f"scenario {scenario.name}"
        raise BadScenario(where, "no movement over a signal", "there is nothing to learn", "choose another scenario")
    history = history_of(scenario, town)
    for seed in demand_seeds:
        yield _exercise(scenario, town, history, seed)


def _exercise(scenario: Scenario, town: Town, history: LinkHistory, demand_seed: int) -> Exercise:
    chance = np.random.default_rng([7, demand_seed])
    protocol = protocol_of(_PROTOCOLS[demand_seed % 2], scenario)
    model = open_queue_model(scenario, demand_seed=demand_seed)
    name = f"{scenario.name} demand {demand_seed} {protocol.name}"
    return drill(name, model, town, history, Conditions(protocol, POLICY_ZONE_M), chance)
