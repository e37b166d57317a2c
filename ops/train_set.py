"""What the universal policy is trained on: generated towns in the core, each with demand, drivers, clock and faults.

::

    town seed --netconvert--> town --+-- demand seed --> vehicles, and the history that is known of them
                                     +-- chance -------> clock of decisions, length of zones, faults, headways
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from control.controllers.policy import MAX_RED_S
from control.expected_demand import mean_flows
from control.policy_runs import Exercise
from control.policy_table import compile_sight, with_zones
from control.queue_model import QueueModel
from control.queue_physics import Physics
from control.queue_stages import StagePolicy, compile_stages
from ops.core_mpc import clock_of
from sim.detectors import compile_zones
from sim.generate import GeneratedTown, generate_set
from sim.protocols import LEGACY, LEGACY_FAST, SAFE, Protocol
from sim.twin import Town
from traffic.demand import LinkHistory

POLICY = StagePolicy(name="network", max_red_s=MAX_RED_S, caught_s=300.0)
"""Who decides in training. In SUMO one vehicle in about four hundred caught inside a junction brought a gridlock
(cologne3, 3 s of yellow and no all-red). At a price of 100 s cologne3 and ingolstadt7 jammed in SUMO; at 300 s they
did not, and arterial4x4, which is full beyond its capacity, lost.
"""
PROTOCOLS = (LEGACY, SAFE, SAFE, LEGACY_FAST)
"""Protocols in training, as often as they stand here."""
ZONES_M = (50.0, 100.0, 150.0, 150.0)
_FAULTY = 0.4
"""Share of exercises in which zones are dead or count wrong."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Protocol of the decisions, and length of the detector zones."""

    protocol: Protocol
    zone_m: float


def exercises(first_seed: int, n_towns: int, folder: Path, *, n_demands: int = 2) -> Iterator[Exercise]:
    """Yield exercises on so many generated towns in a row, made in `folder` where they are not there yet."""
    for town in generate_set(first_seed, n_towns, folder):
        for demand_seed in range(1, n_demands + 1):
            yield exercise_of(town, demand_seed)


def exercise_of(generated: GeneratedTown, demand_seed: int) -> Exercise:
    """Return an exercise; all that is random in it follows from the seeds of town and demand."""
    chance = np.random.default_rng([generated.seed, 5, demand_seed])
    town, demand = generated.town, generated.demand(demand_seed)
    protocol = PROTOCOLS[int(chance.integers(len(PROTOCOLS)))]
    conditions = Conditions(protocol, ZONES_M[int(chance.integers(len(ZONES_M)))])
    physics = replace(Physics(), reaction_s=Physics().reaction_s * chance.uniform(0.8, 1.3))
    model = QueueModel(town.network, town.signals.junctions, demand.journeys, physics)
    name = f"town {generated.seed} demand {demand_seed} {protocol.name}"
    return drill(name, model, town, demand.history, conditions, chance)


def drill(
    name: str,
    model: QueueModel,
    town: Town,
    history: LinkHistory,
    conditions: Conditions,
    chance: np.random.Generator,
) -> Exercise:
    """Return a queue model of a town as an exercise, some of its zones faulty by chance."""
    exercise = exercise_in(name, model, town, history, conditions, POLICY)
    if chance.random() < _FAULTY:
        exercise.stages.sight.faults[:] = chance.uniform(0.0, 0.2), chance.uniform(0.1, 0.3)
    return exercise


def exercise_in(
    name: str,
    model: QueueModel,
    town: Town,
    history: LinkHistory,
    conditions: Conditions,
    policy: StagePolicy,
) -> Exercise:
    """Return a queue model of a town as an exercise whose zones are all well."""
    flows, clock, compiled = mean_flows(history), clock_of(town, conditions.protocol), model.compiled
    zones = compile_zones(town.network, flows, zone_m=conditions.zone_m)
    stages = compile_stages(town.network, compiled, town.stages, clock, policy, flows)
    sight = compile_sight(town.network, town.stages, flows, clock, zones.zone_length_m)
    sight = with_zones(sight, town.network, compiled, zones)
    seconds = int(model.journeys.end_s - model.journeys.begin_s)
    return Exercise(name, compiled.roads, stages._replace(sight=sight), seconds)
