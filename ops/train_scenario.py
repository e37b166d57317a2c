"""A scenario's own network to train on: its vehicles under demand seeds, in the core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from control.policy_runs import Exercise
from control.queue_model import QueueModel
from ops.core_mpc import history_of
from ops.core_policy import POLICY_ZONE_M
from ops.core_runs import stored_physics
from ops.evaluate_runs import protocol_of
from ops.plan_runs import town_of
from ops.train_set import Conditions, drill
from sim.demand import seeded_routes
from sim.journeys import read_journeys
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
    with TemporaryDirectory(prefix="demand-") as folder:
        routes = seeded_routes(scenario.routes, demand_seed, scenario.begin_s, scenario.end_s, Path(folder))
        journeys = read_journeys(scenario, town.network, routes=routes)
    model = QueueModel(town.network, town.signals.junctions, journeys, stored_physics(scenario))
    name = f"{scenario.name} demand {demand_seed} {protocol.name}"
    return drill(name, model, town, history, Conditions(protocol, POLICY_ZONE_M), chance)
