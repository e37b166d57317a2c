"""Offsets along a corridor: the widest bands of green in both directions.

::

    distance   junction 3  ....GGGGG........GGGGG....      a band is what stays green all along
                               /    /       /    /         for a vehicle at the design speed
               junction 2  ..GGGGGG.......GGGGGG.....
                            /    /       /    /
               junction 1  GGGGG........GGGGG........      time, one cycle and the next

References
----------
J. D. C. Little, The synchronization of traffic signals by mixed-integer linear programming, Operations
Research 14, 1966 (bandwidth); searched here by coordinate descent over whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from traffic.ids import JunctionId
from traffic.lamps import coordinated_start_ds, cycle_intervals
from traffic.signals import GREEN_LETTERS, Junction, Plan

BoolArray = npt.NDArray[np.bool_]
OVERLAP_WEIGHT = 0.1
"""Weight of green met from the last junction beside a second of band: leads the search where there is no band yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One junction of a corridor, in order of travel outwards.

    `outbound` and `inbound` say for each second after the coordinated start of green whether the
    corridor's through movement is green, shape (cycle_s,). `from_last_s` is the travel time from the junction
    before (outbound), `to_last_s` that back to it (inbound); both 0 at the first.
    """

    junction: JunctionId
    outbound: BoolArray
    inbound: BoolArray
    from_last_s: float = 0.0
    to_last_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progression:
    """Offsets of a corridor, seconds, and the bands they leave, seconds."""

    offsets_s: dict[JunctionId, int]
    outbound_band_s: int
    inbound_band_s: int


def green_seconds(junction: Junction, plan: Plan, link: int) -> BoolArray:
    """Return whether a link is green in each second after the coordinated start of green, shape (cycle_s,)."""
    tenths = np.concatenate(
        [np.full(row.duration_ds, row.lamps[link] in GREEN_LETTERS) for row in cycle_intervals(junction, plan)]
    )
    return np.asarray(np.roll(tenths, -coordinated_start_ds(junction, plan)).reshape(-1, 10).all(axis=1))


def progression(stops: Sequence[Stop], *, inbound_weight: float = 1.0, n_rounds: int = 20) -> Progression:
    """Return the offsets with the widest bands found, outbound + `inbound_weight` x inbound.

    Parameters
    ----------
    stops
        At least one junction; all with the same cycle.
    inbound_weight
        What a second of inbound band is worth.
    n_rounds
        Rounds of coordinate descent at most.

    Raises
    ------
    ValueError
        If the cycles differ.
    """
    cycle_s = len(stops[0].outbound)
    if any(len(stop.outbound) != cycle_s or len(stop.inbound) != cycle_s for stop in stops):
        raise ValueError("a corridor needs one common cycle")
    out_s = np.cumsum([stop.from_last_s for stop in stops])
    in_s = np.cumsum([stop.to_last_s for stop in stops])

    def score(offsets: Sequence[int]) -> float:
        out, back = _shifted(stops, offsets, out_s, in_s)
        overlap = sum(int((a & b).sum()) for rows in (out, back) for a, b in pairwise(rows))
        bands = _band_s(out) + inbound_weight * _band_s(back)
        return bands + OVERLAP_WEIGHT * overlap / max(1, len(stops) - 1)

    starts = [
        [0] * len(stops),
        [round(t) % cycle_s for t in out_s.tolist()],
        [round(-t) % cycle_s for t in in_s.tolist()],
    ]
    best = max((_climb(score, start, cycle_s, n_rounds) for start in starts), key=score)
    out, back = _shifted(stops, best, out_s, in_s)
    names = [stop.junction for stop in stops]
    return Progression(
        offsets_s=dict(zip(names, best, strict=True)), outbound_band_s=_band_s(out), inbound_band_s=_band_s(back)
    )


def _climb(score: Callable[[Sequence[int]], float], start: Sequence[int], cycle_s: int, n_rounds: int) -> list[int]:
    """Return offsets improved one junction at a time until none gains; the first junction keeps its own."""
    offsets = list(start)
    best = score(offsets)
    for _ in range(n_rounds):
        before = best
        for place in range(1, len(offsets)):
            for offset in range(cycle_s):
                trial = [*offsets[:place], offset, *offsets[place + 1 :]]
                value = score(trial)
                if value > best + 1e-9:
                    offsets, best = trial, value
        if best <= before + 1e-9:
            break
    return offsets


def _shifted(
    stops: Sequence[Stop], offsets: Sequence[int], out_s: npt.NDArray[np.float64], in_s: npt.NDArray[np.float64]
) -> tuple[list[BoolArray], list[BoolArray]]:
    """Return the greens as vehicles meet them: by the second at which they pass the first junction's line."""
    out = [np.roll(s.outbound, o - round(t)) for s, o, t in zip(stops, offsets, out_s.tolist(), strict=True)]
    back = [np.roll(s.inbound, o + round(t)) for s, o, t in zip(stops, offsets, in_s.tolist(), strict=True)]
    return out, back


def _band_s(rows: Sequence[BoolArray]) -> int:
    """Return the longest circular run of seconds that are green in all rows."""
    common = np.logical_and.reduce(rows)
    if common.all():
        return len(common)
    letters = "".join("G" if green else "r" for green in np.concatenate([common, common]))
    return max(len(run) for run in letters.split("r"))
