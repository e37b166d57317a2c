"""Vehicles as history expects them: evenly spaced, their turns in historic proportion. Nobody's own route is known."""

from __future__ import annotations

from collections.abc import Mapping

from traffic.demand import Journey, Journeys, LinkHistory
from traffic.ids import LinkId
from traffic.network import Network

_LONGEST = 60
"""Links after which a way ends, come what may: a walk by turning shares may go in circles."""
_LEAST_VPH = 0.5
Flows = Mapping[tuple[LinkId, LinkId], float]


class Turns:
    """Next links in historic proportion, in turn: of the ways on from a link the one that is most behind its share."""

    def __init__(self, network: Network, flows: Flows, vehicle_class: str) -> None:
        ways = {
            (row.from_link, row.to_link)
            for row in network.connections
            for lanes in [(network.lanes[row.from_lane], network.lanes[row.to_lane])]
            if all(not lane.allowed or vehicle_class in lane.allowed for lane in lanes)
        }
        into, out_of = _sums(flows)
        self._shares: dict[LinkId, dict[LinkId | None, float]] = {}
        for (link, after), vph in flows.items():
            if (link, after) in ways and vph > 0.0:
                self._shares.setdefault(link, {})[after] = vph
        for link, row in self._shares.items():
            row[None] = max(0.0, into.get(link, 0.0) - out_of[link])
            total = sum(row.values())
            self._shares[link] = {after: vph / total for after, vph in row.items()}
        self._behind: dict[LinkId, dict[LinkId | None, float]] = {
            link: dict.fromkeys(row, 0.0) for link, row in self._shares.items()
        }

    def walk(self, start: LinkId) -> tuple[LinkId, ...]:
        """Return the next way from a link on; whoever starts there goes on at least once."""
        way = [start]
        while len(way) < _LONGEST and way[-1] in self._shares:
            after = self._next(way[-1], may_end=len(way) > 1)
            if after is None:
                break
            way.append(after)
        return tuple(way)

    def _next(self, link: LinkId, *, may_end: bool) -> LinkId | None:
        behind = self._behind[link]
        for after, share in self._shares[link].items():
            behind[after] += share
        best = max((after for after in behind if may_end or after is not None), key=lambda after: behind[after])
        behind[best] -= 1.0
        return best


def mean_flows(history: LinkHistory) -> dict[tuple[LinkId, LinkId], float]:
    """Return the mean flow from link to link over all periods, veh/h."""
    mean: dict[tuple[LinkId, LinkId], float] = {}
    for flows in history.flows_vph:
        for pair, vph in flows.items():
            mean[pair] = mean.get(pair, 0.0) + vph / len(history.flows_vph)
    return mean


def expected_journeys(network: Network, history: LinkHistory, *, ahead_s: float = 600.0) -> Journeys:
    """Return the vehicles that history expects in its period and for `ahead_s` beyond it."""
    turns = Turns(network, mean_flows(history), history.vehicle.vehicle_class)
    end_s = history.begin_s + history.period_s * len(history.flows_vph)
    rows = [
        Journey(id=f"expected {link} {number}", depart_s=depart_s, links=turns.walk(link), vehicle_type="")
        for link, departures in _departures(history, end_s + ahead_s).items()
        for number, depart_s in enumerate(departures)
    ]
    return Journeys(
        rows=tuple(sorted((row for row in rows if len(row.links) > 1), key=lambda row: row.depart_s)),
        types={"": history.vehicle},
        begin_s=history.begin_s,
        end_s=end_s + ahead_s,
    )


def _departures(history: LinkHistory, end_s: float) -> dict[LinkId, list[float]]:
    """Return when vehicles start on each link: one whenever the expected number passes a half."""
    found: dict[LinkId, list[float]] = {}
    for link in dict.fromkeys(pair[0] for flows in history.flows_vph for pair in flows):
        expected, times_s, start_s = 0.5, [], history.begin_s
        for place, flows in enumerate(history.flows_vph):
            is_last = place == len(history.flows_vph) - 1
            span_s = end_s - start_s if is_last else history.period_s
            vph = _started(flows, link)
            if vph > _LEAST_VPH:
                expected_end = expected + vph * span_s / 3600.0
                for whole in range(int(expected) + 1, int(expected_end) + 1):
                    times_s.append(start_s + (whole - expected) * 3600.0 / vph)
                expected = expected_end
            start_s += span_s
        if times_s:
            found[link] = times_s
    return found


def _started(flows: Flows, link: LinkId) -> float:
    into, out_of = _sums(flows)
    return out_of.get(link, 0.0) - into.get(link, 0.0)


def _sums(flows: Flows) -> tuple[dict[LinkId, float], dict[LinkId, float]]:
    """Return the flow into and out of every link."""
    into: dict[LinkId, float] = {}
    out_of: dict[LinkId, float] = {}
    for (before, after), vph in flows.items():
        out_of[before] = out_of.get(before, 0.0) + vph
        into[after] = into.get(after, 0.0) + vph
    return into, out_of
