"""Historic flows from a demand file: the stand-in for history where a scenario has no counts.

Who only says where from and where to is sent the quickest way at free flow, as everybody would know it;
what a run's own vehicles do later is never looked up.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from math import ceil, inf

from sim.demand import Demand, Departure, Flow
from traffic.demand import FlowProfile, LinkHistory
from traffic.ids import LinkId, MovementId
from traffic.network import Connection, Network, VehicleType, movement_id

MINOR_S, TURNAROUND_S = 1.5, 5.0
"""SUMO's defaults of weights.minor-penalty and weights.turnaround-penalty, seconds."""


def link_flows(demand: Demand, network: Network, begin_s: float, end_s: float) -> dict[tuple[LinkId, LinkId], float]:
    """Return the mean flow from link to link over the period, veh/h."""
    flows: dict[tuple[LinkId, LinkId], float] = {}
    for _, pair, vehicles in _passages(demand, network, begin_s, end_s):
        flows[pair] = flows.get(pair, 0.0) + vehicles * 3600.0 / (end_s - begin_s)
    return flows


def profile_of_demand(
    demand: Demand, network: Network, begin_s: float, end_s: float, *, period_s: float = 900.0
) -> FlowProfile:
    """Return the flow of every movement per period, veh/h, at free-flow travel times."""
    n_periods = max(1, -int(-(end_s - begin_s) // period_s))
    flows: dict[MovementId, list[float]] = {movement: [0.0] * n_periods for movement in network.movements}
    by_pair: dict[tuple[LinkId, LinkId], list[MovementId]] = {}
    for movement in network.movements.values():
        by_pair.setdefault((movement.approach, movement.exit), []).append(movement.id)
    for time_s, pair, vehicles in _passages(demand, network, begin_s, end_s):
        place = int((time_s - begin_s) // period_s)
        if 0 <= place < n_periods:
            span_s = min(period_s, end_s - begin_s - place * period_s)
            for name in by_pair.get(pair, ()):
                flows[name][place] += vehicles * 3600.0 / span_s
    return FlowProfile(
        begin_s=begin_s,
        period_s=period_s,
        flows_vph={movement: tuple(row) for movement, row in flows.items()},
        approach_of={m.id: f"{m.junction}:{m.approach}" for m in network.movements.values()},
    )


def link_history(
    demand: Demand,
    network: Network,
    begin_s: float,
    end_s: float,
    *,
    types: Mapping[str, VehicleType] | None = None,
    period_s: float = 900.0,
) -> LinkHistory:
    """Return the mean flows from link to link of the vehicles that depart within each period, and their commonest type.

    `types` are the types that the names in the demand mean; an unknown name is a car.
    """
    n_periods = max(1, ceil((end_s - begin_s) / period_s))
    starts_s = [begin_s + place * period_s for place in range(n_periods)]
    names = Counter(row.vehicle_type for row in demand.departures)
    names.update(row.vehicle_type for row in demand.flows)
    name = names.most_common(1)[0][0] if names else ""
    return LinkHistory(
        begin_s=begin_s,
        period_s=period_s,
        flows_vph=tuple(link_flows(demand, network, start, min(start + period_s, end_s)) for start in starts_s),
        vehicle=(types or {}).get(name, VehicleType(id=name)),
    )


def flows_of_profile(profile: FlowProfile, network: Network) -> dict[tuple[LinkId, LinkId], float]:
    """Return the mean flow from link to link that a profile (of counts, say) knows."""
    flows = {}
    for movement in network.movements.values():
        vph = profile.mean_vph(movement_id(movement.junction, movement.approach, movement.exit))
        if vph == vph:  # noqa: PLR0124  (NaN is unknown)
            flows[(movement.approach, movement.exit)] = vph
    return flows


def _passages(
    demand: Demand, network: Network, begin_s: float, end_s: float
) -> Iterator[tuple[float, tuple[LinkId, LinkId], float]]:
    """Yield (time, (from link, to link), vehicles) for every node that every vehicle passes."""
    ways = Ways(network)
    for row in demand.departures:
        if begin_s <= row.depart_s < end_s:
            yield from _of_route(network, ways.links(demand, row), row.depart_s, 1.0)
    for flow in demand.flows:
        first_s, last_s = max(begin_s, flow.begin_s), min(end_s, flow.end_s)
        if last_s > first_s:
            links = ways.links(demand, flow)
            n_slices = max(1, round((last_s - first_s) / 60.0))
            vehicles = flow.vehicles_per_hour() * (last_s - first_s) / 3600.0 / n_slices
            for place in range(n_slices):
                start_s = first_s + (place + 0.5) * (last_s - first_s) / n_slices
                yield from _of_route(network, links, start_s, vehicles)


def _of_route(
    network: Network, links: tuple[LinkId, ...], depart_s: float, vehicles: float
) -> Iterator[tuple[float, tuple[LinkId, LinkId], float]]:
    time_s = depart_s
    for before, after in pairwise(links):
        time_s += network.links[before].length_m / max(network.links[before].speed_mps, 0.1)
        yield time_s, (before, after), vehicles


def _over_node_s(row: Connection) -> float:
    """Return the time over a node as SUMO's routing has it: minor ways, and turning round, cost more."""
    penalty_s = TURNAROUND_S if row.direction == "t" else MINOR_S if row.junction is None and row.response else 0.0
    return row.length_m / max(row.speed_mps, 0.1) + penalty_s


class Ways:
    """Quickest ways at free flow, each searched for once."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._after: dict[LinkId, dict[LinkId, float]] = {}
        for row in network.connections:
            ways = self._after.setdefault(row.from_link, {})
            ways[row.to_link] = min(ways.get(row.to_link, inf), _over_node_s(row))
        self._way = lru_cache(maxsize=None)(self._search)

    def links(self, demand: Demand, row: Departure | Flow) -> tuple[LinkId, ...]:
        """Return the links of a route; where edges do not join, the quickest way between them."""
        edges = [LinkId(edge) for edge in demand.edges_of(row) if edge in self._network.links]
        route: tuple[LinkId, ...] = tuple(edges[:1])
        for edge in edges[1:]:
            is_next = edge in self._after.get(route[-1], ())
            route += (edge,) if is_next and not row.is_trip else self._way(route[-1], edge)
        return route

    def _search(self, start: LinkId, goal: LinkId) -> tuple[LinkId, ...]:
        """Return the links after `start` on the quickest way to `goal`; empty where there is none."""
        best: dict[LinkId, tuple[float, LinkId | None]] = {start: (0.0, None)}
        queue: list[tuple[float, LinkId]] = [(0.0, start)]
        while queue:
            cost_s, link = heapq.heappop(queue)
            if link == goal and link != start:
                break
            for after, over_s in self._after.get(link, {}).items():
                row = self._network.links[after]
                next_s = cost_s + over_s + row.length_m / max(row.speed_mps, 0.1)
                if after not in best or next_s < best[after][0]:
                    best[after] = (next_s, link)
                    heapq.heappush(queue, (next_s, after))
        way: list[LinkId] = []
        at: LinkId | None = goal if goal in best else None
        while at is not None and at != start:
            way.append(at)
            at = best[at][1]
        return tuple(reversed(way))
