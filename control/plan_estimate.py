"""The state of the core under running plans: between two looks as the plans have it, within the zones as they count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from control.core.ahead import time_plans
from control.core.arrays import RED, Array, State, Timing, make_state
from control.plan_place import Running, place_of
from control.queue_timing import CODES, CodeTable
from control.state_estimate import Belief, Streets, copy_of, counted, first_belief
from traffic.snapshot import FloatArray, Snapshot


@dataclass(frozen=True, slots=True)
class PlanBelief:
    """What is believed of the streets, and where in its plan's cycle every junction is, seconds."""

    belief: Belief
    place_s: tuple[float, ...]


def first_plan_belief(streets: Streets) -> PlanBelief:
    """Return empty streets, nothing seen yet."""
    return PlanBelief(first_belief(streets), (0.0,) * len(streets.junctions))


def see_plans(streets: Streets, before: PlanBelief, snapshot: Snapshot, running: Sequence[Running]) -> PlanBelief:
    """Return what is believed after a snapshot: the belief before, run on under the plans, corrected by the zones.

    Lamps are as they are seen; who is in transition is where its lamps say.
    """
    now_s = snapshot.time_s - streets.begin_s
    old = _run_on(streets, before, snapshot.time_s, running) if before.belief.n_seen else copy_of(before.belief.state)
    _show(streets, old, snapshot.lamps, now_s)
    old.lanes["loss"] = 0.0
    ages = (
        snapshot.time_s - since_s if stage >= 0 else None
        for stage, since_s in zip(snapshot.stage, snapshot.green_since_s, strict=True)
    )
    place_s = tuple(
        place_of(run, snapshot.time_s, lamps, age_s)
        for run, lamps, age_s in zip(running, snapshot.lamps, ages, strict=True)
    )
    return PlanBelief(counted(streets, before.belief, old, snapshot), place_s)


def _run_on(streets: Streets, before: PlanBelief, time_s: float, running: Sequence[Running]) -> State:
    """Return the state before, run on until `time_s`."""
    base, n_seconds = before.belief.state, max(0, round(time_s - before.belief.time_s))
    timing, least_s, ahead_s = _timing(streets, before, running)
    scratch = make_state(streets.roads, 1)
    begin_s = time_s - streets.begin_s - n_seconds
    nothing = np.zeros(1), np.zeros((1, len(streets.roads.origins)))
    time_plans(timing, least_s, ahead_s, begin_s, n_seconds, np.zeros(2), streets.roads, base, scratch, *nothing, 0, 1)
    return scratch


def _timing(streets: Streets, before: PlanBelief, running: Sequence[Running]) -> tuple[Timing, FloatArray, FloatArray]:
    """Return running plans as the core has them, from where their junctions are; least lengths; how far ahead."""
    table = CodeTable(streets.compiled.signal_links)
    shape = (1, len(running), max((len(run.lamps) for run in running), default=1))
    length_s, rows = np.zeros(shape), np.zeros(shape, np.int32)
    least_s, n = np.zeros(shape), np.zeros(shape[:2], np.int32)
    ahead_s = np.zeros(shape[:2])
    for j, (run, place) in enumerate(zip(running, before.place_s, strict=True)):
        n[0, j] = len(run.lamps)
        length_s[0, j, : n[0, j]] = np.diff([0.0, *run.end_s])
        least_s[0, j, : n[0, j]] = [run.least_s(k) for k in range(n[0, j])]
        rows[0, j, : n[0, j]] = [table.row(j, lamps) for lamps in run.lamps]
        ahead_s[0, j] = run.ahead_s(place, before.belief.time_s)
    timing = Timing(length_s, rows, n, np.array([before.place_s]), table.array())
    return timing, least_s, ahead_s


def _show(streets: Streets, state: State, lamps: Sequence[str], now_s: float) -> None:
    """Let the lamps be as they are seen."""
    roads = streets.roads
    for (first, n), links, shown in zip(roads.junctions, streets.compiled.signal_links, lamps, strict=True):
        own: Array = roads.signal_conns[first : first + n]
        codes = np.array([CODES.get(shown[link], RED) for link in links], np.uint8)
        state.lamp_since[0, own] = np.where(state.lamps[0, own] != codes, now_s, state.lamp_since[0, own])
        state.lamps[0, own] = codes
