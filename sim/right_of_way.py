"""Who crosses whom inside a node, and who yields: from SUMO's request matrix, never from a program."""

from __future__ import annotations

from collections.abc import Iterable

from sim.netfile import RawConnection, RawNet
from traffic.errors import BadScenario

Rights = dict[RawConnection, tuple[tuple[RawConnection, ...], tuple[RawConnection, ...]]]
"""Per connection: those whose path meets its own, and those it yields to; pedestrian crossings too."""


def rights_of(net: RawNet) -> Rights:
    """Return foes and responses of every connection.

    SUMO numbers the requests of a node by its incoming lanes in order, and by the connections of
    each lane in the order of the file; ways to and from walking areas have no request unless they
    enter a crossing.
    """
    leaving: dict[tuple[str, int], list[RawConnection]] = {}
    for raw in net.connections:
        leaving.setdefault((raw.from_edge, raw.from_lane), []).append(raw)
    rights: Rights = {}
    for node in net.nodes.values():
        if node.requests:
            asking = [raw for lane in node.incoming for raw in leaving.get(_split(lane), ()) if _has_request(net, raw)]
            for place, raw in enumerate(asking):
                response, foes = node.requests.get(place, ("", ""))
                where = f"{net.path}: junction {node.id} request {place}"
                rights[raw] = (_pick(asking, foes, where), _pick(asking, response, where))
    return rights


def _split(lane: str) -> tuple[str, int]:
    edge, _, index = lane.rpartition("_")
    return edge, int(index) if index.isdigit() else -1


def _has_request(net: RawNet, raw: RawConnection) -> bool:
    before, after = net.edges[raw.from_edge].function, net.edges[raw.to_edge].function
    return after != "walkingarea" and (before != "walkingarea" or after == "crossing")


def _pick(asking: list[RawConnection], bits: str, where: str) -> tuple[RawConnection, ...]:
    """Return the connections whose bit is set; the rightmost bit is the first connection."""
    if len(bits) > len(asking) and "1" in bits[: len(bits) - len(asking)]:
        raise BadScenario(where, bits, f"names a link beyond the node's {len(asking)}", "rebuild with netconvert")
    return tuple(raw for raw, bit in zip(asking, reversed(bits), strict=False) if bit == "1")


def link_conflicts(
    rights: Rights, controlled: Iterable[RawConnection]
) -> tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]:
    """Return the conflicts (i < j) and the permissive pairs (yielding, priority) of one program's link indices."""
    rows = list(controlled)
    own = set(rows)
    conflicts, permissive = set(), set()
    for raw in rows:
        foes, response = rights.get(raw, ((), ()))
        for other in foes:
            if other in own and other.link_index != raw.link_index:
                conflicts.add((min(raw.link_index, other.link_index), max(raw.link_index, other.link_index)))
        for other in response:
            if other in own and other.link_index != raw.link_index:
                permissive.add((raw.link_index, other.link_index))
    return frozenset(conflicts), frozenset(p for p in permissive if (min(p), max(p)) in conflicts)
