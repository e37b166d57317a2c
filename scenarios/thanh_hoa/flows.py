"""From gate flows and turning shares to route flows, counts and trips of the historic morning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from layout import CLASS_SHARES, CLASSES, GATE_FLOWS_VPH, LEGS, PERIOD_S, PLACES, PROFILE, TURN_SHARES
from roads import approach, exit_link, turns

from sim.route_files import RouteFlow
from traffic.ids import MovementId
from traffic.network import movement_id


def route_shares() -> dict[tuple[str, ...], float]:
    """Return {links from gate to gate: veh/h in the peak}; the streets form a tree, so each walk ends."""
    found: dict[tuple[str, ...], float] = {}
    for gate, flow_vph in GATE_FLOWS_VPH.items():
        junction = next(j for j, legs in LEGS.items() if gate in legs.values())
        _walk(junction, _leg_to(junction, gate), (f"{gate}_in",), flow_vph, found)
    return found


def _leg_to(junction: str, other: str) -> str:
    return next(leg for leg, place in LEGS[junction].items() if place == other)


def _walk(junction: str, leg: str, links: tuple[str, ...], vph: float, found: dict[tuple[str, ...], float]) -> None:
    shares = dict(zip("rsl", TURN_SHARES[junction][leg], strict=True))
    for turn, to in turns(junction, leg).items():
        onward = (*links, exit_link(junction, to))
        following = LEGS[junction][to]
        if following in PLACES:
            _walk(following, _leg_to(following, junction), onward, vph * shares[turn], found)
        else:
            found[onward] = vph * shares[turn]


def historic_flows(rng: np.random.Generator) -> list[RouteFlow]:
    """Return whole vehicles per route, type and quarter of an hour, as flows; fractions are rounded at random."""
    flows = []
    for links, vph in sorted(route_shares().items()):
        for kind, share in CLASS_SHARES.items():
            expected = np.array(PROFILE) * vph * share * PERIOD_S / 3600.0
            number = np.floor(expected + rng.random(len(PROFILE)))
            flows_vph = tuple(float(n) * 3600.0 / PERIOD_S for n in number)
            flows.append(RouteFlow(links=links, vehicle_type=kind, flows_vph=flows_vph))
    return flows


def turning_flows(flows: list[RouteFlow]) -> Mapping[tuple[MovementId, str], list[float]]:
    """Return {(movement, class): veh/h per period}, travel time left out."""
    found: dict[tuple[MovementId, str], list[float]] = defaultdict(lambda: [0.0] * len(PROFILE))
    for movement in movements():
        for kind in CLASSES.values():
            found[movement, kind] = [0.0] * len(PROFILE)
    for flow in flows:
        for here, onward in zip(flow.links, flow.links[1:], strict=False):
            key = (movement_id(junction_after(here), here, onward), CLASSES[flow.vehicle_type])
            found[key] = [a + b for a, b in zip(found[key], flow.flows_vph, strict=True)]
    return found


def junction_after(link: str) -> str:
    """Return the junction at the end of a link."""
    return next(j for j, legs in LEGS.items() if link in {approach(j, leg) for leg in legs})


def movements() -> list[MovementId]:
    """Return every movement of the schematic, junction by junction."""
    return [
        movement_id(junction, approach(junction, leg), exit_link(junction, to))
        for junction, legs in LEGS.items()
        for leg in legs
        for to in turns(junction, leg).values()
    ]
