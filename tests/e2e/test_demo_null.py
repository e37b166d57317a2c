"""The null test: where the street is history there is nothing to find, and nothing is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ops.demo import DemoOptions, run_demo

NULL = DemoOptions(spread=0.0, seeds=1, twin_seeds=4, warm_up_s=240.0, count_s=600.0, window_s=240.0)
N_DAYS = 10


def test_without_a_difference_nothing_is_pushed_or_nothing_is_settled(tmp_path: Path) -> None:
    """In at least 9 of 10 days: 'keep', or, where something was pushed, an interval over 5 days that contains 0."""
    quiet = 0
    for day in range(N_DAYS):
        options = replace(NULL, first_seed=100 + day, out=tmp_path / str(day))
        row = run_demo(options)
        if row["plans_pushed"]:
            row = run_demo(replace(options, seeds=5, out=tmp_path / f"{day}_settled"))
        low, high = row["delay_change_ci95_pct"]
        quiet += not row["plans_pushed"] or low <= 0.0 <= high
    assert quiet >= N_DAYS - 1
