"""Candidate plans for counted flows: the old plan, and plans made by the method that made it.

The method is Webster's (`control.plan.webster`) in motorcycle units, one common cycle for all
junctions, offsets kept in proportion to the cycle. Keeping the old plan is always a candidate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import ceil, isfinite

from control.guard import plan_faults, street_limits
from control.limits import GuardLimits
from control.plan.lane_flows import SaturationFlow, lane_loads
from control.plan.webster import WebsterSettings, webster_plan
from ops.judge import KEEP, Candidate
from sim.twin import Town
from traffic.counts import TurnCount
from traffic.ids import JunctionId, MovementId
from traffic.scenario import Scenario
from traffic.signals import Plan

SAT_FLOW_MCU_H_M = 1700.0
"""Saturation flow, motorcycle units per hour and metre of width: assumed, near what the twin discharges
(notes/mixed-traffic.md: 1,897-2,052 MCU/h/m in a saturated single junction of the same vehicle types)."""
CYCLE_GRID_S = 5
SATURATED = 0.95
"""Degree of saturation above which a count is taken as a lower bound of demand (design)."""


def flows_mcu_h(counts: Iterable[TurnCount], mcu: Mapping[str, float]) -> dict[MovementId, float]:
    """Return the mean flow of every counted movement in motorcycle units per hour; NaN where a count is unknown.

    A class without a factor counts 1: with an empty table the unit is vehicles.
    """
    units: dict[MovementId, float] = {}
    spans: dict[MovementId, set[float]] = {}
    period_s = 1.0
    for row in counts:
        movement, period_s = MovementId(row.movement), row.period_s
        count = float("nan") if row.count is None else row.count * mcu.get(row.vehicle_class, 1.0)
        units[movement] = units.get(movement, 0.0) + count
        spans.setdefault(movement, set()).add(row.start_s)
    return {movement: total * 3600.0 / (period_s * len(spans[movement])) for movement, total in units.items()}


def webster_set(
    scenario: Scenario,
    town: Town,
    installed: Mapping[JunctionId, Plan],
    flows: Mapping[MovementId, float],
    *,
    cycle_s: int | None = None,
) -> dict[JunctionId, Plan]:
    """Return Webster's plans of all junctions on one cycle: the given one, else that of the busiest junction."""
    limits = street_limits(scenario.guard, scenario.clearance)
    settings = _settings(scenario, town)

    def design(name: JunctionId, within: GuardLimits) -> Plan:
        top_s = min(settings.max_cycle_s, within.max_cycle_s)
        return webster_plan(
            town.signals.junctions[name], town.network, flows, replace(settings, max_cycle_s=top_s), within
        )

    if cycle_s is None:
        longest_s = max(design(name, limits).pattern.cycle_s for name in town.signals.junctions)
        cycle_s = min(CYCLE_GRID_S * ceil(longest_s / CYCLE_GRID_S), limits.max_cycle_s)
    fixed = replace(limits, min_cycle_s=cycle_s, max_cycle_s=cycle_s)
    plans = {}
    for name, old in installed.items():
        made = design(name, fixed)
        offset_s = round(old.pattern.offset_s * cycle_s / old.pattern.cycle_s) % cycle_s
        coordinated = {split.phase for split in old.split.splits if split.is_coordinated}
        splits = tuple(replace(s, is_coordinated=s.phase in coordinated) for s in made.split.splits)
        pattern = replace(old.pattern, cycle_s=made.pattern.cycle_s, offset_s=offset_s)
        plans[name] = Plan(junction=name, pattern=pattern, split=replace(old.split, splits=splits))
    return plans


def make_candidates(
    scenario: Scenario, town: Town, installed: Mapping[JunctionId, Plan], flows: Mapping[MovementId, float]
) -> tuple[list[Candidate], dict[str, list[str]]]:
    """Return the candidates that the guard would allow, and what it says of the others, by name."""
    made = [
        Candidate(name="splits", plans=_splits_only(scenario, town, installed, flows), why="Webster splits, old cycle"),
        Candidate(
            name="webster",
            plans=webster_set(scenario, town, installed, flows),
            why="Webster cycle of the busiest junction, splits for the counted flows, offsets in proportion",
        ),
    ]
    limits = street_limits(scenario.guard, scenario.clearance)
    junctions = town.signals.junctions
    refused = {
        row.name: [fault for name, plan in row.plans.items() for fault in plan_faults(junctions[name], plan, limits)]
        for row in made
    }
    keep = Candidate(name=KEEP, plans=dict(installed), why="the old plan")
    allowed = [row for row in made if not refused[row.name] and dict(row.plans) != dict(installed)]
    return [keep, *allowed], {name: faults for name, faults in refused.items() if faults}


def _splits_only(
    scenario: Scenario, town: Town, installed: Mapping[JunctionId, Plan], flows: Mapping[MovementId, float]
) -> dict[JunctionId, Plan]:
    old_s = max(plan.pattern.cycle_s for plan in installed.values())
    return webster_set(scenario, town, installed, flows, cycle_s=old_s)


def _settings(scenario: Scenario, town: Town) -> WebsterSettings:
    """Return the design's settings: per lane in MCU where the scenario counts in them, else in vehicles."""
    lanes = [
        town.network.lanes[lane] for c in town.network.crossings.values() for a in c.approaches for lane in a.lanes
    ]
    width_m = sum(lane.width_m for lane in lanes) / len(lanes)
    saturation = SaturationFlow(base_vphpl=SAT_FLOW_MCU_H_M * width_m) if scenario.mcu else SaturationFlow()
    return WebsterSettings(saturation=saturation, max_cycle_s=scenario.guard.max_cycle_s, is_capped=True)


def saturated_movements(
    scenario: Scenario, town: Town, installed: Mapping[JunctionId, Plan], flows: Mapping[MovementId, float]
) -> set[MovementId]:
    """Return the movements on lanes whose degree of saturation is above 0.95: their counts are lower bounds.

    x = y C / g with the installed plan's green of all phases that serve the lane.
    """
    saturation, found = _settings(scenario, town).saturation, set()
    by_lane: dict[str, set[MovementId]] = {}
    for movement in town.network.movements.values():
        for place in movement.connections:
            by_lane.setdefault(town.network.connections[place].from_lane, set()).add(movement.id)
    for name, junction in town.signals.junctions.items():
        known = {m: f for m, f in flows.items() if isfinite(f)}
        if any(m.junction == name and m.id not in known for m in town.network.movements.values()):
            continue
        plan = installed[name]
        for load in lane_loads(junction, town.network, known, saturation):
            green_s = sum(plan.split.split_s(p) - junction.phase(p).clearance_ds / 10 for p in load.phases)
            if green_s > 0 and load.flow_ratio * plan.pattern.cycle_s / green_s > SATURATED:
                found |= by_lane.get(load.lane, set())
    return found
