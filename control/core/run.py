"""Whole runs of replicas: reset, second by second, totals."""

from __future__ import annotations

from control.core.arrays import (
    ANYWHERE,
    ASLEEP,
    AT_SPEED,
    INSERTED,
    LOSS,
    N_LAUNCH,
    RUNNING,
    SCHEDULED,
    WAITING,
    State,
)
from control.core.chance import bell, bits, key_of, uniform
from control.core.jit import compiled, entry, inlined
from control.core.lanes import choose, enter, scan_lanes
from control.core.signals import run_plans, start_plans


@inlined
def replica_of(state, r):
    """Return the views of one replica."""
    return State(
        state.wake[r],
        state.lanes[r],
        state.slots[r],
        state.lamps[r],
        state.lamp_since[r],
        state.signals[r],
        state.origin_next[r],
        state.origin_wake[r],
        state.totals[r],
    )


@inlined
def reset(road, now):
    """Empty the network."""
    now.wake[:] = ASLEEP
    now.totals[:] = 0.0
    for place in range(len(road.lanes)):
        lane = now.lanes[place]
        lane.head = road.lanes[place].first
        lane.tail = road.lanes[place].first
        lane.count = 0
        lane.launch = N_LAUNCH
        lane.held = 0
        lane.free = 0.0
        lane.entry = 0.0
        lane.ready = 0.0
        lane.since = 0.0
        lane.last = -1e6
        lane.last_conn = -1
        lane.waited = 0.0
        lane.loss = 0.0
    for place in range(len(now.slots)):
        now.slots[place].release = 0.0
    for c in range(len(road.conns)):
        now.lamps[c] = road.conns[c].code
        now.lamp_since[c] = -1e6
    for junction in range(len(road.junctions)):
        now.signals[junction].interval = 0
        now.signals[junction].stage = -1
        now.signals[junction].wanted = -1
        now.signals[junction].part = 0
        now.signals[junction].until = 0.0
        now.signals[junction].since = 0.0
    for origin in range(len(road.origins)):
        first = road.origins[origin].first
        now.origin_next[origin] = first
        now.origin_wake[origin] = road.vehicles[road.origin_vehicles[first]].depart


@inlined
def insert(time_s, key, road, now):
    """Let the first vehicle of every origin that is due enter, where there is room."""
    for origin in range(len(road.origins)):
        if now.origin_wake[origin] > time_s:
            continue
        vehicle = road.origin_vehicles[now.origin_next[origin]]
        row = road.vehicles[vehicle]
        option = choose(road.route[row.route], -1, time_s + 1.0, road, now)
        if option < 0:
            continue
        conn = road.options[option].conn
        place = road.conns[conn].start
        kind, way = road.types[row.type], road.lanes[place]
        pace = max(0.2, 1.0 + kind.spread * bell(bits(key, vehicle)))
        cruise = max(1.0, min(way.limit * pace, kind.speed) - kind.dawdle)
        length = way.length
        if row.mode & ANYWHERE:
            length *= uniform(bits(key, vehicle + 0x10000000))
        else:
            length = max(0.0, length - kind.spacing)
        arrive_s = time_s + length / cruise
        if not row.mode & AT_SPEED:
            arrive_s += 0.5 * cruise / kind.accel
        enter(place, conn, vehicle, row.route, arrive_s, row.depart + length / cruise, pace, road, now)
        now.lanes[place].entry = time_s + road.physics[0].merge * kind.pcu
        now.totals[INSERTED] += 1.0
        now.origin_next[origin] += 1
        wake_s = ASLEEP
        if now.origin_next[origin] < road.origins[origin].first + road.origins[origin].n:
            following = road.origin_vehicles[now.origin_next[origin]]
            wake_s = max(road.vehicles[following].depart, time_s + row.headway * road.physics[0].insertion)
        now.origin_wake[origin] = wake_s


@inlined
def finish(end_s, road, now):
    """Add what the vehicles lost that are still under way, or still wait to enter."""
    for place in range(len(road.lanes)):
        lane = now.lanes[place]
        k = lane.head
        for _ in range(lane.count):
            lost_s = max(0.0, end_s - now.slots[k].clear)
            lane.loss += lost_s
            now.totals[LOSS] += lost_s
            k += 1
            if k == road.lanes[place].first + road.lanes[place].room:
                k = road.lanes[place].first
        now.totals[RUNNING] += lane.count
    for origin in range(len(road.origins)):
        last = road.origins[origin].first + road.origins[origin].n
        for k in range(now.origin_next[origin], last):
            depart_s = road.vehicles[road.origin_vehicles[k]].depart
            if depart_s < end_s:
                now.totals[LOSS] += end_s - depart_s
                now.totals[WAITING] += 1.0
    now.totals[SCHEDULED] = now.totals[INSERTED] + now.totals[WAITING]


@compiled
def run_plan(plan, timing, road, now, key, n_seconds):
    """Run a fixed-time plan from an empty network for whole seconds."""
    reset(road, now)
    start_plans(plan, timing, road, now)
    for second in range(n_seconds):
        time_s = float(second)
        run_plans(plan, time_s, timing, road, now)
        insert(time_s, key, road, now)
        scan_lanes(time_s, key, road, now)
    finish(float(n_seconds), road, now)


@entry
def run_fixed(plans, replicas, timing, road, state, seed, n_seconds, first, last):
    """Run rows `first` to `last` of a batch: row r runs plan `plans[r]` with the randomness of `replicas[r]`."""
    for r in range(first, last):
        run_plan(plans[r], timing, road, replica_of(state, r), key_of(seed, replicas[r]), n_seconds)
