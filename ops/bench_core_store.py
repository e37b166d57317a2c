"""Every run of SUMO behind the ranking, kept on disk: a bench that was ended goes on where it stopped.

One file a network and what SUMO was given (roads, demand, period, version); in it runs by plan timing and seed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ops.bench_core_plans import PlanSet
from ops.bounds import make_folder
from traffic.errors import BadInput
from traffic.scenario import Scenario

GRIDLOCK_SHARE = 0.1
WINDOW_S = 600.0
"""Arrivals are counted in windows of so many seconds, back from the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """What one plan did on one seed: delay (s/veh), vehicles at the end, arrivals in the last and best 600 s."""

    delay_s: float
    running: int
    not_departed: int
    arrived_last: int
    arrived_best: int

    @property
    def is_gridlocked(self) -> bool:
        """Whether traffic stood still at the end.

        In the last ten minutes fewer than a tenth as many arrived as in the best ten, although more than that
        best were still under way or waiting to depart. A network over capacity that moves is not gridlocked.
        """
        is_still = self.arrived_last < GRIDLOCK_SHARE * self.arrived_best
        return self.running > 0 and is_still and self.running + self.not_departed > self.arrived_best


class Store:
    """The runs of one network. Made by `open_store`; only one process at a time has it."""

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path, self.about = path, about
        saved = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        self._plans: dict[str, dict[str, Any]] = saved.get("plans", {})

    def get(self, plan: PlanSet, seed: int) -> Ride | None:
        """Return a run, None where it was not done yet."""
        row = self._plans.get(plan_key(plan), {}).get("seeds", {}).get(str(seed))
        return None if row is None else Ride(**row)

    def put(self, plan: PlanSet, seed: int, ride: Ride) -> None:
        """Keep a run, on disk too."""
        empty = {"name": plan.name, "kind": str(plan.kind), "timing": plan.timing, "seeds": {}}
        self._plans.setdefault(plan_key(plan), empty)["seeds"][str(seed)] = asdict(ride)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps({**self.about, "plans": self._plans}) + "\n", encoding="utf-8")
        os.replace(part, self.path)  # noqa: PTH105  (atomic)


def plan_key(plan: PlanSet) -> str:
    """Return what a plan's runs are kept under: a digest of its timing."""
    return hashlib.sha256(repr(plan.timing).encode()).hexdigest()[:16]


def scenario_key(scenario: Scenario) -> str:
    """Return a digest of what SUMO is given beside the plan and the seed."""
    files = (scenario.network, *scenario.routes, *scenario.additional)
    digest = hashlib.sha256()
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    period = (scenario.begin_s, scenario.end_s, scenario.step_s)
    options = (scenario.lateral_resolution_m, scenario.ignore_junction_blocker_s)
    digest.update(repr((period, options, version("eclipse-sumo"))).encode())
    return digest.hexdigest()[:12]


@contextmanager
def open_store(scenario: Scenario, folder: Path) -> Iterator[Store]:
    """Open the runs of a scenario in a folder.

    Raises
    ------
    BadInput
        If another process has them, or the folder cannot be made.
    """
    make_folder("--out", folder)
    key = scenario_key(scenario)
    path = folder / f"{scenario.name}-{key}.json"
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadInput(
                str(path), "in use", "one process at a time", "wait for the other, or change --out"
            ) from error
        yield Store(path, {"scenario": scenario.name, "key": key, "sumo": version("eclipse-sumo")})
