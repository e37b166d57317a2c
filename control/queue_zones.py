"""Where detector zones lie in the core: lanes before the stop line, and the ways on from there.

::

    ====u2====o====u1====o=======a=======| stop line        level 2, 1, 0: the zone goes on upstream over nodes
                                                            without signals where most of the flow comes from
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from control.core.arrays import rows_of
from control.core.zones import APPROACH, COVER, SEEN, STRETCH, Zones
from control.queue_roads import Compiled
from traffic.demand import Journeys
from traffic.ids import LinkId
from traffic.network import Approach, Network

REACH_M = 160.0
"""Zones end here at the latest, metres from the stop line."""
_N_PLACES = 16
"""Ways on that are told apart per movement and level: enough for turning shares of a sixteenth."""
Flows = Mapping[tuple[LinkId, LinkId], float]
Tree = dict[LinkId, tuple[int, float]]
"""Level of each joined link in a zone, and how far from the stop line it ends."""


class ZoneTable:
    """Rows of the zones' records, approach by approach."""

    def __init__(self, network: Network, compiled: Compiled, demand: Journeys, flows: Flows) -> None:
        self._network, self._links, self._compiled, self._flows = network, compiled.links, compiled, flows
        self._signalised = {node for crossing in network.crossings.values() for node in crossing.nodes}
        self._before = self._upstream()
        self._passing = self._passages(demand)
        self._approaches: list[tuple[float, ...]] = []
        self._movements: list[int] = []
        self._seen = [(0, 0)] * len(network.movements)
        self._stretches: list[tuple[float, ...]] = []
        self._places: list[int] = []
        self._covers = [(-1.0, 0.0, 0.0)] * len(compiled.lanes)
        self._onward = [-1] * len(compiled.roads.conns)
        for crossing in network.crossings.values():
            for approach in crossing.approaches:
                self._add(approach)

    def zones(self) -> Zones:
        """Return the arrays."""
        return Zones(
            approaches=rows_of(self._approaches, APPROACH),
            movements=np.array(self._movements or [0], np.int32),
            seen=rows_of(self._seen, SEEN),
            stretches=rows_of(self._stretches, STRETCH),
            places=np.array(self._places or [0], np.int32),
            covers=rows_of(self._covers, COVER),
            onward=np.array(self._onward, np.int32),
        )

    def _upstream(self) -> dict[LinkId, dict[LinkId, None]]:
        """Return the joined links from which each one is reached over a node without signals."""
        head, before = self._links.head, dict[LinkId, dict[LinkId, None]]()
        for row in self._network.connections:
            if head[row.from_link] != head[row.to_link] and not self._is_signalised(row.from_link):
                before.setdefault(head[row.to_link], {})[head[row.from_link]] = None
        return before

    def _is_signalised(self, link: LinkId) -> bool:
        return self._network.links[link].to_node in self._signalised

    def _passages(self, demand: Journeys) -> dict[LinkId, list[tuple[tuple[LinkId, ...], int, int]]]:
        """Return by joined link who passes: the way, the position in it and the place of its route."""
        found: dict[LinkId, list[tuple[tuple[LinkId, ...], int, int]]] = {}
        for number, row in enumerate(demand.rows):
            way = self._links.route(row.links)
            first = int(self._compiled.roads.vehicles[number].route)
            for k, link in enumerate(way[:-1]):
                found.setdefault(link, []).append((way, k, first))
        return found

    def _length_m(self, link: LinkId) -> float:
        return max(strip.length_m for strip in self._links.strips[link])

    def _tree(self, start: LinkId) -> Tree:
        tree: Tree = {start: (0, 0.0)}
        front = [start]
        while front:
            link = front.pop(0)
            level, from_m = tree[link]
            end_m = from_m + self._length_m(link)
            for before in self._before.get(link, {}):
                if end_m < REACH_M and before not in tree and self._comes_on(before, tree):
                    tree[before] = (level + 1, end_m)
                    front.append(before)
        return tree

    def _comes_on(self, link: LinkId, tree: Tree) -> bool:
        """Whether at least half of a link's historic flow goes on into the zone."""
        last = self._links.last[link]
        ways = {row.to_link for row in self._network.connections if row.from_link == last}
        total = sum(self._flows.get((last, way), 0.0) for way in ways)
        onto = sum(self._flows.get((last, way), 0.0) for way in ways if self._links.head[way] in tree)
        return onto >= 0.5 * total if total > 0.0 else all(self._links.head[way] in tree for way in ways)

    def _add(self, approach: Approach) -> None:
        number, start = len(self._approaches), self._links.head[approach.link]
        tree = self._tree(start)
        junction = self._network.junction_index[approach.junction]
        self._approaches.append((len(self._movements), len(approach.movements), junction, max(1, len(approach.lanes))))
        for movement in approach.movements:
            place = self._network.movement_index[movement]
            self._movements.append(place)
            exit_link = self._links.head[self._network.movements[movement].exit]
            self._add_stretches(place, tree, start, exit_link)
        for link, (level, from_m) in tree.items():
            for strip in self._links.strips[link]:
                lane = self._compiled.lane_at[strip.lanes[0]]
                if self._covers[lane][0] < 0:
                    self._covers[lane] = (number, level, from_m)
        for conn, row in enumerate(self._network.connections):
            before, after = self._links.head[row.from_link], self._links.head[row.to_link]
            if before in tree and after in tree and tree[after][0] < tree[before][0]:
                self._onward[conn] = number

    def _add_stretches(self, movement: int, tree: Tree, start: LinkId, exit_link: LinkId) -> None:
        passing = self._passing.get(start, [])
        own = [row for row in passing if row[0][row[1] + 1] == exit_link] or passing
        first = len(self._stretches)
        for level in range(1 + max(level for level, _ in tree.values())):
            own = [row for row in own if row[1] >= level and tree.get(row[0][row[1] - level], (-1, 0))[0] == level]
            if not own:
                break
            here = _spread([row[2] + row[1] - level for row in own])
            from_m = sum(tree[row[0][row[1] - level]][1] for row in own) / len(own)
            length_m = sum(self._length_m(row[0][row[1] - level]) for row in own) / len(own)
            self._stretches.append((len(self._places), len(here), from_m, from_m + length_m))
            self._places += here
        self._seen[movement] = (first, len(self._stretches) - first)


def _spread(places: Sequence[int]) -> list[int]:
    """Return at most `_N_PLACES` of some places, evenly from all of them."""
    if len(places) <= _N_PLACES:
        return list(places)
    return [places[int((k + 0.5) * len(places) / _N_PLACES)] for k in range(_N_PLACES)]
