"""Detector zones: what a camera at the stop line sees, compiled to flat arrays.

::

      zone_m                    stop line
    |<------------------------------->|
    ====u====o====o=======d===========|   o = node without signals: the zone goes on upstream, lane by lane,
        ^ shared lane: its vehicles count once, divided by historic share

A zone ends where its length is reached, at a signalised node, or at a node from which less than half of
the historic flow of a road comes on to this approach. Paths inside nodes count as length; the vehicles
on them are not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from traffic.ids import LaneId, LinkId, MovementId
from traffic.network import Approach, Connection, Network
from traffic.zones import Piece, Weights, Zones

LinkFlows = Mapping[tuple[LinkId, LinkId], float]
"""Historic flow from link to link; what is not there is unknown, and is divided evenly."""
ZONE_M = 50.0


def compile_zones(network: Network, flows: LinkFlows | None = None, *, zone_m: float = ZONE_M) -> Zones:
    """Return the zones of all movements, in the order of `network.movements`.

    Parameters
    ----------
    network
        The roads.
    flows
        Historic flows from link to link.
    zone_m
        Length of the zones up and downstream of the stop line, metres.
    """
    roads = _Roads(network, flows or {})
    table = _Table()
    lengths = np.full(len(network.movements), np.nan)
    for crossing in network.crossings.values():
        for approach in crossing.approaches:
            shares, reach = _approach_shares(roads, approach, zone_m)
            for (lane, from_m), row in shares.items():
                piece = table.piece(Piece(lane, from_m, None))
                for movement, share in row.items():
                    table.arriving.append((network.movement_index[movement], piece, share))
            for movement in approach.movements:
                lengths[network.movement_index[movement]] = reach
    for movement, place in network.movement_index.items():
        for piece_of_exit in _exit_pieces(roads, network.movements[movement].exit, zone_m):
            table.leaving.append((place, table.piece(piece_of_exit), 1.0))
    return Zones(
        pieces=tuple(table.pieces),
        arriving=_weights(table.arriving),
        leaving=_weights(table.leaving),
        zone_length_m=lengths,
    )


@dataclass(slots=True)
class _Table:
    pieces: dict[Piece, int] = field(default_factory=dict)
    arriving: list[tuple[int, int, float]] = field(default_factory=list)
    leaving: list[tuple[int, int, float]] = field(default_factory=list)

    def piece(self, piece: Piece) -> int:
        return self.pieces.setdefault(piece, len(self.pieces))


def _weights(rows: list[tuple[int, int, float]]) -> Weights:
    return Weights(
        movement=np.array([row[0] for row in rows], dtype=np.intp),
        piece=np.array([row[1] for row in rows], dtype=np.intp),
        share=np.array([row[2] for row in rows], dtype=np.float64),
    )


class _Roads:
    """A network with what walking it needs: connections into and out of lanes, and shares of historic flow."""

    def __init__(self, network: Network, flows: LinkFlows) -> None:
        self.network, self._flows = network, flows
        self.into: dict[LaneId, list[Connection]] = {}
        self.out_of: dict[LaneId, list[Connection]] = {}
        self.signalised = {node for crossing in network.crossings.values() for node in crossing.nodes}
        self._n_between: dict[tuple[LinkId, LinkId], int] = {}
        self._after: dict[LinkId, set[LinkId]] = {}
        for row in network.connections:
            self.into.setdefault(row.to_lane, []).append(row)
            self.out_of.setdefault(row.from_lane, []).append(row)
            pair = (row.from_link, row.to_link)
            self._n_between[pair] = self._n_between.get(pair, 0) + 1
            self._after.setdefault(row.from_link, set()).add(row.to_link)

    def flow(self, from_link: LinkId, to_link: LinkId) -> float:
        """Return the historic flow, 1 on every way of a link whose flows are unknown."""
        ways = self._after.get(from_link, set())
        known = sum(self._flows.get((from_link, way), 0.0) for way in ways)
        return self._flows.get((from_link, to_link), 0.0) if known > 0 else 1.0

    def lane_shares(self, lane: LaneId) -> list[tuple[Connection, float]]:
        """Return the connections out of a lane and the share of its vehicles that takes each."""
        rows = self.out_of.get(lane, [])
        parts = [self.flow(row.from_link, row.to_link) / self._n_between[(row.from_link, row.to_link)] for row in rows]
        total = sum(parts)
        return [(row, part / total if total > 0 else 1 / len(rows)) for row, part in zip(rows, parts, strict=True)]

    def comes_on(self, from_link: LinkId, to_links: set[LinkId]) -> bool:
        """Whether at least half of a link's historic flow goes on to one of these links."""
        ways = self._after.get(from_link, set())
        total = sum(self.flow(from_link, way) for way in ways)
        return total > 0 and sum(self.flow(from_link, way) for way in ways & to_links) >= 0.5 * total

    def is_signalised(self, link: LinkId) -> bool:
        """Whether a link ends at a signalised node."""
        return self.network.links[link].to_node in self.signalised


_Shares = dict[tuple[LaneId, float | None], dict[MovementId, float]]


def _approach_shares(roads: _Roads, approach: Approach, zone_m: float) -> tuple[_Shares, float]:
    """Return {(lane, start of its piece): {movement: share of its vehicles}} and the true length of the zone."""
    at_line = {roads.network.movements[m].exit: m for m in approach.movements}
    shares: _Shares = {}
    rows = [
        (lane, zone_m, _sum_by((at_line.get(way.to_link), share) for way, share in roads.lane_shares(lane)))
        for lane in approach.lanes
    ]
    front = [(lane, left, share) for lane, left, share in rows if share]
    reach, links = 0.0, {approach.link}
    while front:
        behind: dict[LaneId, tuple[float, dict[MovementId, float]]] = {}
        for lane, left_m, row in front:
            length_m = roads.network.lanes[lane].length_m
            key = (lane, length_m - left_m if length_m > left_m else None)
            if any(known[0] == lane for known in shares):
                continue
            shares[key] = row
            reach = max(reach, zone_m - left_m + min(left_m, length_m))
            if length_m < left_m:
                _step_back(roads, (lane, left_m - length_m, row), links, behind)
        links |= {roads.network.lanes[lane].link for lane in behind}
        front = [(lane, left_m, row) for lane, (left_m, row) in behind.items()]
    return shares, reach


def _step_back(
    roads: _Roads,
    front: tuple[LaneId, float, dict[MovementId, float]],
    links: set[LinkId],
    behind: dict[LaneId, tuple[float, dict[MovementId, float]]],
) -> None:
    """Add to `behind` the lanes that lead to a lane, with what they add to each movement."""
    lane, left_m, row = front
    for way in roads.into.get(lane, []):
        left = left_m - way.length_m
        if left <= 0 or roads.is_signalised(way.from_link) or not roads.comes_on(way.from_link, links):
            continue
        share = next(part for other, part in roads.lane_shares(way.from_lane) if other is way)
        far, known = behind.get(way.from_lane, (0.0, {}))
        added = {movement: known.get(movement, 0.0) + share * part for movement, part in row.items()}
        behind[way.from_lane] = (max(far, left), {**known, **added})


def _sum_by(rows: Iterable[tuple[MovementId | None, float]]) -> dict[MovementId, float]:
    totals: dict[MovementId, float] = {}
    for movement, share in rows:
        if movement is not None:
            totals[movement] = totals.get(movement, 0.0) + share
    return totals


def _exit_pieces(roads: _Roads, exit_link: LinkId, zone_m: float) -> list[Piece]:
    """Return the first stretch of an exit, carried on over nodes without signals where most traffic goes on."""
    pieces: dict[LaneId, Piece] = {}
    front = dict.fromkeys(roads.network.links[exit_link].lanes, zone_m)
    while front:
        ahead: dict[LaneId, float] = {}
        for lane, left_m in front.items():
            if lane in pieces:
                continue
            length_m = roads.network.lanes[lane].length_m
            pieces[lane] = Piece(lane, None, left_m if length_m > left_m else None)
            link = roads.network.lanes[lane].link
            if length_m < left_m and not roads.is_signalised(link):
                for way in roads.out_of.get(lane, []):
                    left = left_m - length_m - way.length_m
                    if left > 0 and roads.comes_on(link, {way.to_link}):
                        ahead[way.to_lane] = max(ahead.get(way.to_lane, 0.0), left)
        front = ahead
    return list(pieces.values())
