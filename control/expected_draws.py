"""Departures as they may come: as many as history expects, times a factor, at random."""

from __future__ import annotations

import numpy as np

from control.core.arrays import Array, State
from control.core.arrays import Roads as RoadArrays
from traffic.snapshot import FloatArray


def draw_departures(
    roads: RoadArrays, base: State, now_s: float, factor: FloatArray, rng: np.random.Generator
) -> tuple[RoadArrays, State]:
    """Return roads and state in which all who depart after `now_s` do so as a Poisson process has them.

    Parameters
    ----------
    now_s
        Time of the state, seconds after the begin of the model.
    factor
        How many times as many as history expects depart, by origin.
    """
    vehicles, wake_s = roads.vehicles.copy(), base.origin_wake.copy()
    for origin, (first, n) in enumerate(zip(roads.origins["first"], roads.origins["n"], strict=True)):
        own = roads.origin_vehicles[first : first + n]
        depart_s = roads.vehicles["depart"][own]
        due = int(np.searchsorted(depart_s, now_s, side="right"))
        if due == n:
            continue
        new_s = _departures(depart_s, due, now_s, float(factor[origin]), rng)
        vehicles["depart"][own[due:]] = new_s
        if base.origin_next[0, origin] == first + due:
            wake_s[0, origin] = new_s[0]
    return roads._replace(vehicles=vehicles), base._replace(origin_wake=wake_s)


def _departures(depart_s: Array, due: int, now_s: float, factor: float, rng: np.random.Generator) -> FloatArray:
    """Return when those from place `due` on depart; the k-th is expected when k + 1/2 vehicles are."""
    passed = np.arange(len(depart_s)) + 0.5
    gap_s = (depart_s[-1] - depart_s[0]) / max(1, len(depart_s) - 1) or 60.0
    times_s = np.concatenate([[depart_s[0] - gap_s], depart_s, [depart_s[-1] + len(depart_s) * gap_s]])
    counts = np.concatenate([[passed[0] - 1.0], passed, [passed[-1] + len(depart_s)]])
    start = float(np.interp(now_s, times_s, counts))
    wanted = start + np.cumsum(rng.exponential(1.0, len(depart_s) - due)) / factor
    drawn_s: FloatArray = np.interp(wanted, counts, times_s)
    return np.maximum(drawn_s, now_s)
