"""Groups of links that do the same in every phase of a ring, as overlaps.

::

    phase 1   change 1   phase 2      overlaps of the link
    GGGGG     GGGGG      GGGGG        one, parents {1, 2}: stays green
    GGGGG     yyyrr      GGGGG        two, {1} and {2}: each ends on its own
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sim.netfile import NativeInterval
from traffic.ids import PhaseNumber
from traffic.signals import GREEN_LETTERS, Overlap

Phases = frozenset[PhaseNumber]
_NONE: Phases = frozenset()


@dataclass(frozen=True, slots=True)
class Block:
    """One phase to be: its green interval, and the intervals that clear it."""

    green: NativeInterval
    yellow: tuple[NativeInterval, ...] = ()
    red: NativeInterval | None = None

    @property
    def change(self) -> tuple[NativeInterval, ...]:
        """The intervals between this green and the next."""
        return (*self.yellow, self.red) if self.red else self.yellow

    @property
    def yellow_ds(self) -> int:
        """Yellow in tenths of a second."""
        return round(10 * sum(row.duration_s for row in self.yellow))

    @property
    def red_ds(self) -> int:
        """Red clearance in tenths of a second."""
        return round(10 * self.red.duration_s) if self.red else 0

    @property
    def split_s(self) -> int:
        """Green and clearance, whole seconds, the clearance always below it."""
        clearance_s = (self.yellow_ds + self.red_ds) / 10
        return max(round(self.green.duration_s + clearance_s), int(clearance_s) + 1)


def overlaps_of_blocks(blocks: Sequence[Block], n_links: int) -> tuple[Overlap, ...]:
    """Return the overlaps of a ring whose phases are `blocks` numbered from 1."""
    groups: dict[tuple[Phases, Phases, Phases, Phases], list[int]] = {}
    for link in range(n_links):
        for parts in _link_parts(blocks, link):
            groups.setdefault(parts, []).append(link)
    return tuple(
        Overlap(
            number=place + 1,
            link_indices=tuple(links),
            protected=parts[0],
            permissive=parts[1],
            turn_on_red=parts[2],
            turn_on_red_change=parts[3],
        )
        for place, (parts, links) in enumerate(groups.items())
    )


def _link_parts(blocks: Sequence[Block], link: int) -> list[tuple[Phases, Phases, Phases, Phases]]:
    """Return (protected, permissive, turn on red, turn on red in the change) of each overlap of a link."""
    letters = [block.green.lamps[link] for block in blocks]
    stops = _phases(place for place, letter in enumerate(letters) if letter == "s")
    stops_in_change = _phases(
        place for place, block in enumerate(blocks) if any(row.lamps[link] == "s" for row in block.change)
    )
    parts: list[tuple[Phases, Phases, Phases, Phases]] = []
    for run in _separate(_runs(blocks, link), len(blocks)):
        protected = _phases(place for place in run if letters[place] == "G")
        permissive = _phases(place for place in run if letters[place] == "g")
        first = not parts
        parts.append((protected, permissive, stops if first else _NONE, stops_in_change if first else _NONE))
    if not parts and (stops or stops_in_change):
        parts.append((_NONE, _NONE, stops, stops_in_change))
    return parts


def _phases(places: Iterable[int]) -> Phases:
    return frozenset(PhaseNumber(place + 1) for place in places)


def _runs(blocks: Sequence[Block], link: int) -> list[list[int]]:
    """Return the stretches of phases, in order of service, over which a link stays green."""
    runs: list[list[int]] = []
    greens = [place for place, block in enumerate(blocks) if block.green.lamps[link] in GREEN_LETTERS]
    for place in greens:
        if runs and runs[-1][-1] == place - 1 and not _breaks(blocks, place - 1, link):
            runs[-1].append(place)
        else:
            runs.append([place])
    last = len(blocks) - 1
    if len(runs) > 1 and runs[0][0] == 0 and runs[-1][-1] == last and not _breaks(blocks, last, link):
        runs[0] = runs.pop() + runs[0]
    return runs


def _breaks(blocks: Sequence[Block], place: int, link: int) -> bool:
    """Whether a link loses its green in the change after phase `place`."""
    return any(row.lamps[link] not in GREEN_LETTERS for row in blocks[place].change)


def _separate(runs: Sequence[list[int]], n_phases: int) -> list[list[int]]:
    """Return the runs with those that do not follow one another at once put together, as few as possible."""
    groups: list[list[int]] = []
    for run in runs:
        for group in groups:
            if not (_next(group, n_phases) & set(run) or _next(run, n_phases) & set(group)):
                group.extend(run)
                break
        else:
            groups.append(list(run))
    return groups


def _next(places: Iterable[int], n_phases: int) -> set[int]:
    return {(place + 1) % n_phases for place in places}
