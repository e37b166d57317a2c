"""Small junctions and plans for the tests of the shared words."""

from __future__ import annotations

from traffic.ids import JunctionId, PhaseNumber
from traffic.network import Crossing
from traffic.signals import Junction, Overlap, Pattern, Phase, Plan, Split, SplitPlan


def phase(number: int) -> PhaseNumber:
    return PhaseNumber(number)


def make_single_ring(yellow_ds: int = 30, red_clear_ds: int = 20) -> Junction:
    """Three phases; link 0 green in 1, link 1 in 1 and 2 (permissive in 2), link 2 in 3."""
    phases = tuple(Phase(number=phase(n), yellow_ds=yellow_ds, red_clear_ds=red_clear_ds) for n in (1, 2, 3))
    overlaps = (
        Overlap(number=1, link_indices=(0,), protected=frozenset({phase(1)}), turn_on_red=frozenset({phase(3)})),
        Overlap(number=2, link_indices=(1,), protected=frozenset({phase(1)}), permissive=frozenset({phase(2)})),
        Overlap(number=3, link_indices=(2,), protected=frozenset({phase(3)})),
    )
    numbers = (phase(1), phase(2), phase(3))
    return Junction(
        id=JunctionId("a"),
        n_links=3,
        phases=phases,
        rings=(numbers,),
        barriers=(frozenset(numbers),),
        overlaps=overlaps,
    )


def make_dual_ring() -> Junction:
    """The NEMA eight, one link a phase."""
    phases = tuple(Phase(number=phase(n), ring=1 if n < 5 else 2) for n in range(1, 9))
    overlaps = tuple(Overlap(number=n, link_indices=(n - 1,), protected=frozenset({phase(n)})) for n in range(1, 9))
    return Junction(
        id=JunctionId("d"),
        n_links=8,
        phases=phases,
        rings=(tuple(map(phase, (1, 2, 3, 4))), tuple(map(phase, (5, 6, 7, 8)))),
        barriers=(frozenset(map(phase, (1, 2, 5, 6))), frozenset(map(phase, (3, 4, 7, 8)))),
        overlaps=overlaps,
        coordinated=phase(2),
    )


def make_plan(junction: Junction, splits_s: tuple[int, ...], cycle_s: int, offset_s: int = 0) -> Plan:
    splits = tuple(
        Split(phase=p.number, split_s=s, is_coordinated=p.number == junction.coordinated)
        for p, s in zip(junction.phases, splits_s, strict=True)
    )
    pattern = Pattern(number=1, cycle_s=cycle_s, offset_s=offset_s, split=1)
    return Plan(junction=junction.id, pattern=pattern, split=SplitPlan(number=1, splits=splits))


def make_crossing(junction: Junction) -> Crossing:
    return Crossing(
        id=junction.id,
        nodes=(str(junction.id),),
        position=(0.0, 0.0),
        n_links=junction.n_links,
        approaches=(),
        conflicts=junction.conflicts,
        permissive=junction.permissive,
    )
