"""Where a scenario is: a name under `scenarios/`, or a path to a folder."""

from __future__ import annotations

import re
from pathlib import Path

from sim.sumocfg import open_folder
from traffic.errors import BadScenario
from traffic.scenario import Scenario

SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"


def open_scenario(name: str) -> Scenario:
    """Return the scenario of a name under `scenarios/`, or of a folder's path.

    Raises
    ------
    BadScenario
        If there is none, or it cannot be read.
    """
    if re.fullmatch(r"[a-z0-9_]+", name) and (SCENARIOS / name).is_dir():
        return open_folder(SCENARIOS / name)
    if not name.strip():
        raise BadScenario("scenario", repr(name), "a name or a folder", "run: python3 run.py scenario list")
    return open_folder(Path(name))
