"""Departures as they may come: about as many as history expects, at random times, in random order of their ways.

Evenly spaced, a quarter more vehicles would get through than do: a queue that stays behind from a burst is what
decides between a short cycle and a long one.
"""

from __future__ import annotations

import numpy as np

from control.core.arrays import Array, Roads, State
from traffic.snapshot import FloatArray

SPAN_S = 180.0
"""So long a flow stays higher or lower than expected, seconds."""
_SHUFFLE = 30.0
"""By so many places at most a vehicle's way may be taken by another one of its origin."""


def draw_departures(
    roads: Roads, base: State, now_s: float, spread: float, rng: np.random.Generator
) -> tuple[Roads, State]:
    """Return roads and state in which all who depart after `now_s` do so at random.

    Parameters
    ----------
    now_s
        Time of the state, seconds after the begin of the model.
    spread
        Standard deviation of a flow over some minutes, as a share of it, beyond that of a Poisson process.
    """
    vehicles, wake_s = roads.vehicles.copy(), base.origin_wake.copy()
    for origin, (first, n) in enumerate(zip(roads.origins["first"], roads.origins["n"], strict=True)):
        own = roads.origin_vehicles[first : first + n]
        depart_s = roads.vehicles["depart"][own]
        due = int(np.searchsorted(depart_s, now_s, side="right"))
        if due == n:
            continue
        new_s = _departures(depart_s, due, now_s, spread, rng)
        vehicles["depart"][own[due:]] = new_s
        order = np.argsort(np.arange(n - due) + rng.uniform(0.0, _SHUFFLE, n - due), kind="stable")
        vehicles["route"][own[due:]] = roads.vehicles["route"][own[due:]][order]
        if base.origin_next[0, origin] == first + due:
            wake_s[0, origin] = new_s[0]
    return roads._replace(vehicles=vehicles), base._replace(origin_wake=wake_s)


def _departures(depart_s: Array, due: int, now_s: float, spread: float, rng: np.random.Generator) -> FloatArray:
    """Return when those from place `due` on depart; the k-th is expected when k + 1/2 vehicles are."""
    n = len(depart_s)
    gap_s = (depart_s[-1] - depart_s[0]) / max(1, n - 1) or 60.0
    known_s = np.concatenate([[depart_s[0] - gap_s], depart_s, [depart_s[-1] + (n + 1) * gap_s]])
    counts = np.concatenate([[-0.5], np.arange(n) + 0.5, [2.0 * n + 0.5]])
    bounds_s = np.arange(now_s, known_s[-1] + SPAN_S, SPAN_S)
    grid_s = np.union1d(bounds_s, known_s[known_s > now_s])
    factors = _slow(len(bounds_s), spread, rng)
    steps = np.diff(np.interp(grid_s, known_s, counts)) * factors[((grid_s[:-1] - now_s) // SPAN_S).astype(int)]
    passed = np.concatenate([[0.0], np.cumsum(steps)])
    drawn_s: FloatArray = np.interp(np.cumsum(rng.exponential(1.0, n - due)), passed, grid_s)
    return drawn_s


def _slow(n: int, spread: float, rng: np.random.Generator) -> FloatArray:
    """Return factors of mean 1 and standard deviation `spread`."""
    if spread <= 0.0:
        return np.ones(n)
    shape = 1.0 / spread**2
    return rng.gamma(shape, 1.0 / shape, n)
