from __future__ import annotations

from math import nan

import pytest

from ops.judge import judge

OLD = [50.0, 52.0, 51.0, 53.0]


@pytest.mark.parametrize(
    ("delays_s", "chosen"),
    [
        ({"keep": OLD}, "keep"),
        ({"keep": OLD, "worse": [60.0, 61.0, 62.0, 63.0]}, "keep"),
        ({"keep": OLD, "noisy": [30.0, 70.0, 45.0, 50.0]}, "keep"),
        ({"keep": OLD, "tiny": [49.9, 51.9, 50.9, 52.9]}, "keep"),
        ({"keep": OLD, "good": [45.0, 46.5, 46.0, 47.0]}, "good"),
        ({"keep": OLD, "good": [45.0, 46.5, 46.0, 47.0], "best": [40.0, 41.5, 41.0, 42.0]}, "best"),
        ({"keep": OLD, "unknown": [10.0, 11.0, 10.5, nan]}, "keep"),
        ({"keep": [50.0], "one_seed": [10.0]}, "keep"),
    ],
    ids=["alone", "worse", "noisy", "tiny", "good", "best", "unknown", "one-seed"],
)
def test_a_candidate_has_to_earn_its_push(delays_s: dict[str, list[float]], chosen: str) -> None:
    assert judge(delays_s).chosen == chosen


def test_the_reason_names_the_interval() -> None:
    verdict = judge({"keep": OLD, "good": [45.0, 46.5, 46.0, 47.0]})
    assert "95 % interval" in verdict.reason
    assert verdict.against_keep["good"].difference == pytest.approx(-5.375)
