"""From wished greens to legal splits: whole seconds, minimum splits, rings that meet at every barrier.

::

    wish     ring 1  |--12.3--|-----20.1-----||--9.9--|      group 1 gets what its longest ring asks,
             ring 2  |----17.8----|--11.0--||----14.2---|    every ring fills its group exactly
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from traffic.errors import Oversaturated
from traffic.ids import PhaseNumber
from traffic.signals import Junction, Pattern, Phase, Plan, Split, SplitPlan


def least_split_s(phase: Phase, min_green_s: float) -> int:
    """Return the shortest legal split of a phase, whole seconds."""
    return ceil(max(phase.min_service_s, min_green_s) + phase.clearance_ds / 10.0)


def shortest_cycle_s(junction: Junction, min_green_s: float = 5.0) -> int:
    """Return the shortest cycle that holds every minimum split, seconds."""
    return sum(_group_least_s(junction, group, min_green_s) for group in junction.barriers)


def project_splits(
    junction: Junction, wish_s: Mapping[PhaseNumber, float], cycle_s: int, *, min_green_s: float = 5.0
) -> dict[PhaseNumber, int]:
    """Return legal splits that sum to the cycle in every ring, near in proportion to a wish.

    Parameters
    ----------
    wish_s
        Wished split per phase, seconds; missing, negative and NaN count as the minimum.

    Raises
    ------
    Oversaturated
        If the minimum splits do not fit into the cycle.
    """
    shortest_s = shortest_cycle_s(junction, min_green_s)
    if shortest_s > cycle_s:
        raise Oversaturated(
            f"junction {junction.id}: cycle {cycle_s} s", f"minimum splits need {shortest_s} s", "", "a longer cycle"
        )
    least = {phase.number: least_split_s(phase, min_green_s) for phase in junction.phases}
    wishes = {number: max(float(least[number]), _known(wish_s.get(number))) for number in least}
    group_least = [_group_least_s(junction, group, min_green_s) for group in junction.barriers]
    group_wish = [
        max(sum(wishes[n] for n in ring if n in group) for ring in junction.rings) for group in junction.barriers
    ]
    splits: dict[PhaseNumber, int] = {}
    for group, span_s in zip(junction.barriers, share_out(group_wish, group_least, cycle_s), strict=True):
        for ring in junction.rings:
            numbers = [n for n in ring if n in group]
            if numbers:
                shares = share_out([wishes[n] for n in numbers], [least[n] for n in numbers], span_s)
                splits |= dict(zip(numbers, shares, strict=True))
    return splits


def share_out(wishes: Sequence[float], least: Sequence[int], total: int) -> list[int]:
    """Return whole numbers that sum to `total`, none below its least, what is above in proportion to the wishes.

    Examples
    --------
    >>> share_out([30.0, 10.0, 10.0], [12, 12, 8], 60)
    [36, 12, 12]
    """
    free = total - sum(least)
    weights = [max(0.0, wish - low) for wish, low in zip(wishes, least, strict=True)]
    if sum(weights) <= 0.0:
        weights = [1.0] * len(weights)
    scale = total / max(sum(wishes), 1e-9)
    above = [max(0.0, wish * scale - low) for wish, low in zip(wishes, least, strict=True)]
    if sum(above) > 0.0:
        weights = above
    exact = [free * weight / sum(weights) for weight in weights]
    extra = [int(value + 1e-9) for value in exact]
    by_rest = sorted(range(len(extra)), key=lambda n: (extra[n] - exact[n], n))
    for n in by_rest[: free - sum(extra)]:
        extra[n] += 1
    return [low + more for low, more in zip(least, extra, strict=True)]


def make_plan(
    junction: Junction,
    splits_s: Mapping[PhaseNumber, int],
    *,
    number: int = 1,
    offset_s: int = 0,
) -> Plan:
    """Return the plan of a junction with these splits; the cycle is what its first ring sums to."""
    cycle_s = sum(splits_s[n] for n in junction.rings[0])
    rows = tuple(
        Split(phase=p.number, split_s=splits_s[p.number], is_coordinated=p.number == junction.coordinated)
        for p in junction.phases
    )
    pattern = Pattern(number=number, cycle_s=cycle_s, offset_s=offset_s % cycle_s, split=number)
    return Plan(junction=junction.id, pattern=pattern, split=SplitPlan(number=number, splits=rows))


def _group_least_s(junction: Junction, group: frozenset[PhaseNumber], min_green_s: float) -> int:
    return max(
        sum(least_split_s(junction.phase(n), min_green_s) for n in ring if n in group) for ring in junction.rings
    )


def _known(wish: float | None) -> float:
    """Return a wish, 0 where it is missing or NaN."""
    return wish if wish is not None and wish == wish else 0.0  # noqa: PLR0124
