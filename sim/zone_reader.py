"""Reading detector zones from a running SUMO, at decisions only and with as few calls as will do."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from sim.detectors import Weights, Zones
from sim.launch import Simulation

QUEUE_MPS = 5 / 3.6
"""Slower than this a vehicle counts as queued."""

FloatArray = npt.NDArray[np.float64]


Readings = tuple[FloatArray, FloatArray, FloatArray]
"""Arriving, queued and leaving vehicles by movement."""


_Watch = tuple[str, float, int, float, int]
"""Lane, where the piece at its end begins and its place, where the piece at its start ends and its place."""


def zone_reader(simulation: Simulation, zones: Zones, *, reads_queue: bool = True) -> Callable[[], Readings]:
    """Return a function that reads all zones; without `reads_queue` queues are NaN, and speeds are not asked for.

    SUMO keeps the vehicles of a lane almost in order; with sublanes one in fifty is not.
    """
    whole = [place for place, piece in enumerate(zones.pieces) if piece.from_m is None and piece.to_m is None]
    whole_lanes = [zones.pieces[place].lane for place in whole]
    watches = _watches(zones)
    watched_lanes = [watch[0] for watch in watches]
    n_pieces, n_movements = len(zones.pieces), len(zones.zone_length_m)
    both = _stacked(zones)
    number = simulation.call("lane", "getLastStepVehicleNumber")
    ids = simulation.call("lane", "getLastStepVehicleIDs")
    position, speed = simulation.call("vehicle", "getLanePosition"), simulation.call("vehicle", "getSpeed")
    unknown = _frozen(np.full(n_movements, np.nan))

    def read() -> Readings:
        count = [0] * (n_pieces + 1)
        queue = [0] * (n_pieces + 1)
        for place, present in zip(whole, map(number, whole_lanes), strict=True):
            if present:
                count[place] = present
                if reads_queue:
                    queue[place] = sum(speed(vehicle) < QUEUE_MPS for vehicle in ids(zones.pieces[place].lane))
        for (lane, from_m, tail, to_m, front), present in zip(watches, map(number, watched_lanes), strict=True):
            if present:
                vehicles = ids(lane)
                places_m = list(map(position, vehicles))
                in_order_m = sorted(places_m)
                count[tail] = len(places_m) - bisect_left(in_order_m, from_m)
                count[front] = bisect_right(in_order_m, to_m)
                if reads_queue:
                    rows = zip(vehicles, places_m, strict=True)
                    queue[tail] = sum(place_m >= from_m and speed(vehicle) < QUEUE_MPS for vehicle, place_m in rows)
        seen = both.apply(np.array(count, dtype=np.float64), 2 * n_movements)
        seen.setflags(write=False)
        queued = unknown
        if reads_queue:
            queued = _frozen(zones.arriving.apply(np.array(queue, dtype=np.float64), n_movements))
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


def _watches(zones: Zones) -> list[_Watch]:
    """Return one watch for each pair of pieces at the ends of a lane; a missing one counts into a last, spare place."""
    spare = len(zones.pieces)
    tails: dict[str, list[tuple[float, int]]] = {}
    fronts: dict[str, list[tuple[float, int]]] = {}
    for place, piece in enumerate(zones.pieces):
        if piece.from_m is not None:
            tails.setdefault(piece.lane, []).append((piece.from_m, place))
        elif piece.to_m is not None:
            fronts.setdefault(piece.lane, []).append((piece.to_m, place))
    return [
        (lane, *tail, *front)
        for lane in dict.fromkeys([*tails, *fronts])
        for tail, front in zip_longest(tails.get(lane, ()), fronts.get(lane, ()), fillvalue=(0.0, spare))
    ]
