"""Candidate plans for counted flows: the old plan, and plans by the method that made it.

The method is `control.plan.corridor`: Webster in motorcycle units, one common cycle, a green wave.
Keeping the old plan is always a candidate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import isfinite

from control.guard import plan_faults, street_limits
from control.plan.corridor import common_cycle_plans, with_progression
from control.plan.lane_flows import SaturationFlow, lane_loads
from control.plan.webster import WebsterSettings
from ops.judge import KEEP, Candidate
from sim.twin import Town
from traffic.counts import TurnCount
from traffic.ids import JunctionId, MovementId
from traffic.network import Network
from traffic.scenario import Scenario
from traffic.signals import Plan

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


def webster_settings(network: Network, scenario: Scenario) -> WebsterSettings:
    """Return the design's settings: saturation flow by lane width where the scenario gives it, else per lane."""
    lanes = [network.lanes[lane] for c in network.crossings.values() for a in c.approaches for lane in a.lanes]
    width_m = sum(lane.width_m for lane in lanes) / len(lanes)
    per_m = scenario.sat_flow_per_m
    saturation = SaturationFlow(base_vphpl=per_m * width_m) if per_m else SaturationFlow()
    return WebsterSettings(saturation=saturation, max_cycle_s=scenario.guard.max_cycle_s, is_capped=True)


def design(
    scenario: Scenario, town: Town, flows: Mapping[MovementId, float], *, cycle_s: int | None = None
) -> dict[JunctionId, Plan]:
    """Return the method's plans for flows per movement, on a given cycle or its own."""
    limits = street_limits(scenario.guard, scenario.clearance)
    junctions = town.signals.junctions
    settings = webster_settings(town.network, scenario)
    plans = common_cycle_plans(town.network, junctions, flows, settings, limits, cycle_s=cycle_s)
    return with_progression(town.network, junctions, plans, tuple(map(JunctionId, scenario.corridor)))


def make_candidates(
    scenario: Scenario, town: Town, installed: Mapping[JunctionId, Plan], flows: Mapping[MovementId, float]
) -> tuple[list[Candidate], dict[str, list[str]]]:
    """Return the candidates that the guard would allow, and what it says of the others, by name."""
    limits = street_limits(scenario.guard, scenario.clearance)
    old_s = max(plan.pattern.cycle_s for plan in installed.values())
    by_flow = design(scenario, town, flows)
    made = {
        "splits": (
            _keep_offsets(design(scenario, town, flows, cycle_s=old_s), installed),
            "old cycle and offsets, Webster splits for the counted flows",
        ),
        "webster": (by_flow, "Webster cycle of the busiest junction, splits for the counted flows, green wave"),
    }
    candidates, refused = [Candidate(name=KEEP, plans=dict(installed), why="the old plan")], {}
    for name, (plans, why) in made.items():
        numbered = {junction: _numbered(plan, installed[junction]) for junction, plan in plans.items()}
        faults = [f for j, plan in numbered.items() for f in plan_faults(town.signals.junctions[j], plan, limits)]
        if faults:
            refused[name] = faults
        elif all(dict(row.plans) != numbered for row in candidates):
            candidates.append(Candidate(name=name, plans=numbered, why=why))
    return candidates, refused


def _keep_offsets(plans: Mapping[JunctionId, Plan], installed: Mapping[JunctionId, Plan]) -> dict[JunctionId, Plan]:
    return {
        name: replace(plan, pattern=replace(plan.pattern, offset_s=installed[name].pattern.offset_s))
        for name, plan in plans.items()
    }


def _numbered(plan: Plan, old: Plan) -> Plan:
    """Return a plan under the old one's numbers and unit-wide modes; a driver chooses its own pair."""
    pattern = replace(old.pattern, cycle_s=plan.pattern.cycle_s, offset_s=plan.pattern.offset_s)
    return Plan(junction=plan.junction, pattern=pattern, split=replace(plan.split, number=old.split.number))


def saturated_movements(
    scenario: Scenario, town: Town, installed: Mapping[JunctionId, Plan], flows: Mapping[MovementId, float]
) -> set[MovementId]:
    """Return the movements on lanes whose degree of saturation is above 0.95: their counts are lower bounds.

    x = y C / g with the installed plan's green of all phases that serve the lane.
    """
    saturation, found = webster_settings(town.network, scenario).saturation, set()
    by_lane: dict[str, set[MovementId]] = {}
    for movement in town.network.movements.values():
        for place in movement.connections:
            by_lane.setdefault(town.network.connections[place].from_lane, set()).add(movement.id)
    known = {m: f for m, f in flows.items() if isfinite(f)}
    for name, junction in town.signals.junctions.items():
        if any(m.junction == name and m.id not in known for m in town.network.movements.values()):
            continue
        plan = installed[name]
        for load in lane_loads(junction, town.network, known, saturation):
            green_s = sum(plan.split.split_s(p) - junction.phase(p).clearance_ds / 10 for p in load.phases)
            if green_s > 0 and load.flow_ratio * plan.pattern.cycle_s / green_s > SATURATED:
                found |= by_lane.get(load.lane, set())
    return found
