"""The lamps of a search's plans as the core has them; what was looked up once is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from control.core.arrays import Timing
from control.optimise.space import Genome, Space, Times
from control.queue_timing import CodeTable
from traffic.lamps import is_stage

MOST_KNOWN = 100_000
"""Plans, and timings of single junctions, that are remembered; then memory starts afresh."""


class Lamps(NamedTuple):
    """A junction's cycle: seconds and places of codes by interval, which are greens, start of the coordinated one."""

    length_s: list[float]
    rows: list[int]
    is_green: list[bool]
    start_s: float


class Timings:
    """Plans of a space as `Timing`; `n_made` counts junctions whose lamps had to be made."""

    def __init__(self, space: Space, signal_links: Sequence[Sequence[int]]) -> None:
        self.space, self.n_made = space, 0
        self.table = CodeTable(signal_links)
        self._known: dict[tuple[int, int, tuple[int, ...]], Lamps] = {}

    def timing(self, genomes: Sequence[Genome], time_s: float) -> Timing:
        """Return the core's timing of plans that stand at `time_s` where their offsets have them."""
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        rows = [[self.lamps(place, times) for place, times in enumerate(genome)] for genome in genomes]
        shape = (len(genomes), len(self.space.sites))
        longest = max((len(cell.rows) for row in rows for cell in row), default=1)
        length_s, places = np.zeros((*shape, longest)), np.zeros((*shape, longest), np.int32)
        n, shift_s = np.zeros(shape, np.int32), np.zeros(shape)
        for p, (genome, row) in enumerate(zip(genomes, rows, strict=True)):
            for j, (times, cell) in enumerate(zip(genome, row, strict=True)):
                n[p, j] = len(cell.rows)
                length_s[p, j, : len(cell.rows)], places[p, j, : len(cell.rows)] = cell.length_s, cell.rows
                shift_s[p, j] = round((time_s - times.offset_s + cell.start_s) % times.cycle_s, 1)
        return Timing(length_s, places, n, shift_s, self.table.array())

    def lamps(self, place: int, times: Times) -> Lamps:
        """Return a junction's cycle; the offset does not matter."""
        key = (place, times.order, times.splits_s)
        if key not in self._known:
            self.n_made += 1
            intervals, start_s = self.space.sites[place].intervals(times)
            self._known[key] = Lamps(
                [row.duration_ds / 10.0 for row in intervals],
                [self.table.row(place, row.lamps) for row in intervals],
                [is_stage(row.lamps) for row in intervals],
                start_s,
            )
        return self._known[key]
