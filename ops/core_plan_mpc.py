"""Model-predictive control at plan level put together, and run on a twin that obeys plans at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from control.charge import GuardCounts
from control.controllers.plan_mpc import PlanMpc, PlanMpcSettings
from control.guard import Guard
from control.limits import GuardLimits
from control.one_by_one import OneByOne
from control.orders import STREET_DAY
from control.policy_files import load_policy
from ops.core_mpc import clock_of, history_of
from ops.core_runs import stored_physics
from ops.evaluate_runs import limits_of
from sim.episode import Episode, Run, episode_of
from sim.programs import write_programs
from sim.protocols import Protocol
from sim.twin import Town, Twin
from traffic.ports import Controller
from traffic.scenario import Scenario

LOOK_S = 10.0
"""Time from one look at the street to the next, seconds."""


def plan_mpc_of(
    scenario: Scenario,
    town: Town,
    protocol: Protocol,
    settings: PlanMpcSettings | None = None,
    *,
    model: str | None = None,
) -> PlanMpc:
    """Return the controller for a town, its model calibrated where somebody did that; headways do not vary.

    With a `model` it is the plan head of that policy: plans that come of what it would do are judged and improved, too.
    """
    physics = replace(stored_physics(scenario), noise=0.0)
    chosen = replace(settings or PlanMpcSettings(), physics=physics)
    history, clock, limits = history_of(scenario, town), clock_of(town, protocol), limits_of(town, protocol, scenario)
    learned = None if model is None else (load_policy(model), town.zones)
    return PlanMpc(history, clock, town.signals.plans, limits, chosen, learned)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLevelRun:
    """What a run at plan level gave, what the guard refused, and CPU time of the controller, seconds."""

    episode: Episode
    refused: int
    counts: GuardCounts
    control_cpu_s: float


def run_plan_level(
    run: Run, controller: Controller[Any], limits: GuardLimits, *, watch: Callable[[float], None] | None = None
) -> PlanLevelRun:
    """Let a controller look every 10 s at a twin that takes up plans at once; the town's programs run until then.

    `watch` is told the time after every decision.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    written = write_programs(run.folder / "programs.add.xml", run.town.signals.programs.values())
    what = replace(run.what, additional=(*run.what.additional, written))
    twin = Twin(run.town, what, run.folder, protocol=run.protocol, is_held=False)
    control_cpu_s = 0.0
    try:
        guard = Guard(twin, limits, now=lambda: STREET_DAY + timedelta(seconds=twin.time_s))
        front = OneByOne(guard)
        begun_s = time.process_time()
        state = controller.start(front)
        while twin.time_s < what.end_s:
            snapshot = front.snapshot()
            looked_s = time.process_time()
            decisions, state = controller.decide(snapshot, state)
            control_cpu_s += time.process_time() - looked_s
            front.command(decisions)
            if watch is not None:
                watch(twin.time_s)
            front.advance(min(LOOK_S, what.end_s - twin.time_s))
        cpu_s = time.process_time() - begun_s
        histories = twin.history()
    finally:
        twin.close()
    return PlanLevelRun(
        episode=episode_of(run, histories, cpu_s),
        refused=front.n_refused,
        counts=guard.counts,
        control_cpu_s=control_cpu_s,
    )
