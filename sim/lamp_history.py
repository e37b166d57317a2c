"""What the signals of a junction showed over a run: faults in it, and the program that replays it.

A history is [(from when, lamp string)], changes only, as `sim.twin.Twin.history` returns it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sim.heads import Moment
from sim.netfile import NativeInterval, Program
from traffic.ids import JunctionId
from traffic.network import Crossing
from traffic.signals import GREEN_LETTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class LampFaults:
    """Counted on the states that were shown, link by link.

    Attributes
    ----------
    direct_green_to_red
        How often a link went from green to red, or to turn on red, without yellow.
    intergreen_violations
        How often a link turned green sooner after a foe's green had ended than the intergreen.
    conflicting_greens
        How often two foes came to show `G` together.
    """

    direct_green_to_red: int = 0
    intergreen_violations: int = 0
    conflicting_greens: int = 0

    def __add__(self, other: LampFaults) -> LampFaults:
        return LampFaults(
            direct_green_to_red=self.direct_green_to_red + other.direct_green_to_red,
            intergreen_violations=self.intergreen_violations + other.intergreen_violations,
            conflicting_greens=self.conflicting_greens + other.conflicting_greens,
        )


def faults_of_run(
    histories: Mapping[JunctionId, Sequence[Moment]], crossings: Mapping[JunctionId, Crossing], intergreen_s: float
) -> LampFaults:
    """Return the faults of all junctions together."""
    rows = (lamp_faults(history, crossings[name], intergreen_s) for name, history in histories.items())
    return sum(rows, LampFaults())


def lamp_faults(history: Sequence[Moment], crossing: Crossing, intergreen_s: float) -> LampFaults:
    """Return the faults of one junction.

    Two links are foes here unless one of them yields (`g` or `s`) where the right of way lets it.
    """
    foes: dict[int, set[int]] = {}
    for one, other in crossing.conflicts:
        foes.setdefault(one, set()).add(other)
        foes.setdefault(other, set()).add(one)
    direct = early = conflicting = 0
    ended: dict[int, tuple[float, str]] = {}
    for (_, before), (time_s, after) in pairwise(history):
        changed = [link for link, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
        for link in changed:
            if before[link] in GREEN_LETTERS and after[link] not in GREEN_LETTERS:
                direct += after[link] in "rs"
                ended[link] = (time_s, before[link])
        ended = {link: row for link, row in ended.items() if time_s - row[0] < intergreen_s - 1e-6}
        for link in changed:
            if after[link] not in GREEN_LETTERS:
                continue
            against = foes.get(link, set())
            if before[link] not in GREEN_LETTERS:
                early += sum(
                    not _yields(crossing, link, after[link], foe, ended[foe][1]) for foe in against & ended.keys()
                )
            if after[link] == "G":
                conflicting += sum(after[foe] == "G" and (foe not in changed or foe > link) for foe in against)
    return LampFaults(direct_green_to_red=direct, intergreen_violations=early, conflicting_greens=conflicting)


def _yields(crossing: Crossing, link: int, letter: str, foe: int, foe_letter: str) -> bool:
    return (letter == "g" and (link, foe) in crossing.permissive) or (
        foe_letter == "g" and (foe, link) in crossing.permissive
    )


def longest_red_s(history: Sequence[Moment], end_s: float) -> float:
    """Return the longest time in which a link that is ever green was not, seconds; a red at the end counts.

    Examples
    --------
    >>> longest_red_s([(0.0, "Grr"), (30.0, "rGr"), (42.0, "Grr")], 60.0)
    30.0
    """
    longest_s = 0.0
    green: set[int] = set()
    since_s: dict[int, float] = {}
    for time_s, lamps in history:
        for link, letter in enumerate(lamps):
            if letter in GREEN_LETTERS:
                green.add(link)
                longest_s = max(longest_s, time_s - since_s.pop(link, time_s))
            else:
                since_s.setdefault(link, time_s)
    return max([longest_s, *(end_s - start_s for link, start_s in since_s.items() if link in green)])


def replay(junction: JunctionId, history: Sequence[Moment], begin_s: float, end_s: float) -> Program:
    """Return a static program that shows again what was shown from `begin_s` to `end_s`."""
    starts = [time_s for time_s, _ in history]
    ends = [*starts[1:], end_s]
    intervals = [
        NativeInterval(duration_s=round(end - start, 6), lamps=lamps)
        for (start, lamps), end in zip(history, ends, strict=True)
        if end > start
    ]
    return Program(junction=junction, offset_s=begin_s, intervals=tuple(intervals))
