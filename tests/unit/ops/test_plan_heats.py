from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress

from ops import plan_heats
from ops.plan_heats import run_heats
from ops.plan_trials import Contender, Trials
from traffic.scenario import Scenario

TOWN = Scenario(name="town", title="", folder=Path(), network=Path("town.net.xml"), routes=())
LEVELS = {"a": 30.0, "b": 20.0, "c": 25.0, "d": 50.0, "e": 10.0, "installed": 99.0}


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], list[int]]]:
    """Put delays that are known in SUMO's place; return who was run on which seeds."""
    asked: list[tuple[list[str], list[int]]] = []

    def run(_: Scenario, contenders: Sequence[Contender], seeds: Sequence[int], *__: Any, **___: Any) -> Trials:
        asked.append(([row.name for row in contenders], list(seeds)))
        return Trials(delays_s={row.name: (LEVELS[row.name],) * len(seeds) for row in contenders}, cpu_s=1.0)

    monkeypatch.setattr(plan_heats, "run_trials", run)
    return asked


def test_the_best_three_and_the_installed_plan_run_on_all_seeds(runs: list[tuple[list[str], list[int]]]) -> None:
    trials = run_heats(TOWN, [Contender(name=name) for name in LEVELS], range(99, 91, -1), Progress(disable=True))
    assert runs == [(list(LEVELS), [99, 98, 97, 96]), (["b", "c", "e", "installed"], [95, 94, 93, 92])]
    assert {name for name, row in trials.delays_s.items() if not any(map(isnan, row))} == {"b", "c", "e", "installed"}
    assert {len(row) for row in trials.delays_s.values()} == {8}
    assert trials.cpu_s == 2.0


def test_few_seeds_are_one_heat(runs: list[tuple[list[str], list[int]]]) -> None:
    trials = run_heats(TOWN, [Contender(name=name) for name in LEVELS], [99, 98], Progress(disable=True))
    assert runs[0][1] == [99, 98]
    assert all(row == (LEVELS[name],) * 2 for name, row in trials.delays_s.items())
