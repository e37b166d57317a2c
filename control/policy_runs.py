"""Policies driving networks in the core: what their vehicles lose, for many sets of weights at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from control.core.arrays import LOSS, SCHEDULED, Roads, Stages, State, make_state
from control.core.rollout import run_policy
from traffic.snapshot import FloatArray

_ROWS = 16
"""Replicas that are run in one go: their state stays small."""
Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Exercise:
    """A network with its demand and stages in the core, to be driven for so many seconds. One thread at a time."""

    name: str
    roads: Roads
    stages: Stages
    seconds: int

    def state(self) -> State:
        """Return room for `delays`."""
        return make_state(self.roads, _ROWS)


def delays(exercise: Exercise, weights: Weights, *, seed: int, n_replicas: int = 1) -> FloatArray:
    """Return the mean delay of every set of weights, the same vehicles and drivers for all, s/veh.

    Parameters
    ----------
    weights
        Shape (n_set, N_ROWS, N_CELLS).

    Returns
    -------
    FloatArray
        Shape (n_set,).
    """
    n = len(weights)
    members = np.repeat(np.arange(n, dtype=np.int32), n_replicas)
    replicas = np.tile(np.arange(n_replicas, dtype=np.int32), n)
    state, found = exercise.state(), np.empty(n * n_replicas)
    for first in range(0, len(members), _ROWS):
        rows = slice(first, first + _ROWS)
        n_rows = len(members[rows])
        run_policy(
            members[rows],
            replicas[rows],
            weights,
            exercise.stages,
            exercise.roads,
            state,
            np.uint64(seed),
            exercise.seconds,
            0,
            n_rows,
        )
        totals = state.totals[:n_rows]
        found[rows] = totals[:, LOSS] / np.maximum(1.0, totals[:, SCHEDULED])
    mean: FloatArray = found.reshape(n, n_replicas).mean(axis=1)
    return mean
