"""How one candidate plan is drawn: near the installed one, by Webster for other flows, or at random; all legal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from control.guard import GuardLimits, plan_faults
from control.lamp_rules import without_merges
from control.plan.corridor import common_cycle_plans
from control.plan.splits import make_plan, project_splits, shortest_cycle_s
from control.plan.webster import WebsterSettings
from ops.bench_core_waves import wave_offsets_s
from sim.twin import Town
from traffic.errors import BadScenario
from traffic.ids import JunctionId, MovementId, PhaseNumber
from traffic.network import Network
from traffic.signals import Junction, Plan

GREEN_SHARE, OFFSET_S = 0.10, 5
"""How far a plan near the default may be from it: each green, 0-1, and each offset, seconds."""
WEBSTER_CYCLES_S, RANDOM_CYCLES_S = (50, 120), (45, 130)
"""Common cycles that are drawn, seconds; never shorter than a junction allows."""
OWN_CYCLE_SHARE = 0.25
"""Share of Webster's plans whose common cycle is that of the busiest junction."""
FLOW_FACTORS, MOVEMENT_FACTORS = (0.7, 1.2), (0.8, 1.25)
"""By how much the flows of a Webster plan are off: all together, and each movement beside that."""
RANDOM_WISHES = (0.4, 1.6)
"""Weights of the phases of a random plan."""
N_TRIES = 200

Plans = dict[JunctionId, Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What plans are drawn for: roads, junctions as the guard judges them, installed plans, flows (veh/h), limits."""

    network: Network
    junctions: Mapping[JunctionId, Junction]
    installed: Mapping[JunctionId, Plan]
    flows_vph: Mapping[MovementId, float]
    limits: GuardLimits


def design_of(town: Town, flows_vph: Mapping[MovementId, float], limits: GuardLimits) -> Design:
    """Return the design of a town; lanes of one approach that merge behind the line are no conflict."""
    installed = town.signals.junctions
    return Design(
        network=town.network,
        junctions={name: without_merges(junction, town.network) for name, junction in installed.items()},
        installed=town.signals.plans,
        flows_vph=flows_vph,
        limits=limits,
    )


def near_default(design: Design, rng: np.random.Generator, name: str) -> Plans:
    """Return plans near the installed ones: greens and offsets moved a little, cycles kept.

    Where an installed plan breaks a rule of the guard, its neighbour may break as many.
    """

    def draw(junction: Junction) -> Plan:
        plan = design.installed[junction.id]
        wish_s = {}
        for phase in junction.phases:
            intergreen_s = phase.clearance_ds / 10.0
            green_s = plan.split.split_s(phase.number) - intergreen_s
            wish_s[phase.number] = intergreen_s + green_s * float(rng.uniform(1 - GREEN_SHARE, 1 + GREEN_SHARE))
        move_s = int(rng.integers(-OFFSET_S, OFFSET_S + 1))
        return _plan(design, junction, wish_s, plan.pattern.cycle_s, plan.pattern.offset_s + move_s)

    def is_fine(junction: Junction, plan: Plan) -> bool:
        before = design.installed[junction.id]
        n_allowed = len(plan_faults(junction, before, design.limits))
        return is_near(junction, before, plan) and len(plan_faults(junction, plan, design.limits)) <= n_allowed

    return {key: _first(draw, row, is_fine, name) for key, row in design.junctions.items()}


def is_near(junction: Junction, before: Plan, plan: Plan) -> bool:
    """Return whether the cycle is kept, greens are within 10 % (at least 1 s) and the offset within 5 s."""
    for phase in junction.phases:
        split_s = before.split.split_s(phase.number)
        green_s = split_s - phase.clearance_ds / 10.0
        if abs(plan.split.split_s(phase.number) - split_s) > max(1.0, GREEN_SHARE * green_s):
            return False
    cycle_s = before.pattern.cycle_s
    apart_s = (plan.pattern.offset_s - before.pattern.offset_s) % cycle_s
    return plan.pattern.cycle_s == cycle_s and min(apart_s, cycle_s - apart_s) <= OFFSET_S


def webster(design: Design, rng: np.random.Generator, name: str) -> Plans:
    """Return Webster's plans on one common cycle for flows that are off by random factors."""
    for _ in range(N_TRIES):
        factor = float(rng.uniform(*FLOW_FACTORS))
        spread = rng.uniform(*MOVEMENT_FACTORS, size=len(design.flows_vph)).tolist()
        flows_vph = {m: vph * factor * k for (m, vph), k in zip(design.flows_vph.items(), spread, strict=True)}
        cycle_s = None if rng.random() < OWN_CYCLE_SHARE else _cycle_s(design, rng, WEBSTER_CYCLES_S)
        settings = WebsterSettings(is_capped=True)
        plans = common_cycle_plans(
            design.network, design.junctions, flows_vph, settings, design.limits, cycle_s=cycle_s
        )
        plans = _with_offsets(plans, _offsets_s(design, rng, plans))
        if all(_is_legal(design, design.junctions[key], plan) for key, plan in plans.items()):
            return plans
    raise _none_legal(name, "all junctions")


def random(design: Design, rng: np.random.Generator, name: str) -> Plans:
    """Return plans on one random cycle with random splits and offsets."""
    cycle_s = _cycle_s(design, rng, RANDOM_CYCLES_S)

    def draw(junction: Junction) -> Plan:
        weights = rng.uniform(*RANDOM_WISHES, size=len(junction.phases))
        shares_s = (cycle_s * weights / weights.sum()).tolist()
        wish_s = {phase.number: share_s for phase, share_s in zip(junction.phases, shares_s, strict=True)}
        return _plan(design, junction, wish_s, cycle_s, int(rng.integers(cycle_s)))

    def is_fine(junction: Junction, plan: Plan) -> bool:
        return _is_legal(design, junction, plan)

    return {key: _first(draw, row, is_fine, name) for key, row in design.junctions.items()}


def _first(
    draw: Callable[[Junction], Plan], junction: Junction, is_fine: Callable[[Junction, Plan], bool], name: str
) -> Plan:
    for _ in range(N_TRIES):
        plan = draw(junction)
        if is_fine(junction, plan):
            return plan
    raise _none_legal(name, f"junction {junction.id}")


def _none_legal(name: str, where: str) -> BadScenario:
    return BadScenario(f"plan {name} at {where}", f"{N_TRIES} draws", "none is legal", "check the guard's limits")


def _is_legal(design: Design, junction: Junction, plan: Plan) -> bool:
    return not plan_faults(junction, plan, design.limits)


def _plan(design: Design, junction: Junction, wish_s: Mapping[PhaseNumber, float], cycle_s: int, offset_s: int) -> Plan:
    splits_s = project_splits(junction, wish_s, cycle_s, min_green_s=design.limits.min_green_s)
    return make_plan(junction, splits_s, offset_s=offset_s)


def _cycle_s(design: Design, rng: np.random.Generator, bounds_s: tuple[int, int]) -> int:
    """Return a common cycle that every junction can hold, seconds."""
    shortest_s = max(shortest_cycle_s(row, design.limits.min_green_s) for row in design.junctions.values())
    low_s = max(bounds_s[0], design.limits.min_cycle_s, shortest_s)
    return int(rng.integers(low_s, max(low_s, min(bounds_s[1], design.limits.max_cycle_s)), endpoint=True))


def _offsets_s(design: Design, rng: np.random.Generator, plans: Mapping[JunctionId, Plan]) -> Mapping[JunctionId, int]:
    """Return offsets: the installed ones, random ones, or a wave from a random junction, a third each."""
    names = list(plans)
    choice = int(rng.integers(3))
    if choice == 0:
        return {name: design.installed[name].pattern.offset_s for name in names}
    if choice == 1:
        return {name: int(rng.integers(plans[name].pattern.cycle_s)) for name in names}
    return wave_offsets_s(design.network, names[int(rng.integers(len(names)))])


def _with_offsets(plans: Mapping[JunctionId, Plan], offsets_s: Mapping[JunctionId, int]) -> Plans:
    return {
        name: replace(plan, pattern=replace(plan.pattern, offset_s=offsets_s[name] % plan.pattern.cycle_s))
        for name, plan in plans.items()
    }
