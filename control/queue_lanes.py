"""Lanes and connections of the queue model, with the waiting places inside junctions.

::

    lane --conn--> box --conn--> lane       a turn that waits for a gap inside the junction: the box is a short lane

Vehicles queue up on the way over a node without signals or right of way, too: such a way is part of the lane behind it.
"""

from __future__ import annotations

from math import sqrt

from control.core.arrays import CONN, GREEN, YIELD, Array, rows_of
from control.queue_links import Links
from traffic.ids import LaneId
from traffic.network import Connection, Network

_START, _END, _BOX, _FOE, _N_FOE, _LENGTH, _SPEED, _GAPS = 0, 1, 2, 4, 5, 8, 9, slice(10, 12)
"""Columns of a connection's row, in the order of `CONN`."""


class LaneTable:
    """Rows of `LANE` and `CONN`; the network's connections keep their places, `exits` are the ways out of each lane."""

    def __init__(self, network: Network, links: Links, *, spacing_m: float, accel: float) -> None:
        self._network, self._spacing_m, self._accel = network, spacing_m, accel
        self.lanes: list[tuple[float, ...]] = []
        self.names: list[str] = []
        self.conns: list[list[float]] = []
        self.lane_at: dict[str, int] = {}
        self._way_in_m = _open_ways_m(network)
        for link, strips in enumerate(links.strips.values()):
            for strip in strips:
                self.lane_at |= dict.fromkeys(strip.lanes, len(self.lanes))
                length_m = strip.length_m + self._way_in_m.get(strip.lanes[0], 0.0)
                wave_veh = max(0.0, length_m / spacing_m - 1.0)
                room = max(1, int(length_m / spacing_m + 0.6))
                self._add_lane(strip.lanes[0], (room, link, length_m, strip.limit_mps, wave_veh, 1.0))
        self._add_conns()
        self.exits = [self._add_exit(lane) for lane in range(len(self.lanes))]
        self._add_boxes()
        self.foes = self._foes()

    def _add_lane(self, name: str, row: tuple[float, ...]) -> None:
        first = self.lanes[-1][0] + self.lanes[-1][1] if self.lanes else 0
        self.names.append(name)
        self.lanes.append((first, *row))

    def _add_conns(self) -> None:
        junctions = self._network.junction_index
        for row in self._network.connections:
            speed = min(row.speed_mps, self._network.lanes[row.from_lane].speed_mps)
            junction = -1 if row.junction is None else junctions.get(row.junction, -1)
            code = YIELD if row.response else GREEN
            ends = (self.lane_at[row.from_lane], self.lane_at[row.to_lane])
            way_m = max(0.0, row.length_m - self._way_in_m.get(row.to_lane, 0.0)) if _is_open(row) else row.length_m
            gate = len(self.conns)
            self.conns.append([*ends, -1, junction, 0, 0, code, gate, way_m, speed, *self._gaps_s(row, speed)])

    def _gaps_s(self, row: Connection, speed: float) -> tuple[float, float]:
        """Return the gap that a crossing needs, 5 m cleared from standing and a second, and its time rolling."""
        way_m = max(0.0, row.length_m - row.waiting_m) + 5.0
        return 0.8 * sqrt(2.0 * way_m / self._accel) + 1.0, way_m / max(1.0, speed)

    def _add_exit(self, lane: int) -> int:
        self.conns.append([lane, -1, -1, -1, 0, 0, GREEN, len(self.conns), 0.0, self.lanes[lane][4], 0.0, 0.0])
        return len(self.conns) - 1

    def _add_boxes(self) -> None:
        for place, row in enumerate(self._network.connections):
            if row.waiting_m <= 0.0 or not row.response:
                continue
            conn, box, out = self.conns[place], len(self.lanes), len(self.conns)
            link, speed = self.lanes[int(conn[_START])][2], conn[_SPEED]
            room = max(1, int(row.waiting_m / self._spacing_m + 0.5))
            self._add_lane(f"{row.from_lane}>{row.to_lane}", (room, link, row.waiting_m, speed, 0.0, 1.0))
            rest_m = row.length_m - row.waiting_m
            self.conns.append([box, conn[_END], -1, -1, 0, 0, YIELD, place, rest_m, speed, *conn[_GAPS]])
            conn[_END], conn[_BOX], conn[_LENGTH] = out, box, 0.0

    def _foes(self) -> list[list[tuple[int, int]]]:
        """Return whom every connection yields to, and whether both merge; who waits in a box is found there, too."""
        foes: list[list[tuple[int, int]]] = [[] for _ in self.conns]
        for place, row in enumerate(self._network.connections):
            others = [foe for foe in sorted(row.response) if self._network.connections[foe].from_lane != row.from_lane]
            inside = [int(self.conns[foe][_END]) for foe in others if self.conns[foe][_BOX] >= 0]
            conn = self.conns[place]
            merging = [foe for foe in others if self._network.connections[foe].to_link == row.to_link]
            foes[int(conn[_END]) if conn[_BOX] >= 0 else place] = [
                *((foe, int(foe in merging)) for foe in others),
                *((foe, 0) for foe in inside),
            ]
        return foes

    def conn_rows(self) -> Array:
        """Return the connections, each with the place of its foes."""
        first = 0
        for conn, foes in zip(self.conns, self.foes, strict=True):
            conn[_FOE], conn[_N_FOE] = first, len(foes)
            first += len(foes)
        return rows_of([tuple(row) for row in self.conns], CONN)


def _is_open(row: Connection) -> bool:
    """Whether nothing stops a vehicle on its way but the vehicle ahead."""
    return row.junction is None and not row.foes


def _open_ways_m(network: Network) -> dict[LaneId, float]:
    """Return the longest open way into each lane."""
    ways_m: dict[LaneId, float] = {}
    for row in network.connections:
        if _is_open(row):
            ways_m[row.to_lane] = max(ways_m.get(row.to_lane, 0.0), row.length_m)
    return ways_m
