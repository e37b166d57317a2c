"""Reading detector zones from a running SUMO, at decisions only and with as few calls as will do."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from sim.launch import Simulation
from traffic.zones import Weights, Zones

QUEUE_MPS = 5 / 3.6
"""Slower than this a vehicle counts as queued."""

FloatArray = npt.NDArray[np.float64]


Readings = tuple[FloatArray, FloatArray, FloatArray]
"""Arriving, queued and leaving vehicles by movement."""


_Ends = tuple[float, int, float, int]
"""Where the piece at a lane's end begins and its place, where the piece at its start ends and its place."""


def zone_reader(simulation: Simulation, zones: Zones, *, reads_queue: bool = True) -> Callable[[], Readings]:
    """Return a function that reads all zones; without `reads_queue` queues are NaN, and speeds are not asked for.

    Vehicles are asked where they are, not lanes who is on them: what SUMO has just moved is still at hand, and most
    lanes are empty.
    """
    whole = {
        piece.lane: place for place, piece in enumerate(zones.pieces) if piece.from_m is None and piece.to_m is None
    }
    ends = _ends(zones)
    n_pieces, n_movements = len(zones.pieces), len(zones.zone_length_m)
    both = _stacked(zones)
    ids, lane_of = simulation.call("vehicle", "getIDList"), simulation.call("vehicle", "getLaneID")
    position, speed = simulation.call("vehicle", "getLanePosition"), simulation.call("vehicle", "getSpeed")
    unknown = _frozen(np.full(n_movements, np.nan))

    def read() -> Readings:
        hits: list[int] = []
        slow: list[int] = []
        vehicles = ids()
        for vehicle, lane in zip(vehicles, map(lane_of, vehicles), strict=True):
            place = whole.get(lane)
            if place is not None:
                hits.append(place)
                if reads_queue and speed(vehicle) < QUEUE_MPS:
                    slow.append(place)
            if lane in ends:
                place_m = position(vehicle)
                for from_m, tail, to_m, front in ends[lane]:
                    if place_m >= from_m:
                        hits.append(tail)
                        if reads_queue and speed(vehicle) < QUEUE_MPS:
                            slow.append(tail)
                    if place_m <= to_m:
                        hits.append(front)
        seen = both.apply(np.bincount(np.array(hits, np.intp), minlength=n_pieces), 2 * n_movements)
        seen.setflags(write=False)
        queued = unknown
        if reads_queue:
            queue = np.bincount(np.array(slow, np.intp), minlength=n_pieces)
            queued = _frozen(zones.arriving.apply(queue, n_movements))
        return seen[:n_movements], queued, seen[n_movements:]

    return read


def _stacked(zones: Zones) -> Weights:
    """Return the weights of arriving and of leaving vehicles as one, the leaving after the arriving."""
    one, other = zones.arriving, zones.leaving
    return Weights(
        movement=np.concatenate([one.movement, other.movement + len(zones.zone_length_m)]),
        piece=np.concatenate([one.piece, other.piece]),
        share=np.concatenate([one.share, other.share]),
    )


def _frozen(array: FloatArray) -> FloatArray:
    array.setflags(write=False)
    return array


def _ends(zones: Zones) -> dict[str, list[_Ends]]:
    """Return the pieces at the ends of each lane, in pairs; a missing one is beyond reach."""
    spare = len(zones.pieces)
    tails: dict[str, list[tuple[float, int]]] = {}
    fronts: dict[str, list[tuple[float, int]]] = {}
    for place, piece in enumerate(zones.pieces):
        if piece.from_m is not None:
            tails.setdefault(piece.lane, []).append((piece.from_m, place))
        elif piece.to_m is not None:
            fronts.setdefault(piece.lane, []).append((piece.to_m, place))
    found: dict[str, list[_Ends]] = {}
    for lane in dict.fromkeys([*tails, *fronts]):
        pairs = zip_longest(tails.get(lane, []), fronts.get(lane, []))
        found[lane] = [(*(tail or (math.inf, spare)), *(front or (-math.inf, spare))) for tail, front in pairs]
    return found
