"""The state of the core from detector zones: between them as the model has it, within them as they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from control.core.arrays import ASLEEP, GREEN_PART, HOLD, N_LAUNCH, Array, Roads, Stages, State, make_state
from control.core.rollout import Around
from control.core.stages import run_seconds
from control.core.zones import Roadway, Room, Traffic, Zones, estimate
from control.expected_demand import expected_journeys, mean_flows
from control.queue_around import compile_around
from control.queue_physics import Physics
from control.queue_roads import Compiled, compile_roads
from control.queue_stages import StageClock, StagePolicy, compile_stages
from control.queue_zones import ZoneTable
from traffic.demand import LinkHistory
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.snapshot import Snapshot

_KEY = np.uint64(0)
_SPEED_MPS, _FAR_M, _EPS = 13.9, 1e4, 1e-6
_N_SPOTS = 512
"""Vehicles of a zone whose places are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streets:
    """A network in the core for looking ahead: vehicles as history expects them, stages, zones. Built once.

    `holding` are the stages without a policy: what is not commanded stays. `junction_of` by movement, a place.
    """

    compiled: Compiled
    roads: Roads
    stages: Stages
    holding: Stages
    zones: Zones
    around: Around
    begin_s: float
    junctions: tuple[JunctionId, ...]
    junction_of: Array


def build_streets(
    network: Network,
    shown: Mapping[JunctionId, Sequence[str]],
    history: LinkHistory,
    clock: StageClock,
    policy: StagePolicy,
    physics: Physics,
) -> Streets:
    """Return the core's arrays of a network; nothing in them comes from the traffic of a run.

    Raises
    ------
    BadScenario
        If no lane leads where history has vehicles go.
    """
    demand = expected_journeys(network, history)
    flows = mean_flows(history)
    compiled = compile_roads(network, demand, physics)
    stages = compile_stages(network, compiled, shown, clock, policy, flows)
    return Streets(
        compiled=compiled,
        roads=compiled.roads,
        stages=stages,
        holding=stages._replace(rules=_with_policy(stages.rules, HOLD)),
        zones=ZoneTable(network, compiled, demand, flows).zones(),
        around=compile_around(network, compiled),
        begin_s=history.begin_s,
        junctions=compiled.junctions,
        junction_of=np.array([network.junction_index[row.junction] for row in network.movements.values()], np.intp),
    )


def _with_policy(rules: Array, policy: int) -> Array:
    held: Array = rules.copy()
    held["policy"] = policy
    return held


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of the streets at a time: a state of one replica, never written once it is made."""

    state: State
    time_s: float
    n_seen: int


def first_belief(streets: Streets) -> Belief:
    """Return empty streets, nothing seen yet."""
    roads, state = streets.roads, make_state(streets.roads, 1)
    state.wake[:] = ASLEEP
    state.lanes["head"] = state.lanes["tail"] = roads.lanes["first"]
    state.lanes["launch"] = N_LAUNCH
    state.lamps[:] = roads.conns["code"]
    state.signals["stage"] = state.signals["wanted"] = state.signals["then"] = -1
    state.origin_next[:] = roads.origins["first"]
    state.origin_wake[:] = roads.vehicles["depart"][roads.origin_vehicles[roads.origins["first"]]]
    return Belief(state, np.nan, 0)


def see(streets: Streets, before: Belief, snapshot: Snapshot) -> Belief:
    """Return what is believed after a snapshot: the belief before, run on until now and corrected by the zones.

    Approaches with an unknown reading keep what the model has.
    """
    now_s = snapshot.time_s - streets.begin_s
    old, roads = copy_of(before.state), streets.roads
    if before.n_seen:
        seconds = max(0, round(snapshot.time_s - before.time_s))
        only = State(*(array[0] for array in old))
        run_seconds(now_s - seconds, seconds, _KEY, streets.holding, roads, only)
    _see_stages(streets, old, snapshot, now_s)
    return counted(streets, before, old, snapshot)


def counted(streets: Streets, before: Belief, old: State, snapshot: Snapshot) -> Belief:
    """Return what is believed where the model has `old` at the snapshot's time, and the zones what they count."""
    now_s, roads = snapshot.time_s - streets.begin_s, streets.roads
    fresh_m = _SPEED_MPS * (snapshot.time_s - before.time_s) if before.n_seen else _FAR_M
    new = copy_of(old)
    new.lanes["head"] = new.lanes["tail"] = roads.lanes["first"]
    new.lanes["count"] = 0
    new.slots["release"] = 0.0
    new.wake[:] = ASLEEP
    new.totals[:] = 0.0
    queued = snapshot.queued_veh
    if np.isnan(queued).all():
        queued = np.zeros_like(queued)
    n = len(streets.junction_of)
    estimate(
        now_s,
        before.n_seen,
        fresh_m,
        tuple(np.array(row, np.float64) for row in (snapshot.arriving_veh, queued, snapshot.zone_length_m)),
        Room(np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(_N_SPOTS), np.zeros(len(streets.zones.approaches))),
        streets.zones,
        Roadway(roads.lanes, roads.conns, roads.groups, roads.options, roads.route, roads.types),
        _traffic(old),
        _traffic(new),
    )
    return Belief(new, snapshot.time_s, before.n_seen + 1)


def _traffic(state: State) -> Traffic:
    return Traffic(state.wake[0], state.lanes[0], state.slots[0], state.lamps[0], state.lamp_since[0])


def _see_stages(streets: Streets, state: State, snapshot: Snapshot, now_s: float) -> None:
    """Let every junction show the stage that it was seen to show; one in a change stays in the model's."""
    signals, sites, rules = state.signals[0], streets.stages.junctions, streets.stages.rules[0]
    shown = np.array(snapshot.stage, np.int32)
    is_seen = (shown >= 0) & (sites["n"] > 0)
    for place in np.flatnonzero(is_seen & ((signals["part"] != GREEN_PART) | (signals["stage"] != shown))).tolist():
        first, n = streets.roads.junctions[place]["first"], streets.roads.junctions[place]["n"]
        own = streets.roads.signal_conns[first : first + n]
        row = streets.stages.rows["row"][sites["first"][place] + shown[place]]
        codes = streets.stages.codes[row : row + n]
        state.lamp_since[0, own] = np.where(state.lamps[0, own] != codes, now_s, state.lamp_since[0, own])
        state.lamps[0, own] = codes
    since_s = np.array(snapshot.green_since_s, np.float64) - streets.begin_s
    until_s = np.full(len(shown), now_s)
    if rules["is_by_green"]:
        first_s = since_s + sites["min_green"]
        n_periods = np.ceil(np.maximum(0.0, now_s - first_s) / sites["decision"] - _EPS)
        until_s = first_s + n_periods * sites["decision"]
    for name, values in (("stage", shown), ("wanted", -1), ("then", -1), ("part", GREEN_PART)):
        signals[name] = np.where(is_seen, values, signals[name])
    signals["since"] = np.where(is_seen, since_s, signals["since"])
    signals["until"] = np.where(is_seen, until_s, signals["until"])


def copy_of(state: State) -> State:
    """Return a copy of a state."""
    copies: list[Array] = [array.copy() for array in state]
    return State(*copies)
