"""The ITE formula for yellow and red clearance, as an audit: it judges what is installed and changes nothing.

::

    yellow    Y = t + v / (2 a + 2 g G)      time to see it and stop, or reach the line
    red       R = (W + L) / v - t            time to leave the junction, less the foe's start-up t
              |--- W ---|-- L --|

References
----------
Institute of Transportation Engineers, Guidelines for Determining Traffic Signal Change and Clearance
Intervals, 2020 (kinematic equation; the start-up time of the conflicting stream is taken off the red).
"""

from __future__ import annotations

from math import inf

from control.lamp_rules import clearance_ds
from traffic.network import Connection, Network
from traffic.scenario import ClearanceFile
from traffic.signals import Junction

GRAVITY_MPS2 = 9.81


def yellow_change_s(speed_mps: float, settings: ClearanceFile) -> float:
    """Return the yellow that the formula asks for, at least 3 s.

    Examples
    --------
    >>> round(yellow_change_s(13.41, ClearanceFile()), 2)
    3.2
    """
    braking = settings.decel_mps2 + GRAVITY_MPS2 * settings.grade
    return max(3.0, settings.reaction_s + speed_mps / (2.0 * braking)) if braking > 0.0 else inf


def red_clearance_s(width_m: float, speed_mps: float, settings: ClearanceFile, conflict_start_s: float = 1.0) -> float:
    """Return the red clearance that the formula asks for, never below 0.

    Examples
    --------
    >>> round(red_clearance_s(20.0, 13.41, ClearanceFile()), 2)
    0.95
    """
    return max(0.0, (width_m + settings.vehicle_length_m) / speed_mps - conflict_start_s) if speed_mps > 0.0 else inf


def clearance_audit(junction: Junction, network: Network, settings: ClearanceFile) -> list[str]:
    """Return every link whose installed yellow or red clearance is below the formula.

    A link is judged by the slowest of its connections for the red (they leave last) and by the
    fastest approach for the yellow. Speed limits stand for the 85th-percentile speeds.
    """
    faults = []
    by_link = _connections_by_link(junction, network)
    for link, (yellow_ds, red_ds) in enumerate(clearance_ds(junction)):
        connections = by_link.get(link, [])
        if not connections or not yellow_ds:
            continue
        where = f"link {link} of junction {junction.id}"
        yellow_s = max(yellow_change_s(network.lanes[c.from_lane].speed_mps, settings) for c in connections)
        red_s = max(red_clearance_s(c.length_m, c.speed_mps, settings) for c in connections)
        if yellow_ds / 10.0 < yellow_s - 0.05:
            faults.append(f"{where}: yellow {yellow_ds / 10} s (formula {yellow_s:.1f} s)")
        if red_ds / 10.0 < red_s - 0.05:
            faults.append(f"{where}: red clearance {red_ds / 10} s (formula {red_s:.1f} s)")
    return faults


def _connections_by_link(junction: Junction, network: Network) -> dict[int, list[Connection]]:
    found: dict[int, list[Connection]] = {}
    for connection in network.connections:
        if connection.junction == junction.id and connection.link_index is not None:
            found.setdefault(connection.link_index, []).append(connection)
    return found
