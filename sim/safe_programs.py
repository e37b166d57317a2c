"""Installed programs with the intergreens and minimum greens of the safe protocol, the cycle kept.

::

    installed   | green 10 | yellow 3 | green 30 | yellow 3 |              46 s
    safe        | green 8  | yellow 3 | red 2 | green 28 | yellow 3 | red 2 |  46 s
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sim.netfile import NativeInterval, Program
from sim.programs import ACTUATED_MAX_S
from sim.protocols import SAFE, Protocol
from traffic.lamps import change, is_stage


def safe_program(program: Program, protocol: Protocol = SAFE) -> Program:
    """Return the program with yellow and all-red at least the protocol's wherever links lose green.

    Greens are shortened pro rata, in whole seconds, none below the protocol's minimum; where that cannot keep the
    cycle, the cycle grows. Minimum and maximum greens of actuated programs are raised likewise.
    """
    intervals = list(program.intervals)
    first = next((place for place, row in enumerate(intervals) if is_stage(row.lamps)), None)
    if first is None:
        return program
    start_s = sum(row.duration_s for row in intervals[:first])
    greens, gaps = _split(intervals[first:] + intervals[:first])
    changes = [
        _change(green, gap, greens[(place + 1) % len(greens)], protocol)
        for place, (green, gap) in enumerate(zip(greens, gaps, strict=True))
    ]
    left_s = program.cycle_s - sum(row.duration_s for rows in changes for row in rows)
    lengths = pro_rata([row.duration_s for row in greens], left_s, protocol.min_green_s)
    safe: list[NativeInterval] = []
    for green, length_s, rows in zip(greens, lengths, changes, strict=True):
        shortest_s = max(protocol.min_green_s, green.min_s or 0.0)
        longest_s = max(shortest_s, ACTUATED_MAX_S if green.max_s is None else green.max_s)
        safe += [replace(green, duration_s=length_s, min_s=shortest_s, max_s=longest_s), *rows]
    offset_s = (program.offset_s + start_s) % sum(row.duration_s for row in safe)
    return replace(program, intervals=tuple(safe), offset_s=offset_s)


def _split(intervals: Sequence[NativeInterval]) -> tuple[list[NativeInterval], list[list[NativeInterval]]]:
    """Return the greens, and the intervals between each and the next."""
    greens: list[NativeInterval] = []
    gaps: list[list[NativeInterval]] = []
    for row in intervals:
        if is_stage(row.lamps):
            greens.append(row)
            gaps.append([])
        else:
            gaps[-1].append(row)
    return greens, gaps


def _change(
    green: NativeInterval, gap: Sequence[NativeInterval], after: NativeInterval, protocol: Protocol
) -> list[NativeInterval]:
    """Return what stands between two greens; the installed intervals where no link loses its green for good."""
    yellow_s = sum(row.duration_s for row in gap if "y" in row.lamps.lower())
    red_s = sum(row.duration_s for row in gap) - yellow_s
    steps = change(green.lamps, after.lamps, max(yellow_s, protocol.yellow_s), max(red_s, protocol.all_red_s))
    if not steps:
        return list(gap)
    return [NativeInterval(duration_s=span_s, lamps=lamps) for span_s, lamps in steps]


def pro_rata(lengths_s: Sequence[float], total_s: float, least_s: float) -> list[float]:
    """Return whole seconds in proportion to `lengths_s` that sum to `total_s`, none below `least_s`.

    Where `total_s` is too short for that, every length is `least_s`; a fraction of a second goes to the longest.

    Examples
    --------
    >>> pro_rata([30.0, 6.0], 30.0, 5.0)
    [25.0, 5.0]
    """
    fixed: dict[int, float] = {}
    while True:
        free = [place for place in range(len(lengths_s)) if place not in fixed]
        left_s = total_s - sum(fixed.values())
        scale = left_s / sum(lengths_s[place] for place in free) if free else 0.0
        short = {place: least_s for place in free if lengths_s[place] * scale < least_s}
        if not short:
            break
        fixed |= short
    wanted = [fixed.get(place, length_s * scale) for place, length_s in enumerate(lengths_s)]
    whole = [float(int(length_s + 1e-9)) for length_s in wanted]
    by_rest = sorted(free, key=lambda place: (whole[place] - wanted[place], -wanted[place]))
    missing_s = total_s - sum(whole)
    for place in by_rest:
        if missing_s >= 1.0 - 1e-9:
            whole[place] += 1.0
            missing_s -= 1.0
    if by_rest and missing_s > 1e-9:
        whole[max(free, key=lambda place: whole[place])] += round(missing_s, 3)
    return whole
