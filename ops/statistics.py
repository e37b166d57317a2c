"""Paired statistics: two arms with the same seeds, and what their difference says.

::

    seed      100   101   102   103   104
    before   41.0  39.5  44.2  40.1  42.8
    after    37.2  36.9  41.5  38.8  39.0      difference = after - before, negative = better
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, nan, sqrt

import numpy as np
from scipy.special import nctdtr, stdtrit

MAX_SEEDS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The difference of two arms that ran with the same seeds, in the unit of the measure.

    Attributes
    ----------
    before, after
        Mean of each arm over the `n` usable pairs.
    difference
        Mean of after - before; negative = better where the measure is a delay.
    low, high
        95 % interval of the mean difference (Student's t); NaN below two pairs.
    n
        Pairs in which both values are known.
    n_unknown
        Pairs left out because a value was NaN or infinite.
    seeds_to_settle
        Pairs with which a difference like this one would exclude 0 with a power of 80 %;
        None where no number up to 10 000 does, or fewer than two pairs are known.
    """

    before: float
    after: float
    difference: float
    low: float
    high: float
    n: int
    n_unknown: int = 0
    seeds_to_settle: int | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the 95 % interval excludes 0."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def change_pct(self) -> float:
        """Mean difference in per cent of the mean before; NaN where that is 0 or unknown."""
        return self._pct(self.difference)

    @property
    def change_ci95_pct(self) -> tuple[float, float]:
        """The interval in per cent of the mean before, that mean taken as known."""
        return self._pct(self.low), self._pct(self.high)

    def _pct(self, value: float) -> float:
        return 100.0 * value / self.before if self.before > 0.0 else nan


def paired_difference(before: Sequence[float], after: Sequence[float]) -> Paired:
    """Return the mean of after - before over pairs, with its 95 % t-interval.

    Parameters
    ----------
    before, after
        One value a seed, the same seeds in the same order, shape (n,). NaN is unknown: its
        pair is left out and counted in `n_unknown`.

    Raises
    ------
    ValueError
        If the two are not equally long.

    References
    ----------
    Student, The probable error of a mean, Biometrika 6 (1908) 1-25; J. Cohen, Statistical
    Power Analysis for the Behavioral Sciences, 1988, chapter 2 (for `seeds_to_settle`).

    Examples
    --------
    >>> paired = paired_difference([40.0, 42.0, 44.0], [37.0, 40.0, 40.0])
    >>> paired.difference, round(paired.low, 2), round(paired.high, 2)
    (-3.0, -5.48, -0.52)
    """
    if len(before) != len(after):
        raise ValueError(f"paired values differ in number: {len(before)} before, {len(after)} after")
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    known = np.isfinite(first) & np.isfinite(second)
    n = int(known.sum())
    if n == 0:
        return Paired(before=nan, after=nan, difference=nan, low=nan, high=nan, n=0, n_unknown=len(before))
    difference = second[known] - first[known]
    mean = float(difference.mean())
    spread = float(difference.std(ddof=1)) if n > 1 else nan
    half = float(stdtrit(n - 1, 0.975)) * spread / sqrt(n) if n > 1 else nan
    return Paired(
        before=float(first[known].mean()),
        after=float(second[known].mean()),
        difference=mean,
        low=mean - half,
        high=mean + half,
        n=n,
        n_unknown=len(before) - n,
        seeds_to_settle=seeds_to_settle(mean, spread),
    )


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return mean, low and high of the 95 % t-interval of the known values; NaN where too few are known.

    Examples
    --------
    >>> tuple(round(value, 2) for value in mean_interval([40.0, 42.0, 44.0]))
    (42.0, 37.03, 46.97)
    """
    paired = paired_difference([0.0] * len(values), values)
    return paired.difference, paired.low, paired.high


def wilson(n_good: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, 0-1.

    References
    ----------
    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927) 209-212.

    Examples
    --------
    >>> [round(v, 2) for v in wilson(47, 48)]
    [0.89, 1.0]
    """
    if n == 0:
        return 0.0, 1.0
    share, weight = n_good / n, z * z / n
    middle = (share + weight / 2) / (1 + weight)
    half = z * sqrt(share * (1 - share) / n + weight / (4 * n)) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def seeds_to_settle(mean: float, spread: float, *, power: float = 0.8) -> int | None:
    """Return how many pairs a two-sided paired t-test at 5 % needs to see this mean difference.

    Parameters
    ----------
    mean, spread
        Mean and standard deviation of the paired differences, taken as true, in one unit.
    power
        Chance that the interval excludes 0, 0-1.

    Returns
    -------
    int or None
        At least 2; None where `mean` is 0, a value is unknown, or `MAX_SEEDS` are not enough.

    Examples
    --------
    >>> seeds_to_settle(-0.5, 1.0)
    34
    """
    if isnan(mean) or isnan(spread) or mean == 0.0:
        return None
    # Above 50 standard deviations two pairs settle it, and the noncentral t would overflow.
    effect = min(abs(mean) / spread if spread > 0.0 else inf, 50.0)
    low, high = 1, 2
    while _power(effect, high) < power:
        if high == MAX_SEEDS:
            return None
        low, high = high, min(2 * high, MAX_SEEDS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _power(effect, middle) < power else (low, middle)
    return high


def _power(effect: float, n: int) -> float:
    """Return the chance that n pairs exclude 0, for an effect in standard deviations."""
    shift, limit = effect * sqrt(n), float(stdtrit(n - 1, 0.975))
    # The far tail is below 1e-15 from a shift of 8 on, where scipy's sum for it starts to fail.
    far_tail = float(nctdtr(n - 1, shift, -limit)) if shift < 8.0 else 0.0
    return 1.0 - float(nctdtr(n - 1, shift, limit)) + far_tail
