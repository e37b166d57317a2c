"""A SUMO program as one ring: each green interval a phase, each group of links an overlap.

::

    GGr 30   phase 1 green          yyr 3    its yellow       rrr 2   its red clearance
    rGG 20   phase 2 green          (next green follows at once: clearance 0)
    rrr 5    a red interval that clears no phase is a phase without green

What the ring cannot show is not hidden: the cycle of the model is compared with the program, and
every difference is a line of the losses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sim.netfile import NativeInterval, Program
from sim.overlaps import Block, overlaps_of_blocks
from traffic.ids import PhaseNumber
from traffic.lamps import cycle_intervals
from traffic.network import Crossing
from traffic.signals import GREEN_LETTERS, Junction, Pattern, Phase, Plan, Split, SplitPlan

_LETTERS = {"u": "r", "Y": "y", "o": "g", "O": "g"}
_MIN_GREEN_S = 5
MAX_KEPT_S = 5.0
"""Longest interval after a yellow that counts as red clearance although some links stay green in it."""
MAX_CLEARANCE_S = 25.5
"""Longest yellow or red clearance that NTCIP 1202 can say."""


def ring_of_program(
    program: Program, crossing: Crossing, on_foot: frozenset[int] = frozenset()
) -> tuple[Junction, Plan, tuple[str, ...]]:
    """Return the junction, its installed plan, and what of the program they do not show.

    Parameters
    ----------
    program
        The program in force.
    crossing
        Geometry of the junction: conflicts and permissive pairs.
    on_foot
        Link indices of pedestrian crossings; pedestrian times of phases that serve one are unknown.
    """
    lines = [f"{program.junction}: interval order of `{program.kind}` kept"] if program.kind != "static" else []
    intervals = [replace(row, lamps=_letters(row.lamps, crossing.n_links)) for row in program.intervals]
    replaced = sorted({letter for row in program.intervals for letter in row.lamps} & set(_LETTERS))
    lines += [f"{program.junction}: `{letter}` becomes `{_LETTERS[letter]}`" for letter in replaced]
    rotated, start_s = _rotate(_merge(intervals))
    found = []
    for is_red_apart in (False, True):
        blocks = _blocks(rotated, is_red_apart=is_red_apart)
        junction = _junction(blocks, crossing, on_foot)
        plan = _plan(junction, blocks, program.offset_s + start_s)
        found.append((junction, plan, _differences(junction, plan, rotated)))
    junction, plan, differences = min(found, key=lambda row: len(row[2]))
    lines += differences
    first_green_s = program.offset_s + start_s
    if abs(first_green_s - round(first_green_s)) > 1e-6:
        lines.append(f"{program.junction}: offset {first_green_s:g} s rounded to {round(first_green_s)} s")
    return junction, plan, tuple(lines)


def _letters(lamps: str, n_links: int) -> str:
    return "".join(_LETTERS.get(letter, letter) for letter in lamps).ljust(n_links, "r")


def _merge(intervals: Iterable[NativeInterval]) -> list[NativeInterval]:
    """Return the intervals with neighbours that show the same made one."""
    merged: list[NativeInterval] = []
    for row in intervals:
        if merged and merged[-1].lamps == row.lamps:
            merged[-1] = replace(merged[-1], duration_s=merged[-1].duration_s + row.duration_s)
        else:
            merged.append(row)
    return merged


def _kind(row: NativeInterval) -> str:
    if "y" in row.lamps:
        return "yellow"
    return "green" if GREEN_LETTERS & set(row.lamps) else "red"


def _rotate(intervals: list[NativeInterval]) -> tuple[list[NativeInterval], float]:
    """Return the intervals from the first green one on (merged across the seam), and when it starts, seconds."""
    first = next((i for i, row in enumerate(intervals) if _kind(row) == "green"), 0)
    start_s = sum(row.duration_s for row in intervals[:first])
    rotated = intervals[first:] + intervals[:first]
    if len(rotated) > 1 and rotated[0].lamps == rotated[-1].lamps:
        start_s -= rotated[-1].duration_s
        rotated = _merge([rotated[-1], *rotated[:-1]])
    return rotated, start_s


def _blocks(rotated: Sequence[NativeInterval], *, is_red_apart: bool) -> list[Block]:
    """Return the phases to be: greens with their clearances; reds that no phase clears with stand alone.

    `is_red_apart` makes a phase of every red between two greens of one link.
    """
    blocks: list[Block] = []
    place = 0
    while place < len(rotated):
        green = rotated[place]
        place += 1
        yellow: list[NativeInterval] = []
        while place < len(rotated) and _kind(rotated[place]) == "yellow":
            yellow.append(rotated[place])
            place += 1
        red = None
        after = rotated[(place + 1) % len(rotated)]
        if place < len(rotated) and _kind(green) == "green" and _may_clear(green, yellow, rotated[place], after):
            is_shared = is_red_apart and any(
                a in GREEN_LETTERS and b in GREEN_LETTERS for a, b in zip(green.lamps, after.lamps, strict=True)
            )
            if not is_shared and _is_clearance(green, yellow, rotated[place], after):
                red = rotated[place]
                place += 1
        blocks.append(Block(green, tuple(yellow), red))
    return blocks


def _may_clear(
    green: NativeInterval, yellow: Sequence[NativeInterval], row: NativeInterval, after: NativeInterval
) -> bool:
    """Whether an interval is red, or red but for links that are green before and after it, and short."""
    if _kind(row) != "green":
        return _kind(row) == "red"
    is_kept = all(
        letter == green.lamps[place] and after.lamps[place] in GREEN_LETTERS
        for place, letter in enumerate(row.lamps)
        if letter in GREEN_LETTERS
    )
    return bool(yellow) and is_kept and row.duration_s <= MAX_KEPT_S and _kind(after) == "green"


def _is_clearance(
    green: NativeInterval, yellow: Sequence[NativeInterval], red: NativeInterval, after: NativeInterval
) -> bool:
    """Whether a red interval can be the red clearance of the phase before it.

    It cannot where another red follows, where `s` differs between yellow and red, or where it is
    longer than a controller's red clearance.
    """
    if _kind(after) == "red" or red.duration_s > MAX_CLEARANCE_S:
        return False
    return not any(
        green.lamps[place] not in GREEN_LETTERS and any(row.lamps[place] != letter for row in yellow)
        for place, letter in enumerate(red.lamps)
    )


def _junction(blocks: Sequence[Block], crossing: Crossing, on_foot: frozenset[int]) -> Junction:
    numbers = [PhaseNumber(place + 1) for place in range(len(blocks))]
    phases = tuple(_phase(number, block, on_foot) for number, block in zip(numbers, blocks, strict=True))
    return Junction(
        id=crossing.id,
        n_links=crossing.n_links,
        phases=phases,
        rings=(tuple(numbers),),
        barriers=(frozenset(numbers),),
        overlaps=overlaps_of_blocks(blocks, crossing.n_links),
        conflicts=crossing.conflicts,
        permissive=crossing.permissive,
        coordinated=numbers[0],
    )


def _phase(number: PhaseNumber, block: Block, on_foot: frozenset[int]) -> Phase:
    green_s = block.split_s - (block.yellow_ds + block.red_ds) / 10
    walks = any(block.green.lamps[link] in GREEN_LETTERS for link in on_foot)
    shortest_s = _MIN_GREEN_S if block.green.min_s is None else block.green.min_s
    longest_s = 50.0 if block.green.max_s is None else block.green.max_s
    return Phase(
        number=number,
        min_green_s=int(min(shortest_s, green_s)),
        walk_s=None if walks else 0,
        ped_clear_s=None if walks else 0,
        max1_s=int(min(255, longest_s)),
        max2_s=int(min(255, longest_s)),
        yellow_ds=block.yellow_ds,
        red_clear_ds=block.red_ds,
    )


def _plan(junction: Junction, blocks: Sequence[Block], start_s: float) -> Plan:
    """Return the installed plan; `start_s` is when the first phase turns green, on SUMO's clock."""
    cycle_s = sum(block.split_s for block in blocks)
    splits = tuple(
        Split(phase=phase.number, split_s=block.split_s, is_coordinated=phase.number == junction.coordinated)
        for phase, block in zip(junction.phases, blocks, strict=True)
    )
    return Plan(
        junction=junction.id,
        pattern=Pattern(number=1, cycle_s=cycle_s, offset_s=round(start_s) % cycle_s, split=1),
        split=SplitPlan(number=1, splits=splits),
    )


def _differences(junction: Junction, plan: Plan, rotated: Sequence[NativeInterval]) -> list[str]:
    """Return where the model's cycle shows other lamps than the program's, one line for each stretch."""
    native = _stretches((row.duration_s, row.lamps) for row in rotated)
    model = _stretches((row.duration_ds / 10, row.lamps) for row in cycle_intervals(junction, plan))
    if abs(native[-1][0] - model[-1][0]) > 1e-6:
        return [f"{junction.id}: cycle {native[-1][0]:g} s becomes {model[-1][0]:g} s"]
    lines, before = [], 0.0
    for end in sorted({end for end, _ in native} | {end for end, _ in model}):
        if end - before > 1e-6:
            middle = (before + end) / 2
            shown, wanted = (next(s for e, s in rows if e > middle) for rows in (model, native))
            if shown != wanted:
                lines.append(f"{junction.id}: {before:g}-{end:g} s shows {shown} for {wanted}")
        before = end
    return lines


def _stretches(rows: Iterable[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return (end, lamps) of consecutive (duration, lamps)."""
    ends, total = [], 0.0
    for duration_s, lamps in rows:
        total = round(total + duration_s, 6)
        ends.append((total, lamps))
    return ends
