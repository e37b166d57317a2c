"""SUMO programs: read them, write them, and turn them into the signal model and back.

SUMO's static program stands at (t - offset) mod cycle at its absolute time t; the model's offset is
the start of green of the coordinated phase after time 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from sim.netfile import NativeInterval, Program, read_netfile
from sim.ring_of_program import ring_of_program
from traffic.errors import BadScenario
from traffic.ids import JunctionId, PhaseNumber
from traffic.lamps import coordinated_start_ds, cycle_intervals, is_stage
from traffic.network import Network
from traffic.signals import Junction, Plan

OWN_PROGRAM = "ngatu"
"""Program id of what we write, so that it never meets the network's own."""
ACTUATED_MIN_S, ACTUATED_MAX_S = 5.0, 50.0
"""SUMO's actuated greens where the network gives none (notes/signal-control.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What is installed: junctions and plans in the model, the native programs, and what the model lost of them."""

    junctions: Mapping[JunctionId, Junction]
    plans: Mapping[JunctionId, Plan]
    programs: Mapping[JunctionId, Program]
    losses: Mapping[JunctionId, tuple[str, ...]]


def read_signals(net_path: Path, network: Network, additional: Sequence[Path] = ()) -> Signals:
    """Read the programs of a network, or of its additional files, into the model.

    Raises
    ------
    BadScenario
        If a file cannot be read, or a junction of `network` has no program.
    """
    net = read_netfile(net_path, additional)
    on_foot = {
        name: frozenset(
            raw.link_index
            for raw in net.connections
            if raw.tl == name and (net.edges[raw.from_edge].function or net.edges[raw.to_edge].function)
        )
        for name in net.programs
    }
    junctions, plans, programs, losses = {}, {}, {}, {}
    for name, crossing in network.crossings.items():
        if name not in net.programs:
            raise BadScenario(f"{net_path}: junction {name}", "no program", next_move="mend the network")
        program = net.programs[name]
        junctions[name], plans[name], losses[name] = ring_of_program(program, crossing, on_foot[name])
        programs[name] = program
    return Signals(junctions=junctions, plans=plans, programs=programs, losses=losses)


def program_of_plan(junction: Junction, plan: Plan) -> Program:
    """Return the static program that shows what the plan shows, second by second."""
    start_s = coordinated_start_ds(junction, plan) / 10.0
    intervals = tuple(
        NativeInterval(duration_s=row.duration_ds / 10.0, lamps=row.lamps) for row in cycle_intervals(junction, plan)
    )
    offset_s = round((plan.pattern.offset_s - start_s) % plan.pattern.cycle_s, 1)
    return Program(junction=junction.id, offset_s=offset_s, intervals=intervals)


def programs_of_plans(junctions: Mapping[JunctionId, Junction], plans: Iterable[Plan]) -> tuple[Program, ...]:
    """Return the static programs of plans."""
    return tuple(program_of_plan(junctions[plan.junction], plan) for plan in plans)


def program_additional(path: Path, junctions: Mapping[JunctionId, Junction], plans: Iterable[Plan]) -> Path:
    """Write plans as static programs into a SUMO additional file and return its path."""
    return write_programs(path, programs_of_plans(junctions, plans))


def actuated_additional(path: Path, programs: Iterable[Program]) -> Path:
    """Write programs as SUMO's own actuated ones, minDur 5 and maxDur 50 where none are given; return the path."""
    return write_programs(path, [actuated(program) for program in programs])


def actuated(program: Program) -> Program:
    """Return the program as SUMO's actuated one: every green may last from its minimum to its maximum."""
    intervals = tuple(
        NativeInterval(
            duration_s=row.duration_s,
            lamps=row.lamps,
            min_s=ACTUATED_MIN_S if row.min_s is None else row.min_s,
            max_s=ACTUATED_MAX_S if row.max_s is None else row.max_s,
        )
        if is_stage(row.lamps)
        else NativeInterval(duration_s=row.duration_s, lamps=row.lamps)
        for row in program.intervals
    )
    return Program(junction=program.junction, offset_s=program.offset_s, intervals=intervals, kind="actuated")


def write_programs(path: Path, programs: Iterable[Program], *, program_id: str = OWN_PROGRAM) -> Path:
    """Write programs into a SUMO additional file, in force from the start; return its path."""
    lines = ["<additional>"]
    for program in programs:
        lines.append(
            f"  <tlLogic id={quoteattr(program.junction)} type={quoteattr(program.kind)} "
            f'programID="{program_id}" offset="{_seconds(program.offset_s)}">'
        )
        lines += [f"    <phase {_phase(row)}/>" for row in program.intervals]
        lines.append("  </tlLogic>")
    lines.append("</additional>\n")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _phase(row: NativeInterval) -> str:
    text = f'duration="{_seconds(row.duration_s)}" state={quoteattr(row.lamps)}'
    if row.min_s is not None:
        text += f' minDur="{_seconds(row.min_s)}"'
    if row.max_s is not None:
        text += f' maxDur="{_seconds(row.max_s)}"'
    return text


def _seconds(value: float) -> str:
    """Return seconds with SUMO's resolution of a millisecond, no trailing zeros."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def unholdable(junction: Junction, plan: Plan) -> list[str]:
    """Return what a controller in the field cannot hold of this, one line each; empty if it can hold all.

    More than 16 phases, more than 16 overlaps with two or more parents, a cycle outside 30-255 s,
    a yellow below 3 s where links lose green.
    """
    faults = []
    if len(junction.phases) > 16:
        faults.append(f"{junction.id}: {len(junction.phases)} phases (a controller holds 16)")
    shared = sum(len(overlap.parents) > 1 for overlap in junction.overlaps)
    if shared > 16:
        faults.append(f"{junction.id}: {shared} overlaps with two or more parents (a controller holds 16)")
    if not 30 <= plan.pattern.cycle_s <= 255:
        faults.append(f"{junction.id}: cycle {plan.pattern.cycle_s} s (a controller holds 30-255 s)")
    short = [phase for phase in junction.phases if phase.yellow_ds < 30 and _ends_green(junction, phase.number)]
    faults += [
        f"{junction.id}: yellow of phase {phase.number} {phase.yellow_ds / 10:g} s (at least 3 s)" for phase in short
    ]
    return faults


def _ends_green(junction: Junction, number: PhaseNumber) -> bool:
    """Whether some link is green in this phase and not in the next one of its ring."""
    ring = next(ring for ring in junction.rings if number in ring)
    after = ring[(ring.index(number) + 1) % len(ring)]
    return any(number in row.parents and after not in row.parents for row in junction.overlaps)
