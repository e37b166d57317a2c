"""Demand without a survey: vehicles that walk through a network, turning at each node with given shares.

::

    gate --> [r .15 | s .70 | l .15] --> ... --> gate
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

import numpy as np

from sim.route_files import Trip
from traffic.errors import BadScenario
from traffic.ids import LaneId, LinkId
from traffic.network import Connection, Network

_TURNS = {"R": "r", "L": "l"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walks:
    """How vehicles come and turn: shares by SUMO's direction letters (`R` counts as `r`, `L` as `l`)."""

    shares: Mapping[str, float] = field(default_factory=lambda: {"r": 0.15, "s": 0.70, "l": 0.15})
    max_links: int = 12
    vehicle_type: str = "car"
    vehicle_class: str = "passenger"


def gates_in(network: Network) -> list[LinkId]:
    """Return the links that no connection leads to, turning back aside, in the order of the network."""
    reached = {c.to_link for c in _onward(network)}
    return [link for link in network.links if link not in reached]


def walk_trips(
    network: Network,
    flows_vph: Mapping[LinkId, float],
    span_s: tuple[float, float],
    walks: Walks,
    rng: np.random.Generator,
) -> list[Trip]:
    """Return one vehicle after the other: Poisson arrivals at each gate, a route by random turns that ends at a gate.

    Parameters
    ----------
    network
        Where they walk.
    flows_vph
        Vehicles per hour of each gate.
    span_s
        Begin and end, seconds.
    walks
        Turning shares, longest route, type.
    rng
        Draws arrivals and turns.

    Raises
    ------
    BadScenario
        If a gate is no link of the network, or leads nowhere within `max_links`.
    """
    onward: dict[LinkId, dict[LinkId, str]] = {}
    for c in _onward(network):
        if _is_open(network, c.from_lane, walks) and _is_open(network, c.to_lane, walks):
            onward.setdefault(c.from_link, {})[c.to_link] = _TURNS.get(c.direction, c.direction)
    exits = set(network.links) - {c.from_link for c in _onward(network)}
    begin_s, end_s = span_s
    trips: list[Trip] = []
    for gate, vph in flows_vph.items():
        if gate not in network.links:
            raise BadScenario("demand", gate, "no such link", "name links of the network")
        number = rng.poisson(vph * (end_s - begin_s) / 3600.0)
        for depart_s in np.sort(rng.uniform(begin_s, end_s, number)):
            links = _walk(gate, onward, exits, walks, rng)
            trips.append(Trip(depart_s=float(round(depart_s, 1)), vehicle_type=walks.vehicle_type, links=links))
    return sorted(trips)


def _onward(network: Network) -> list[Connection]:
    return [c for c in network.connections if c.direction != "t"]


def _is_open(network: Network, lane: LaneId, walks: Walks) -> bool:
    allowed = network.lanes[lane].allowed
    return not allowed or walks.vehicle_class in allowed


def _walk(
    gate: LinkId,
    onward: Mapping[LinkId, Mapping[LinkId, str]],
    exits: Set[LinkId],
    walks: Walks,
    rng: np.random.Generator,
) -> tuple[str, ...]:
    for _ in range(1000):
        links = [gate]
        while links[-1] in onward and len(links) < walks.max_links:
            ways = [(to, walks.shares.get(turn, 0.0)) for to, turn in onward[links[-1]].items() if to not in links]
            total = sum(share for _, share in ways)
            if total <= 0.0:
                break
            pick = rng.choice(len(ways), p=[share / total for _, share in ways])
            links.append(ways[pick][0])
        if links[-1] in exits and len(links) > 1:
            return tuple(links)
    raise BadScenario("demand", gate, f"no way out within {walks.max_links} links", "allow longer routes")
