"""What plans are made for, and the plans that need no search: Webster's, and those that a search starts from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from control.guard import plan_faults, street_limits
from control.optimise.space import Genome, Space
from control.plan.corridor import common_cycle_plans
from control.plan.webster import WebsterSettings, webster_plan
from ops.bench_core_draws import Design, Plans, design_of
from ops.bench_core_waves import wave_offsets_s
from ops.evaluate_runs import design_flows_vph
from ops.plan_runs import town_of
from traffic.errors import BadScenario, UnsafeCommand
from traffic.ids import JunctionId
from traffic.scenario import Scenario
from traffic.signals import Plan

CYCLE_STEP_S = 6
"""Step between the common cycles from which a search starts."""
SETTINGS = WebsterSettings(is_capped=True)


def open_design(scenario: Scenario) -> Design:
    """Return what plans of a scenario are made for: its signals.json or its programs, street rules of an evaluation.

    Raises
    ------
    BadScenario
        If it cannot be read, or has no signals.
    """
    town = town_of(scenario)
    if not town.network.crossings:
        raise BadScenario(f"scenario {scenario.name}", "no signals", "a plan needs one", "choose another scenario")
    limits = street_limits(scenario.guard, scenario.clearance, is_push=False)
    return design_of(town, design_flows_vph(town, scenario), limits)


def webster_plans(design: Design) -> Plans:
    """Return Webster's plan of every junction on its own cycle, clearances and offsets as installed.

    Raises
    ------
    UnsafeCommand
        If the guard refuses one.
    """
    plans = {}
    for name, junction in design.junctions.items():
        plan = webster_plan(junction, design.network, design.flows_vph, SETTINGS, design.limits)
        plans[name] = _as_installed(plan, design.installed[name], design.installed[name].pattern.offset_s)
        faults = plan_faults(junction, plans[name], design.limits)
        if faults:
            raise UnsafeCommand(f"webster at junction {name}", "; ".join(faults), next_move="leave webster out")
    return plans


def starts(design: Design, space: Space) -> Iterator[Genome]:
    """Yield legal plans to start from: the installed and Webster's, on their own and on common cycles.

    Offsets are the installed ones, none, or a wave along the roads from the first junction.
    """
    installed = space.genome_of(design.installed)
    own = space.genome_of(webster_plans(design))
    yield from (genome for genome in (installed, own) if genome is not None)
    wave_s = wave_offsets_s(design.network, next(iter(design.junctions)))
    for cycle_s in range(space.shortest_s, space.longest_s + 1, CYCLE_STEP_S):
        plans = common_cycle_plans(
            design.network, design.junctions, design.flows_vph, SETTINGS, design.limits, cycle_s=cycle_s
        )
        flat = space.genome_of(plans)
        rows = [flat, None if installed is None else space.with_cycle(installed, cycle_s)]
        if flat is not None:
            pairs = zip(space.sites, flat, strict=True)
            rows.append(tuple(replace(row, offset_s=wave_s[site.id] % row.cycle_s) for site, row in pairs))
        yield from (genome for genome in rows if genome is not None)


def _as_installed(plan: Plan, old: Plan, offset_s: int) -> Plan:
    """Return a plan under the old one's numbers and modes."""
    splits = {row.phase: row.split_s for row in plan.split.splits}
    rows = tuple(replace(row, split_s=splits[row.phase]) for row in old.split.splits)
    cycle_s = plan.pattern.cycle_s
    pattern = replace(old.pattern, cycle_s=cycle_s, offset_s=offset_s % cycle_s)
    return Plan(junction=plan.junction, pattern=pattern, split=replace(old.split, splits=rows))


def installed_faults(design: Design) -> dict[JunctionId, list[str]]:
    """Return what the guard has against installed plans, by junction; empty where all are legal."""
    found = {name: plan_faults(design.junctions[name], plan, design.limits) for name, plan in design.installed.items()}
    return {name: faults for name, faults in found.items() if faults}
