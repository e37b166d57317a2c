"""Looking ahead: every stage that a junction may show next, each in a copy of one state, and what it costs.

::

    base state --copy--> junction 0, stage 0 --60 s--> cost
               --copy--> junction 0, stage 1 --60 s--> cost         all other decisions are the policy's
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from control.core.arrays import ASLEEP, LOSS, RED, Stages
from control.core.chance import key_of
from control.core.jit import entry, inlined
from control.core.policy import Sight
from control.core.run import finish, replica_of, reset
from control.core.stages import run_seconds, start_stages


class Around(NamedTuple):
    """Which lanes, junctions and origins are run on with a junction (first axis): its own and its neighbours'."""

    lanes: npt.NDArray[np.bool_]
    junctions: npt.NDArray[np.bool_]
    origins: npt.NDArray[np.bool_]


@inlined
def copy_around(junction, around, old, road, now):
    """Copy what lies around a junction; elsewhere nobody is under way, and whoever comes there passes.

    Where a vehicle has just left a lane, its slot is free at once. `now` was filled from here before, or is empty:
    the slots that were left since are a lane's first ones.
    """
    now.wake[:] = ASLEEP
    for place in range(len(road.lanes)):
        source, lane, first = old.lanes[place], now.lanes[place], road.lanes[place].first
        last = first + road.lanes[place].room
        k = first
        while k < last and now.slots[k].release != 0.0:
            now.slots[k].release = 0.0
            k += 1
        now.lanes[place] = source
        lane.head, lane.tail, lane.count = first, first, 0
        if not around.lanes[junction, place] or source.count == 0:
            continue
        k = source.head
        for n in range(source.count):
            now.slots[first + n] = old.slots[k]
            now.slots[first + n].release = 0.0
            k += 1
            if k == last:
                k = first
        lane.count, lane.tail = source.count, first + source.count
        if lane.tail == last:
            lane.tail = first
        now.wake[place] = old.wake[place]
    for c in range(len(road.conns)):
        now.lamps[c], now.lamp_since[c] = old.lamps[c], old.lamp_since[c]
    for k in range(len(road.junctions)):
        now.signals[k] = old.signals[k]
        if not around.junctions[junction, k]:
            now.signals[k].until = ASLEEP
    for origin in range(len(road.origins)):
        now.origin_next[origin], now.origin_wake[origin] = old.origin_next[origin], ASLEEP
        if around.origins[junction, origin]:
            now.origin_wake[origin] = old.origin_wake[origin]
    now.totals[:] = 0.0


@inlined
def loss_until(end_s, wait_s, queue_s, road, now):
    """Return the time that vehicles have lost so far, seconds, those before their entry included.

    Of those that stand behind a red each loses `wait_s` more, and a queue of n altogether `queue_s` n^2.
    """
    lost_s = now.totals[LOSS]
    for place in range(len(road.lanes)):
        lane = now.lanes[place]
        if lane.count == 0:
            continue
        k, n = lane.head, 0
        for _ in range(lane.count):
            lost_s += max(0.0, end_s - now.slots[k].clear)
            if now.slots[k].arrive <= end_s:
                n += 1
            k += 1
            if k == road.lanes[place].first + road.lanes[place].room:
                k = road.lanes[place].first
        lost_s += queue_s * n * n
        if now.lamps[now.slots[lane.head].conn] == RED:
            lost_s += wait_s * n
    for origin in range(len(road.origins)):
        k = now.origin_next[origin]
        last = road.origins[origin].first + road.origins[origin].n
        while k < last and road.vehicles[road.origin_vehicles[k]].depart < end_s:
            lost_s += end_s - road.vehicles[road.origin_vehicles[k]].depart
            k += 1
    return lost_s


@entry
def roll_out(tasks, start_s, span_s, weights, around, stages, road, base, scratch, costs, first, last):
    """Fill `costs` of rows `first` to `last` of `tasks` (junction, stage, the one after or -1), in one `scratch`.

    `base` and `scratch` are states of one replica; decisions that other junctions hold in `base` stand. `weights` are
    the factors on what is lost in each span of `span_s` whole seconds, and on what queues at the end will lose: per
    vehicle, and per vehicle squared.
    """
    old, now = replica_of(base, 0), replica_of(scratch, 0)
    n_spans = len(weights) - 2
    for k in range(first, last):
        copy_around(tasks[k, 0], around, old, road, now)
        now.signals[tasks[k, 0]].wanted = tasks[k, 1]
        now.signals[tasks[k, 0]].then = tasks[k, 2]
        costs[k] = 0.0
        time_s, before_s = start_s, 0.0
        for span in range(n_spans + 1):
            is_last = 1.0 if span == n_spans else 0.0
            lost_s = loss_until(time_s, is_last * weights[span], is_last * weights[n_spans + 1], road, now)
            if span > 0:
                costs[k] += weights[span - 1] * (lost_s - before_s)
            before_s = lost_s
            if span < n_spans:
                run_seconds(time_s, span_s, key_of(0, 0), stages, road, now)
                time_s += span_s


@inlined
def with_weights(stages, weights):
    """Return the stages with other weights of the policy."""
    sight = stages.sight
    return Stages(
        stages.junctions,
        stages.rows,
        stages.between,
        stages.arms,
        stages.feeds,
        stages.codes,
        Sight(
            sight.sites,
            sight.moves,
            sight.ins,
            sight.outs,
            sight.pieces,
            sight.rows,
            sight.served,
            sight.faults,
            weights,
            sight.readings,
            sight.inputs,
            sight.cells,
            sight.counts,
        ),
        stages.rules,
    )


@entry
def run_policy(members, replicas, weights, stages, road, state, seed, n_seconds, first, last):
    """Run rows `first` to `last` by the stages' policy, from empty networks; row r with `weights[members[r]]`."""
    for r in range(first, last):
        now, mine = replica_of(state, r), with_weights(stages, weights[members[r]])
        reset(road, now)
        start_stages(mine, road, now)
        run_seconds(0.0, n_seconds, key_of(seed, replicas[r]), mine, road, now)
        finish(float(n_seconds), road, now)
