"""Paired differences against numbers worked by hand, scipy.stats and published sample sizes."""

from __future__ import annotations

from math import inf, isnan, nan, sqrt

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from ops.statistics import MAX_SEEDS, Paired, mean_interval, paired_difference, seeds_to_settle

DELAY_S = st.floats(0.0, 1000.0)


def test_interval_by_hand() -> None:
    # Differences -3, -2, -4: mean -3, standard deviation 1, t(0.975, 2) = 4.303, half width 4.303 / sqrt(3).
    paired = paired_difference([40.0, 42.0, 44.0], [37.0, 40.0, 40.0])
    assert paired.difference == -3.0
    assert paired.low == pytest.approx(-3.0 - 4.303 / sqrt(3.0), abs=1e-3)
    assert paired.high == pytest.approx(-3.0 + 4.303 / sqrt(3.0), abs=1e-3)
    assert (paired.before, paired.after, paired.n) == (42.0, 39.0, 3)
    assert paired.change_pct == pytest.approx(-100.0 * 3.0 / 42.0)
    assert paired.change_ci95_pct == pytest.approx((100.0 * paired.low / 42.0, 100.0 * paired.high / 42.0))
    assert paired.is_settled


@given(st.lists(st.tuples(DELAY_S, DELAY_S), min_size=2, max_size=30))
def test_interval_is_that_of_scipy(pairs: list[tuple[float, float]]) -> None:
    before, after = [b for b, _ in pairs], [a for _, a in pairs]
    difference = np.subtract(after, before)
    paired = paired_difference(before, after)
    half = float(scipy.stats.t.ppf(0.975, len(pairs) - 1) * difference.std(ddof=1) / sqrt(len(pairs)))
    assert paired.difference == pytest.approx(float(difference.mean()))
    assert paired.low == pytest.approx(float(difference.mean()) - half, abs=1e-6)
    assert paired.high == pytest.approx(float(difference.mean()) + half, abs=1e-6)


@given(st.lists(st.tuples(DELAY_S, DELAY_S), min_size=2, max_size=12))
def test_swapping_the_arms_mirrors_the_interval(pairs: list[tuple[float, float]]) -> None:
    before, after = [b for b, _ in pairs], [a for _, a in pairs]
    there, back = paired_difference(before, after), paired_difference(after, before)
    assert back.difference == pytest.approx(-there.difference)
    assert back.low == pytest.approx(-there.high, abs=1e-9)
    assert back.seeds_to_settle == there.seeds_to_settle


def test_pairs_with_an_unknown_value_are_left_out_and_counted() -> None:
    paired = paired_difference([40.0, nan, 42.0, 44.0, 9.0], [37.0, 1.0, 40.0, 40.0, inf])
    assert (paired.n, paired.n_unknown, paired.difference) == (3, 2, -3.0)


@pytest.mark.parametrize(("before", "after", "n"), [([], [], 0), ([nan], [1.0], 0), ([5.0], [4.0], 1)])
def test_fewer_than_two_pairs_settle_nothing(before: list[float], after: list[float], n: int) -> None:
    paired = paired_difference(before, after)
    assert paired.n == n
    assert isnan(paired.low) and isnan(paired.high)
    assert not paired.is_settled
    assert paired.seeds_to_settle is None


def test_two_equal_arms_differ_by_nothing_and_stay_open() -> None:
    paired = paired_difference([5.0, 6.0, 7.0], [5.0, 6.0, 7.0])
    assert (paired.difference, paired.low, paired.high) == (0.0, 0.0, 0.0)
    assert not paired.is_settled
    assert paired.seeds_to_settle is None


def test_change_is_unknown_where_there_was_no_delay_before() -> None:
    assert isnan(paired_difference([0.0, 0.0], [1.0, 2.0]).change_pct)


def test_unequal_numbers_of_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match="3 before, 2 after"):
        paired_difference([1.0, 2.0, 3.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("effect", "n"),
    # Cohen 1988, matched pairs, two-sided 5 %, power 0.80; the same numbers as G*Power 3.1 gives.
    [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)],
)
def test_sample_size_is_the_published_one(effect: float, n: int) -> None:
    assert seeds_to_settle(effect, 1.0) == n
    assert seeds_to_settle(-3.0 * effect, 3.0) == n


@pytest.mark.parametrize("effect", [0.3, 0.7, 1.5, 4.0, 12.0])
def test_sample_size_is_the_smallest_with_that_power(effect: float) -> None:
    def power(n: int) -> float:
        limit = scipy.stats.t.ppf(0.975, n - 1)
        law = scipy.stats.nct(n - 1, effect * sqrt(n))
        return float(law.sf(limit)) + (float(law.cdf(-limit)) if effect < 5.0 else 0.0)

    n = seeds_to_settle(effect, 1.0)
    assert n is not None
    assert power(n) >= 0.8
    assert n == 2 or power(n - 1) < 0.8


@pytest.mark.parametrize(
    ("mean", "spread", "n"),
    [(1.0, 0.0, 2), (1.0, 1e-300, 2), (0.0, 1.0, None), (nan, 1.0, None), (1.0, nan, None), (1e-4, 1.0, None)],
    ids=["no-spread", "tiny-spread", "no-effect", "unknown-mean", "unknown-spread", "hopeless"],
)
def test_sample_size_at_the_edges(mean: float, spread: float, n: int | None) -> None:
    assert seeds_to_settle(mean, spread) == n
    assert MAX_SEEDS == 10_000


def test_mean_interval_by_hand() -> None:
    # 40, 42, 44: standard deviation 2, half width 4.303 * 2 / sqrt(3) = 4.97.
    mean, low, high = mean_interval([40.0, 42.0, 44.0, nan])
    assert mean == 42.0
    assert (low, high) == pytest.approx((37.03, 46.97), abs=0.01)


def test_the_interval_covers_the_truth_19_times_in_20() -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(2000):
        paired: Paired = paired_difference([0.0] * 5, list(rng.normal(1.0, 2.0, 5)))
        hits += paired.low <= 1.0 <= paired.high
    assert hits / 2000 == pytest.approx(0.95, abs=0.015)
