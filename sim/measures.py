"""What a run was worth: delay and its company, from trip records, SUMO's totals and what the signals showed.

Delay counts every vehicle whose scheduled departure lies in the period, unfinished and never inserted ones too:
a mean over arrived vehicles alone flatters gridlock.

Stops are SUMO's waitingCount: how often a vehicle fell below 0.1 m/s. That misses rolling stops below 5 km/h, and
counts again each time a queue moves up; counting at 5 and 15 km/h would need every speed of every step. The queue
is the time mean of vehicles below 0.1 m/s in the whole network, which is the sum of all waiting times over the
period (each waiting vehicle adds one second a second), and costs nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.trips import BoolArray, FloatArray, Trips


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What SUMO counts over the whole run."""

    teleports: int = 0
    collisions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Measures of one run; NaN where the period has no vehicle.

    Attributes
    ----------
    delay_s
        Mean of timeLoss + departDelay; for vehicles never inserted, end - scheduled departure.
    delay_resco_s
        The same by RESCO's formula, which leaves out vehicles blocked at an origin if others departed later.
    trip_time_s, wait_s, stops
        Means over the vehicles that were inserted: time in the network, waiting time, stops.
    queue_veh
        Time mean of standing vehicles.
    vehicles, arrived, running, not_departed
        Vehicles wanted; how many got there, are under way, were never inserted.
    teleports, collisions
        SUMO's totals.
    """

    delay_s: float
    delay_resco_s: float
    trip_time_s: float
    wait_s: float
    stops: float
    queue_veh: float
    vehicles: int
    arrived: int
    running: int
    not_departed: int
    teleports: int
    collisions: int


def measure(trips: Trips, begin_s: float, end_s: float, *, totals: Totals | None = None) -> Measures:
    """Return the measures of the vehicles scheduled in [begin_s, end_s)."""
    wanted = (trips.scheduled_s >= begin_s - 0.005) & (trips.scheduled_s < end_s - 0.005)
    inside = wanted & trips.has_departed
    lost_s = trips.time_loss_s + trips.depart_delay_s
    known = totals or Totals()
    return Measures(
        delay_s=_mean(lost_s[wanted]),
        delay_resco_s=_mean(lost_s[inside | _after_last(trips, wanted, inside)]),
        trip_time_s=_mean(trips.duration_s[inside]),
        wait_s=_mean(trips.wait_s[inside]),
        stops=_mean(trips.stops[inside]),
        queue_veh=float(trips.wait_s[inside].sum()) / (end_s - begin_s),
        vehicles=int(wanted.sum()),
        arrived=int((wanted & trips.has_arrived).sum()),
        running=int((inside & ~trips.has_arrived).sum()),
        not_departed=int((wanted & ~trips.has_departed).sum()),
        teleports=known.teleports,
        collisions=known.collisions,
    )


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _after_last(trips: Trips, wanted: BoolArray, inside: BoolArray) -> BoolArray:
    """Return who was never inserted and was scheduled after the vehicle that departed last.

    References
    ----------
    Ault and Sharon, Reinforcement Learning Benchmarks for Traffic Signal Control, NeurIPS 2021 (RESCO).
    """
    if not inside.any():
        return np.asarray(wanted & ~trips.has_departed)
    departed_s = np.where(inside, trips.scheduled_s + trips.depart_delay_s, -np.inf)
    is_later = trips.scheduled_s > trips.scheduled_s[int(departed_s.argmax())]
    return np.asarray(wanted & ~trips.has_departed & is_later)


def read_totals(path: Path) -> Totals:
    """Read SUMO's statistic output; zeros where it counted nothing."""
    text = path.read_text(encoding="utf-8")
    return Totals(
        teleports=_total(r'<teleports total="(\d+)"', text), collisions=_total(r'<safety collisions="(\d+)"', text)
    )


def _total(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0
