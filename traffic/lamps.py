"""From ring states to lamps, and from a plan to the lamps of a whole cycle.

The one place that says which letter a link shows. The virtual controller, the twin's programs
and the diagrams of the report all ask here::

    phase   1 green     1 yellow    1 red clear  2 green
    A (1)   GGGGGGGGGGG yyyyyyyyyyy rrrrrrrrrrrr rrrrrrr
    B (1,2) GGGGGGGGGGG GGGGGGGGGGG GGGGGGGGGGGG GGGGGGG      green in both: stays green
    C (2)   rrrrrrrrrrr rrrrrrrrrrr rrrrrrrrrrrr GGGGGGG
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from traffic.errors import UnsafeCommand
from traffic.ids import PhaseNumber
from traffic.signals import GREEN_LETTERS, Junction, Overlap, Plan

FREER = "rsygG".index
"""Sorting key of lamp letters, the freer the higher."""


class Part(StrEnum):
    """Which part of its service a phase is in."""

    GREEN = "green"
    YELLOW = "yellow"
    RED_CLEAR = "red_clear"
    RED = "red"


@dataclass(frozen=True, slots=True)
class RingState:
    """What one ring does now: its phase, the part of it, and the phase that comes next."""

    phase: PhaseNumber
    part: Part
    next_phase: PhaseNumber


@dataclass(frozen=True, slots=True)
class Interval:
    """Span in which no lamp changes: tenths of a second and the lamp string."""

    duration_ds: int
    lamps: str


def lamps(junction: Junction, rings: Sequence[RingState]) -> str:
    """Return the lamp string of a junction whose rings are in the given states.

    A link that two overlaps drive shows the freer of the two: so a link that is green in two
    phases in a row, and yellow between them all the same, has one overlap for each.
    """
    letters = ["r"] * junction.n_links
    for overlap in junction.overlaps:
        letter = overlap_letter(overlap, rings)
        for index in overlap.link_indices:
            letters[index] = max(letters[index], letter, key=FREER)
    return "".join(letters)


def overlap_letter(overlap: Overlap, rings: Sequence[RingState]) -> str:
    """Return the letter that an overlap's links show; the freest of what its rings say."""
    return max((_ring_letter(overlap, ring) for ring in rings), key=FREER)


def _ring_letter(overlap: Overlap, ring: RingState) -> str:
    if ring.part is Part.RED:
        return "r"
    if ring.phase not in overlap.parents:
        stops = overlap.turn_on_red if ring.part is Part.GREEN else overlap.turn_on_red_change
        return "s" if ring.phase in stops else "r"
    if ring.part is Part.GREEN or ring.next_phase in overlap.parents:
        return "G" if ring.phase in overlap.protected else "g"
    if ring.part is Part.YELLOW:
        return "y"
    return "s" if ring.phase in overlap.turn_on_red_change else "r"


def ring_timeline(junction: Junction, plan: Plan, ring: int) -> list[tuple[int, RingState]]:
    """Return [(duration in tenths, state)] of ring `ring` (0-based) over one cycle, splits used in full.

    Phases without a split, or with split 0, are left out of the cycle.
    """
    served = [p for p in junction.rings[ring] if _split_or_zero(plan, p) > 0]
    timeline = []
    for position, number in enumerate(served):
        phase, after = junction.phase(number), served[(position + 1) % len(served)]
        green_ds = plan.split.split_s(number) * 10 - phase.clearance_ds
        parts = ((green_ds, Part.GREEN), (phase.yellow_ds, Part.YELLOW), (phase.red_clear_ds, Part.RED_CLEAR))
        timeline += [(span, RingState(number, part, after)) for span, part in parts if span > 0]
    return timeline


def _split_or_zero(plan: Plan, phase: PhaseNumber) -> int:
    return next((s.split_s for s in plan.split.splits if s.phase == phase), 0)


def is_stage(lamps: str) -> bool:
    """Whether some link is green and none yellow.

    Examples
    --------
    >>> is_stage("GrG"), is_stage("Gry"), is_stage("rrs")
    (True, False, False)
    """
    return bool(GREEN_LETTERS & set(lamps)) and "y" not in lamps.lower()


def cycle_intervals(
    junction: Junction, plan: Plan, *, show: Callable[[Sequence[RingState]], str] | None = None
) -> tuple[Interval, ...]:
    """Return the lamps of one whole cycle, from the first phase of each ring on, splits used in full.

    `show` gives the lamps of ring states in place of `lamps`, for one who remembers them.

    Raises
    ------
    UnsafeCommand
        If the rings do not last equally long: such a plan has no cycle.
    """
    timelines = [ring_timeline(junction, plan, ring) for ring in range(len(junction.rings))]
    lengths = [sum(span for span, _ in timeline) for timeline in timelines]
    if not all(lengths) or len(set(lengths)) != 1:
        raise UnsafeCommand(
            f"plan {plan.pattern.number} of junction {junction.id}: ring lengths",
            f"{[length / 10 for length in lengths]} s",
            "all rings must be equally long",
            "mend the splits",
        )
    ends = [_cumulative(timeline) for timeline in timelines]
    cuts = sorted({0, *(end for ring in ends for end in ring)})
    intervals: list[Interval] = []
    for start, end in pairwise(cuts):
        states = [
            timeline[next(i for i, stop in enumerate(stops) if stop > start)][1]
            for timeline, stops in zip(timelines, ends, strict=True)
        ]
        shown = lamps(junction, states) if show is None else show(states)
        if intervals and intervals[-1].lamps == shown:
            intervals[-1] = Interval(intervals[-1].duration_ds + end - start, shown)
        else:
            intervals.append(Interval(end - start, shown))
    return tuple(intervals)


def _cumulative(timeline: Sequence[tuple[int, RingState]]) -> list[int]:
    ends, total = [], 0
    for span, _ in timeline:
        total += span
        ends.append(total)
    return ends


def coordinated_start_ds(junction: Junction, plan: Plan) -> int:
    """Return when, in tenths after the start of `cycle_intervals`, the coordinated phase turns green."""
    coordinated = next((s.phase for s in plan.split.splits if s.is_coordinated), junction.coordinated)
    for ring in range(len(junction.rings)):
        elapsed = 0
        for span, state in ring_timeline(junction, plan, ring):
            if state.phase == coordinated and state.part is Part.GREEN:
                return elapsed
            elapsed += span
    raise UnsafeCommand(
        f"plan {plan.pattern.number} of junction {junction.id}: coordinated phase",
        coordinated,
        "must have a split above its clearance",
        "give it a split or coordinate another phase",
    )


def stages(junction: Junction) -> tuple[str, ...]:
    """Return the distinct lamp strings in which some link is green and none yellow, in order of service.

    A stage is one phase per ring within one concurrency group; all-red stages are left out.
    """
    found: dict[str, None] = {}
    for group in junction.barriers:
        members = [[p for p in ring if p in group] for ring in junction.rings]
        for combination in _in_step([ring for ring in members if ring]):
            shown = lamps(junction, [RingState(p, Part.GREEN, p) for p in combination])
            if GREEN_LETTERS & set(shown):
                found.setdefault(shown)
    return tuple(found)


def _in_step(rings: list[list[PhaseNumber]]) -> list[tuple[PhaseNumber, ...]]:
    """Return all combinations of one phase a ring, in the order in which a cycle can meet them."""
    combinations: list[tuple[PhaseNumber, ...]] = [()]
    for ring in rings:
        combinations = [(*done, phase) for done in combinations for phase in ring]
    return combinations


def change(before: str, after: str, yellow_s: float, all_red_s: float) -> tuple[tuple[float, str], ...]:
    """Return [(seconds, lamps)] between two stages: links that lose green show yellow, then red; links kept stay.

    A link that changes between `G` and `g` counts as kept. Nothing is returned where no link
    loses green.

    Examples
    --------
    >>> change("GGr", "rGG", 3.0, 2.0)
    ((3.0, 'yGr'), (2.0, 'rGr'))
    """
    lost = [b in GREEN_LETTERS and a not in GREEN_LETTERS for b, a in zip(before, after, strict=True)]
    if not any(lost):
        return ()
    held = [b if b in GREEN_LETTERS else ("s" if b == a == "s" else "r") for b, a in zip(before, after, strict=True)]
    yellow = "".join("y" if gone else letter for gone, letter in zip(lost, held, strict=True))
    red = "".join("r" if gone else letter for gone, letter in zip(lost, held, strict=True))
    return tuple((span, shown) for span, shown in ((yellow_s, yellow), (all_red_s, red)) if span > 0)
