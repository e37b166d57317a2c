"""Max pressure: serve the stage that relieves most, vehicles upstream less vehicles downstream, per metre.

References
----------
P. Varaiya, Max pressure control of a network of signalized intersections, Transportation Research C 36,
2013, doi 10.1016/j.trc.2013.08.014. There, the weight of a movement is its queue less the mean of the
queues it feeds; here both are vehicles per metre of zone, downstream per lane of the exit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from control.controllers.base import LastGreen, decide_by_score, start_last_green
from traffic.decisions import Decision
from traffic.network import Network
from traffic.ports import Plant
from traffic.snapshot import FloatArray, Snapshot


@dataclass(frozen=True, slots=True)
class Pressure:
    """State: what was green when, and of each movement's exit the lanes and the length, shape (n_movement,).

    `room_m` is the length of lanes that the exit's reading covers, for the zones of length `zone_m`.
    """

    last_green: LastGreen
    exit_lanes: FloatArray
    exit_length_m: FloatArray
    zone_m: FloatArray | None = None
    room_m: FloatArray | None = None

    def room_of(self, zone_m: FloatArray) -> FloatArray:
        """Return `room_m` for these zones; zones do not change over a run, so that it is at hand."""
        if self.room_m is not None and self.zone_m is zone_m:
            return self.room_m
        return self.exit_lanes * np.minimum(zone_m, self.exit_length_m)


class MaxPressure:
    """Movements on a shared lane have their share of its vehicles, so that shared lanes do not count double."""

    def start(self, plant: Plant) -> Pressure:
        """Return the stages and the exits of the network."""
        return Pressure(start_last_green(plant), *exits_of(plant.network))

    def decide(self, snapshot: Snapshot, state: Pressure) -> tuple[Sequence[Decision], Pressure]:
        """Return the switches to the stages of highest pressure."""
        zone_m = snapshot.zone_length_m
        room_m = state.room_of(zone_m)
        pressure = snapshot.arriving_veh / zone_m - snapshot.leaving_veh / room_m
        decisions, last_green = decide_by_score(snapshot, state.last_green, pressure)
        return decisions, Pressure(last_green, state.exit_lanes, state.exit_length_m, zone_m, room_m)


def exits_of(network: Network) -> tuple[FloatArray, FloatArray]:
    """Return the lanes of each movement's exit, and its length in metres, shape (n_movement,) each."""
    exits = [network.links[movement.exit] for movement in network.movements.values()]
    lanes = np.array([max(1, len(link.lanes)) for link in exits], dtype=np.float64)
    return lanes, np.array([max(1.0, link.length_m) for link in exits], dtype=np.float64)
