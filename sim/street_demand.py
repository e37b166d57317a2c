"""The demand of a simulated street: another day than history, which the centre does not know.

Per movement a factor is drawn, and a route's flow is history's times the geometric mean of the
factors along it; in all as many come as in history. How many come in a quarter of an hour is Poisson
around that.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np

from sim.route_files import RouteFlow, expand_flows, write_trips
from sim.safe_xml import attribute, elements, number
from traffic.errors import BadScenario
from traffic.ids import LinkId
from traffic.network import Network
from traffic.scenario import Scenario

PERIOD_S = 900.0


def read_route_flows(scenario: Scenario, period_s: float = PERIOD_S) -> list[RouteFlow]:
    """Return the flows of a scenario's route files: vehicles per hour per route, type and period.

    Raises
    ------
    BadScenario
        If a file has anything but vehicles with a route of their own, or none in the period.
    """
    n_periods = int(np.ceil((scenario.end_s - scenario.begin_s) / period_s))
    found: dict[tuple[tuple[str, ...], str], Counter[int]] = {}
    for path in scenario.routes:
        for element in elements(path, "routes"):
            if element.tag in ("vType", "vTypeDistribution"):
                continue
            route = element.find("route")
            if element.tag != "vehicle" or route is None:
                raise BadScenario(f"{path}: <{element.tag}>", element.get("id"), "must be a vehicle with its route")
            depart_s = number(element, "depart", str(path))
            if scenario.begin_s <= depart_s < scenario.end_s:
                links = tuple(attribute(route, "edges", str(path)).split())
                key = (links, element.get("type", "DEFAULT_VEHTYPE"))
                found.setdefault(key, Counter())[int((depart_s - scenario.begin_s) // period_s)] += 1
    if not found:
        raise BadScenario(f"scenario {scenario.name}", "no vehicle departs", "needs demand in its period")
    return [
        RouteFlow(links=links, vehicle_type=kind, flows_vph=tuple(n[p] * 3600.0 / period_s for p in range(n_periods)))
        for (links, kind), n in sorted(found.items())
    ]


def shift_flows(
    network: Network, flows: list[RouteFlow], *, spread: float, rng: np.random.Generator
) -> list[RouteFlow]:
    """Return flows whose movements were shifted: factors lognormal with median 1 and log-deviation `spread`.

    The sum over all routes stays; a spread of 0 gives history itself.
    """
    movements = {(m.approach, m.exit): m.id for m in network.movements.values()}
    draws = rng.standard_normal(len(network.movements))
    log_factor = {identity: spread * draw for identity, draw in zip(network.movements, draws, strict=True)}

    def factor(links: tuple[str, ...]) -> float:
        on_way = [
            log_factor[movements[key]] for a, b in pairwise(links) if (key := (LinkId(a), LinkId(b))) in movements
        ]
        return float(np.exp(np.mean(on_way))) if on_way else 1.0

    factors = {links: factor(links) for links in {flow.links for flow in flows}}
    total = sum(sum(flow.flows_vph) for flow in flows)
    scale = total / sum(sum(flow.flows_vph) * factors[flow.links] for flow in flows)
    return [
        RouteFlow(
            links=flow.links,
            vehicle_type=flow.vehicle_type,
            flows_vph=tuple(vph * factors[flow.links] * scale for vph in flow.flows_vph),
        )
        for flow in flows
    ]


def draw_day(flows: list[RouteFlow], rng: np.random.Generator, period_s: float = PERIOD_S) -> list[RouteFlow]:
    """Return one day of these flows: Poisson numbers of vehicles per route, type and period."""
    return [
        RouteFlow(
            links=flow.links,
            vehicle_type=flow.vehicle_type,
            flows_vph=tuple(float(rng.poisson(vph * period_s / 3600.0)) * 3600.0 / period_s for vph in flow.flows_vph),
        )
        for flow in flows
    ]


def write_street_demand(
    path: Path, scenario: Scenario, network: Network, *, shift_seed: int, day_seed: int, spread: float
) -> int:
    """Write the street's route file and return its number of vehicles.

    `shift_seed` fixes how this street differs from history, `day_seed` the day that is drawn.
    """
    history = read_route_flows(scenario)
    shifted = shift_flows(network, history, spread=spread, rng=np.random.default_rng([shift_seed, 1]))
    rng = np.random.default_rng([day_seed, 2])
    trips = expand_flows(draw_day(shifted, rng), begin_s=scenario.begin_s, period_s=PERIOD_S, rng=rng)
    return write_trips(path, trips)
