"""What lamps may show: no two foes moving at once, yellow and red clearance in full.

::

    yielding  G   g   s   y          a pair is listed as (yielding, priority) where the
    priority                         geometry lets the first wait for gaps in the second;
                                     who shows s stops first and waits for either
      G       no  yes yes yes
      g y     no  yes yes yes        any pair that is not listed: never two of G g s y,
      r       all fine               except s beside s
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil

from traffic.lamps import Interval
from traffic.network import Network
from traffic.signals import GREEN_LETTERS, Junction

MOVING = frozenset("Ggsy")
LETTERS = frozenset("Ggsyr")
WAITING = frozenset("gy")


class Foes:
    """The conflict matrix of a junction as bits, so that a lamp string is judged in a few steps."""

    def __init__(self, junction: Junction) -> None:
        self._junction = junction
        of: list[set[int]] = [set() for _ in range(junction.n_links)]
        for i, j in junction.conflicts:
            of[i].add(j)
            of[j].add(i)
        self.of = tuple(frozenset(row) for row in of)
        self._masks = tuple(sum(1 << j for j in row) for row in of)

    def pairs(self, shown: str) -> list[tuple[int, int]]:
        """Return the foe pairs that move at once without permission, in order."""
        moving = [i for i, letter in enumerate(shown) if letter in MOVING]
        mask = sum(1 << i for i in moving)
        return [
            (i, j)
            for i in moving
            if self._masks[i] & mask
            for j in sorted(self.of[i])
            if i < j and mask >> j & 1 and not _is_permitted(self._junction, shown, i, j)
        ]


def conflict_pairs(junction: Junction, shown: str) -> list[tuple[int, int]]:
    """Return the foe pairs that move at once without permission, in order.

    Examples
    --------
    >>> from traffic.ids import JunctionId
    >>> cross = Junction(id=JunctionId("a"), n_links=2, phases=(), rings=(), barriers=(), overlaps=(),
    ...                  conflicts=frozenset({(0, 1)}))
    >>> conflict_pairs(cross, "GG"), conflict_pairs(cross, "Gr")
    ([(0, 1)], [])
    """
    return Foes(junction).pairs(shown)


def _is_permitted(junction: Junction, shown: str, i: int, j: int) -> bool:
    if shown[i] == shown[j] == "s":
        return True
    if "s" in (shown[i], shown[j]):
        return (i, j) in junction.permissive or (j, i) in junction.permissive
    return ((i, j) in junction.permissive and shown[i] in WAITING) or (
        (j, i) in junction.permissive and shown[j] in WAITING
    )


def without_merges(junction: Junction, network: Network) -> Junction:
    """Return the junction without conflicts between lanes of one approach: they merge behind the line as one stream."""
    from_link: dict[int, set[str]] = {}
    for row in network.connections:
        if row.junction == junction.id and row.link_index is not None:
            from_link.setdefault(row.link_index, set()).add(row.from_link)
    conflicts = frozenset(
        (i, j)
        for i, j in junction.conflicts
        if not (i in from_link and j in from_link and len(from_link[i] | from_link[j]) == 1)
    )
    return junction if conflicts == junction.conflicts else replace(junction, conflicts=conflicts)


def lamp_faults(junction: Junction, shown: str, foes: Foes | None = None) -> list[str]:
    """Return what one lamp string breaks: its length, its letters, conflicting greens.

    `foes` is the junction's own matrix where somebody keeps it.
    """
    where = f"lamps of junction {junction.id}"
    if len(shown) != junction.n_links:
        return [f"{where}: {len(shown)} letters ({junction.n_links} links)"]
    if not LETTERS.issuperset(shown):
        return [f"{where}: {shown} (only the letters G g s y r)"]
    return [
        f"{where}: links {i} and {j} show {shown[i]} and {shown[j]} (foes never move together)"
        for i, j in (foes or Foes(junction)).pairs(shown)
    ]


def clearance_ds(junction: Junction) -> list[tuple[int, int]]:
    """Return the installed (yellow, red clearance) of every link, tenths; the shortest of its phases."""
    found = [(0, 0)] * junction.n_links
    for overlap in junction.overlaps:
        phases = [junction.phase(number) for number in overlap.parents]
        if phases:
            least = (min(p.yellow_ds for p in phases), min(p.red_clear_ds for p in phases))
            for index in overlap.link_indices:
                found[index] = least
    return found


def cycle_faults(junction: Junction, intervals: Sequence[Interval], min_green_s: float) -> list[str]:
    """Return what a cycle of lamps, repeated for ever, breaks: conflicts, greens and clearances cut short."""
    foes = Foes(junction)
    shown = dict.fromkeys(interval.lamps for interval in intervals)
    faults = [fault for lamps in shown for fault in lamp_faults(junction, lamps, foes)]
    cycle_ds = sum(interval.duration_ds for interval in intervals)
    installed = clearance_ds(junction)
    greens = {i: _spans(intervals, i, GREEN_LETTERS) for i in range(junction.n_links)}
    for link, (yellow_ds, red_ds) in enumerate(installed):
        where = f"link {link} of junction {junction.id}"
        yellows = dict(_spans(intervals, link, frozenset("y")))
        for start, length in greens[link]:
            if length >= cycle_ds:
                continue
            if length < ceil(min_green_s * 10):
                faults.append(f"{where}: green of {length / 10} s (at least {min_green_s} s)")
            shown_ds = yellows.get((start + length) % cycle_ds, 0)
            if shown_ds < yellow_ds:
                faults.append(f"{where}: yellow of {shown_ds / 10} s (installed {yellow_ds / 10} s)")
            gap = _gap_to_foe(foes.of[link], start + length, greens, cycle_ds)
            if gap < yellow_ds + red_ds:
                needed_s = (yellow_ds + red_ds) / 10
                faults.append(f"{where}: a foe turns green after {gap / 10} s (installed {needed_s} s)")
    return faults


def _gap_to_foe(foes: frozenset[int], end: int, greens: dict[int, list[tuple[int, int]]], cycle_ds: int) -> int:
    """Return the time from the end of a link's green to the next start of green of one of its foes."""
    starts = [start for foe in foes for start, length in greens[foe] if length < cycle_ds]
    return min(((start - end) % cycle_ds for start in starts), default=cycle_ds)


def longest_reds_s(junction: Junction, intervals: Sequence[Interval]) -> dict[int, float]:
    """Return the longest red per link over a repeated cycle; links that some phase serves only."""
    cycle_ds = sum(interval.duration_ds for interval in intervals)
    served = {index for overlap in junction.overlaps if overlap.parents for index in overlap.link_indices}
    reds = {}
    for link in sorted(served):
        greens = _spans(intervals, link, GREEN_LETTERS)
        starts = [start for start, _ in greens]
        ends = [start + length for start, length in greens]
        following = [*starts[1:], *(start + cycle_ds for start in starts[:1])]
        gaps = [after - end for end, after in zip(ends, following, strict=True)]
        reds[link] = max(gaps, default=float("inf")) / 10.0
    return reds


def _spans(intervals: Iterable[Interval], link: int, letters: frozenset[str]) -> list[tuple[int, int]]:
    """Return (start, length) in tenths of the spans in which a link shows one of the letters, cyclically joined."""
    spans: list[tuple[int, int]] = []
    clock = 0
    for interval in intervals:
        if interval.lamps[link] in letters:
            if spans and sum(spans[-1]) == clock:
                spans[-1] = (spans[-1][0], spans[-1][1] + interval.duration_ds)
            else:
                spans.append((clock, interval.duration_ds))
        clock += interval.duration_ds
    if len(spans) > 1 and spans[0][0] == 0 and sum(spans[-1]) == clock:
        spans[-1] = (spans[-1][0], spans[-1][1] + spans.pop(0)[1])
    return spans
