"""Offsets that a street can take up soon: those of a town moved together, so that no controller has far to go.

::

    ahead of the new plan, by junction     0 . . a . b . c . . . . . . . . . d . cycle
                                               start ^ after the largest gap ^

A wave needs only differences of offsets. A controller that is ahead of its new plan waits, a sixth of the time; one
that is behind has to shorten its greens, and where these are at their least it waits almost a whole cycle
instead: longer than the three cycles in which a plan has to be in effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from traffic.ids import JunctionId
from traffic.signals import Plan

MARGIN_S = 4
"""By so much every controller is left ahead, and by what its cycle is shortened: greens that change with the plan
move its clock (tried on the schematic at all times of a common period: none is lost)."""


def ahead_s(old: Plan, new: Plan, time_s: float) -> float:
    """Return how far a controller that changes plans at this time is ahead of the new one, 0 <= seconds < cycle.

    Both positions are counted from the start of the coordinated green.
    """
    position_s = (time_s - old.pattern.offset_s) % old.pattern.cycle_s
    return (position_s - (time_s - new.pattern.offset_s)) % new.pattern.cycle_s


def moved_together(
    plans: Mapping[JunctionId, Plan],
    installed: Mapping[JunctionId, Plan],
    time_s: float,
) -> dict[JunctionId, Plan]:
    """Return plans whose offsets are all later by the same seconds, so that the one farthest ahead is least so.

    Parameters
    ----------
    plans, installed
        The new plans and those that run now.
    time_s
        When they will be selected, seconds after the master's zero.

    Returns
    -------
    dict
        The plans; as they are where they have no common cycle.
    """
    cycles = {plan.pattern.cycle_s for plan in plans.values()}
    if len(cycles) != 1:
        return dict(plans)
    (cycle_s,) = cycles
    ahead = sorted({round(ahead_s(installed[name], plan, time_s)) % cycle_s for name, plan in plans.items()})
    margin_s = MARGIN_S + max(0, *(plan.pattern.cycle_s - cycle_s for plan in installed.values()))
    _, start_s = max((later - sooner, later) for sooner, later in pairwise([ahead[-1] - cycle_s, *ahead]))
    return {
        name: replace(
            plan, pattern=replace(plan.pattern, offset_s=(plan.pattern.offset_s + margin_s - start_s) % cycle_s)
        )
        for name, plan in plans.items()
    }
