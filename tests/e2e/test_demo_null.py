"""The null test: where the street is history there is nothing to find, and nothing is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.progress import Progress

from ops.arms import Centre, settings_of
from ops.demo import DemoOptions, count_and_choose, prepare, run_demo
from ops.loop import Choice
from ops.street_process import StreetProcess

NULL = DemoOptions(spread=0.0, seeds=5, twin_seeds=3, warm_up_s=180.0, count_s=420.0, window_s=240.0)
N_DAYS = 10


def choice_of(options: DemoOptions) -> Choice:
    """Return what the centre would do on the first day of these options: the demo as far as its push."""
    run = prepare(options)
    settings = settings_of(run.base, run.seeds[0], run.folder("street"))
    with StreetProcess(settings) as street, Centre(run.scenario, street.client) as centre:
        return count_and_choose(run, centre, (), Progress(disable=True))


def test_without_a_difference_nothing_is_pushed_or_nothing_is_settled(tmp_path: Path) -> None:
    """In at least 9 of 10 days: 'keep', or, where something is pushed, an interval over 5 days that contains 0."""
    quiet, found = 0, []
    for day in range(N_DAYS):
        options = replace(NULL, first_seed=100 + day, out=tmp_path / str(day))
        if choice_of(options).is_kept:
            quiet += 1
            continue
        row = run_demo(options)
        low, high = row["delay_change_ci95_pct"]
        found.append((options.first_seed, row["plans_pushed"], low, high))
        quiet += low <= 0.0 <= high
    assert quiet >= N_DAYS - 1, found
