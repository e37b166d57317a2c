"""Random junctions and plans that a controller can hold."""

from __future__ import annotations

from hypothesis import strategies as st

from traffic.ids import JunctionId, PhaseNumber
from traffic.signals import Junction, Overlap, Pattern, Phase, Plan, Split, SplitPlan

Draw = st.DrawFn


@st.composite
def single_rings(draw: Draw, max_phases: int = 16) -> Junction:
    """One ring of 2 to 16 phases, each its own barrier group or all in one; every link group an overlap."""
    n = draw(st.integers(2, max_phases))
    numbers = [PhaseNumber(i) for i in range(1, n + 1)]
    phases = tuple(_phase(draw, number, 1, frozenset()) for number in numbers)
    groups = (frozenset(numbers),) if draw(st.booleans()) else tuple(frozenset({p}) for p in numbers)
    overlaps = tuple(
        Overlap(
            number=k + 1,
            link_indices=(2 * k, 2 * k + 1),
            protected=draw(st.frozensets(st.sampled_from(numbers), max_size=3)),
            turn_on_red=draw(st.frozensets(st.sampled_from(numbers), max_size=2)),
        )
        for k in range(draw(st.integers(1, 5)))
    )
    return Junction(
        id=JunctionId("one"),
        n_links=2 * len(overlaps),
        phases=phases,
        rings=(tuple(numbers),),
        barriers=groups,
        overlaps=overlaps,
        coordinated=draw(st.sampled_from(numbers)),
    )


def _phase(draw: Draw, number: PhaseNumber, ring: int, beside: frozenset[PhaseNumber]) -> Phase:
    return Phase(
        number=number,
        ring=ring,
        concurrency=beside,
        min_green_s=draw(st.integers(1, 6)),
        walk_s=draw(st.sampled_from([0, 0, 4])),
        ped_clear_s=draw(st.sampled_from([0, 0, 5])),
        yellow_ds=draw(st.sampled_from([0, 30, 30, 35, 40])),
        red_clear_ds=draw(st.sampled_from([0, 0, 10, 15, 20])),
    )


@st.composite
def dual_rings(draw: Draw) -> Junction:
    """A NEMA dual ring of eight phases, or of six with one phase a ring on the side street; lead or lag lefts."""
    sides = [(1, 2, 5, 6), (3, 4, 7, 8) if draw(st.booleans()) else (4, 8)]
    rings: list[list[PhaseNumber]] = [[], []]
    groups = []
    for side in sides:
        groups.append(frozenset(PhaseNumber(p) for p in side))
        half = len(side) // 2
        for ring, members in zip(rings, (side[:half], side[half:]), strict=True):
            ordered = list(map(PhaseNumber, members))
            ring.extend(draw(st.permutations(ordered)))
    phases = []
    for index, ring in enumerate(rings):
        for number in ring:
            group = next(g for g in groups if number in g)
            phases.append(_phase(draw, number, index + 1, group & frozenset(rings[1 - index])))
    numbers = sorted(p.number for p in phases)
    overlaps = tuple(Overlap(number=p, link_indices=(k,), protected=frozenset({p})) for k, p in enumerate(numbers))
    extra = Overlap(number=20, link_indices=(len(numbers),), protected=frozenset({PhaseNumber(2), PhaseNumber(4)}))
    return Junction(
        id=JunctionId("two"),
        n_links=len(numbers) + 1,
        phases=tuple(sorted(phases, key=lambda p: p.number)),
        rings=tuple(tuple(ring) for ring in rings),
        barriers=tuple(groups),
        overlaps=(*overlaps, extra),
        coordinated=PhaseNumber(2),
    )


@st.composite
def plans(draw: Draw, junction: Junction, number: int = 1, can_omit: bool = True) -> Plan:
    """A plan in order: splits at or above the minimum, barriers that meet, 30 s <= cycle <= 255 s, offset < cycle."""
    splits: dict[PhaseNumber, int] = {}
    cycle_s = 0
    for group in junction.barriers:
        parts = [[p for p in ring if p in group] for ring in junction.rings]
        if can_omit and all(len(part) > 1 for part in parts):
            # With one phase to serve and none that waits, a controller rests in green instead of timing the plan.
            least = 2 if len(junction.barriers) == 1 else 1
            parts = [[p for p in part if p in part[-least:] or draw(st.booleans())] for part in parts]
        given = [{p: junction.phase(p).min_split_s + draw(st.integers(0, 4)) for p in part} for part in parts]
        span = max(sum(part.values()) for part in given)
        for part in given:
            if part:
                last = next(reversed(part))
                part[last] += span - sum(part.values())
            splits |= part
        cycle_s += span
    if cycle_s < 30:
        for ring in junction.rings:
            last = next(p for p in reversed(ring) if p in splits)
            splits[last] += 30 - cycle_s
        cycle_s = 30
    served = sorted(splits)
    in_first = [p for p in served if p in junction.rings[0]]
    coordinated = draw(st.sampled_from(in_first))
    rows = tuple(Split(phase=p, split_s=splits[p], is_coordinated=p == coordinated) for p in served)
    pattern = Pattern(number=number, cycle_s=cycle_s, offset_s=draw(st.integers(0, cycle_s - 1)), split=number)
    return Plan(junction=junction.id, pattern=pattern, split=SplitPlan(number=number, splits=rows))
