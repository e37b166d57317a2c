"""Links of the queue model: links of the network, with those that merely continue another joined to it.

::

    a ====o==== b ====o       o without signals, one way in, one way out, lane for lane:  a and b become one link
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from traffic.ids import LaneId, LinkId
from traffic.network import Connection, Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A lane of a joined link: its parts from upstream on, their length with the ways between, the time they take."""

    lanes: tuple[LaneId, ...]
    length_m: float
    time_s: float

    @property
    def limit_mps(self) -> float:
        """Mean speed limit."""
        return self.length_m / self.time_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Joined links: `head` names the first of those that each link is joined to; of a head, the last and the lanes."""

    head: Mapping[LinkId, LinkId]
    last: Mapping[LinkId, LinkId]
    strips: Mapping[LinkId, tuple[Strip, ...]]

    def route(self, links: Iterable[LinkId]) -> tuple[LinkId, ...]:
        """Return a route by joined links."""
        found: list[LinkId] = []
        for link in links:
            if not found or found[-1] != self.head[link]:
                found.append(self.head[link])
        return tuple(found)


def join_links(network: Network, starts: Iterable[LinkId], goals: Iterable[LinkId]) -> Links:
    """Return the joined links; no journey begins (`starts`) or ends (`goals`) in the middle of one."""
    out_of: dict[LinkId, list[Connection]] = {link: [] for link in network.links}
    into: dict[LinkId, list[Connection]] = {link: [] for link in network.links}
    for row in network.connections:
        out_of[row.from_link].append(row)
        into[row.to_link].append(row)
    begins, ends = set(starts), set(goals)
    after = {
        link: rows[0].to_link
        for link, rows in out_of.items()
        if rows
        and link not in ends
        and rows[0].to_link not in begins
        and _merely_continues(network, rows, into[rows[0].to_link], out_of[rows[0].to_link])
    }
    followers = set(after.values())
    head: dict[LinkId, LinkId] = {}
    last: dict[LinkId, LinkId] = {}
    strips: dict[LinkId, tuple[Strip, ...]] = {}
    for link in network.links:
        if link in followers:
            continue
        chain = [link]
        while chain[-1] in after and after[chain[-1]] != link:
            chain.append(after[chain[-1]])
        head |= dict.fromkeys(chain, link)
        last[link], strips[link] = chain[-1], _strips(network, chain, out_of)
    for link in network.links.keys() - head.keys():  # a ring road without a beginning
        head[link], last[link], strips[link] = link, link, _strips(network, [link], out_of)
    return Links(head=head, last=last, strips=strips)


def _merely_continues(
    network: Network, rows: list[Connection], arriving: list[Connection], leaving: list[Connection]
) -> bool:
    """Whether a link's only way on is lane for lane to a link with no other way in."""
    before, after = rows[0].from_link, rows[0].to_link
    fed = {row.to_lane for row in rows}
    return (
        before != after
        and len(rows) == len(arriving)
        and {row.from_lane for row in leaving} <= fed
        and all(row.to_link == after and row.from_link == before for row in (*rows, *arriving))
        and all(row.junction is None and not row.response for row in rows)
        and len({row.from_lane for row in rows}) == len(fed) == len(rows)
        and all(network.lanes[row.from_lane].allowed == network.lanes[row.to_lane].allowed for row in rows)
    )


def _strips(network: Network, chain: list[LinkId], out_of: Mapping[LinkId, list[Connection]]) -> tuple[Strip, ...]:
    strips = []
    for first in network.links[chain[0]].lanes:
        lanes, length_m, time_s = [first], 0.0, 0.0
        for link in chain:
            lane = network.lanes[lanes[-1]]
            lane_m = max(lane.length_m, 0.1)
            length_m, time_s = length_m + lane_m, time_s + lane_m / max(lane.speed_mps, 0.1)
            way = next((row for row in out_of[link] if row.from_lane == lane.id), None)
            if way is None:
                break
            if link != chain[-1]:
                length_m, time_s = length_m + way.length_m, time_s + way.length_m / max(way.speed_mps, 0.1)
                lanes.append(way.to_lane)
        strips.append(Strip(lanes=tuple(lanes), length_m=length_m, time_s=time_s))
    return tuple(strips)
