"""Routes of the queue model: at every link a group of options, the connections that lead on."""

from __future__ import annotations

from control.queue_lanes import LaneTable
from control.queue_links import Links
from traffic.errors import BadScenario
from traffic.ids import LaneId, LinkId
from traffic.network import Network

_SHORT_M = 60.0
"""On lanes shorter than this a wrong lane is four times as bad: there is no room to change."""


class RouteTable:
    """Rows of `GROUP` and `OPTION`, and `route`: groups one after the other, -1 at the end of a route."""

    def __init__(self, network: Network, links: Links, lanes: LaneTable) -> None:
        self.links = links
        self._network, self._lanes = network, lanes
        self.groups: list[tuple[int, int]] = []
        self.options: list[tuple[int, float]] = []
        self.route: list[int] = []
        self._group_at: dict[tuple[str, ...], int] = {}
        self._route_at: dict[tuple[str, ...], int] = {}
        self._ways: dict[tuple[LinkId, LinkId], list[int]] = {}
        for place, row in enumerate(network.connections):
            pair = (links.head[row.from_link], links.head[row.to_link])
            if row.from_link == links.last[pair[0]]:
                self._ways.setdefault(pair, []).append(place)

    def route_at(self, way: tuple[LinkId, ...], vehicle_class: str, journey: str) -> int:
        """Return the place of a route over joined links.

        Raises
        ------
        BadScenario
            If no lane leads on somewhere.
        """
        key = (*way, vehicle_class)
        if key not in self._route_at:
            groups = [self._group(way[place : place + 3], vehicle_class, journey) for place in range(len(way))]
            self._route_at[key] = len(self.route)
            self.route += [*groups, -1]
        return self._route_at[key]

    def _group(self, way: tuple[LinkId, ...], vehicle_class: str, journey: str) -> int:
        """Return the group of a vehicle on way[0] that goes on to way[1] and way[2]."""
        key = (*way, vehicle_class)
        if key not in self._group_at:
            options = self._onward(way, vehicle_class) if len(way) > 1 else self._out(way[0], vehicle_class)
            if not options:
                where = f"{way[0]} to {way[1]}" if len(way) > 1 else way[0]
                limit = f"no lane leads there for {vehicle_class}"
                raise BadScenario(f"journey {journey}", where, limit, "mend the routes or the network")
            self._group_at[key] = len(self.groups)
            self.groups.append((len(self.options), len(options)))
            self.options += options
        return self._group_at[key]

    def _out(self, link: LinkId, vehicle_class: str) -> list[tuple[int, float]]:
        return [
            (self._lanes.exits[self._lanes.lane_at[strip.lanes[0]]], 0.0)
            for strip in self.links.strips[link]
            if self._network.lanes[strip.lanes[-1]].link == self.links.last[link]
            and self._is_open(strip.lanes[-1], vehicle_class)
        ]

    def _onward(self, way: tuple[LinkId, ...], vehicle_class: str) -> list[tuple[int, float]]:
        options = []
        for place in self._ways.get((way[0], way[1]), []):
            row = self._network.connections[place]
            if self._is_open(row.from_lane, vehicle_class) and self._is_open(row.to_lane, vehicle_class):
                factor = 1.0 if self._network.lanes[row.to_lane].length_m > _SHORT_M else 4.0
                options.append((place, factor * self._changes(row.to_lane, way)))
        return options

    def _is_open(self, lane: LaneId, vehicle_class: str) -> bool:
        allowed = self._network.lanes[lane].allowed
        return not allowed or vehicle_class in allowed

    def _changes(self, lane: LaneId, way: tuple[LinkId, ...]) -> int:
        """Return how many lanes away the nearest lane is from which the way goes on."""
        if len(way) < 3:
            return 0
        here = self._network.lanes[lane].index
        onward = [self._network.connections[place].from_lane for place in self._ways.get((way[1], way[2]), [])]
        return min((abs(self._network.lanes[other].index - here) for other in onward), default=0)
