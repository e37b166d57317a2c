"""Reading detector zones from a running SUMO, at decisions only and with as few calls as will do."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.detectors import Weights, Zones
from sim.launch import Simulation

QUEUE_MPS = 5 / 3.6
"""Slower than this a vehicle counts as queued."""

FloatArray = npt.NDArray[np.float64]


Readings = tuple[FloatArray, FloatArray, FloatArray]
"""Arriving, queued and leaving vehicles by movement."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """A lane of which only the end, the start, or both are watched: (from or to, piece)."""

    lane: str
    tails: tuple[tuple[float, int], ...]
    fronts: tuple[tuple[float, int], ...]


def zone_reader(simulation: Simulation, zones: Zones, *, reads_queue: bool = True) -> Callable[[], Readings]:
    """Return a function that reads all zones; without `reads_queue` queues are NaN, and speeds are not asked for.

    SUMO keeps the vehicles of a lane in order, the last one first.
    """
    whole = [place for place, piece in enumerate(zones.pieces) if piece.from_m is None and piece.to_m is None]
    whole_lanes = [zones.pieces[place].lane for place in whole]
    watches = _watches(zones)
    watched_lanes = [watch.lane for watch in watches]
    n_pieces, n_movements = len(zones.pieces), len(zones.zone_length_m)
    both = _stacked(zones)
    number = simulation.call("lane", "getLastStepVehicleNumber")
    ids = simulation.call("lane", "getLastStepVehicleIDs")
    position, speed = simulation.call("vehicle", "getLanePosition"), simulation.call("vehicle", "getSpeed")
    unknown = _frozen(np.full(n_movements, np.nan))

    def read() -> Readings:
        count = [0] * n_pieces
        queue = [0] * n_pieces
        for place, present in zip(whole, map(number, whole_lanes), strict=True):
            if present:
                count[place] = present
                if reads_queue:
                    queue[place] = sum(speed(vehicle) < QUEUE_MPS for vehicle in ids(zones.pieces[place].lane))
        for watch, present in zip(watches, map(number, watched_lanes), strict=True):
            if present:
                vehicles = ids(watch.lane)
                places_m = list(map(position, vehicles))
                for from_m, place in watch.tails:
                    first = bisect_left(places_m, from_m)
                    count[place] = present - first
                    if reads_queue:
                        queue[place] = sum(speed(vehicle) < QUEUE_MPS for vehicle in vehicles[first:])
                for to_m, place in watch.fronts:
                    count[place] = bisect_right(places_m, to_m)
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
    lanes: dict[str, list[int]] = {}
    for place, piece in enumerate(zones.pieces):
        if piece.from_m is not None or piece.to_m is not None:
            lanes.setdefault(piece.lane, []).append(place)
    return [
        _Watch(
            lane,
            tuple((from_m, p) for p in places if (from_m := zones.pieces[p].from_m) is not None),
            tuple((to_m, p) for p in places if (to_m := zones.pieces[p].to_m) is not None),
        )
        for lane, places in lanes.items()
    ]
