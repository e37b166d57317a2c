"""From snapshot to snapshot, what the universal policy is told: the zones as they read, and since when what is red."""

from __future__ import annotations

import numpy as np

from control.core.policy import Sight, read_zones
from traffic.network import Network
from traffic.snapshot import FloatArray, Snapshot

Line = tuple[tuple[int, int], ...]
"""By movement its junction and the link whose lamp stands for it."""
_RED = frozenset("rs")


def line_of(network: Network) -> Line:
    """Return the lamps that stand for the movements of a network."""
    places = network.junction_index
    return tuple((places[row.junction], row.link_indices[0]) for row in network.movements.values())


def never_red(line: Line) -> FloatArray:
    """Return since when movements are red of which none was seen yet: `inf`, as for all that are not red."""
    return np.full(len(line), np.inf)


def reds(line: Line, snapshot: Snapshot, since_s: FloatArray, looked_s: float, yellow_s: float) -> FloatArray:
    """Return since when movements are red; one that has turned red since the last look did so after its yellow.

    `looked_s` is the time of that look, NaN before the first.
    """
    is_red = np.array([snapshot.lamps[place][link] in _RED for place, link in line])
    turned_s = snapshot.time_s if np.isnan(looked_s) else min(snapshot.time_s, looked_s + yellow_s)
    found: FloatArray = np.where(is_red, np.minimum(since_s, turned_s), np.inf)
    return found


def sense(snapshot: Snapshot, red_since_s: FloatArray, sight: Sight) -> None:
    """Fill the readings of a sight; where queues are not measured, all that arrive may stand."""
    red_s = np.where(np.isfinite(red_since_s), snapshot.time_s - red_since_s, 0.0)
    arriving, queued = snapshot.arriving_veh, snapshot.queued_veh
    readings = (arriving, np.where(np.isnan(queued), arriving, queued), snapshot.leaving_veh, red_s)
    read_zones(*(np.array(row, np.float64) for row in readings), sight)
