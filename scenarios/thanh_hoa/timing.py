"""Installed signals of the schematic: phases, rings, barriers, overlaps, pedestrian and clearance times."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from math import ceil

from layout import LANE_M, LEGS, SPEED_MPS, TIMINGS
from roads import n_lanes

from traffic.ids import JunctionId, MovementId, PhaseNumber
from traffic.signals import Junction, Overlap, Phase

WALK_S, WALK_SPEED_MPS = 7, 1.2
REACTION_S, DECEL_MPS2, VEHICLE_M = 1.0, 3.05, 6.1

Counts = Mapping[tuple[MovementId, str], list[float]]


def installed(name: str, link_turns: Mapping[int, tuple[str, str]], path_m: float) -> Junction:
    """Return what is installed at one junction; conflicts are left to the network."""
    timing = TIMINGS[name]
    ring_of = {number: ring for ring, members in enumerate(timing.rings, start=1) for number in members}
    phases = tuple(_phase(name, number, ring_of[number], path_m) for number in sorted(timing.serves))
    return Junction(
        id=JunctionId(name),
        n_links=1 + max(link_turns),
        phases=phases,
        rings=tuple(tuple(map(PhaseNumber, ring)) for ring in timing.rings),
        barriers=tuple(frozenset(map(PhaseNumber, group)) for group in timing.barriers),
        overlaps=_overlaps(name, link_turns),
        coordinated=PhaseNumber(timing.coordinated),
    )


def _phase(name: str, number: int, ring: int, path_m: float) -> Phase:
    timing = TIMINGS[name]
    others = {other for group in timing.barriers if number in group for other in group}
    concurrent = others - set(timing.rings[ring - 1])
    walked = [leg for leg, served in timing.serves[number].items() if "s" in served and _is_through(name, number)]
    crossed_m = max((_crossed_m(name, leg) for leg in walked), default=0.0)
    return Phase(
        number=PhaseNumber(number),
        ring=ring,
        concurrency=frozenset(map(PhaseNumber, concurrent)),
        min_green_s=10 if walked else 6,
        walk_s=WALK_S if walked else 0,
        ped_clear_s=ceil(crossed_m / WALK_SPEED_MPS),
        yellow_ds=10 * ceil(REACTION_S + SPEED_MPS / (2 * DECEL_MPS2)),
        red_clear_ds=10 * ceil((path_m + VEHICLE_M) / SPEED_MPS),
    )


def _is_through(name: str, number: int) -> bool:
    """Whether pedestrians walk beside this phase: some approach has its right and straight turns, no protected left."""
    served = TIMINGS[name].serves[number]
    return any("s" in t and (("r" in t) or "l" not in t) for t in served.values())


def _crossed_m(name: str, leg: str) -> float:
    """Return the widest carriageway that pedestrians cross while `leg` moves: the legs at its sides."""
    sides = [side for side in ("ew" if leg in "ns" else "ns") if side in LEGS[name]]
    return max((2 * LANE_M * n_lanes(name, LEGS[name][side]) for side in sides), default=0.0)


def _overlaps(name: str, link_turns: Mapping[int, tuple[str, str]]) -> tuple[Overlap, ...]:
    timing = TIMINGS[name]
    drivers: dict[int, tuple[frozenset[PhaseNumber], frozenset[PhaseNumber]]] = {}
    for index, (leg, turn) in link_turns.items():
        greens = {number for number, served in timing.serves.items() if turn in served.get(leg, "")}
        yields = {number for number in greens if (number, leg, turn) in timing.yields}
        drivers[index] = (frozenset(map(PhaseNumber, greens - yields)), frozenset(map(PhaseNumber, yields)))

    def order(index: int) -> tuple[list[int], list[int]]:
        return sorted(drivers[index][0]), sorted(drivers[index][1])

    groups = groupby(sorted(drivers, key=lambda i: (order(i), i)), key=order)
    return tuple(
        Overlap(number=k, link_indices=tuple(links), protected=frozenset(key[0]), permissive=frozenset(key[1]))
        for k, (key, members) in enumerate(groups, start=1)
        for links in [list(members)]
    )
