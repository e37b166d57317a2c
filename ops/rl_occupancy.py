"""Persons in a vehicle by movement: what each class carries, and the classes that history has on each movement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sim.demand import Demand, read_demand
from sim.history import link_flows
from sim.network import read_vehicle_types
from traffic.counts import counted_as
from traffic.errors import BadInput
from traffic.ids import MovementId
from traffic.network import Network
from traffic.scenario import Scenario

OCCUPANCIES: Mapping[str, float] = {"motorcycle": 1.2, "bicycle": 1.0, "car": 1.5, "bus": 25.0, "truck": 1.2}
"""Assumed: no source was found for Vietnam. Give your own for any figure that is to be believed."""


def persons_per_vehicle(
    scenario: Scenario, network: Network, occupancies: Mapping[str, float]
) -> dict[MovementId, float]:
    """Return the mean occupancy by movement over the whole demand file as it is; movements without flow are missing.

    Raises
    ------
    BadInput
        If an occupancy is missing, unknown or below 0.
    """
    known = sorted(OCCUPANCIES)
    if sorted(occupancies) != known or not all(value >= 0.0 for value in occupancies.values()):
        raise BadInput("occupancies", dict(occupancies), f"0 or more for each of {', '.join(known)}", "mend them")
    demand = read_demand(scenario.routes)
    types = {**read_vehicle_types(scenario.routes), **network.vehicle_types}
    class_of = {name: counted_as(row.vehicle_class).value for name, row in types.items()}
    vehicles: dict[MovementId, float] = {}
    persons: dict[MovementId, float] = {}
    for name in known:
        flows = link_flows(_of_class(demand, class_of, name), network, scenario.begin_s, scenario.end_s)
        for movement in network.movements.values():
            vph = flows.get((movement.approach, movement.exit), 0.0)
            vehicles[movement.id] = vehicles.get(movement.id, 0.0) + vph
            persons[movement.id] = persons.get(movement.id, 0.0) + vph * occupancies[name]
    return {movement: persons[movement] / vph for movement, vph in vehicles.items() if vph > 0.0}


def _of_class(demand: Demand, class_of: Mapping[str, str], name: str) -> Demand:
    """Return the vehicles of one class; a type that nobody knows is a car."""
    return replace(
        demand,
        departures=tuple(row for row in demand.departures if class_of.get(row.vehicle_type, "car") == name),
        flows=tuple(row for row in demand.flows if class_of.get(row.vehicle_type, "car") == name),
    )
