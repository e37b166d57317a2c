"""Demand, vehicle by vehicle, with whole routes: what the queue model is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sim.demand import Demand, Departure, Flow, read_demand
from sim.history import Ways
from sim.network import read_vehicle_types
from traffic.demand import Journey, Journeys
from traffic.errors import BadScenario
from traffic.ids import LinkId
from traffic.network import Network
from traffic.scenario import Scenario

_ATTRIBUTE = re.compile(r'(departLane|departPos|departSpeed)="([^"]*)"')


def read_journeys(scenario: Scenario, network: Network, *, routes: tuple[Path, ...] | None = None) -> Journeys:
    """Return the vehicles of a scenario's period; `routes` in place of its own route files."""
    files = scenario.routes if routes is None else routes
    rows = journeys_of(read_demand(files), network, scenario.begin_s, scenario.end_s)
    return Journeys(
        rows=tuple(rows),
        types={**read_vehicle_types(files), **network.vehicle_types},
        begin_s=scenario.begin_s,
        end_s=scenario.end_s,
        has_lane_sharing=scenario.lateral_resolution_m is not None,
    )


def journeys_of(demand: Demand, network: Network, begin_s: float, end_s: float, *, seed: int = 0) -> list[Journey]:
    """Return the vehicles of a period in order of departure.

    Who only says where from and where to takes the quickest way at free flow. Flows of a rate are spread evenly,
    those of a probability or of exponential gaps drawn with `seed`.

    Raises
    ------
    BadScenario
        If the edges of a route do not join, or nothing leads from where a trip starts to where it ends.
    """
    ways = Ways(network)
    rng = np.random.default_rng(seed)
    rows = [
        _journey(row.id, row.depart_s, _links(ways, demand, row), row)
        for row in demand.departures
        if begin_s <= row.depart_s < end_s
    ]
    for flow in demand.flows:
        links = _links(ways, demand, flow)
        rows += [
            _journey(f"{flow.id}.{number}", time_s, links, flow)
            for number, time_s in enumerate(_departures(flow, begin_s, end_s, rng))
        ]
    return sorted(rows, key=lambda row: row.depart_s)


def _links(ways: Ways, demand: Demand, row: Departure | Flow) -> tuple[LinkId, ...]:
    given, links = demand.edges_of(row), ways.links(demand, row)
    is_broken = links[-1:] != given[-1:] if row.is_trip else links != given
    if is_broken:
        raise BadScenario(
            f"demand: {row.id}", " ".join(given) or "no route", "no way joins its edges", "mend the routes"
        )
    return links


def _journey(name: str, depart_s: float, links: tuple[LinkId, ...], row: Departure | Flow) -> Journey:
    text = row.before if isinstance(row, Departure) else " ".join(f'{k}="{v}"' for k, v in row.attributes)
    given = dict(_ATTRIBUTE.findall(text))
    return Journey(
        id=name,
        depart_s=depart_s,
        links=links,
        vehicle_type=row.vehicle_type,
        depart_lane=given.get("departLane", "first"),
        depart_pos=given.get("departPos", "base"),
        depart_speed=given.get("departSpeed", "0"),
    )


def _departures(flow: Flow, begin_s: float, end_s: float, rng: np.random.Generator) -> Iterator[float]:
    """Yield when the vehicles of a flow depart, within the period."""
    rate_ps = flow.vehicles_per_hour() / 3600.0
    given = dict(flow.attributes)
    is_random = "probability" in given or given.get("period", "").startswith("exp(")
    time_s = flow.begin_s + (rng.exponential(1.0 / rate_ps) if is_random and rate_ps > 0 else 0.0)
    while rate_ps > 0 and time_s < min(flow.end_s, end_s):
        if time_s >= begin_s:
            yield float(time_s)
        time_s += rng.exponential(1.0 / rate_ps) if is_random else 1.0 / rate_ps
