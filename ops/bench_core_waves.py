"""Offsets as a wave that runs from one junction along the roads to all others."""

from __future__ import annotations

import heapq

from control.plan.corridor import PROGRESSION_SHARE
from traffic.ids import JunctionId, LinkId
from traffic.network import Network


def wave_offsets_s(network: Network, start: JunctionId) -> dict[JunctionId, int]:
    """Return for each junction how long a platoon takes to it from `start` on the quickest way, whole seconds.

    A junction that cannot be reached has 0.
    """
    after: dict[LinkId, set[LinkId]] = {}
    for row in network.connections:
        after.setdefault(row.from_link, set()).add(row.to_link)
    arrives_at = {row.link: name for name, crossing in network.crossings.items() for row in crossing.approaches}
    times_s: dict[LinkId, float] = {}
    exits = sorted({row.exit for row in network.movements.values() if row.junction == start})
    queue = [(_travel_s(network, link), link) for link in exits]
    heapq.heapify(queue)
    while queue:
        time_s, link = heapq.heappop(queue)
        if link not in times_s:
            times_s[link] = time_s
            for other in sorted(after.get(link, ())):
                heapq.heappush(queue, (time_s + _travel_s(network, other), other))
    offsets_s = dict.fromkeys(network.crossings, 0)
    for link, time_s in sorted(times_s.items(), key=lambda row: -row[1]):
        if link in arrives_at:
            offsets_s[arrives_at[link]] = round(time_s)
    return {**offsets_s, start: 0}


def _travel_s(network: Network, link: LinkId) -> float:
    road = network.links[link]
    return road.length_m / (PROGRESSION_SHARE * max(road.speed_mps, 0.1))
