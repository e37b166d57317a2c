"""How many decisions a second the core gives a learner, and what of it is simulation, seeing and the policy.

::

    decisions_per_second = junctions x decisions of each x replicas / wall time, best and median of the repeats
    shares          = CPU time, on one thread, of the same run without the policy, with its zones, with all of it
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from control.policy_files import load_policy
from ops.bench_loop import alone, cpu_model
from ops.bench_rl_runs import N_PARAMETERS, SpeedSpec, measure_speed
from ops.bounds import check_number, make_folder
from ops.console import plain
from ops.core_policy import UNIVERSAL
from ops.provenance import command_line, commit, versions
from ops.scenario_folder import open_scenario
from sim.ensemble import n_cores
from traffic.scenario import Scenario

PACKAGES = ("numba", "numpy", "stable-baselines3", "torch")


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchRlOptions:
    """Options: the policy, `repeats` of what is timed, where results go."""

    model: str = UNIVERSAL
    repeats: int = 10
    out: Path = Path("runs")


def run_bench_rl(scenarios: Sequence[str], options: BenchRlOptions) -> dict[str, Any]:
    """Measure every scenario and return the table; a file with it lies in `options.out`.

    Raises
    ------
    BadInput
        If an option, a scenario or the policy is not what it should be.
    """
    check_number("--repeats", options.repeats, 1)
    opened = [open_scenario(name) for name in scenarios]
    load_policy(options.model)
    make_folder("--out", options.out)
    samples = {row.name: alone(measure_speed, _spec(row, options)) for row in opened}
    result = {
        "rows": [{"scenario": name, **speed_row(found)} for name, found in samples.items()],
        "model": options.model,
        "parameters": N_PARAMETERS,
        "repeats": options.repeats,
        "cpu": cpu_model(),
        "cores": n_cores(),
        "load": os.getloadavg()[0],
        "commit": commit(),
        "versions": versions(PACKAGES),
    }
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    path = options.out / f"bench-rl-{stamp}.json"
    text = json.dumps(plain({**result, "samples": samples, "command": command_line()}), indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return {**result, "out": str(path)}


def speed_row(found: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the table from samples; shares are of the whole run's CPU time, medians."""
    whole_s, simulation_s, look_s, decide_s = (
        median(found[name]) for name in ("whole", "simulation", "look", "decide")
    )
    return {
        "junctions": int(found["junctions"]),
        "delay_s": found["delay_s"],
        "decisions_per_second": max(found["two"]),
        "decisions_per_second_median": median(found["two"]),
        "one_thread_per_second": max(found["one"]),
        "one_thread_per_second_median": median(found["one"]),
        "decisions_per_cpu_second": found["decisions"] / min(found["whole"]),
        "simulation_share": simulation_s / decide_s,
        "observation_share": (look_s - simulation_s) / decide_s,
        "policy_share": (decide_s - look_s) / decide_s,
        "replay_ratio": decide_s / whole_s,
        "env_steps_per_second": max(found["env"]),
        "ppo_steps_per_second": max(found["ppo"]),
    }


def _spec(scenario: Scenario, options: BenchRlOptions) -> SpeedSpec:
    return SpeedSpec(scenario=scenario, model=options.model, repeats=options.repeats)
