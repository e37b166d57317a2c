"""Plans of a whole town on one cycle: Webster's cycle of the busiest junction, splits by flow, offsets as a green wave.

The method behind a scenario's old plan and behind the centre's candidates alike, so that equal
flows give equal plans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil

import numpy as np

from control.limits import GuardLimits
from control.plan.offsets import Stop, green_seconds, progression
from control.plan.webster import WebsterSettings, webster_plan
from traffic.errors import BadScenario
from traffic.ids import JunctionId, LinkId, MovementId
from traffic.network import Movement, Network
from traffic.signals import Junction, Plan

CYCLE_GRID_S = 5
PROGRESSION_SHARE = 0.75
"""Speed of a platoon as a share of the limit: assumed; the twin's motorcycles drive at 85 % of it in the mean."""


def common_cycle_plans(
    network: Network,
    junctions: Mapping[JunctionId, Junction],
    flows: Mapping[MovementId, float],
    settings: WebsterSettings,
    limits: GuardLimits,
    *,
    cycle_s: int | None = None,
) -> dict[JunctionId, Plan]:
    """Return Webster's plans of all junctions on one cycle, offsets 0.

    Parameters
    ----------
    flows
        Flow of every movement, in the unit of `settings.saturation`, per hour.
    cycle_s
        The cycle; without one, that of the busiest junction, rounded up to 5 s, within the limits.

    Raises
    ------
    Oversaturated
        If a junction cannot serve its flows and `settings.is_capped` is not set.
    BadScenario
        If a flow is unknown.
    """
    if cycle_s is None:
        alone = [webster_plan(row, network, flows, settings, limits).pattern.cycle_s for row in junctions.values()]
        longest_s = min(limits.max_cycle_s, settings.max_cycle_s)
        cycle_s = min(CYCLE_GRID_S * ceil(max(alone) / CYCLE_GRID_S), longest_s)
    fixed = replace(limits, min_cycle_s=cycle_s, max_cycle_s=cycle_s)
    shared = replace(settings, max_cycle_s=cycle_s)
    return {name: webster_plan(row, network, flows, shared, fixed) for name, row in junctions.items()}


def with_progression(
    network: Network,
    junctions: Mapping[JunctionId, Junction],
    plans: Mapping[JunctionId, Plan],
    corridor: Sequence[JunctionId],
) -> dict[JunctionId, Plan]:
    """Return plans with offsets that give the corridor its widest bands; junctions beside it keep offset 0.

    Raises
    ------
    BadScenario
        If two junctions that follow one another have no link between them.
    """
    if len(corridor) < 2:
        return dict(plans)
    stops = corridor_stops(network, junctions, plans, corridor)
    found = progression(stops).offsets_s
    return {
        name: replace(plan, pattern=replace(plan.pattern, offset_s=found.get(name, 0) % plan.pattern.cycle_s))
        for name, plan in plans.items()
    }


def corridor_stops(
    network: Network,
    junctions: Mapping[JunctionId, Junction],
    plans: Mapping[JunctionId, Plan],
    corridor: Sequence[JunctionId],
) -> list[Stop]:
    """Return the stops of a corridor: greens of its through movements, travel times between its junctions."""
    there = [_link_between(network, one, other) for one, other in pairwise(corridor)]
    back = [_link_between(network, other, one) for one, other in pairwise(corridor)]
    stops = []
    for place, name in enumerate(corridor):
        outward = _through(network, name, arrive=_at(there, place - 1), leave=_at(there, place))
        inward = _through(network, name, arrive=_at(back, place), leave=_at(back, place - 1))
        stops.append(
            Stop(
                junction=name,
                outbound=_greens(junctions[name], plans[name], outward),
                inbound=_greens(junctions[name], plans[name], inward),
                from_last_s=_travel_s(network, _at(there, place - 1)),
                to_last_s=_travel_s(network, _at(back, place - 1)),
            )
        )
    return stops


def _at(links: Sequence[LinkId], place: int) -> LinkId | None:
    return links[place] if 0 <= place < len(links) else None


def _link_between(network: Network, one: JunctionId, other: JunctionId) -> LinkId:
    """Return the link that leaves one junction and arrives at the next."""
    leaving = {m.exit for m in network.movements.values() if m.junction == one}
    arriving = {m.approach for m in network.movements.values() if m.junction == other}
    shared = sorted(leaving & arriving)
    if not shared:
        raise BadScenario(f"corridor from {one} to {other}", "no link between them", next_move="mend the corridor")
    return shared[0]


def _through(network: Network, junction: JunctionId, *, arrive: LinkId | None, leave: LinkId | None) -> Movement | None:
    """Return the movement along the corridor; at its ends the straight one, or the busiest that there is."""
    fitting = [
        m
        for m in network.movements.values()
        if m.junction == junction and arrive in (None, m.approach) and leave in (None, m.exit)
    ]
    straight = [m for m in fitting if m.direction == "s"]
    return next(iter([*straight, *fitting]), None)


def _greens(junction: Junction, plan: Plan, movement: Movement | None) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if movement is None:
        return np.ones(plan.pattern.cycle_s, dtype=np.bool_)
    return green_seconds(junction, plan, movement.link_indices[0]).ravel()


def _travel_s(network: Network, link: LinkId | None) -> float:
    if link is None:
        return 0.0
    road = network.links[link]
    return road.length_m / (PROGRESSION_SHARE * road.speed_mps)
