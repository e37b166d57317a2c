"""The controller of docs/researchers.md works as it stands there."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from control.guard import Guard, legacy_limits
from sim.episode import Seed, prepare, run_controlled
from sim.protocols import LEGACY
from sim.sumocfg import open_folder

ROOT = Path(__file__).resolve().parents[2]


def test_the_controller_on_the_researchers_page_runs_and_serves(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "researchers.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    names: dict[str, object] = {}
    exec(compile(code.group(1), "docs/researchers.md", "exec"), names)
    controller = names["LongestQueue"]()  # type: ignore[operator]
    scenario = open_folder(ROOT / "scenarios" / "grid")
    short = replace(scenario, end_s=scenario.begin_s + 300.0)
    run = prepare(short, Seed(driver=1), LEGACY, tmp_path)
    episode = run_controlled(run, controller, wrap=lambda plant: Guard(plant, legacy_limits()))
    assert episode.measures.vehicles > 0
    assert episode.faults.conflicting_greens == 0
