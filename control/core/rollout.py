"""Looking ahead: every stage that a junction may show next, each in a copy of one state, and what it costs.

::

    base state --copy--> junction 0, stage 0 --60 s--> cost
               --copy--> junction 0, stage 1 --60 s--> cost         all other decisions are the policy's
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from control.core.arrays import ASLEEP, LOSS, N_LAUNCH, RED, ROLLING
from control.core.chance import key_of
from control.core.jit import compiled, entry, inlined
from control.core.run import finish, replica_of, reset
from control.core.stages import count_near, run_seconds, start_stages

SPAN_S = 10
"""Losses are discounted in steps of this, seconds."""


class Around(NamedTuple):
    """Which lanes, junctions and origins are run on with a junction (first axis): its own and its neighbours'."""

    lanes: npt.NDArray[np.bool_]
    junctions: npt.NDArray[np.bool_]
    origins: npt.NDArray[np.bool_]


@inlined
def copy_lane(place, old, road, now):
    """Copy a lane and who is on it; the vehicles begin at its first slot."""
    source, lane = old.lanes[place], now.lanes[place]
    first = road.lanes[place].first
    last = first + road.lanes[place].room
    lane.count = source.count
    lane.launch = source.launch
    lane.held = source.held
    lane.free = source.free
    lane.entry = source.entry
    lane.ready = source.ready
    lane.waited = source.waited
    lane.loss = 0.0
    lane.head = first
    k = source.head
    for n in range(source.count):
        copy_slot(old.slots[k], now.slots[first + n])
        k += 1
        if k == last:
            k = first
    lane.tail = first + source.count
    if lane.tail == last:
        lane.tail = first
    k = first
    while k < last and now.slots[k].release != 0.0:
        now.slots[k].release = 0.0
        k += 1
    now.wake[place] = old.wake[place]


@inlined
def copy_slot(source, slot):
    """Copy a vehicle."""
    slot.vehicle = source.vehicle
    slot.conn = source.conn
    slot.place = source.place
    slot.arrive = source.arrive
    slot.clear = source.clear
    slot.pace = source.pace


@inlined
def copy_signal(source, signal):
    """Copy where a junction stands."""
    signal.stage = source.stage
    signal.wanted = source.wanted
    signal.part = source.part
    signal.then = -1
    signal.until = source.until
    signal.since = source.since


@inlined
def empty_lane(place, road, now):
    """Leave a lane out: nobody is on it, and whoever comes passes."""
    lane, first = now.lanes[place], road.lanes[place].first
    lane.head = first
    lane.tail = first
    lane.count = 0
    lane.launch = N_LAUNCH
    lane.held = ROLLING
    lane.free = 0.0
    lane.entry = 0.0
    lane.waited = 0.0
    now.wake[place] = ASLEEP
    k = first
    while k < first + road.lanes[place].room and now.slots[k].release != 0.0:
        now.slots[k].release = 0.0
        k += 1


@compiled
def copy_around(junction, around, old, road, now):
    """Copy what lies around a junction; where a vehicle has just left a lane, its slot is free at once.

    `now` was filled from here before, or is empty: the slots that were left since are a lane's first ones.
    """
    for place in range(len(road.lanes)):
        if around.lanes[junction, place]:
            copy_lane(place, old, road, now)
        else:
            empty_lane(place, road, now)
    for c in range(len(road.conns)):
        now.lamps[c] = old.lamps[c]
        now.lamp_since[c] = old.lamp_since[c]
    for k in range(len(road.junctions)):
        copy_signal(old.signals[k], now.signals[k])
        if not around.junctions[junction, k]:
            now.signals[k].until = ASLEEP
    for origin in range(len(road.origins)):
        now.origin_next[origin] = old.origin_next[origin]
        now.origin_wake[origin] = old.origin_wake[origin] if around.origins[junction, origin] else ASLEEP
    now.totals[:] = 0.0


@inlined
def loss_until(end_s, road, now):
    """Return the time that vehicles under way, or before their entry, have lost so far, seconds."""
    lost_s = 0.0
    for place in range(len(road.lanes)):
        lane = now.lanes[place]
        k = lane.head
        for _ in range(lane.count):
            lost_s += max(0.0, end_s - now.slots[k].clear)
            k += 1
            if k == road.lanes[place].first + road.lanes[place].room:
                k = road.lanes[place].first
    for origin in range(len(road.origins)):
        k = now.origin_next[origin]
        last = road.origins[origin].first + road.origins[origin].n
        while k < last and road.vehicles[road.origin_vehicles[k]].depart < end_s:
            lost_s += end_s - road.vehicles[road.origin_vehicles[k]].depart
            k += 1
    return lost_s


@inlined
def tail_cost(end_s, weights, road, now):
    """Return what the vehicles that stand at the end will still lose, seconds.

    Behind a red each waits `weights[0]` for its turn; a queue of n takes `weights[1]` n^2 to be served.
    """
    cost_s = 0.0
    for place in range(len(road.lanes)):
        lane = now.lanes[place]
        if lane.count == 0 or now.slots[lane.head].arrive > end_s:
            continue
        n = count_near(place, end_s, road, now)
        cost_s += weights[1] * n * n
        if now.lamps[now.slots[lane.head].conn] == RED:
            cost_s += weights[0] * n
    return cost_s


@compiled
def look_ahead(start_s, n_spans, weights, stages, road, now):
    """Run on by the policy; return the time that vehicles lose, what is far ahead discounted, seconds."""
    cost_s, before_s, factor = 0.0, loss_until(start_s, road, now), 1.0
    for span in range(n_spans):
        from_s = start_s + span * SPAN_S
        run_seconds(from_s, SPAN_S, key_of(0, 0), stages, road, now)
        lost_s = now.totals[LOSS] + loss_until(from_s + SPAN_S, road, now)
        cost_s += factor * (lost_s - before_s)
        before_s = lost_s
        factor *= weights[2]
    return cost_s + factor * tail_cost(start_s + n_spans * SPAN_S, weights, road, now)


@entry
def roll_out(tasks, start_s, n_spans, weights, around, stages, road, base, scratch, costs, first, last):
    """Fill `costs` of rows `first` to `last` of `tasks` (junction, stage, the one after or -1), in one `scratch`.

    `base` and `scratch` are states of one replica; decisions that other junctions hold in `base` stand.
    """
    old, now = replica_of(base, 0), replica_of(scratch, 0)
    for k in range(first, last):
        copy_around(tasks[k, 0], around, old, road, now)
        now.signals[tasks[k, 0]].wanted = tasks[k, 1]
        now.signals[tasks[k, 0]].then = tasks[k, 2]
        costs[k] = look_ahead(start_s, n_spans, weights, stages, road, now)


@entry
def run_commanded(start_s, n_seconds, stages, road, state):
    """Let a state run on for whole seconds, with what is commanded in it."""
    run_seconds(start_s, n_seconds, key_of(0, 0), stages, road, replica_of(state, 0))


@entry
def run_policy(replicas, stages, road, state, seed, n_seconds, first, last):
    """Run rows `first` to `last` by the stages' policy, from empty networks."""
    for r in range(first, last):
        now = replica_of(state, r)
        reset(road, now)
        start_stages(stages, road, now)
        run_seconds(0.0, n_seconds, key_of(seed, replicas[r]), stages, road, now)
        finish(float(n_seconds), road, now)
