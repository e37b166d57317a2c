"""What the virtual controllers of an evaluation are loaded with: a town's junctions and local plans, made safe.

A network without signals.json gets its own programs with the intergreens of the safe protocol, each as one ring: just
what `static_safe` runs. A signals.json is loaded as it is, if it keeps the protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from control.drivers.cabinet_plan import free_reason, rounded
from control.guard import GuardLimits
from control.lamp_rules import without_merges
from ops.evaluate_runs import limits_of
from ops.evaluate_safe import is_safe, safe_programs
from sim.programs import Signals, program_of_plan, unholdable
from sim.protocols import Protocol
from sim.ring_of_program import ring_of_program
from sim.twin import Town, stages_of
from traffic.errors import BadScenario
from traffic.ids import JunctionId
from traffic.scenario import Scenario
from traffic.signals import Junction


def cabinet_town(town: Town, protocol: Protocol, scenario: Scenario) -> Town:
    """Return the town with the junctions and plans that its controllers hold; nobody walks in an evaluation.

    Raises
    ------
    BadScenario
        If a controller cannot hold a junction or its plan, or a signals.json has shorter times than the protocol.
    """
    found = town.signals if scenario.signals is not None else _rings(town, protocol, scenario)
    junctions = {name: _installed(row, town) for name, row in found.junctions.items()}
    signals = replace(
        found,
        junctions=junctions,
        programs={name: program_of_plan(junctions[name], plan) for name, plan in found.plans.items()},
    )
    faults = [line for name in junctions for line in _faults(signals, name, protocol, scenario)]
    if faults:
        where = f"controllers of scenario {scenario.name}"
        raise BadScenario(where, "; ".join(faults), "", "mend the signals, or evaluate --via direct")
    return replace(
        town, signals=signals, stages={name: stages_of(town.network, row) for name, row in junctions.items()}
    )


def push_limits(town: Town, protocol: Protocol, scenario: Scenario) -> GuardLimits:
    """Return the evaluation's limits with the rules of a push, plans only; the audit of clearances only warns."""
    limits = limits_of(town, protocol, scenario)
    return replace(limits, is_push=True, is_clearance_accepted=True, stage_level=frozenset())


def rounded_phases(town: Town, step_s: float) -> int:
    """Return how many phases have a yellow or red clearance that is no whole number of steps."""
    pairs = [(row, rounded(row, round(10 * step_s))) for row in town.signals.junctions.values()]
    return sum(one != other for a, b in pairs for one, other in zip(a.phases, b.phases, strict=True))


def _rings(town: Town, protocol: Protocol, scenario: Scenario) -> Signals:
    """Return the safe programs in the model; what a ring does not show of them is among the losses."""
    programs = safe_programs(town, protocol, scenario)
    rings = {name: ring_of_program(program, town.network.crossings[name]) for name, program in programs.items()}
    return Signals(
        junctions={name: ring[0] for name, ring in rings.items()},
        plans={name: ring[1] for name, ring in rings.items()},
        programs=programs,
        losses={name: ring[2] for name, ring in rings.items()},
    )


def _installed(junction: Junction, town: Town) -> Junction:
    """Return a junction as the guard judges it, without pedestrians where nobody knows of any.

    Lanes of one approach that merge are one stream to the conflict monitor, too; unknown pedestrians block a push, not
    an evaluation.
    """
    phases = tuple(
        replace(phase, walk_s=0, ped_clear_s=0) if phase.has_unknown_pedestrians else phase for phase in junction.phases
    )
    return replace(without_merges(junction, town.network), phases=phases)


def _faults(signals: Signals, name: JunctionId, protocol: Protocol, scenario: Scenario) -> Iterator[str]:
    """Yield what a controller cannot hold of a junction, and what of it the protocol does not allow."""
    junction, plan = signals.junctions[name], signals.plans[name]
    yield from signals.losses[name]
    yield from unholdable(junction, plan)
    reason = free_reason(rounded(junction, round(10 * scenario.step_s)), plan)
    if reason is not None:
        yield f"{name}: its controller would run free ({reason.name.lower().replace('_', ' ')})"
    if scenario.signals is not None and not is_safe(junction, protocol):
        least = f"{protocol.yellow_s:g} s yellow, {protocol.all_red_s:g} s all-red, {protocol.min_green_s:g} s green"
        yield f"{name}: shorter than the safe protocol ({least})"
