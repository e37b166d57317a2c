"""Counts that were scaled, in whole vehicles again, without losing what rounding cuts off.

A count of 4 divided by a detection rate of 0.9 is 4.4, and 4 again once rounded: small counts would never
be corrected. So the remainder goes to the next row of the same class.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from math import floor

from traffic.counts import TurnCount, VehicleClass


def in_whole_vehicles(rows: Iterable[tuple[TurnCount, float | None]]) -> list[TurnCount]:
    """Return each row with its new value as a whole number; the sum of a class is right to half a vehicle.

    Parameters
    ----------
    rows
        A count and its new value, vehicles; None leaves the count as it is, and where nobody passed nobody will have.

    Examples
    --------
    >>> row = TurnCount(movement="a", vehicle_class=VehicleClass.CAR, start_s=0.0, period_s=300.0, count=4)
    >>> [made.count for made in in_whole_vehicles([(row, 4.4), (row, 4.4), (row, 4.4)])]
    [4, 5, 4]
    """
    left_veh: dict[VehicleClass, float] = defaultdict(float)
    made = []
    for row, value_veh in rows:
        if value_veh is None or value_veh == 0:
            made.append(row if value_veh is None else replace(row, count=0))
            continue
        exact_veh = value_veh + left_veh[row.vehicle_class]
        count = max(0, floor(exact_veh + 0.5))
        left_veh[row.vehicle_class] = exact_veh - count
        made.append(replace(row, count=count))
    return made
