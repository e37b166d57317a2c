"""From a demo's arms and choice to the result that its report shows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING

from control.audit import Record
from ops.arms import END_OF_RUN, Arm
from ops.effect import approach_rows, logged_approaches, measures_of
from ops.judge import KEEP
from ops.loop import Choice
from ops.plan_runs import open_signals
from ops.provenance import command_line, commit, versions
from ops.report_data import (
    CandidateRow,
    CountRow,
    DemoResult,
    FitRow,
    JunctionTiming,
    LogRow,
    PushRow,
    PushState,
    RunFacts,
)
from sim.calibrate import movement_lines
from sim.sensors import counted_classes
from traffic.count_files import read_counts
from traffic.counts import TurnCount
from traffic.demand import profile_from_counts
from traffic.ids import JunctionId, MovementId
from traffic.network import Network
from traffic.signals import Plan

if TYPE_CHECKING:
    from ops.demo import Run

PACKAGES = ("eclipse-sumo", "libsumo", "numpy", "scipy")
QUIET = frozenset({"push", "plan", "confirmed"})
"""Records that the table of pushes shows already."""


def demo_result(run: Run, *, is_complete: bool) -> DemoResult:
    """Return the result of a demo whose choice is known; seeds without both arms are left out."""
    assert run.choice is not None
    town, installed = open_signals(run.scenario)
    network, junctions = town.network, town.signals.junctions
    before, after = _paired(run)
    approaches = logged_approaches(network, junctions)
    classes = counted_classes(network)
    mcu = {kind: run.scenario.mcu[c.value] for kind, c in classes.items() if c.value in run.scenario.mcu}
    is_sent = not run.choice.is_kept
    plans = tuple(run.choice.chosen.plans.values()) if is_sent else ()
    decided = run.after.get(run.seeds[0]) or run.before.get(run.seeds[0])
    return DemoResult(
        facts=_facts(run, [arm.seed for arm in before]),
        network=network,
        timings=tuple(
            JunctionTiming(
                junction=junctions[name], old=installed[name], new=run.choice.chosen.plans[name] if is_sent else None
            )
            for name in junctions
        ),
        measures=measures_of(before, after, run.times, approaches, mcu) if before else (),
        approaches=approach_rows(before, after, run.times, approaches) if before else (),
        candidates=tuple(_candidate_rows(run.choice)),
        choice_reason=run.choice.verdict.reason,
        counts=tuple(_count_rows(run, network, decided)),
        fit=tuple(_fit_rows(run.choice)),
        pushes=tuple(row for arm in after for row in push_rows(arm, plans, run.times.push_s)),
        log=tuple(row for arm in (*before, *after) for row in log_rows(arm, run.times.push_s)),
        corridor=tuple(JunctionId(name) for name in run.scenario.corridor),
        is_complete=is_complete,
        notes=tuple(_notes(run)),
    )


def _paired(run: Run) -> tuple[Sequence[Arm], Sequence[Arm]]:
    """Return both arms of the seeds that have both, or all of `before` where nothing was pushed."""
    if not run.after:
        return [run.before[seed] for seed in sorted(run.before)], []
    both = sorted(set(run.before) & set(run.after))
    return [run.before[seed] for seed in both], [run.after[seed] for seed in both]


def _facts(run: Run, seeds: Sequence[int]) -> RunFacts:
    scenario, times, options = run.scenario, run.times, run.options
    settings = {**asdict(times), **asdict(options)}
    return RunFacts(
        scenario=scenario.name,
        title=scenario.title,
        is_schematic=scenario.is_schematic,
        network_file=scenario.network,
        begin_s=times.window_from_s,
        end_s=times.window_to_s,
        seeds=tuple(seeds),
        twin_seeds=tuple(range(1, 1 + options.twin_seeds)),
        command=" ".join(command_line()),
        commit=commit() or "unknown",
        started=time.strftime("%Y-%m-%d %H:%M:%S %Z"),
        wall_s=round(time.monotonic() - run.started_s, 1),
        versions=tuple((name, found or "unknown") for name, found in versions(PACKAGES).items()),
        settings=tuple((name, str(value)) for name, value in sorted(settings.items())),
    )


def _candidate_rows(choice: Choice) -> Iterable[CandidateRow]:
    for row in choice.candidates:
        faults = choice.refused.get(row.name)
        yield CandidateRow(
            name=row.name,
            why=row.why,
            delays_s=choice.verdict.delays_s[row.name],
            refused="; ".join(faults) if faults else None,
            is_chosen=row.name == choice.verdict.chosen,
        )
    for name, faults in choice.refused.items():
        if all(row.name != name for row in choice.candidates):
            yield CandidateRow(name=name, why="", refused="; ".join(faults))


def _count_rows(run: Run, network: Network, arm: Arm | None) -> Iterable[CountRow]:
    """Return what history says, what the cameras counted (corrected) and what passed, in the counting window."""
    assert run.choice is not None
    times = run.times
    span_s = times.push_s - times.count_from_s
    counted, truth = (
        _sums(run.choice.counts),
        _sums(_inside(arm.truth if arm else (), times.count_from_s, times.push_s)),
    )
    history = profile_from_counts(network, read_counts(run.scenario.counts)) if run.scenario.counts else None
    censored = {row.movement for row in run.choice.counts if row.is_censored}
    for movement in network.movements.values():
        historic = None
        if history is not None:
            middle_s = (times.count_from_s + times.push_s) / 2
            flow = history.flow_vph(movement.id, middle_s)
            historic = flow * span_s / 3600.0 if isfinite(flow) else None
        yield CountRow(
            junction=movement.junction,
            movement=movement.id,
            period_s=span_s,
            historic_veh=historic,
            counted_veh=counted.get(movement.id),
            true_veh=truth.get(movement.id),
            is_censored=movement.id in censored,
        )


def _inside(counts: Iterable[TurnCount], from_s: float, to_s: float) -> list[TurnCount]:
    return [row for row in counts if row.start_s >= from_s - 1e-6 and row.start_s + row.period_s <= to_s + 1e-6]


def _sums(counts: Iterable[TurnCount]) -> dict[MovementId, float | None]:
    sums: dict[MovementId, float | None] = {}
    for row in counts:
        movement = MovementId(row.movement)
        before = sums.get(movement, 0.0)
        sums[movement] = None if before is None or row.count is None else before + row.count
    return sums


def _fit_rows(choice: Choice) -> Iterable[FitRow]:
    censored = {line.movement for line in choice.calibration.lines if line.is_censored}
    for movement, counted, fitted, is_held_out in movement_lines(choice.calibration.lines):
        yield FitRow(
            movement=movement,
            counted_vph=counted,
            fitted_vph=fitted,
            is_held_out=is_held_out,
            is_censored=movement in censored,
        )


def push_rows(arm: Arm, plans: Sequence[Plan], push_s: float) -> Iterable[PushRow]:
    """Return what became of every plan that was meant for one street; what was never selected was refused."""
    confirmed = {row.junction for row in arm.audit if row.kind == "confirmed"}
    lost = {r.junction: str(r.detail["reason"]) for r in arm.audit if r.kind == "release" and not _is_end(r)}
    pushed = {row.junction: row for row in arm.audit if row.kind == "push"}
    read_back = arm.read_back or {}
    for plan in plans:
        name, record = plan.junction, pushed.get(plan.junction)
        is_lost = name in lost or name not in confirmed
        if record is None:
            state, reason = PushState.REFUSED, arm.fault
        elif is_lost:
            state, reason = PushState.RELEASED, lost.get(name, "not confirmed before the end")
        else:
            state, reason = PushState.CONFIRMED, ""
        yield PushRow(
            time_s=push_s if record is None else _time_s(record),
            seed=arm.seed,
            junction=name,
            pattern=plan.pattern.number if record is None else int(str(record.detail["pattern"])),
            state=state,
            reason=reason,
            is_readback_equal=read_back.get(name),
        )


def log_rows(arm: Arm, push_s: float) -> Iterable[LogRow]:
    """Return what else happened on one street: faults, refusals, releases, lost polls."""
    if arm.fault:
        yield LogRow(time_s=push_s, seed=arm.seed, kind="fault", text=arm.fault)
    for record in arm.audit:
        if record.kind not in QUIET and not _is_end(record) and not _is_echo(record):
            text = ", ".join(f"{name} {value}" for name, value in record.detail.items() if name != "time_s")
            yield LogRow(time_s=_time_s(record), seed=arm.seed, kind=record.kind, text=text, junction=record.junction)


def _is_end(record: Record) -> bool:
    return record.kind in ("release", "released") and record.detail.get("reason") == END_OF_RUN


def _is_echo(record: Record) -> bool:
    """Whether this is the guard's note of a release that the street wrote down itself, and nothing more."""
    return record.kind == "released" and not record.detail.get("is_locked")


def _time_s(record: Record) -> float:
    return float(str(record.detail.get("time_s", "nan")))


def _notes(run: Run) -> Iterable[str]:
    assert run.choice is not None
    fit = run.choice.calibration
    kept, held = fit.geh_below_5(held_out=False), fit.geh_below_5(held_out=True)
    yield f"Calibration: GEH below 5 on {kept:.0%} of the movements fitted and {held:.0%} of those held out."
    yield from fit.inconsistencies
    if run.choice.verdict.chosen != KEEP and run.scenario.is_schematic:
        yield "Both arms are simulated streets; a street of stone has not seen this plan."
