"""A scenario's own network to train on: its vehicles under demand seeds, in the core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from control.expected_demand import mean_flows
from control.policy_runs import Exercise
from control.policy_table import compile_sight, with_zones
from control.queue_model import QueueModel
from control.queue_stages import StagePolicy, compile_stages
from ops.core_mpc import clock_of, history_of
from ops.core_policy import POLICY_ZONE_M
from ops.core_runs import stored_physics
from ops.evaluate_runs import protocol_of
from ops.plan_runs import town_of
from ops.train_set import MAX_RED_S
from sim.demand import seeded_routes
from sim.detectors import compile_zones
from sim.journeys import read_journeys
from sim.twin import Town
from traffic.demand import LinkHistory
from traffic.errors import BadScenario
from traffic.scenario import Scenario

_PROTOCOLS = ("safe", "legacy")
_FAULTY = 0.4
"""Share of exercises in which zones are dead or count wrong."""


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
    flows, clock = mean_flows(history), clock_of(town, protocol)
    zones = compile_zones(town.network, flows, zone_m=POLICY_ZONE_M)
    policy = StagePolicy(name="network", max_red_s=MAX_RED_S)
    stages = compile_stages(town.network, model.compiled, town.stages, clock, policy, flows)
    sight = compile_sight(town.network, town.stages, flows, clock, zones.zone_length_m)
    sight = with_zones(sight, town.network, model.compiled, zones)
    if chance.random() < _FAULTY:
        sight.faults[:] = chance.uniform(0.0, 0.2), chance.uniform(0.1, 0.3)
    name = f"{scenario.name} demand {demand_seed} {protocol.name}"
    seconds = int(journeys.end_s - journeys.begin_s)
    return Exercise(name, model.compiled.roads, stages._replace(sight=sight), seconds)
