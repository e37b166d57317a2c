"""Plans as the core's timing arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from control.core.arrays import GREEN, RED, STOP, YELLOW, YIELD, Array, Timing
from traffic.errors import BadInput
from traffic.ids import JunctionId
from traffic.lamps import coordinated_start_ds, cycle_intervals
from traffic.signals import Junction, Plan

CODES = {
    "r": RED,
    "R": RED,
    "u": RED,
    "g": YIELD,
    "G": GREEN,
    "y": YELLOW,
    "Y": YELLOW,
    "s": STOP,
    "o": YIELD,
    "O": GREEN,
}
"""Lamp letters as the core's codes; `u` (red and yellow) is still red."""


class CodeTable:
    """Lamp strings as rows of codes, each row once."""

    def __init__(self, signal_links: Sequence[Sequence[int]]) -> None:
        self._links = signal_links
        self._rows: dict[tuple[int, str], int] = {}
        self._codes: list[int] = []

    def row(self, junction: int, lamps: str) -> int:
        """Return the first place of a junction's codes for a lamp string."""
        key = (junction, lamps)
        if key not in self._rows:
            self._rows[key] = len(self._codes)
            self._codes += [CODES[lamps[index]] for index in self._links[junction]]
        return self._rows[key]

    def array(self) -> Array:
        """Return all codes."""
        return np.array(self._codes or [0], np.uint8)


def compile_plans(
    plans: Sequence[Mapping[JunctionId, Plan]],
    junctions: Mapping[JunctionId, Junction],
    signal_links: Sequence[Sequence[int]],
    begin_s: float,
) -> Timing:
    """Return the timing of sets of plans, one plan for every junction each.

    Raises
    ------
    BadInput
        If a junction has no plan.
    UnsafeCommand
        If a plan has no cycle.
    """
    table = CodeTable(signal_links)
    missing = next((name for row in plans for name in junctions if name not in row), None)
    if missing is not None:
        raise BadInput(f"plans: junction {missing}", "none", "each needs a plan", "add one")
    cycles = [[cycle_intervals(junctions[name], row[name]) for name in junctions] for row in plans]
    shape = (len(plans), len(junctions))
    longest = max((len(cycle) for row in cycles for cycle in row), default=1)
    length_s, places = np.zeros((*shape, longest)), np.zeros((*shape, longest), np.int32)
    n, shift_s = np.zeros(shape, np.int32), np.zeros(shape)
    for p, (plan_set, row) in enumerate(zip(plans, cycles, strict=True)):
        for j, (name, cycle) in enumerate(zip(junctions, row, strict=True)):
            plan = plan_set[name]
            n[p, j] = len(cycle)
            length_s[p, j, : len(cycle)] = [interval.duration_ds / 10.0 for interval in cycle]
            places[p, j, : len(cycle)] = [table.row(j, interval.lamps) for interval in cycle]
            start_s = coordinated_start_ds(junctions[name], plan) / 10.0
            shift_s[p, j] = round((begin_s - plan.pattern.offset_s + start_s) % plan.pattern.cycle_s, 1)
    return Timing(length_s, places, n, shift_s, table.array())
