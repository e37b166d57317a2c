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
    """State: what was green when, and of each movement's exit the lanes and the length, shape (n_movement,)."""

    last_green: LastGreen
    exit_lanes: FloatArray
    exit_length_m: FloatArray


class MaxPressure:
    """Movements on a shared lane have their share of its vehicles, so that shared lanes do not count double."""

    def start(self, plant: Plant) -> Pressure:
        """Return the stages and the exits of the network."""
        return Pressure(start_last_green(plant), *_exits(plant.network))

    def decide(self, snapshot: Snapshot, state: Pressure) -> tuple[Sequence[Decision], Pressure]:
        """Return the switches to the stages of highest pressure."""
        zone_m = snapshot.zone_length_m
        upstream = snapshot.arriving_veh / zone_m
        downstream = snapshot.leaving_veh / (state.exit_lanes * np.minimum(zone_m, state.exit_length_m))
        decisions, last_green = decide_by_score(snapshot, state.last_green, upstream - downstream)
        return decisions, Pressure(last_green, state.exit_lanes, state.exit_length_m)


def _exits(network: Network) -> tuple[FloatArray, FloatArray]:
    exits = [network.links[movement.exit] for movement in network.movements.values()]
    lanes = np.array([max(1, len(link.lanes)) for link in exits], dtype=np.float64)
    return lanes, np.array([max(1.0, link.length_m) for link in exits], dtype=np.float64)
