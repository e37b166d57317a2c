"""SUMO's verdict in two heats: everybody on a few seeds, then the best few and the installed plan on all.

::

    seed      99   98   97   96   95 ... 88
    search-1  31   30   33   32   31 ... 30
    search-5  35   36   34   37   -       -      out after the first heat
    installed 41   42   40   43   41 ... 42
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np
from rich.progress import Progress

from ops.plan_trials import Contender, Trials, run_trials
from ops.plan_verdict import INSTALLED
from traffic.scenario import Scenario

FIRST_SEEDS = 4
N_KEPT = 3


def run_heats(
    scenario: Scenario,
    contenders: Sequence[Contender],
    seeds: Sequence[int],
    progress: Progress,
    *,
    jobs: int | None = None,
) -> Trials:
    """Return the delays of all contenders, NaN from the second heat on for those that are out.

    Raises
    ------
    PlantLost, BadScenario
        If a run fails.
    """
    first = run_trials(scenario, contenders, seeds[:FIRST_SEEDS], progress, jobs=jobs)
    rest = seeds[FIRST_SEEDS:]
    if not rest:
        return first
    kept = [row for row in contenders if row.name in _best(first) or row.name == INSTALLED]
    second = run_trials(scenario, kept, rest, progress, jobs=jobs)
    missing = (nan,) * len(rest)
    delays_s = {name: (*row, *second.delays_s.get(name, missing)) for name, row in first.delays_s.items()}
    return Trials(delays_s=delays_s, cpu_s=first.cpu_s + second.cpu_s)


def _best(trials: Trials) -> set[str]:
    """Return the names of the best few beside the installed plan."""
    means = {name: float(np.mean(row)) for name, row in trials.delays_s.items() if name != INSTALLED}
    return set(sorted(means, key=lambda name: means[name])[:N_KEPT])
