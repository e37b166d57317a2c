"""Where in a new plan a controller finds itself when it changes to it, and the offsets that are nearest to that.

::

    old plan    |==== 1 ====yr|==== 2 ====yr|      a controller 7 s into green 2 of the old plan
                                 ^ now             is 7 s into green 2 of the new one, or at that green's end
    new plan    |== 1 ==yr|=== 2 ===yr|
                             ^ place
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from traffic.ids import JunctionId, PhaseNumber
from traffic.lamps import Part, coordinated_start_ds, ring_timeline
from traffic.signals import Junction, Plan

MARGIN_S = 4
"""By so much every controller is left ahead: one that is ahead waits a sixth of the time, one that is behind has to
shorten greens, or to wait almost a whole cycle where these are at their least."""


def in_step(
    junctions: Mapping[JunctionId, Junction],
    plans: Mapping[JunctionId, Plan],
    running: Mapping[JunctionId, Plan],
    times_s: Mapping[JunctionId, float],
) -> dict[JunctionId, Plan]:
    """Return plans with offsets that controllers take up soon; those with one cycle are moved together.

    Parameters
    ----------
    junctions
        What is installed.
    plans, running
        The new plans, and those that are in effect.
    times_s
        When each will be selected, seconds after the master's zero.
    """
    moved: dict[JunctionId, Plan] = {}
    for cycle_s in dict.fromkeys(plan.pattern.cycle_s for plan in plans.values()):
        group = {name: plan for name, plan in plans.items() if plan.pattern.cycle_s == cycle_s}
        ahead = {
            round(ahead_s(junctions[name], running[name], plan, times_s[name])) % cycle_s
            for name, plan in group.items()
        }
        order = sorted(ahead)
        _, start_s = max((later - sooner, later) for sooner, later in pairwise([order[-1] - cycle_s, *order]))
        for name, plan in group.items():
            offset_s = (plan.pattern.offset_s + MARGIN_S - start_s) % cycle_s
            moved[name] = replace(plan, pattern=replace(plan.pattern, offset_s=offset_s))
    return {name: moved[name] for name in plans}


def ahead_s(junction: Junction, old: Plan, new: Plan, time_s: float) -> float:
    """Return how far a controller that changes plans now is ahead of where the new offset wants it, within a cycle."""
    start_s = coordinated_start_ds(junction, new) / 10
    wanted_s = time_s - new.pattern.offset_s + start_s
    return (place_s(junction, old, new, time_s) - wanted_s) % new.pattern.cycle_s


def place_s(junction: Junction, old: Plan, new: Plan, time_s: float) -> float:
    """Return the place in the new plan's cycle of what the first ring shows by the old plan, seconds.

    A green keeps its age, but ends no later than the new plan has it; a clearance is followed by its next green.
    """
    greens_s = _greens_s(junction, new)
    now_s = (time_s - old.pattern.offset_s + coordinated_start_ds(junction, old) / 10) % old.pattern.cycle_s
    for phase, (start_s, end_s) in _greens_s(junction, old).items():
        if now_s < start_s:
            return greens_s[phase][0] - (start_s - now_s)
        if now_s < end_s:
            return min(greens_s[phase][0] + now_s - start_s, greens_s[phase][1])
    return now_s - old.pattern.cycle_s


def _greens_s(junction: Junction, plan: Plan) -> dict[PhaseNumber, tuple[float, float]]:
    """Return when each phase of the first ring is green in the cycle, which begins with the first one: (start, end)."""
    greens_s, position_s = {}, 0.0
    for span_ds, state in ring_timeline(junction, plan, 0):
        if state.part is Part.GREEN:
            greens_s[state.phase] = (position_s, position_s + span_ds / 10)
        position_s += span_ds / 10
    return greens_s
