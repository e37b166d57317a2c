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

from control.core.policy import INPUTS, N_CELLS, N_INPUTS, N_ROWS, SKIP
from control.policy_runs import Exercise, Weights, delays
from traffic.snapshot import FloatArray

_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8
_NEW = 0.04
"""Share of the newest weights in their running mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvolutionSettings:
    """How weights are moved; spread and step fall evenly from the first generation to the last.

    Attributes
    ----------
    n_pairs
        Changes tried a generation, each forward and back.
    n_exercises
        Exercises on which each one is tried.
    spread
        Standard deviation of the changes, at the first generation.
    rate
        Step, of the size of a weight, at the first generation.
    last_spread, last_rate
        What is left of them at the end, as a share.
    decay
        Share of the weights that is lost with every step.
    """

    n_pairs: int = 32
    n_exercises: int = 12
    spread: float = 0.1
    rate: float = 0.05
    last_spread: float = 0.5
    last_rate: float = 0.1
    decay: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Evolution:
    """Where a training stands: nothing else is needed to go on.

    `mean` is the running mean of the weights, in which the chance of single steps cancels out: what is judged and kept.
    """

    weights: FloatArray
    first: FloatArray
    second: FloatArray
    mean: FloatArray
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a generation tried.

    Attributes
    ----------
    delay_s
        Geometric mean over changes and exercises, s/veh; other exercises are drawn each time.
    difference
        Standard deviation of the changes' delays, as a ratio.
    rate, spread
        As they were in this generation.
    """

    delay_s: float
    difference: float
    rate: float
    spread: float


def greedy_weights() -> Weights:
    """Return the weights that always choose the stage with most vehicles."""
    weights = np.zeros((N_ROWS, N_CELLS), np.float32)
    weights[SKIP, INPUTS.index("arriving")] = 1.0
    return weights


def start_evolution(seed: int) -> Evolution:
    """Return the weights from which training starts: the greedy ones, and small random cells."""
    chance = np.random.default_rng([seed, 0])
    scale = np.full(N_ROWS, 0.15)
    scale[:N_INPUTS] = 0.3
    scale[SKIP:] = 0.0
    weights = chance.normal(size=(N_ROWS, N_CELLS)) * scale[:, None] + greedy_weights()
    return Evolution(weights, np.zeros_like(weights), np.zeros_like(weights), weights, 0)


def pace(settings: EvolutionSettings, progress: float) -> tuple[float, float]:
    """Return (rate, spread) at a share of the training, 0 at its begin.

    Examples
    --------
    >>> pace(EvolutionSettings(rate=0.02, last_rate=0.1, spread=0.05, last_spread=0.5), 1.0)
    (0.002, 0.025)
    """
    done = min(1.0, max(0.0, progress))
    rate = settings.rate * (1.0 - (1.0 - settings.last_rate) * done)
    return rate, settings.spread * (1.0 - (1.0 - settings.last_spread) * done)


def evolve(
    before: Evolution,
    exercises: Sequence[Exercise],
    settings: EvolutionSettings,
    pool: ThreadPoolExecutor,
    progress: float = 0.0,
) -> tuple[Evolution, Tried]:
    """Return the next generation, the same whatever the threads.

    Parameters
    ----------
    progress
        Share of the training that is done.
    """
    rate, spread = pace(settings, progress)
    chance = np.random.default_rng([settings.seed, 1, before.generation])
    changes = chance.normal(size=(settings.n_pairs, *before.weights.shape))
    members: Weights = np.concatenate([before.weights + spread * changes, before.weights - spread * changes]).astype(
        np.float32
    )
    chosen = chance.choice(len(exercises), min(settings.n_exercises, len(exercises)), replace=False)
    seed = int(chance.integers(2**31))
    lost_s = np.array(list(pool.map(lambda k: delays(exercises[k], members, seed=seed), chosen)))
    ranks = np.argsort(np.argsort(lost_s, axis=1), axis=1) / (lost_s.shape[1] - 1) - 0.5
    value = ranks.mean(axis=0)
    gain = value[: settings.n_pairs] - value[settings.n_pairs :]
    slope = np.tensordot(gain, changes, axes=1) / settings.n_pairs
    n = before.generation + 1
    first = _FIRST * before.first + (1.0 - _FIRST) * slope
    second = _SECOND * before.second + (1.0 - _SECOND) * slope**2
    step = (first / (1.0 - _FIRST**n)) / (np.sqrt(second / (1.0 - _SECOND**n)) + _TINY)
    weights = (1.0 - settings.decay) * before.weights - rate * step
    by_member = np.log(np.maximum(lost_s, _TINY)).mean(axis=0)
    tried = Tried(delay_s=float(np.exp(by_member.mean())), difference=float(by_member.std()), rate=rate, spread=spread)
    share = max(_NEW, 1.0 / (n + 1))
    return Evolution(weights, first, second, (1.0 - share) * before.mean + share * weights, n), tried
