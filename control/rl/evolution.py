"""Evolution strategies inside the core: weights are changed at random, and moved to where vehicles lose less.

References
----------
T. Salimans et al., Evolution strategies as a scalable alternative to reinforcement learning, arXiv 1703.03864, 2017
(antithetic pairs, ranks); D. Kingma, J. Ba, Adam, ICLR 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from control.core.policy import N_CELLS, N_INPUTS, N_ROWS, SKIP
from control.policy_runs import Exercise, Weights, delays
from traffic.snapshot import FloatArray

_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class EvolutionSettings:
    """How weights are moved.

    Attributes
    ----------
    n_pairs
        Changes tried a generation, each forward and back.
    n_exercises
        Exercises on which each one is tried.
    spread
        Standard deviation of the changes.
    rate
        Step, of the size of a weight.
    decay
        Share of the weights that is lost with every step.
    """

    n_pairs: int = 32
    n_exercises: int = 12
    spread: float = 0.05
    rate: float = 0.01
    decay: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Evolution:
    """Where a training stands: nothing else is needed to go on."""

    weights: FloatArray
    first: FloatArray
    second: FloatArray
    generation: int


def start_evolution(seed: int) -> Evolution:
    """Return the weights from which training starts: those of the stage with most vehicles, and small random cells."""
    chance = np.random.default_rng([seed, 0])
    weights = np.zeros((N_ROWS, N_CELLS))
    scale = np.full(N_ROWS, 0.15)
    scale[:N_INPUTS] = 0.3
    scale[SKIP:] = 0.0
    weights = chance.normal(size=weights.shape) * scale[:, None]
    weights[SKIP, 0] = 1.0
    return Evolution(weights, np.zeros_like(weights), np.zeros_like(weights), 0)


def evolve(
    before: Evolution, exercises: Sequence[Exercise], settings: EvolutionSettings, pool: ThreadPoolExecutor
) -> tuple[Evolution, float]:
    """Return the next generation, and by how much a change is better or worse than the mean one, as a ratio."""
    chance = np.random.default_rng([settings.seed, 1, before.generation])
    changes = chance.normal(size=(settings.n_pairs, *before.weights.shape))
    both = np.concatenate([before.weights + settings.spread * changes, before.weights - settings.spread * changes])
    chosen = chance.choice(len(exercises), min(settings.n_exercises, len(exercises)), replace=False)
    seed = int(chance.integers(2**31))
    members: Weights = both.astype(np.float32)
    rows = list(pool.map(lambda k: delays(exercises[k], members, seed=seed), chosen))
    lost_s = np.array(rows)
    ranks = np.argsort(np.argsort(lost_s, axis=1), axis=1) / (lost_s.shape[1] - 1) - 0.5
    value = ranks.mean(axis=0)
    gain = value[: settings.n_pairs] - value[settings.n_pairs :]
    slope = np.tensordot(gain, changes, axes=1) / settings.n_pairs
    n = before.generation + 1
    first = _FIRST * before.first + (1.0 - _FIRST) * slope
    second = _SECOND * before.second + (1.0 - _SECOND) * slope**2
    step = (first / (1.0 - _FIRST**n)) / (np.sqrt(second / (1.0 - _SECOND**n)) + _TINY)
    weights = (1.0 - settings.decay) * before.weights - settings.rate * step
    spread = float(np.std(np.log(lost_s).mean(axis=0)))
    return Evolution(weights, first, second, n), spread
