"""Other orders of a junction's phases: the design of a new installation, never a plan for the installed one.

A controller's sequence is installed and the guard refuses any other, so a plan cannot change it. Where an order is
designed all the same, every phase gets at least the longest yellow and red clearance that the junction has: which
links lose green after it is no longer what it was.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from traffic.ids import PhaseNumber
from traffic.signals import Junction

MAX_ORDERS = 24
"""So many orders of a junction are looked at; with more phases, those next to the installed one come first."""


def orders_of(junction: Junction) -> list[Junction]:
    """Return the junction with other orders of its phases between barriers; of a whole ring the first phase stays."""
    found = []
    for place, ring in enumerate(junction.rings):
        for group in junction.barriers:
            own = [number for number in ring if number in group]
            is_whole = len(own) == len(ring)
            for order in _orders(own, keeps_first=is_whole):
                numbers = iter(order)
                new = tuple(next(numbers) if number in group else number for number in ring)
                rings = (*junction.rings[:place], new, *junction.rings[place + 1 :])
                found.append(_with_clearances(replace(junction, rings=rings)))
    return found[:MAX_ORDERS]


def _orders(own: list[PhaseNumber], *, keeps_first: bool) -> list[tuple[PhaseNumber, ...]]:
    """Return other orders of a few phases; of many, those in which two have changed places."""
    head, rest = (own[:1], own[1:]) if keeps_first else ([], own)
    if len(rest) <= 4:
        return [(*head, *order) for order in permutations(rest) if list(order) != rest]
    swapped = []
    for i in range(len(rest)):
        for j in range(i + 1, len(rest)):
            order = list(rest)
            order[i], order[j] = order[j], order[i]
            swapped.append((*head, *order))
    return swapped


def _with_clearances(junction: Junction) -> Junction:
    yellow_ds = max(phase.yellow_ds for phase in junction.phases)
    red_ds = max(phase.red_clear_ds for phase in junction.phases)
    phases = tuple(replace(phase, yellow_ds=yellow_ds, red_clear_ds=red_ds) for phase in junction.phases)
    return replace(junction, phases=phases)
