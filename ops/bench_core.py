"""What the core is worth: its speed beside SUMO's and others', and how well it ranks plans; ratios from one run.

::

    ratio   = simulated seconds a CPU second, core / SUMO micro, both on the installed plan
    rho     = Spearman between the core's delays of the ranking plans and SUMO's means over driver seeds
    regret  = delay of the core's best plan over that of SUMO's best, on driver seeds that neither was chosen by
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from ops.bench_core_peers import peer_rows
from ops.bench_core_plans import N_PLANS
from ops.bench_core_rides import open_lab
from ops.bench_core_rows import ranking_row, regret_row
from ops.bench_core_side import CoreSide
from ops.bench_core_speed import Engine, interleaved, speeds_of, sumo_works
from ops.bench_core_sumo import MAX_SEEDS, reference
from ops.bench_loop import cpu_model
from ops.bounds import check_number, make_folder
from ops.console import plain
from ops.core_runs import CoreSpeed
from ops.provenance import command_line, commit, versions
from ops.scenario_folder import open_scenario
from sim.ensemble import n_cores, stderr_progress
from traffic.errors import TrafficError
from traffic.scenario import Scenario

PACKAGES = ("eclipse-sumo", "libsumo", "numba", "numpy", "scipy", "uxsim")
PEERS_SCENARIO = "grid"
"""The generated grid on which the peers run."""
THREAD_TRIES = 10
"""Runs on one and on two threads, of which the best count."""
LEAST_PLANS = 8
"""Two plans each of Webster's and at random, four near the default: less cannot be ranked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchCoreOptions:
    """Options: plans a network, driver seeds at most, `repeats` of what is timed, processes, where results go.

    SUMO's runs are kept under `core/` in `out` and looked up the next time.
    """

    plans: int = N_PLANS
    max_seeds: int = MAX_SEEDS
    repeats: int = 5
    jobs: int | None = None
    out: Path = Path("runs")


def run_bench_core(scenarios: Sequence[str], options: BenchCoreOptions, core: CoreSide) -> dict[str, Any]:
    """Measure every scenario, then the peers, and return the table; a file with it lies in `options.out`.

    Raises
    ------
    BadInput
        If an option or a scenario is not what it should be.
    PlantLost
        If SUMO fails.
    """
    check_number("--plans", options.plans, LEAST_PLANS, 400)
    check_number("--max-seeds", options.max_seeds, 2, 100)
    check_number("--repeats", options.repeats, 1)
    check_number("--jobs", 1 if options.jobs is None else options.jobs, 1)
    opened = [open_scenario(name) for name in scenarios]
    make_folder("--out", options.out)
    rows: list[dict[str, Any]] = []
    peers: list[dict[str, Any]] = []
    fault: BaseException | None = None
    try:
        for scenario in opened:
            rows.append(measure_scenario(scenario, options, core))
        peers = measure_peers(open_scenario(PEERS_SCENARIO), options, core)
    except (TrafficError, KeyboardInterrupt) as error:
        fault = error
        if not rows:
            raise
    is_whole = fault is None
    cold_s, cached_s = core.compile_s(opened[0]) if is_whole else (None, None)
    result = {
        "rows": rows,
        "compile_cold_s": cold_s,
        "compile_cached_s": cached_s,
        "mpc_ms": {row.name: _mpc_ms(row, core) for row in opened} if is_whole else {},
        "peers": peers,
        "partial": not is_whole,
        **_circumstances(options),
    }
    result["out"] = str(_write(result, options.out))
    if fault is not None:
        raise fault
    return result


def measure_scenario(scenario: Scenario, options: BenchCoreOptions, core: CoreSide) -> dict[str, Any]:
    """Return the row of one scenario: speed, ranking, regret.

    Raises
    ------
    PlantLost
        If SUMO fails.
    """
    return {"scenario": scenario.name, **_speed(scenario, options, core), **_ranking(scenario, options, core)}


def _speed(scenario: Scenario, options: BenchCoreOptions, core: CoreSide) -> dict[str, Any]:
    found: list[CoreSpeed] = []

    def timed() -> float:
        found.append(core.speed(scenario))
        return found[-1].sim_s_per_cpu_s

    with tempfile.TemporaryDirectory(prefix="bench-") as name, stderr_progress() as progress:
        works = {**sumo_works(scenario, Path(name)), "core": timed}
        taken = interleaved(works, options.repeats, progress, f"{scenario.name}: speed")
    speeds = speeds_of(scenario, taken)
    sumo, ours = speeds[Engine.MICRO].sim_s_per_cpu_s, median(taken["core"])
    return {
        "sumo_sim_s_per_cpu_s": sumo,
        "meso_sim_s_per_cpu_s": speeds[Engine.MESO].sim_s_per_cpu_s,
        "core_sim_s_per_cpu_s": ours,
        "ratio": ours / sumo,
        "core_ns_per_move": median(row.ns_per_move for row in found),
        "core_ns_per_scan": median(row.ns_per_scan for row in found),
        "core_kb_per_replica": median(row.kb_per_replica for row in found),
        "core_two_threads": core.two_threads(scenario, THREAD_TRIES),
    }


def _ranking(scenario: Scenario, options: BenchCoreOptions, core: CoreSide) -> dict[str, Any]:
    with open_lab(scenario, options.out / "core", jobs=options.jobs) as lab:
        found = reference(lab, n_plans=options.plans, max_seeds=options.max_seeds)
        core_s = core.delays_s(scenario, found.plans)
        return {**ranking_row(found, core_s), **regret_row(lab, found, core_s)}


def _mpc_ms(scenario: Scenario, core: CoreSide) -> float:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        return core.mpc_ms(scenario, Path(name))


def measure_peers(scenario: Scenario, options: BenchCoreOptions, core: CoreSide) -> list[dict[str, Any]]:
    """Return a row a peer, all on the same scenario."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, stderr_progress() as progress:
        folder = Path(name)
        return peer_rows(scenario, options.repeats, folder, progress, lambda row: core.speed(row).sim_s_per_cpu_s)


def _circumstances(options: BenchCoreOptions) -> dict[str, Any]:
    """Return what the figures depend on beside the scenario."""
    return {
        "repeats": options.repeats,
        "cpu": cpu_model(),
        "cores": n_cores(),
        "load": os.getloadavg()[0],
        "commit": commit(),
        "versions": versions(PACKAGES),
    }


def _write(result: dict[str, Any], out: Path) -> Path:
    """Write the table, settings and command as JSON; return the path."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    path = out / f"bench-core-{stamp}.json"
    text = json.dumps(plain({**result, "command": command_line()}), indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path
