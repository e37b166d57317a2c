"""Demand of a generated town: gates, ways by random turns, vehicle types, and how all of it varies in time.

The process is the town's own; every demand seed draws a level, a mix, a profile and the vehicles. What controllers
may know, the history, is another draw of the same process, each gate's flow off by up to a fifth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sim.route_files import Trip
from sim.walks import gates_in
from traffic.demand import Journey, Journeys, LinkHistory
from traffic.ids import LinkId
from traffic.network import Network

Floats = npt.NDArray[np.float64]
Pair = tuple[LinkId, LinkId]
BIN_S = 10.0
PERIOD_S = 900.0
_N_WALKS, _MOST_LINKS = 30, 40
_TURNS = {"s": 6.0, "r": 1.6, "l": 1.6}
_SIDE = 0.12
"""Weight of a side street without signals, as a way and as a gate, against a lane of a main street."""
_OFF = 0.2
_CLASSES = ("car", "motorcycle", "truck", "bus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """How vehicles come: by gate, the ways and their shares and a share of all vehicles; shares of types.

    `ways` has each way once, `share` sums to 1 over all of them, `gate` is the place of its gate.
    """

    ways: tuple[tuple[LinkId, ...], ...]
    share: Floats
    gate: npt.NDArray[np.intp]
    type_shares: Mapping[str, float]
    begin_s: float
    end_s: float

    @property
    def n_gates(self) -> int:
        """Number of gates."""
        return int(self.gate.max()) + 1

    def flows(self, total_vph: float = 1.0) -> dict[Pair, float]:
        """Return the flows from link to link of so many vehicles per hour in all."""
        flows: dict[Pair, float] = {}
        for way, share in zip(self.ways, self.share.tolist(), strict=True):
            for pair in pairwise(way):
                flows[pair] = flows.get(pair, 0.0) + total_vph * share
        return flows


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedDemand:
    """The vehicles of one demand seed, what is known of them beforehand, and how full the fullest junction is.

    `saturation` is demand over capacity of the critical junction, the mean of the period, by a simple estimate.
    """

    seed: int
    journeys: Journeys
    history: LinkHistory
    saturation: float


def draw_process(network: Network, rng: np.random.Generator) -> Process:
    """Return a process for a network; the gates differ, and so do the turns at every link."""
    onward = _onward(network, rng)
    ways: list[tuple[LinkId, ...]] = []
    shares: list[float] = []
    gates: list[int] = []
    for gate in gates_in(network):
        weight = _weight_of(network, gate) * float(np.exp(rng.normal(0.0, 0.5)))
        found = [way for _ in range(_N_WALKS) if (way := _walk(gate, onward, rng))]
        number = len(set(gates))
        for way in dict.fromkeys(found):
            ways.append(way)
            shares.append(weight * found.count(way) / len(found))
            gates.append(number)
    n_minutes = int(rng.integers(4, 13)) * 5
    return Process(
        ways=tuple(ways),
        share=np.array(shares) / sum(shares),
        gate=np.array(gates),
        type_shares=_type_shares(rng),
        begin_s=0.0,
        end_s=60.0 * n_minutes,
    )


def _type_shares(rng: np.random.Generator) -> dict[str, float]:
    motorcycles = float(rng.uniform(0.0, 0.8)) if rng.random() < 0.6 else 0.0
    heavy = (1.0 - motorcycles) * rng.uniform(0.0, 0.12, 2)
    values = (1.0 - motorcycles - float(heavy.sum()), motorcycles, float(heavy[0]), float(heavy[1]))
    return {name: round(value, 4) for name, value in zip(_CLASSES, values, strict=True)}


def _weight_of(network: Network, link: LinkId) -> float:
    """Return the weight of a road: its lanes; a side street (its gate is called o) counts little."""
    row = network.links[link]
    return _SIDE if "o" in (row.from_node[0], row.to_node[0]) else float(len(row.lanes))


def _onward(network: Network, rng: np.random.Generator) -> dict[LinkId, list[tuple[LinkId, float]]]:
    """Return the weights of the ways from every link."""
    onward: dict[LinkId, dict[LinkId, float]] = {}
    for row in network.connections:
        ways = onward.setdefault(row.from_link, {})
        if row.to_link not in ways:
            weight = _TURNS.get(row.direction.lower(), 1.0) * float(rng.gamma(2.0, 0.5) + 0.1)
            ways[row.to_link] = weight * (_SIDE if network.links[row.to_link].to_node.startswith("o") else 1.0)
    return {link: list(ways.items()) for link, ways in onward.items()}


def _walk(
    gate: LinkId, onward: Mapping[LinkId, Sequence[tuple[LinkId, float]]], rng: np.random.Generator
) -> tuple[LinkId, ...]:
    """Return a way by random turns that takes no link twice; after many vain tries, none."""
    for _ in range(50):
        way = [gate]
        while way[-1] in onward and len(way) < _MOST_LINKS:
            ways = [(link, weight) for link, weight in onward[way[-1]] if link not in way]
            total = sum(weight for _, weight in ways)
            if not ways:
                break
            luck = rng.random() * total
            place = int(np.searchsorted(np.cumsum([weight for _, weight in ways]), luck))
            way.append(ways[min(place, len(ways) - 1)][0])
        if way[-1] not in onward and len(way) > 1:
            return tuple(way)
    return ()


def draw_demand(network: Network, process: Process, capacity_vph: float, rng_seed: Sequence[int]) -> GeneratedDemand:
    """Return the demand of one seed; `capacity_vph` is what would fill the critical junction to the brim."""
    rng = np.random.default_rng(rng_seed)
    saturation = float(rng.uniform(0.3, 1.1))
    total_vph = saturation * capacity_vph
    by_gate = rng.uniform(0.75, 1.25, process.n_gates)
    profile = _profiles(process, rng)
    trips = _draw(process, total_vph, by_gate, profile, rng)
    known = _draw(process, total_vph, by_gate * rng.uniform(1.0 - _OFF, 1.0 + _OFF, process.n_gates), profile, rng)
    return GeneratedDemand(
        seed=int(rng_seed[-1]),
        journeys=journeys_of_trips(trips, network, process),
        history=_history(known, network, process),
        saturation=saturation,
    )


def _profiles(process: Process, rng: np.random.Generator) -> Floats:
    """Return how the flow of each gate varies, shape (n_gates, n_bins), mean 1 each: a peak, pulses, platoons."""
    n_bins = int((process.end_s - process.begin_s) / BIN_S)
    at = np.arange(n_bins) / n_bins
    height, centre = rng.uniform(0.0, 1.0) if rng.random() < 0.5 else 0.0, rng.uniform(0.3, 0.7)
    common = 1.0 + height * np.exp(-(((at - centre) / 0.2) ** 2))
    rows = np.tile(common, (process.n_gates, 1))
    for gate in range(process.n_gates):
        if rng.random() < 0.3:
            first, long = rng.uniform(0.0, 0.9), rng.uniform(0.05, 0.2)
            rows[gate, (at >= first) & (at < first + long)] *= rng.uniform(1.5, 2.5)
        if rng.random() < 0.4:
            cycle_s, green = rng.choice([60.0, 80.0, 90.0, 120.0]), rng.uniform(0.3, 0.7)
            is_green = (np.arange(n_bins) * BIN_S + rng.uniform(0.0, cycle_s)) % cycle_s < green * cycle_s
            rows[gate] *= np.where(is_green, 1.0, rng.uniform(0.1, 0.6))
    normed: Floats = rows / rows.mean(axis=1, keepdims=True)
    return normed


def _draw(process: Process, total_vph: float, by_gate: Floats, profile: Floats, rng: np.random.Generator) -> list[Trip]:
    """Return the vehicles: Poisson, in tenths of a second."""
    hours = (process.end_s - process.begin_s) / 3600.0
    number = rng.poisson(total_vph * hours * process.share * by_gate[process.gate])
    way = np.repeat(np.arange(len(process.ways)), number)
    luck = rng.random(len(way))
    cumulated = np.cumsum(profile, axis=1) / profile.sum(axis=1, keepdims=True)
    bins = np.empty(len(way), np.intp)
    for gate in range(process.n_gates):
        is_here = process.gate[way] == gate
        bins[is_here] = np.searchsorted(cumulated[gate], luck[is_here])
    bins = np.minimum(bins, profile.shape[1] - 1)
    depart_s = process.begin_s + BIN_S * (bins + rng.random(len(way)))
    names = [name for name, share in process.type_shares.items() if share > 0]
    odds = np.array([process.type_shares[name] for name in names])
    kinds = rng.choice(len(names), size=len(way), p=odds / odds.sum())
    last_s = process.end_s - 0.1
    rows = zip(depart_s.tolist(), kinds.tolist(), way.tolist(), strict=True)
    return sorted(
        Trip(depart_s=min(last_s, round(time_s, 1)), vehicle_type=names[kind], links=process.ways[place])
        for time_s, kind, place in rows
    )


def journeys_of_trips(trips: Sequence[Trip], network: Network, process: Process) -> Journeys:
    """Return trips as journeys, as `write_trips` writes them."""
    return Journeys(
        rows=tuple(
            Journey(
                id=f"v{number}",
                depart_s=trip.depart_s,
                links=tuple(LinkId(link) for link in trip.links),
                vehicle_type=trip.vehicle_type,
                depart_lane="best",
                depart_speed="max",
            )
            for number, trip in enumerate(trips)
        ),
        types=network.vehicle_types,
        begin_s=process.begin_s,
        end_s=process.end_s,
        has_lane_sharing=has_lane_sharing(process),
    )


def has_lane_sharing(process: Process) -> bool:
    """Whether there are so many motorcycles that lanes are shared."""
    return process.type_shares["motorcycle"] > 0.15


def _history(trips: Sequence[Trip], network: Network, process: Process) -> LinkHistory:
    n_periods = -int(-(process.end_s - process.begin_s) // PERIOD_S)
    flows: list[dict[Pair, float]] = [{} for _ in range(n_periods)]
    for trip in trips:
        place = int((trip.depart_s - process.begin_s) // PERIOD_S)
        span_s = min(PERIOD_S, process.end_s - process.begin_s - place * PERIOD_S)
        for a, b in pairwise(trip.links):
            pair = (LinkId(a), LinkId(b))
            flows[place][pair] = flows[place].get(pair, 0.0) + 3600.0 / span_s
    commonest = max(process.type_shares, key=lambda name: process.type_shares[name])
    return LinkHistory(
        begin_s=process.begin_s,
        period_s=PERIOD_S,
        flows_vph=tuple(flows),
        vehicle=network.vehicle_types[commonest],
    )
