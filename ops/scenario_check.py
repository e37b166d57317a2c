"""`scenario check`: every fault of a scenario at once, and what it means.

::

    fault     cannot be run: mend it
    no push   can be evaluated; a controller in the field would not be commanded so
    note      worth knowing
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from control.clearance import clearance_audit
from control.lamp_rules import without_merges
from control.limits import GuardLimits, street_limits
from control.plan_rules import plan_faults
from ops.scenario_folder import open_scenario
from sim.calibrate import inconsistencies, observed_flows
from sim.demand import check_demand, read_demand
from sim.netfile import Program
from sim.network import read_network, read_vehicle_types
from sim.programs import program_of_plan, unholdable
from sim.programs import read_signals as read_programs
from traffic.camera_sites import read_cameras
from traffic.count_files import read_counts
from traffic.errors import TrafficError
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.saved import read_signals
from traffic.scenario import Scenario
from traffic.signals import Junction, Plan


class Weight(StrEnum):
    """What a finding means."""

    FAULT = "fault"
    NO_PUSH = "no push"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check."""

    weight: Weight
    part: str
    what: str


def run_scenario_check(name: str) -> dict[str, Any]:
    """Check a scenario and return all findings; the exit status is 1 where it cannot be run.

    Raises
    ------
    BadScenario
        If there is no such scenario, or its scenario.toml cannot be read: then nothing else can be.
    """
    scenario = open_scenario(name)
    found = list(findings(scenario))
    counts = {weight: sum(row.weight is weight for row in found) for weight in Weight}
    return {
        "scenario": scenario.name,
        "faults": counts[Weight.FAULT],
        "push_blocked": counts[Weight.NO_PUSH],
        "notes": counts[Weight.NOTE],
        "rows": [{"weight": row.weight.value, "part": row.part, "what": row.what} for row in found],
        "exit_code": 1 if counts[Weight.FAULT] else 0,
    }


def findings(scenario: Scenario) -> Iterator[Finding]:
    """Yield what is wrong, part by part; a part that cannot be read is one fault."""
    try:
        network = read_network(scenario.network, scenario.additional)
    except TrafficError as error:
        yield Finding(Weight.FAULT, "network", error.line)
        return
    for part, look in (("demand", _demand), ("signals", _signals), ("counts", _counts), ("cameras", _cameras)):
        try:
            yield from look(scenario, network)
        except TrafficError as error:
            yield Finding(Weight.FAULT, part, error.line)


def _demand(scenario: Scenario, network: Network) -> Iterator[Finding]:
    demand = read_demand(scenario.routes)
    check_demand(demand, network.links, scenario.begin_s, scenario.end_s, f"demand of scenario {scenario.name}")
    types = {**network.vehicle_types, **read_vehicle_types(scenario.routes)}
    used = {row.vehicle_type for row in demand.departures} | {row.vehicle_type for row in demand.flows}
    for name in sorted(used & set(types)):
        if types[name].tau_s < scenario.step_s:
            text = f"type {name}: tau {types[name].tau_s:g} s is below the step of {scenario.step_s:g} s"
            yield Finding(Weight.FAULT, "demand", f"{text}; such vehicles collide")


def _signals(scenario: Scenario, network: Network) -> Iterator[Finding]:
    native = read_programs(scenario.network, network, scenario.additional)
    junctions: Mapping[JunctionId, Junction] = native.junctions
    plans: Mapping[JunctionId, Plan] = native.plans
    if scenario.signals is None:
        for name, lost in native.losses.items():
            yield from (Finding(Weight.NOTE, "signals", f"{name}: {text}") for text in lost)
    else:
        junctions, saved = read_signals(scenario.signals, network.crossings)
        plans = {plan.junction: plan for plan in saved}
        for name in junctions:
            if name not in plans:
                yield Finding(Weight.FAULT, "signals", f"{name}: no plan in {scenario.signals.name}")
    limits = street_limits(scenario.guard, scenario.clearance)
    for name, junction in junctions.items():
        if name in plans:
            yield from _junction(scenario, network, without_merges(junction, network), plans[name], limits)
            if scenario.signals is not None and not _is_same(junction, plans[name], native.programs[name]):
                yield Finding(Weight.NOTE, "signals", f"{name}: the network's own program shows another plan")


def _junction(
    scenario: Scenario, network: Network, junction: Junction, plan: Plan, limits: GuardLimits
) -> Iterator[Finding]:
    audit = clearance_audit(junction, network, scenario.clearance)
    weight = Weight.NOTE if limits.is_clearance_accepted else Weight.NO_PUSH
    for text in dict.fromkeys((*unholdable(junction, plan), *plan_faults(junction, plan, limits))):
        yield Finding(Weight.NO_PUSH, "signals", text)
    yield from (Finding(weight, "clearances", text) for text in audit)


def _is_same(junction: Junction, plan: Plan, program: Program) -> bool:
    """Whether a plan and a program show the same lamps, second by second."""
    ours = program_of_plan(junction, plan)
    span_s = round(max(ours.cycle_s, program.cycle_s))
    return all(ours.lamps_at(time_s) == program.lamps_at(time_s) for time_s in range(span_s))


def _counts(scenario: Scenario, network: Network) -> Iterator[Finding]:
    if scenario.counts is None:
        return
    counts = read_counts(scenario.counts)
    for movement in sorted({row.movement for row in counts} - set(network.movements)):
        yield Finding(Weight.FAULT, "counts", f"{movement}: no such movement in the network")
    for movement in sorted(set(network.movements) - {row.movement for row in counts}):
        yield Finding(Weight.NOTE, "counts", f"{movement}: not counted")
    outside = sum(not scenario.begin_s <= row.start_s < scenario.end_s for row in counts)
    if outside:
        yield Finding(Weight.NOTE, "counts", f"{outside} counts lie outside {scenario.begin_s:g}-{scenario.end_s:g} s")
    yield from (
        Finding(Weight.NOTE, "counts", text) for text in inconsistencies(network, observed_flows(network, counts))
    )


def _cameras(scenario: Scenario, network: Network) -> Iterator[Finding]:
    if scenario.cameras is None:
        return
    seen = {movement for camera in read_cameras(scenario.cameras, network) for movement in camera.movements}
    for movement in sorted(set(network.movements) - seen):
        yield Finding(Weight.NOTE, "cameras", f"{movement}: no camera sees it")
