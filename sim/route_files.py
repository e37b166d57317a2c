"""Route flows to SUMO route files: so many vehicles per route, type and period, spread over the period."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from traffic.errors import BadScenario


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFlow:
    """Vehicles per hour of one SUMO type on one route, one number a period."""

    links: tuple[str, ...]
    vehicle_type: str
    flows_vph: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Trip:
    """One vehicle to come: when, of which type, over which links."""

    depart_s: float
    vehicle_type: str
    links: tuple[str, ...]


def expand_flows(
    flows: Sequence[RouteFlow], *, begin_s: float, period_s: float, rng: np.random.Generator
) -> list[Trip]:
    """Return trips in order of departure; a fraction of a vehicle comes with that probability.

    Departures are uniform over their period, in tenths of a second.
    """
    trips: list[Trip] = []
    for flow in flows:
        for period, vph in enumerate(flow.flows_vph):
            expected = vph * period_s / 3600.0
            number = int(expected) + int(rng.random() < expected - int(expected))
            starts = begin_s + period_s * (period + rng.random(number))
            trips += [
                Trip(depart_s=float(round(start, 1)), vehicle_type=flow.vehicle_type, links=flow.links)
                for start in starts
            ]
    return sorted(trips)


def write_trips(path: Path, trips: Iterable[Trip], *, prefix: str = "v") -> int:
    """Write a SUMO route file of vehicles in order of departure and return how many there are.

    Raises
    ------
    BadScenario
        If there is not one.
    """
    rows = [
        f'  <vehicle id="{prefix}{number}" type={quoteattr(trip.vehicle_type)} depart="{trip.depart_s:.1f}"'
        f' departLane="best" departSpeed="max"><route edges={quoteattr(" ".join(trip.links))}/></vehicle>\n'
        for number, trip in enumerate(sorted(trips))
    ]
    if not rows:
        raise BadScenario(str(path), "no vehicles", "demand must not be empty", "check the counts and the period")
    path.write_text("<routes>\n" + "".join(rows) + "</routes>\n", encoding="utf-8")
    return len(rows)
