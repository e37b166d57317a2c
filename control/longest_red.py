"""Who waits at red since when, and by when the oldest call has to be served.

Calls are served in the order of their deadlines. The latest start is the last instant at which
that still keeps every one of them::

    now        latest start                                   deadline 1      deadline 2
     |--slack--|--change--|G stage 1, least--|--change--|G stage 2 .................|
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
import numpy.typing as npt

from control.limits import GuardLimits
from control.stage_table import StageTable
from traffic.errors import BadScenario
from traffic.snapshot import Snapshot

SAMPLING_S = 5.0
"""How often calls are looked at while a junction is commanded by stages, at least."""


def require_bounded_reds(table: StageTable, limits: GuardLimits) -> None:
    """Refuse a junction at which the longest red cannot be kept.

    Raises
    ------
    BadScenario
        If, for some stage, the least service of the others, the changes and one sampling of the
        detectors do not fit into the longest red.
    """
    if len(table.cover) < 2:
        return
    needed = table.round_s - min(table.least_s[stage] for stage in table.cover) + SAMPLING_S - table.change_s
    if needed > limits.max_red_s:
        raise BadScenario(
            f"junction {table.junction}: longest red {limits.max_red_s:g} s",
            f"the least service of the other stages takes {needed:g} s",
            "it must fit into the longest red",
            "raise [guard] max_red_s or shorten walk, clearance and minimum greens",
        )


class CallWatch:
    """Standing calls at red, per movement of every junction; a reading that is not exactly 0 is a call."""

    def __init__(self, tables: Sequence[StageTable], n_movements: int, limits: GuardLimits) -> None:
        self._limits, self._tables = limits, tables
        self._red = np.zeros(n_movements, dtype=np.bool_)
        self._recall = np.zeros(n_movements, dtype=np.bool_)
        self._since = np.full(n_movements, inf)
        self._before_s: float | None = None
        self._lamps: list[str] = [""] * len(tables)
        self._patterns: list[dict[str, npt.NDArray[np.bool_]]] = [{} for _ in tables]
        for table in tables:
            self._recall[table.members] = table.has_recall
        # Junctions with movements, for a minimum per junction in one call of numpy.
        self._with_calls = [place for place, table in enumerate(tables) if len(table.members)]
        sizes = [len(tables[place].members) for place in self._with_calls]
        self._grouped = np.concatenate([table.members for table in tables]) if tables else np.array([], dtype=np.intp)
        self._starts = np.cumsum([0, *sizes[:-1]], dtype=np.intp) if sizes else np.array([], dtype=np.intp)
        self._reach_s = np.array([limits.max_red_s - tables[place].horizon_s for place in self._with_calls])
        self._near_s: list[float] = [inf] * len(tables)
        self._cached: list[dict[int, tuple[float, int]]] = [{} for _ in tables]

    def update(self, snapshot: Snapshot) -> None:
        """Take a snapshot's lamps and readings; a wait counts from the snapshot before it was first seen."""
        for place, shown in enumerate(snapshot.lamps):
            if shown != self._lamps[place]:
                self._lamps[place] = shown
                known = self._patterns[place]
                if shown not in known:
                    known[shown] = self._tables[place].red(shown)
                self._red[self._tables[place].members] = known[shown]
        start = snapshot.time_s if self._before_s is None else self._before_s
        waits = ((snapshot.arriving_veh != 0.0) | self._recall) & self._red
        since, before = np.where(waits, np.minimum(self._since, start), inf), self._since
        self._since, self._before_s = since, snapshot.time_s
        if len(self._starts):
            is_changed = np.logical_or.reduceat((since != before)[self._grouped], self._starts)
            for group in np.flatnonzero(is_changed).tolist():
                self._cached[self._with_calls[group]].clear()
            near_s = np.minimum.reduceat(self._since[self._grouped], self._starts) + self._reach_s
            for place, value in zip(self._with_calls, near_s.tolist(), strict=True):
                self._near_s[place] = value

    def is_quiet_until(self, place: int, time_s: float) -> bool:
        """Whether a junction cannot come near its longest red before this time, whatever is served first; cheap."""
        return self._near_s[place] > time_s

    def latest_start(self, place: int, served_by: int = -1) -> tuple[float, int]:
        """Return when the change to the oldest call must start at the latest, and its stage.

        (inf, -1) where no call stands. Movements that stage `served_by` serves are left out.
        """
        known = self._cached[place]
        if served_by not in known:
            known[served_by] = self._latest_start(place, served_by)
        return known[served_by]

    def _latest_start(self, place: int, served_by: int) -> tuple[float, int]:
        table = self._tables[place]
        since = self._since[table.members].tolist()
        left_out: frozenset[int] = table.served[served_by] if served_by >= 0 else frozenset()
        waiting = sorted((since_s, n) for n, since_s in enumerate(since) if since_s < inf and n not in left_out)
        covered: set[int] = set()
        latest, first, work_s = inf, -1, table.change_s
        for since_s, movement in waiting:
            if movement in covered:
                continue
            stage = table.designated[movement]
            latest = min(latest, since_s + self._limits.max_red_s - work_s)
            first = stage if first < 0 else first
            covered |= table.served[stage]
            work_s += table.least_s[stage] + table.change_s
        return latest, first

    def has_room_for(self, place: int, stage: int) -> bool:
        """Whether a stage outside the cover can be served without a call that comes meanwhile waiting too long."""
        table = self._tables[place]
        needed = table.round_s + table.change_s + table.least_s[stage] + SAMPLING_S
        return needed <= self._limits.max_red_s

    def longest_wait_s(self, place: int, time_s: float) -> float:
        """Return how long the oldest call of a junction has stood at red; 0 where none stands."""
        oldest = float(self._since[self._tables[place].members].min(initial=inf))
        return 0.0 if oldest == inf else time_s - oldest
