"""How well two rankings of plans agree, and how well they could: Spearman, its interval, SUMO's own ceiling.

::

    delays_s   seed 0  1  2  3        halves (0, 3) and (1, 2): mean a plan, Spearman between them = r of half the seeds
    plan a        41 43 40 42         Spearman-Brown: all seeds agree with as many others by k r / (1 + (k - 1) r),
    plan b        47 45 46 48         k = all seeds / half the seeds; with the truth by the square root of that
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan, sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

FloatArray = npt.NDArray[np.float64]
N_SPLITS = 200
N_RESAMPLES = 2000


def spearman(one: Sequence[float] | FloatArray, other: Sequence[float] | FloatArray) -> float:
    """Return Spearman's rank correlation, ties ranked by their mean; NaN where a side has one rank only or unknowns.

    Examples
    --------
    >>> spearman([1.0, 2.0, 3.0], [10.0, 30.0, 20.0])
    0.5
    """
    values = np.asarray([one, other], dtype=np.float64)
    if values.shape[1] < 2 or not np.isfinite(values).all():
        return nan
    ranks = rankdata(values, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    norm = float(np.sqrt((ranks**2).sum(axis=1).prod()))
    return round(float(ranks[0] @ ranks[1]) / norm, 12) if norm > 0.0 else nan


def spearman_interval(
    one: Sequence[float] | FloatArray, other: Sequence[float] | FloatArray, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the 95 % interval of `spearman`: plans drawn again with replacement, 2.5th and 97.5th percentile."""
    first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    picks = rng.integers(len(first), size=(N_RESAMPLES, len(first)))
    found = np.array([spearman(first[pick], second[pick]) for pick in picks])
    known = found[np.isfinite(found)]
    if not len(known):
        return nan, nan
    low, high = np.percentile(known, [2.5, 97.5]).tolist()
    return low, high


def split_half_reliability(delays_s: FloatArray, rng: np.random.Generator) -> float:
    """Return how well the means over all seeds would agree with those over as many other seeds.

    Parameters
    ----------
    delays_s
        Delay of every plan and seed, shape (n_plan, n_seed), seconds.

    Returns
    -------
    float
        Spearman between the means of two random halves of the seeds, averaged over `N_SPLITS` splits and stepped up
        to all seeds; 0 where halves rather contradict one another, NaN below two seeds or two plans.

    References
    ----------
    C. Spearman, Correlation calculated from faulty data, British Journal of Psychology 3, 1910; W. Brown, Some
    experimental results in the correlation of mental abilities, the same volume.
    """
    n_seeds = delays_s.shape[1]
    half = n_seeds // 2
    if half < 1:
        return nan
    found = []
    for _ in range(N_SPLITS):
        order = rng.permutation(n_seeds)
        one, other = delays_s[:, order[:half]].mean(axis=1), delays_s[:, order[half : 2 * half]].mean(axis=1)
        found.append(spearman(one, other))
    return stepped_up(float(np.maximum(0.0, np.mean(found))), n_seeds / half)


def stepped_up(correlation: float, factor: float) -> float:
    """Return the correlation of means over `factor` times as many seeds, by Spearman and Brown.

    Examples
    --------
    >>> stepped_up(0.6, 2.0)
    0.75
    """
    return factor * correlation / (1.0 + (factor - 1.0) * correlation)


def truth_ceiling(reliability: float) -> float:
    """Return how well the means agree with the truth, hence the most that a model can be expected to reach."""
    return sqrt(reliability) if reliability >= 0.0 else nan
