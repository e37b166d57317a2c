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
        self._limits = limits
        self._tables = tables
        self._red = np.zeros(n_movements, dtype=np.bool_)
        self._recall = np.zeros(n_movements, dtype=np.bool_)
        self._since = np.full(n_movements, inf)
        self._before_s: float | None = None
        self._lamps: list[str] = [""] * len(tables)
        self._patterns: list[dict[str, npt.NDArray[np.bool_]]] = [{} for _ in tables]
        for table in tables:
            self._recall[table.members] = table.has_recall
        spare = max((max(t.least_s, default=0.0) + t.change_s for t in tables), default=0.0)
        self._horizon_s = spare + max((table.round_s for table in tables), default=0.0)

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
        self._since = np.where(waits, np.minimum(self._since, start), inf)
        self._before_s = snapshot.time_s

    def is_quiet_until(self, time_s: float) -> bool:
        """Whether no junction at all can come near its longest red before this time; cheap."""
        oldest = float(self._since.min(initial=inf))
        return oldest + self._limits.max_red_s - self._horizon_s > time_s

    def latest_start(self, place: int, served_by: int = -1) -> tuple[float, int]:
        """Return when the change to the oldest call must start at the latest, and its stage.

        (inf, -1) where no call stands. Movements that stage `served_by` serves are left out.
        """
        table = self._tables[place]
        since = self._since[table.members]
        order = [int(m) for m in np.argsort(since, kind="stable") if since[m] < inf]
        covered = set(table.served[served_by]) if served_by >= 0 else set()
        latest, first, work_s = inf, -1, table.change_s
        for movement in order:
            if movement in covered:
                continue
            stage = table.designated[movement]
            latest = min(latest, float(since[movement]) + self._limits.max_red_s - work_s)
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
