"""Stages, their changes and what feeds them as the core's arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from control.core.arrays import FEED, HOLD, NETWORK, PRESSURE, RULES, STAGE, STAGED, Stages, rows_of
from control.core.policy import make_sight
from control.queue_roads import Compiled
from control.queue_timing import CodeTable
from traffic.ids import JunctionId, LinkId
from traffic.lamps import change
from traffic.network import Network
from traffic.signals import GREEN_LETTERS
from traffic.snapshot import FloatArray

POLICIES = {"hold": HOLD, "pressure": PRESSURE, "network": NETWORK}
Flows = Mapping[tuple[LinkId, LinkId], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageClock:
    """When decisions fall due, and how a stage gives way to another: a protocol in the core's words.

    `clearance_s` holds yellow and all-red after each stage, by junction. With `is_by_green`
    decisions fall due `min_green_s` after a stage turned green and every `decision_s` from there; else every
    `decision_s`, changes counted.
    """

    decision_s: float
    clearance_s: Mapping[JunctionId, Sequence[tuple[float, float]]]
    min_green_s: float = 0.0
    is_by_green: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePolicy:
    """Who decides inside the model.

    Attributes
    ----------
    name
        `hold`, `pressure` or `network` (the stages' `sight` holds its weights).
    reach_s
        Vehicles that come to the stop line within this time count, seconds.
    stay_veh
        What the running stage is worth more, vehicles.
    max_red_s
        A vehicle that waits longer at red is served first, seconds.
    beyond
        Weight of a vehicle beyond the stop line, against one before it.
    caught_s
        What it costs that a vehicle still waits inside the junction when other stages turn green, seconds: in the
        street, and in SUMO, such vehicles may block one another.
    """

    name: str = "pressure"
    reach_s: float = 8.0
    stay_veh: float = 0.0
    max_red_s: float = 120.0
    beyond: float = 0.0
    caught_s: float = 0.0


def compile_stages(
    network: Network,
    compiled: Compiled,
    stages: Mapping[JunctionId, Sequence[str]],
    clock: StageClock,
    policy: StagePolicy,
    flows: Flows,
) -> Stages:
    """Return the stages of all junctions; `flows` are historic, and say how a lane's vehicles divide."""
    codes = CodeTable(compiled.signal_links)
    shares = _lane_shares(network, flows)
    sites: list[tuple[float, ...]] = []
    rows: list[tuple[float, ...]] = []
    feeds: list[tuple[float, ...]] = []
    arms: list[int] = []
    most = max((len(stages[name]) for name in compiled.junctions), default=1)
    between: list[list[tuple[int, int]]] = []
    for j, name in enumerate(compiled.junctions):
        own = [
            place
            for place, row in enumerate(network.connections)
            if row.junction == name and row.link_index is not None
        ]
        lanes = sorted({int(compiled.roads.conns[place].start) for place in own})
        shown = stages[name]
        sites.append((len(rows), len(shown), len(arms), len(lanes), clock.min_green_s, clock.decision_s))
        arms += lanes
        for a, lamps in enumerate(shown):
            found = _feeds(network, compiled, own, lamps, shares, policy.beyond)
            yellow_s, red_s = clock.clearance_s[name][a]
            rows.append((codes.row(j, lamps), len(feeds), len(found), yellow_s, red_s))
            feeds += found
            pairs = [_between(codes, j, lamps, after, (yellow_s, red_s)) for after in shown]
            between.append(pairs + [(-1, -1)] * (most - len(shown)))
    bounds = (policy.reach_s, policy.stay_veh, policy.max_red_s, policy.caught_s)
    rules = (int(clock.is_by_green), POLICIES[policy.name], *bounds)
    return Stages(
        junctions=rows_of(sites, STAGED),
        rows=rows_of(rows, STAGE),
        between=np.array(between, np.int32).reshape(len(rows), most, 2),
        arms=np.array(arms or [0], np.int32),
        feeds=rows_of(feeds or [(0, 0.0, 0.0)], FEED),
        codes=codes.array(),
        sight=make_sight(),
        rules=rows_of([rules], RULES),
    )


def _between(
    codes: CodeTable, junction: int, before: str, after: str, clearance_s: tuple[float, float]
) -> tuple[int, int]:
    """Return the places of the codes of yellow and all-red between two stages; -1 where no link loses green."""
    steps = dict(zip(("yellow", "red"), change(before, after, *(span or 1.0 for span in clearance_s)), strict=False))
    if not steps:
        return -1, -1
    return codes.row(junction, steps["yellow"][1]), codes.row(junction, steps["red"][1])


def _lane_shares(network: Network, flows: Flows) -> FloatArray:
    """Return the share of its lane's vehicles that takes each connection."""
    ways: dict[tuple[LinkId, LinkId], int] = {}
    for row in network.connections:
        pair = (row.from_link, row.to_link)
        ways[pair] = ways.get(pair, 0) + 1
    parts = [
        flows.get((row.from_link, row.to_link), 0.0) / ways[(row.from_link, row.to_link)] for row in network.connections
    ]
    total: dict[str, float] = {}
    number: dict[str, int] = {}
    for row, part in zip(network.connections, parts, strict=True):
        total[row.from_lane] = total.get(row.from_lane, 0.0) + part
        number[row.from_lane] = number.get(row.from_lane, 0) + 1
    return np.array(
        [
            part / total[row.from_lane] if total[row.from_lane] > 0.0 else 1.0 / number[row.from_lane]
            for row, part in zip(network.connections, parts, strict=True)
        ]
    )


def _feeds(
    network: Network, compiled: Compiled, own: Sequence[int], lamps: str, shares: FloatArray, beyond: float
) -> list[tuple[float, ...]]:
    """Return (lane, weight before, weight beyond the stop line) of the lanes that a stage serves and feeds."""
    near: dict[int, float] = {}
    far: dict[int, float] = {}
    for place in own:
        row = network.connections[place]
        if row.link_index is None or lamps[row.link_index] not in GREEN_LETTERS:
            continue
        lane, out = compiled.lane_at[row.from_lane], compiled.lane_at[row.to_lane]
        near[lane] = near.get(lane, 0.0) + float(shares[place])
        far[out] = max(far.get(out, 0.0), beyond * float(shares[place]))
    return [(lane, near.get(lane, 0.0), far.get(lane, 0.0)) for lane in sorted({*near, *far})]
