"""What a policy sees of a junction: detector zones and lamps, nothing else. Own ones fit in wherever a name does.

::

    zones   per movement  arriving  queued  leaving  known x 3  zone length     per lane, as a share of a full lane
            per stage     runs now
            at the end    in a change, green so far / 120 s

Names are in `control.rl.names`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Space

from control.rl.arena import Arena
from traffic.errors import BadScenario
from traffic.ids import JunctionId
from traffic.snapshot import FloatArray, Snapshot

FULL_VEH_PER_M = 1.0 / 7.5
"""A lane of standing cars: 5 m and a gap of 2.5 m each, SUMO's passenger car."""
MOST = 10.0
"""Shares above this are cut off: ten motorcycles where one car stands."""
LONGEST_GREEN_S, LONGEST_ZONE_M = 120.0, 150.0
N_PER_MOVEMENT = 7
Seen = npt.NDArray[np.float32]


class Observation(Protocol):
    """What is seen; a pure function of the snapshot, so that asking twice gives the same."""

    def space(self, junction: JunctionId) -> Space[Seen]:
        """Return the space in which it lies."""

    def of(self, snapshot: Snapshot, junction: JunctionId) -> Seen:
        """Return what is seen of a junction."""


@runtime_checkable
class Watching(Protocol):
    """An observation that looks at every reading of an episode, in order, as a camera would."""

    def start(self) -> None:
        """Forget the episode before."""

    def watch(self, snapshot: Snapshot) -> None:
        """Look at a reading; the same one again changes nothing."""


MakeObservation = Callable[[Arena], Observation]


_Scales = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
"""Zone lengths, a full lane's share per vehicle before and beyond the stop line, and the table of empty zones."""


class Zones:
    """Readings of the zones, each with a flag that says whether it is known: unknown is (0, flag 0), empty (0, flag 1).

    Raises
    ------
    BadScenario
        If a junction has no movement that a zone could see.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._places: dict[JunctionId, slice] = {}
        self._stage_at: list[int] = []
        rows: list[int] = []
        targets: list[int] = []
        end = 0
        for junction in arena.network.crossings:
            own = arena.places_of(junction).tolist()
            if not own:
                raise _no_zones(junction)
            first = end
            for place in own:
                rows += [place * N_PER_MOVEMENT + k for k in range(N_PER_MOVEMENT)]
                targets += range(end, end + N_PER_MOVEMENT)
                end += N_PER_MOVEMENT
            self._stage_at.append(end)
            end += len(arena.stages[junction]) + 2
            self._places[junction] = slice(first, end)
        self._rows, self._targets = np.array(rows, np.intp), np.array(targets, np.intp)
        self._size = end
        self._n_stages = [len(arena.stages[junction]) for junction in arena.network.crossings]
        nothing = np.zeros(0)
        self._scales: _Scales = (nothing, nothing, nothing, nothing)
        self._seen: tuple[Snapshot | None, Seen] = (None, np.zeros(0, np.float32))
        self._spaces = {j: Box(0.0, MOST, (s.stop - s.start,), np.float32) for j, s in self._places.items()}

    def space(self, junction: JunctionId) -> Space[Seen]:
        """Return the box of a junction."""
        return self._spaces[junction]

    def of(self, snapshot: Snapshot, junction: JunctionId) -> Seen:
        """Return what is seen of a junction.

        Raises
        ------
        BadScenario
            If no zone watches it at all; a zone whose camera failed is unknown, and no error.
        """
        if self._seen[0] is not snapshot:
            self._seen = (snapshot, self._all(snapshot))
        return self._seen[1][self._places[junction]].copy()

    def _all(self, snapshot: Snapshot) -> Seen:
        """Return what is seen of all junctions, one after the other."""
        if self._scales[0] is not snapshot.zone_length_m:
            self._scales = self._scales_of(snapshot.zone_length_m)
        _, before, beyond, empty = self._scales
        table = empty.copy()
        table[:, 0] = snapshot.arriving_veh * before
        table[:, 1] = snapshot.queued_veh * before
        table[:, 2] = snapshot.leaving_veh * beyond
        if np.isnan(table.sum()):
            table[:, 3:6] = ~np.isnan(table[:, :3])
            np.nan_to_num(table, copy=False, nan=0.0)
        seen = np.zeros(self._size, np.float32)
        seen[self._targets] = np.minimum(table, MOST).ravel()[self._rows]
        rows = list(zip(self._stage_at, self._n_stages, snapshot.stage, snapshot.green_since_s, strict=True))
        seen[[at + (stage if stage >= 0 else n) for at, n, stage, _ in rows]] = 1.0
        seen[[at + n + 1 for at, n, _, _ in rows]] = [
            min(max(snapshot.time_s - since_s, 0.0) / LONGEST_GREEN_S, 1.0) if stage >= 0 else 0.0
            for _, _, stage, since_s in rows
        ]
        return seen

    def _scales_of(self, zone_m: FloatArray) -> _Scales:
        """Return what readings are multiplied by; zones do not change over a run, so that it is at hand."""
        if np.isnan(zone_m).any():
            self._require_zones(zone_m)
        arena = self._arena
        empty = np.ones((len(zone_m), N_PER_MOVEMENT))
        empty[:, 6] = zone_m / LONGEST_ZONE_M
        room_m = arena.lanes_beyond * np.minimum(zone_m, arena.exit_length_m)
        return zone_m, 1.0 / (FULL_VEH_PER_M * arena.lanes_before * zone_m), 1.0 / (FULL_VEH_PER_M * room_m), empty

    def _require_zones(self, zone_m: FloatArray) -> None:
        for junction in self._places:
            if np.isnan(zone_m[self._arena.places_of(junction)]).all():
                raise _no_zones(junction)


def _no_zones(junction: JunctionId) -> BadScenario:
    where = f"observation of junction {junction}"
    return BadScenario(where, "no detector zone", "a camera or a detector has to watch it", "add one, or leave it out")
