"""What is installed, with at least the intergreens and minimum greens of the safe protocol."""

from __future__ import annotations

from dataclasses import replace

from sim.netfile import Program
from sim.protocols import Protocol
from sim.safe_programs import safe_program
from sim.twin import Town
from traffic.ids import JunctionId
from traffic.scenario import Scenario
from traffic.signals import Junction


def with_clearances(junction: Junction, protocol: Protocol) -> Junction:
    """Return the junction with at least the protocol's yellow and all-red wherever a phase has a yellow."""
    if not protocol.keeps_installed:
        return junction
    phases = tuple(
        replace(
            phase,
            yellow_ds=max(phase.yellow_ds, round(10 * protocol.yellow_s)),
            red_clear_ds=max(phase.red_clear_ds, round(10 * protocol.all_red_s)),
        )
        if phase.yellow_ds
        else phase
        for phase in junction.phases
    )
    return replace(junction, phases=phases)


def is_safe(junction: Junction, protocol: Protocol) -> bool:
    """Whether a junction already keeps the protocol's intergreens and minimum greens."""
    is_long = all(phase.min_service_s >= protocol.min_green_s for phase in junction.phases)
    return is_long and with_clearances(junction, protocol) == junction


def safe_programs(town: Town, protocol: Protocol, scenario: Scenario) -> dict[JunctionId, Program]:
    """Return the town's programs with the protocol's intergreens; what signals.json keeps already stays as it is."""
    junctions = town.signals.junctions
    return {
        name: program
        if scenario.signals is not None and is_safe(junctions[name], protocol)
        else safe_program(program, protocol)
        for name, program in town.signals.programs.items()
    }
