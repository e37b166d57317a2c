"""Over everything a controller can say: whatever is decided, or not decided, the lamps stay safe.

`GUARD_CASES` sets how many cases are tried (a few hundred by default; nightly 10 000).
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf, nan

import numpy as np
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from control.guard import CLOCK_START, Guard
from control.limits import GuardLimits
from control.plan_rules import plan_faults
from tests.unit.control.fakes import FakePlant, make_crossroads, make_plan
from tests.unit.control.lamp_oracle import lamp_breaches
from traffic.decisions import Decision, Extend, Release, SelectPattern, Stage
from traffic.errors import UnsafeCommand
from traffic.ids import JunctionId, PhaseNumber
from traffic.lamps import cycle_intervals
from traffic.signals import Order, Plan, Split, SplitMode, SplitPlan

CASES = int(os.environ.get("GUARD_CASES", "150"))
QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)
MAX_RED_S = 90.0

JUNCTIONS = (make_crossroads("a"), make_crossroads("b", walk_s=6, ped_clear_s=5))
NAMES = st.sampled_from([JunctionId("a"), JunctionId("b"), JunctionId("a"), JunctionId("b"), JunctionId("nowhere")])
NUMBERS = st.one_of(st.integers(0, 900).map(float), st.sampled_from([0.0, nan, inf, -inf, -1.0, 1e300]))
STAGE_NUMBERS = st.one_of(st.integers(0, 3), st.integers(0, 3), st.sampled_from([-1, 4, 99, True, None, 1.5, nan]))
SECONDS = st.one_of(st.integers(1, 15), st.integers(1, 60))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Legal plans, nearly legal ones, and nonsense."""
    junction = draw(st.sampled_from(JUNCTIONS))
    least = 10 if junction.id == "a" else 16
    kind = draw(st.sampled_from(["legal", "legal", "near", "wild"]))
    lowest, highest = {"legal": (least, 30), "near": (least - 2, 40), "wild": (-3, 300)}[kind]
    splits_s = [draw(st.integers(lowest, highest)) for _ in range(4)]
    plan = make_plan(junction, splits_s, offset_s=draw(st.integers(0, 30)) if kind == "legal" else 0)
    if kind == "legal":
        return plan
    change = draw(st.sampled_from(["none", "cycle", "offset", "phase", "omit", "table", "sequence", "number"]))
    rows = list(plan.split.splits)
    if change == "phase":
        rows[0] = replace(rows[0], phase=PhaseNumber(draw(st.integers(0, 17))))
    if change == "omit":
        rows[1] = Split(phase=rows[1].phase, split_s=0, mode=SplitMode.OMITTED)
    number = draw(st.one_of(st.integers(-1, 300), st.just(nan)))
    pattern = {"cycle": "cycle_s", "offset": "offset_s", "sequence": "sequence", "number": "number", "table": "split"}
    changed = {pattern[change]: number} if change in pattern else {}
    return replace(
        plan,
        pattern=replace(plan.pattern, **changed),  # type: ignore[arg-type]
        split=SplitPlan(number=plan.split.number, splits=tuple(rows)),
    )


@st.composite
def orders(draw: st.DrawFn) -> Order:
    plan = draw(plans())
    junction = next(j for j in JUNCTIONS if j.id == plan.junction)
    valid_from = CLOCK_START + timedelta(seconds=draw(st.sampled_from([-60, 0, 0, 0, 500])))
    return Order(
        plan=plan,
        config_hash=draw(st.sampled_from([junction.config_hash] * 4 + ["0" * 16])),
        sequence_number=draw(st.integers(0, 40)),
        valid_from=draw(st.sampled_from([valid_from] * 5 + [datetime(1970, 1, 1)])),
        expires=CLOCK_START + timedelta(seconds=draw(st.sampled_from([100, 4000, 4000]))),
        issuer=draw(st.sampled_from(["centre", "centre", ""])),
    )


DECISIONS = st.one_of(
    st.builds(Stage, NAMES, STAGE_NUMBERS),
    st.builds(Stage, NAMES, STAGE_NUMBERS, NUMBERS),
    st.builds(Stage, NAMES, st.integers(0, 3)),
    st.builds(Extend, NAMES, NUMBERS),
    st.builds(Release, NAMES),
    st.builds(SelectPattern, orders()),
    st.sampled_from([None, "stop", 7]),
)
READINGS = st.lists(st.sampled_from([0.0, 0.0, 1.0, 7.0, nan, -1.0, 0.01]), min_size=16, max_size=16)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("command"), st.lists(DECISIONS, min_size=1, max_size=2)),
        st.tuples(st.just("stage"), st.tuples(NAMES, st.integers(0, 3), st.integers(0, 12))),
        st.tuples(st.just("wait"), SECONDS),
        st.tuples(st.just("wait"), SECONDS),
        st.tuples(st.just("read"), READINGS),
    ),
    min_size=5,
    max_size=40,
)


def play(guard: Guard, plant: FakePlant, steps: list[tuple[str, object]]) -> None:
    """Do what the steps say."""
    for kind, value in steps:
        if kind == "wait":
            guard.advance(value)  # type: ignore[arg-type]
        elif kind == "read":
            plant.readings[:] = value
        elif kind == "stage":
            name, number, seconds = value  # type: ignore[misc]
            guard.advance(seconds)
            say(guard, plant, [Stage(name, number)])
        else:
            say(guard, plant, value)  # type: ignore[arg-type]


def say(guard: Guard, plant: FakePlant, batch: list[Decision]) -> None:
    """Command a batch; one that is refused must leave the plant as it was."""
    guard.snapshot()
    before, line = len(plant.commands), ""
    try:
        guard.command(batch)
    except UnsafeCommand as error:
        line = error.line
    event("batch refused" if line else "batch passed")
    assert len(plant.commands) == before + (not line)
    assert "\n" not in line


def longest_waits_s(plant: FakePlant) -> dict[JunctionId, float]:
    """Longest span in which a call stood at red while the junction was commanded by stages."""
    movements = list(plant.network.movements.values())
    waits = np.zeros(len(movements))
    worst = dict.fromkeys(plant.junctions, 0.0)
    for _, shown, staged, readings in plant.history:
        for n, movement in enumerate(movements):
            place = list(plant.junctions).index(movement.junction)
            letter = shown[place][movement.link_indices[0]]
            is_waiting = staged[place] and letter not in "Gg" and readings[n] != 0.0
            waits[n] = waits[n] + 1.0 if is_waiting else 0.0
            worst[movement.junction] = max(worst[movement.junction], waits[n])
    return worst


@given(steps=STEPS)
@settings(max_examples=CASES, deadline=None, suppress_health_check=QUIET)
def test_whatever_is_decided_the_lamps_stay_safe(steps: list[tuple[str, object]]) -> None:
    plant = FakePlant(JUNCTIONS, plan_splits_s=(20, 17, 20, 17))
    guard = Guard(plant, GuardLimits(is_push=False, max_red_s=MAX_RED_S))
    play(guard, plant, steps)
    guard.advance(200)
    for place, junction in enumerate(JUNCTIONS):
        shown = [row[1][place] for row in plant.history]
        least_s = max(phase.min_service_s for phase in junction.phases)
        assert lamp_breaches(junction, shown, least_s) == []
    assert guard.counts.released == 0, "a plant that obeys is never released"
    assert max(longest_waits_s(plant).values()) <= MAX_RED_S


@given(calls=st.lists(READINGS, min_size=3, max_size=12), gaps=st.lists(SECONDS, min_size=3, max_size=12))
@settings(max_examples=max(10, CASES // 4), deadline=None, suppress_health_check=QUIET)
def test_without_any_decision_no_call_waits_longer_than_the_longest_red(
    calls: list[list[float]], gaps: list[int]
) -> None:
    plant = FakePlant(JUNCTIONS, plan_splits_s=(20, 17, 20, 17))
    guard = Guard(plant, GuardLimits(is_push=False, max_red_s=MAX_RED_S))
    guard.command([Stage(j, guard.snapshot().stage[n]) for n, j in enumerate(plant.junctions)])
    for readings, seconds in zip(calls, gaps, strict=False):
        plant.readings[:] = readings
        guard.advance(seconds)
    guard.advance(150)
    assert max(longest_waits_s(plant).values()) <= MAX_RED_S


@given(plan=plans())
@settings(max_examples=10 * CASES, deadline=None)
def test_a_plan_that_passes_shows_safe_lamps(plan: Plan) -> None:
    junction = next(j for j in JUNCTIONS if j.id == plan.junction)
    limits = GuardLimits()
    faults = plan_faults(junction, plan, limits)
    assert all("\n" not in fault for fault in faults)
    event("refused" if faults else "passed")
    if faults:
        return
    seconds = [i.lamps for i in cycle_intervals(junction, plan) for _ in range(i.duration_ds // 10)]
    assert len(seconds) == plan.pattern.cycle_s
    assert limits.min_cycle_s <= plan.pattern.cycle_s <= limits.max_cycle_s
    assert 0 <= plan.pattern.offset_s < plan.pattern.cycle_s
    least_s = max(phase.min_service_s for phase in junction.phases)
    assert lamp_breaches(junction, seconds * 3, least_s) == []
    for link in range(junction.n_links):
        letters = "".join("G" if lamps[link] in "Gg" else "r" for lamps in seconds * 2)
        assert max(len(span) for span in letters.split("G")) <= limits.max_red_s
