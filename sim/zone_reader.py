"""Reading detector zones from a running SUMO, at decisions only and with as few calls as will do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.detectors import Zones

QUEUE_MPS = 5 / 3.6
"""Slower than this a vehicle counts as queued."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Watch:
    """One lane: places of the pieces that begin inside it, that end inside it, and that are all of it."""

    lane: str
    whole: tuple[int, ...]
    tails: tuple[tuple[float, int], ...]
    fronts: tuple[tuple[float, int], ...]


def zone_reader(sumo: Any, zones: Zones, *, reads_queue: bool = True) -> Callable[[], tuple[FloatArray, FloatArray]]:
    """Return a function that counts vehicles, and queued vehicles, on every piece.

    Without `reads_queue` queues are unknown (NaN) and half of the calls are saved.
    """
    watches = _watches(zones)
    n_pieces = len(zones.pieces)
    number, ids = sumo.lane.getLastStepVehicleNumber, sumo.lane.getLastStepVehicleIDs
    position, speed = sumo.vehicle.getLanePosition, sumo.vehicle.getSpeed

    def read() -> tuple[FloatArray, FloatArray]:
        count = [0.0] * n_pieces
        queue = [0.0] * n_pieces
        for watch in watches:
            lane = watch.lane
            present = number(lane)
            if not present:
                continue
            for piece in watch.whole:
                count[piece] = present
            if not (reads_queue or watch.tails or watch.fronts):
                continue
            vehicles = ids(lane)
            if reads_queue:
                slow = sum(speed(vehicle) < QUEUE_MPS for vehicle in vehicles) if watch.whole else 0
                for piece in watch.whole:
                    queue[piece] = slow
            for from_m, piece in watch.tails:
                for vehicle in reversed(vehicles):
                    if position(vehicle) < from_m:
                        break
                    count[piece] += 1
                    if reads_queue and speed(vehicle) < QUEUE_MPS:
                        queue[piece] += 1
            for to_m, piece in watch.fronts:
                for vehicle in vehicles:
                    if position(vehicle) > to_m:
                        break
                    count[piece] += 1
        return np.array(count), np.array(queue) if reads_queue else np.full(n_pieces, np.nan)

    return read


def _watches(zones: Zones) -> list[_Watch]:
    lanes: dict[str, list[int]] = {}
    for place, piece in enumerate(zones.pieces):
        lanes.setdefault(piece.lane, []).append(place)
    return [
        _Watch(
            lane,
            tuple(p for p in places if zones.pieces[p].from_m is None and zones.pieces[p].to_m is None),
            tuple((from_m, p) for p in places if (from_m := zones.pieces[p].from_m) is not None),
            tuple((to_m, p) for p in places if (to_m := zones.pieces[p].to_m) is not None),
        )
        for lane, places in lanes.items()
    ]
