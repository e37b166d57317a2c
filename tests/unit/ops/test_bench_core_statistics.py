"""Rank correlations by hand, ceilings, intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ops.bench_core_statistics import (
    spearman,
    spearman_interval,
    split_half_reliability,
    stepped_up,
    truth_ceiling,
)


def test_spearman_by_hand() -> None:
    # Ranks 1 2 3 4 5 and 2 1 4 3 5: d = 1 1 1 1 0, rho = 1 - 6 * 4 / (5 * 24).
    assert spearman([10.0, 20.0, 30.0, 40.0, 50.0], [7.0, 5.0, 9.0, 8.0, 11.0]) == pytest.approx(0.8)


def test_spearman_ranks_ties_by_their_mean() -> None:
    # Ranks 1 2.5 2.5 4 and 1 2 3 4: sums of squares 4.5 and 5, products 4.5; rho = 4.5 / sqrt(22.5).
    assert spearman([1.0, 2.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]) == pytest.approx(4.5 / math.sqrt(22.5))


@pytest.mark.parametrize(
    ("one", "other"),
    [([1.0], [2.0]), ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]), ([1.0, math.nan, 2.0], [1.0, 2.0, 3.0])],
    ids=["one plan", "one rank", "an unknown"],
)
def test_what_cannot_be_ranked_is_unknown(one: list[float], other: list[float]) -> None:
    assert math.isnan(spearman(one, other))


def test_spearman_and_brown_by_hand() -> None:
    assert stepped_up(0.6, 2.0) == pytest.approx(0.75)
    assert stepped_up(0.5, 3.0) == pytest.approx(0.75)
    assert truth_ceiling(0.81) == pytest.approx(0.9)


def test_two_seeds_that_agree_in_part_by_hand() -> None:
    # The only halves are the two seeds: rho 0.8 as above, twice the seeds: 1.6 / 1.8.
    delays_s = np.array([[10.0, 7.0], [20.0, 5.0], [30.0, 9.0], [40.0, 8.0], [50.0, 11.0]])
    assert split_half_reliability(delays_s, np.random.default_rng(1)) == pytest.approx(1.6 / 1.8)


def test_three_seeds_leave_one_out_of_each_split() -> None:
    # Every pair of seeds agrees fully but for the third, which is the first reversed: r = +1, -1, -1, mean about -1/3.
    delays_s = np.array([[1.0, 1.0, 3.0], [2.0, 2.0, 2.0], [3.0, 3.0, 1.0]])
    assert split_half_reliability(delays_s, np.random.default_rng(1)) == 0.0
    same = np.repeat(delays_s[:, :1], 3, axis=1)
    assert split_half_reliability(same, np.random.default_rng(1)) == pytest.approx(1.0)


def test_reliability_is_unknown_of_one_seed_or_one_plan() -> None:
    assert math.isnan(split_half_reliability(np.array([[1.0], [2.0]]), np.random.default_rng(1)))
    assert math.isnan(split_half_reliability(np.array([[1.0, 2.0]]), np.random.default_rng(1)))


def test_reliability_is_the_agreement_with_as_many_other_seeds() -> None:
    rng = np.random.default_rng(3)
    truth_s = rng.normal(size=(400, 1))
    one, other = (truth_s + rng.normal(size=(400, 6)) for _ in range(2))
    found = split_half_reliability(one, np.random.default_rng(1))
    assert found == pytest.approx(spearman(one.mean(axis=1), other.mean(axis=1)), abs=0.04)
    assert truth_ceiling(found) == pytest.approx(spearman(one.mean(axis=1), truth_s[:, 0]), abs=0.04)


def test_the_interval_holds_the_value_and_narrows_with_more_plans() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=160)
    noisy = truth + 0.5 * rng.normal(size=160)
    widths = []
    for n in (20, 160):
        low, high = spearman_interval(truth[:n], noisy[:n], np.random.default_rng(1))
        assert low < spearman(truth[:n], noisy[:n]) < high <= 1.0
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_the_interval_of_equal_rankings_is_one() -> None:
    assert spearman_interval(list(range(9)), list(range(9)), np.random.default_rng(1)) == (1.0, 1.0)
