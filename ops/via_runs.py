"""One run of an evaluation at plan level, through the virtual controllers, beside its direct twin of the same seed.

::

    every 10 s:  polls, cameras -> snapshot -> control --orders--> guard -> driver ~~SNMP~~> controller -> lamps
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from control.guard import GuardLimits
from control.one_by_one import OneByOne
from ops.core_plan_mpc import LOOK_S, run_plan_level
from ops.evaluate_runs import CONTROLLERS, EvaluateRun, EvaluateSpec, Via, evaluate_one, limits_of, run_of
from ops.street_centre import FieldCentre
from ops.street_settings import MAX_STEP_S
from ops.via_cabinets import cabinet_town, push_limits, rounded_phases
from ops.via_controls import PLAN_LEVEL, PROGRAMS
from ops.via_street import HeldStreet
from sim.episode import Episode, Run, episode_of, run_native
from sim.heads import Moment
from traffic.decisions import Decision
from traffic.errors import ControllerFault
from traffic.ids import JunctionId
from traffic.ports import Controller
from traffic.snapshot import Snapshot

BACKUP_S = 300
"""Fail-safe time-out of the controllers, where the site allows as much."""
EPSILON_S = 1e-6


def evaluate_via(spec: EvaluateSpec) -> EvaluateRun:
    """Run one control directly and through the controllers on one seed, and measure both.

    The street's step is at most half a second on both sides, so that the loss holds nothing but the way.

    Raises
    ------
    BadScenario
        If the scenario cannot be run, or a controller cannot hold it.
    UnsafeCommand
        If a designed plan breaks a rule of the guard.
    """
    scenario = replace(spec.scenario, step_s=min(spec.scenario.step_s, MAX_STEP_S))
    spec = replace(spec, scenario=scenario)
    run = run_of(replace(spec, folder=spec.folder / "via"))
    town = cabinet_town(run.town, spec.protocol, scenario)
    controller = PLAN_LEVEL[spec.control](spec, town)
    direct = _direct(replace(spec, folder=spec.folder / "direct"), replace(run, town=town))
    drive = drive_street(replace(run, town=town), controller, push_limits(town, spec.protocol, scenario))
    return EvaluateRun(
        control=spec.control,
        episode=episode_of(run, drive.shown, drive.cpu_s),
        refused=drive.refused,
        released=drive.released,
        via=Via(
            direct=direct,
            pushed=drive.pushed,
            confirmed=drive.confirmed,
            rounded_phases=rounded_phases(town, scenario.step_s),
        ),
    )


def _direct(spec: EvaluateSpec, run: Run) -> Episode:
    """Return what the control gives without controllers: stages, plans as SUMO's programs, or taken up as they come."""
    if spec.control in CONTROLLERS:
        return evaluate_one(spec).episode
    here = replace(run, folder=spec.folder)
    if spec.control not in PROGRAMS:
        limits = limits_of(run.town, spec.protocol, spec.scenario)
        return run_plan_level(here, PLAN_LEVEL[spec.control](spec, run.town), limits).episode
    return run_native(here, PROGRAMS[spec.control](spec, run.town))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """What a run through the controllers left: the lamps shown, what became of plans, CPU from first to last step."""

    shown: Mapping[JunctionId, Sequence[Moment]]
    refused: int
    released: int
    pushed: int
    confirmed: int
    cpu_s: float


def drive_street(run: Run, controller: Controller[Any], limits: GuardLimits) -> Drive:
    """Run a street whose town's controllers are told what to do by `controller`, behind the guard and over wires."""
    town, backup_s = run.town, min(BACKUP_S, limits.max_backup_time_s)
    with HeldStreet(run.what, town, run.folder, backup_time_s=backup_s) as street:
        started_s = time.process_time()
        wires = street.clients()
        with FieldCentre(town.network, town.signals.junctions, wires, limits, street, street.cameras) as centre:
            n_refused = drive_plans(centre, controller, run.what.end_s)
        return Drive(
            shown=street.lamps.history,
            refused=n_refused,
            released=centre.guard.counts.released,
            pushed=len(centre.audit.of_kind("push")),
            confirmed=len(centre.audit.of_kind("confirmed")),
            cpu_s=time.process_time() - started_s,
        )


def drive_plans(centre: FieldCentre, controller: Controller[Any], end_s: float) -> int:
    """Let a controller decide every 10 s until `end_s`; return how many decisions the guard refused.

    A dialogue takes street time; the next decision keeps to the beat. A controller at fault is released and noted.
    """
    front, begin_s = OneByOne(centre.guard), centre.time_s
    state = controller.start(front)
    while centre.time_s < end_s - EPSILON_S:
        snapshot = _look(centre)
        if snapshot is not None:
            decisions, state = controller.decide(snapshot, state)
            _command(centre, front, decisions)
        beats = (centre.time_s - begin_s + EPSILON_S) // LOOK_S + 1
        centre.advance(max(min(begin_s + beats * LOOK_S, end_s) - centre.time_s, 0.0))
    return front.n_refused


def _command(centre: FieldCentre, front: OneByOne, decisions: Sequence[Decision]) -> None:
    """Pass decisions on, if there are any; what was sent with a controller at fault is released, and that is noted."""
    try:
        if decisions:
            front.command(decisions)
    except ControllerFault as fault:
        centre.note(fault)


def _look(centre: FieldCentre) -> Snapshot | None:
    """Return what polls and cameras say; None where a poll finds a fault, which is noted."""
    try:
        return centre.guard.snapshot()
    except ControllerFault as fault:
        centre.note(fault)
        return None
