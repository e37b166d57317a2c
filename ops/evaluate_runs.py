"""One run of an evaluation: which control drives the twin, behind which guard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from control.controllers.greedy import Greedy
from control.controllers.max_pressure import MaxPressure
from control.guard import Guard, GuardLimits, legacy_limits, plan_faults, street_limits
from control.lamp_rules import without_merges
from control.one_by_one import OneByOne
from control.plan.webster import WebsterSettings, webster_plan
from ops.core_mpc import MPC_ZONE_M, mpc_of
from ops.core_policy import POLICY_ZONE_M, UNIVERSAL, universal_of
from ops.evaluate_safe import safe_programs, with_clearances
from ops.faulty_zones import FaultyZones, ZoneFaults
from ops.plan_runs import town_seen
from sim.demand import read_demand
from sim.detectors import ZONE_M
from sim.episode import Episode, Run, Seed, prepare, run_controlled, run_native
from sim.history import profile_of_demand
from sim.netfile import Program
from sim.programs import actuated, program_of_plan
from sim.protocols import LEGACY, LEGACY_FAST, SAFE, Protocol
from sim.safe_programs import safe_program
from sim.twin import Town
from traffic.demand import FlowProfile
from traffic.errors import UnsafeCommand
from traffic.ids import JunctionId, MovementId
from traffic.network import Network
from traffic.ports import Controller, Plant
from traffic.scenario import Scenario
from traffic.signals import Plan

PROTOCOLS = ("legacy", "safe")
PUBLISHED = {"arterial4x4": LEGACY_FAST}
"""Scenarios whose published results decide faster than the others (notes/signal-control.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateSpec:
    """One run: picklable, for the ensemble. `model` is what `universal` runs, `faults` are its zones'."""

    scenario: Scenario
    control: str
    protocol: Protocol
    seed: Seed
    folder: Path
    model: str = UNIVERSAL
    faults: ZoneFaults = ZoneFaults()


@dataclass(frozen=True, slots=True, kw_only=True)
class Via:
    """What a run through the virtual controllers has beside its episode.

    Attributes
    ----------
    direct
        The same control of the same seed on the same street, actuated directly.
    pushed, confirmed
        Plans that controllers took, and those of them that a poll saw in effect.
    rounded_phases
        Phases whose yellow or red clearance the controllers round up to the street's step.
    """

    direct: Episode
    pushed: int
    confirmed: int
    rounded_phases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateRun:
    """What one run gave, and how often the guard refused a decision or forced a call."""

    control: str
    episode: Episode
    refused: int = 0
    forced: int = 0
    released: int = 0
    via: Via | None = None


Programs = Mapping[JunctionId, Program]
CONTROLLERS: dict[str, Callable[[EvaluateSpec, Town], Controller[Any]]] = {
    "greedy": lambda _spec, _town: Greedy(),
    "max_pressure": lambda _spec, _town: MaxPressure(),
    "mpc": lambda spec, town: mpc_of(spec.scenario, town, spec.protocol),
    "universal": lambda spec, town: universal_of(spec.scenario, town, spec.protocol, spec.model),
}
ZONES_M = {"mpc": MPC_ZONE_M, "plan_mpc": MPC_ZONE_M, "universal": POLICY_ZONE_M}
"""Length of the detector zones of controls that have cameras which see further."""
READS_QUEUE = frozenset({"mpc", "universal"})
DESIGNED = ("static", "webster", "actuated", "static_safe", "actuated_safe")
CONTROLS = (*DESIGNED, *CONTROLLERS)
SAFE_ONLY = frozenset({"static_safe", "actuated_safe"})


def protocol_of(name: str, scenario: Scenario) -> Protocol:
    """Return the protocol `legacy` or `safe` as it holds for a scenario."""
    return SAFE if name == "safe" else PUBLISHED.get(scenario.name, LEGACY)


def evaluate_one(spec: EvaluateSpec) -> EvaluateRun:
    """Run one control once, and measure.

    Raises
    ------
    BadScenario
        If the scenario cannot be run.
    UnsafeCommand
        If a designed plan breaks a rule of the guard.
    """
    run = run_of(spec)
    if spec.control in CONTROLLERS:
        return _controlled(run, spec)
    is_as_installed = spec.control == "static" and spec.scenario.signals is None
    programs = None if is_as_installed else programs_of(spec.control, run.town, spec.protocol, spec.scenario)
    return EvaluateRun(control=spec.control, episode=run_native(run, programs))


def run_of(spec: EvaluateSpec) -> Run:
    """Return the run of a spec; its town has the scenario's own signals where it names some."""
    zone_m = ZONES_M.get(spec.control, ZONE_M)
    run = prepare(spec.scenario, spec.seed, spec.protocol, spec.folder, zone_m=zone_m)
    return replace(run, town=town_seen(spec.scenario, zone_m=zone_m))


def programs_of(control: str, town: Town, protocol: Protocol, scenario: Scenario) -> Programs:
    """Return the programs that a control without a controller runs."""
    if control == "webster":
        return webster_programs(town, protocol, scenario)
    if control == "static_safe":
        return safe_programs(town, protocol, scenario)
    programs: Programs = town.signals.programs
    if control.startswith("actuated"):
        programs = {name: actuated(program) for name, program in programs.items()}
    if control == "actuated_safe":
        programs = {name: safe_program(program, protocol) for name, program in programs.items()}
    return programs


def _controlled(run: Run, spec: EvaluateSpec) -> EvaluateRun:
    guards: list[Guard] = []
    fronts: list[OneByOne] = []
    limits = limits_of(run.town, spec.protocol, spec.scenario)

    def wrap(plant: Plant) -> Plant:
        seen = plant if spec.faults.is_none else FaultyZones(plant, spec.faults, spec.seed.driver)
        guards.append(Guard(seen, limits))
        fronts.append(OneByOne(guards[0]))
        return fronts[0]

    controller = CONTROLLERS[spec.control](spec, run.town)
    episode = run_controlled(run, controller, wrap=wrap, reads_queue=spec.control in READS_QUEUE)
    counts = guards[0].counts
    return EvaluateRun(
        control=spec.control,
        episode=episode,
        refused=fronts[0].n_refused,
        forced=counts.forced,
        released=counts.released,
    )


def limits_of(town: Town, protocol: Protocol, scenario: Scenario) -> GuardLimits:
    """Return the guard's limits under a protocol: legacy for published benchmarks, street rules otherwise."""
    if not protocol.keeps_installed:
        return legacy_limits()
    phases = [phase for junction in town.signals.junctions.values() for phase in junction.phases]
    yellow_s = max([protocol.yellow_s, *(phase.yellow_ds / 10 for phase in phases)])
    red_s = max([protocol.all_red_s, *(phase.red_clear_ds / 10 for phase in phases)])
    limits = street_limits(scenario.guard, scenario.clearance, is_push=False, change_s=yellow_s + red_s)
    return replace(
        limits,
        min_green_s=protocol.min_green_s,
        step_s=scenario.step_s,
        knows_recall=scenario.signals is not None,
    )


def webster_programs(town: Town, protocol: Protocol, scenario: Scenario) -> Programs:
    """Return the programs of `webster_plans`, as they run under this protocol.

    Raises
    ------
    UnsafeCommand
        If a plan breaks a rule of the guard under this protocol.
    """
    junctions = {name: with_clearances(row, protocol) for name, row in town.signals.junctions.items()}
    signals = replace(town.signals, junctions=junctions)
    plans = webster_plans(replace(town, signals=signals), protocol, scenario)
    return {name: program_of_plan(junctions[name], plan) for name, plan in plans.items()}


def webster_plans(town: Town, protocol: Protocol, scenario: Scenario) -> dict[JunctionId, Plan]:
    """Return Webster's plans for the busiest quarter of an hour of the demand file, offsets as installed.

    Raises
    ------
    UnsafeCommand
        If a plan breaks a rule of the guard under this protocol.
    """
    flows_vph = design_flows_vph(town, scenario)
    limits = limits_of(town, protocol, scenario)
    settings = WebsterSettings(is_capped=True)
    plans = {}
    for name, installed in town.signals.junctions.items():
        junction = without_merges(installed, town.network)
        plan = webster_plan(junction, town.network, flows_vph, settings, replace(limits, min_green_s=5.0))
        offset_s = town.signals.plans[name].pattern.offset_s % plan.pattern.cycle_s
        plans[name] = replace(plan, pattern=replace(plan.pattern, offset_s=offset_s))
        faults = plan_faults(junction, plans[name], limits)
        if faults:
            raise UnsafeCommand(f"webster at junction {name}", "; ".join(faults), next_move="leave webster out")
    return plans


def design_flows_vph(town: Town, scenario: Scenario) -> Mapping[MovementId, float]:
    """Return the flows that plans are designed for: at each junction its busiest quarter of an hour, veh/h.

    They come from the demand file as it is, at free-flow travel times, whatever the seed; read once a process.
    """
    key = (scenario.network, scenario.routes, scenario.begin_s, scenario.end_s)
    if key not in _FLOWS:
        demand = read_demand(scenario.routes)
        profile = profile_of_demand(demand, town.network, scenario.begin_s, scenario.end_s)
        _FLOWS.clear()
        _FLOWS[key] = busiest_period(town.network, profile)
    return _FLOWS[key]


def busiest_period(network: Network, profile: FlowProfile) -> dict[MovementId, float]:
    """Return every movement's flow in the period in which its junction's total is highest, veh/h."""
    flows: dict[MovementId, float] = {}
    for junction in network.crossings:
        rows = {m.id: profile.flows_vph[m.id] for m in network.movements.values() if m.junction == junction}
        totals = [sum(column) for column in zip(*rows.values(), strict=True)]
        place = totals.index(max(totals))
        flows |= {movement: row[place] for movement, row in rows.items()}
    return flows


_FLOWS: dict[tuple[Path, tuple[Path, ...], float, float], Mapping[MovementId, float]] = {}
