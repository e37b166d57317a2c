"""Compare controls on the same seeds: mean, 95 % interval, worst seed, paired difference to the first control."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from control.policy_files import load_policy, weights_sha256
from ops.bounds import check_number, make_folder
from ops.console import plain
from ops.core_policy import UNIVERSAL
from ops.evaluate_runs import CONTROLS, PROTOCOLS, SAFE_ONLY, EvaluateRun, EvaluateSpec, evaluate_one, protocol_of
from ops.faulty_zones import ZoneFaults
from ops.provenance import command_line, commit, versions
from ops.scenario_folder import open_scenario
from ops.statistics import mean_interval, paired_difference
from ops.via_controls import PLAN_LEVEL
from ops.via_runs import evaluate_via
from sim.ensemble import run_many, stderr_progress
from sim.episode import Seed
from traffic.errors import BadInput, TrafficError
from traffic.scenario import Scenario

VIAS = ("direct", "controller")
TIMES = ("delay_resco_s", "trip_time_s", "wait_s", "stops", "queue_veh")
VEHICLES = ("arrived", "running", "not_departed", "teleports", "collisions")
FAULTS = ("direct_green_to_red", "intergreen_violations", "conflicting_greens")
PACKAGES = ("eclipse-sumo", "libsumo", "numpy", "scipy")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateOptions:
    """Options of an evaluation.

    `first_demand_seed` 0 runs the demand file as it is with every driver seed; above 0, run k has
    demand seed `first_demand_seed` + k (100 and above to judge claims, 1-99 for search). `model` is the policy
    of the control `universal`: a name under `models/`, or a folder. `via` controller runs each control at
    plan level through virtual controllers, too, and gives the loss. `faults` are those of the detector zones.
    """

    controls: tuple[str, ...] = ("static", "webster", "actuated", "greedy", "max_pressure")
    protocol: str = "safe"
    via: str = "direct"
    seeds: int = 5
    first_seed: int = 0
    first_demand_seed: int = 0
    jobs: int | None = None
    out: Path = Path("runs")
    model: str = UNIVERSAL
    faults: ZoneFaults = ZoneFaults()


def default_controls(via: str) -> tuple[str, ...]:
    """Return the controls that are compared where none is named."""
    return tuple(PLAN_LEVEL) if via == "controller" else EvaluateOptions().controls


def run_evaluate(scenario: str, options: EvaluateOptions) -> dict[str, Any]:
    """Run every control on every seed and return the table; a file with settings and versions lies in `options.out`.

    Raises
    ------
    BadInput
        If a control, the protocol or a number is not what it should be, or scenario or policy cannot be read.
    """
    _check(options)
    opened = open_scenario(scenario)
    make_folder("--out", options.out)
    runs: dict[str, list[EvaluateRun]] = {control: [] for control in options.controls}
    fault: BaseException | None = None
    with tempfile.TemporaryDirectory(prefix="evaluate-") as folder, stderr_progress() as progress:
        specs = _specs(opened, options, Path(folder))
        try:
            one = evaluate_via if options.via == "controller" else evaluate_one
            for outcome in run_many(specs, one, jobs=options.jobs, progress=progress, title=opened.name):
                if outcome.result is not None:
                    runs[outcome.result.control].append(outcome.result)
                elif outcome.error is not None and fault is None:
                    fault = outcome.error
        except KeyboardInterrupt as interrupt:
            fault = interrupt
    complete = {control: rows for control, rows in runs.items() if rows}
    result = {
        "scenario": opened.name,
        "protocol": options.protocol,
        "seeds": options.seeds,
        "rows": table(complete),
        "partial": fault is not None,
    }
    result["out"] = str(_write(result, options, complete))
    if isinstance(fault, TrafficError | KeyboardInterrupt):
        raise fault
    return result


def _check(options: EvaluateOptions) -> None:
    """Refuse what cannot be run, before anything is."""
    known = [name for name in CONTROLS if options.protocol == "safe" or name not in SAFE_ONLY]
    where = f"under {options.protocol}"
    if options.protocol not in PROTOCOLS:
        raise BadInput("--protocol", options.protocol, " or ".join(PROTOCOLS), "choose one")
    if options.via not in VIAS:
        raise BadInput("--via", options.via, " or ".join(VIAS), "choose one")
    options.faults.check()
    if options.via == "controller":
        if not options.faults.is_none:
            raise BadInput("--via controller", "--dead-zones, --count-error", "not together", "evaluate them directly")
        if options.protocol != "safe":
            raise BadInput("--via controller", options.protocol, "--protocol safe", "controllers keep street rules")
        known, where = list(PLAN_LEVEL), "with a plan head, for --via controller"
    unknown = [name for name in options.controls if name not in known]
    if unknown or not options.controls:
        limit = f"{where}: {', '.join(known)}"
        raise BadInput("--control", ", ".join(unknown) or "none", limit, "choose from these")
    if len(set(options.controls)) != len(options.controls):
        raise BadInput("--control", ", ".join(options.controls), "each once", "leave out what repeats")
    for name, value, least in (
        ("--seeds", options.seeds, 1),
        ("--first-seed", options.first_seed, 0),
        ("--demand-seed", options.first_demand_seed, 0),
        ("--jobs", 1 if options.jobs is None else options.jobs, 1),
    ):
        check_number(name, value, least)
    if UNIVERSAL in options.controls:
        load_policy(options.model)


def _specs(scenario: Scenario, options: EvaluateOptions, folder: Path) -> list[EvaluateSpec]:
    """Return the runs, seed by seed, so that an interrupted evaluation has whole pairs."""
    protocol = protocol_of(options.protocol, scenario)
    first = options.first_demand_seed
    return [
        EvaluateSpec(
            scenario=scenario,
            control=control,
            protocol=protocol,
            seed=Seed(driver=options.first_seed + k, demand=first + k if first else 0),
            folder=folder / f"{control}-{k}",
            model=options.model,
            faults=options.faults,
        )
        for k in range(options.seeds)
        for control in options.controls
    ]


def table(runs: dict[str, list[EvaluateRun]]) -> list[dict[str, Any]]:
    """Return one row a control: means over its seeds, and the paired difference to the first control."""
    first = next(iter(runs.values()), [])
    return [control_row(control, row, first) for control, row in runs.items()]


def control_row(control: str, runs: Sequence[EvaluateRun], first: Sequence[EvaluateRun]) -> dict[str, Any]:
    """Return the row of one control, of which at least one run was done, beside the runs of the first control."""
    return {"control": control, **_row(runs), **_difference(delays_of(first), delays_of(runs)), **via_row(runs)}


def delays_of(runs: Sequence[EvaluateRun]) -> dict[Seed, float]:
    """Return the delay of every seed, s/veh."""
    return {run.episode.seed: run.episode.measures.delay_s for run in runs}


def via_row(runs: Sequence[EvaluateRun]) -> dict[str, Any]:
    """Return what a row through the controllers has beside the others; nothing for a direct one."""
    pairs = [(run, run.via) for run in runs if run.via is not None]
    if not pairs:
        return {}
    direct = [via.direct.measures.delay_s for _, via in pairs]
    loss = paired_difference(direct, [run.episode.measures.delay_s for run, _ in pairs])
    return {
        "via": "controller",
        "direct_delay_s": sum(direct) / len(direct),
        "loss_s": loss.difference,
        "loss_ci95_s": [loss.low, loss.high],
        "plans_pushed": sum(via.pushed for _, via in pairs),
        "plans_confirmed": sum(via.confirmed for _, via in pairs),
        "rounded_phases": pairs[0][1].rounded_phases,
    }


def _row(runs: Sequence[EvaluateRun]) -> dict[str, Any]:
    """Return the measures of one control: means, except the worst delay and the counted faults, which are sums."""
    measures = [run.episode.measures for run in runs]
    delays = [row.delay_s for row in measures]
    mean, low, high = mean_interval(delays)
    n = len(runs)
    return {
        "seeds": n,
        "delay_s": mean,
        "delay_ci95_s": [low, high],
        "delay_worst_s": max(delays),
        **{name: sum(getattr(row, name) for row in measures) / n for name in TIMES + VEHICLES},
        **{name: sum(getattr(run.episode.faults, name) for run in runs) for name in FAULTS},
        "longest_red_s": max(run.episode.longest_red_s for run in runs),
        "guard_refused": sum(run.refused for run in runs),
        "guard_forced": sum(run.forced for run in runs),
        "guard_released": sum(run.released for run in runs),
        "cpu_s": sum(run.episode.cpu_s for run in runs) / n,
    }


def _difference(first: dict[Seed, float], other: dict[Seed, float]) -> dict[str, Any]:
    """Return the paired difference to the first control over the seeds that both have; negative = better."""
    shared = [seed for seed in first if seed in other]
    paired = paired_difference([first[seed] for seed in shared], [other[seed] for seed in shared])
    return {
        "difference_s": paired.difference,
        "difference_ci95_s": [paired.low, paired.high],
        "seeds_to_settle": paired.seeds_to_settle,
    }


def _write(result: dict[str, Any], options: EvaluateOptions, runs: dict[str, list[EvaluateRun]]) -> Path:
    """Write the table, every run, settings, versions and commit as JSON; return the path."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    way = "" if options.via == "direct" else f"-via-{options.via}"
    path = options.out / f"evaluate-{result['scenario']}-{options.protocol}{way}-{stamp}.json"
    record = {
        **result,
        "settings": asdict(options),
        "runs": [asdict(run) for rows in runs.values() for run in rows],
        "command": command_line(),
        "commit": commit(),
        "versions": versions(PACKAGES),
        "weights_sha256": weights_sha256(options.model) if UNIVERSAL in runs else None,
    }
    path.write_text(json.dumps(plain(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path
