"""From what detector zones count to who is where: the state from which the core looks ahead.

::

    beyond the zones: as the model has it       zone: as many as are counted
    -----------------------------------------|------------------------------| stop line
         o   o        o         o                 o     o     o o o o o o o     those that stand in front

Vehicles are counted by movement; on which lane one is, the model's own choice of lanes says.
"""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from control.core.arrays import (
    ASLEEP,
    GREEN,
    GREEN_PART,
    N_LAUNCH,
    RED,
    ROLLING,
    STANDING,
    YIELD,
    Array,
    _record,
)
from control.core.jit import entry, inlined
from control.core.lanes import enter
from control.core.rollout import copy_signal
from control.core.run import replica_of
from control.core.signals import show

APPROACH = _record(**{"first": "i4", "n": "i4", "junction": "i4", "n_lanes": "i4"})
STRETCH = _record(**{"first": "i4", "n": "i4", "from_m": "f8", "to_m": "f8"})
SEEN = _record(**{"first": "i4", "n": "i4"})
COVER = _record(**{"approach": "i4", "level": "i4", "from_m": "f8"})


class Zones(NamedTuple):
    """Where the zones lie in the core.

    `approaches` (APPROACH) have `movements`; a movement (SEEN) has `stretches` (STRETCH) from the stop line upstream,
    each with `places` in the routes of the core, from which vehicles there go on over that movement; `covers` (COVER)
    says by lane in which approach's zone it lies and how far from the stop line it ends, `approach` -1 in none;
    `level` counts them from the stop line. `onward` says by connection into which approach's zone it leads, or -1.
    """

    approaches: Array
    movements: npt.NDArray[np.int32]
    seen: Array
    stretches: Array
    places: npt.NDArray[np.int32]
    covers: Array
    onward: npt.NDArray[np.int32]


@inlined
def clear_lanes(old, road, now):
    """Take over everything but the vehicles."""
    for place in range(len(road.lanes)):
        source, lane = old.lanes[place], now.lanes[place]
        lane.head = road.lanes[place].first
        lane.tail = road.lanes[place].first
        lane.count = 0
        lane.launch = source.launch
        lane.held = source.held
        lane.free = source.free
        lane.entry = source.entry
        lane.ready = source.ready
        lane.waited = source.waited
        lane.loss = 0.0
        now.wake[place] = ASLEEP
    for k in range(len(now.slots)):
        now.slots[k].release = 0.0
    for c in range(len(road.conns)):
        now.lamps[c] = old.lamps[c]
        now.lamp_since[c] = old.lamp_since[c]
    for junction in range(len(road.junctions)):
        copy_signal(old.signals[junction], now.signals[junction])
    for origin in range(len(road.origins)):
        now.origin_next[origin] = old.origin_next[origin]
        now.origin_wake[origin] = old.origin_wake[origin]
    now.totals[:] = 0.0


@inlined
def see_lamps(running, since_s, time_s, stages, road, now):
    """Let every junction show the stage that it was seen to show; -1 leaves it in the change it is in."""
    for junction in range(len(stages.junctions)):
        signal, site = now.signals[junction], stages.junctions[junction]
        stage = running[junction]
        if site.n == 0 or stage < 0:
            continue
        if signal.part != GREEN_PART or signal.stage != stage:
            show(junction, stages.rows[site.first + stage].row, time_s, stages.codes, road, now)
        signal.stage = stage
        signal.wanted, signal.then = -1, -1
        signal.part = GREEN_PART
        signal.since = since_s[junction]
        signal.until = time_s
        if stages.rules[0].is_by_green:
            signal.until = signal.since + site.min_green
            while signal.until < time_s - 1e-6:
                signal.until += site.decision


@inlined
def put(movement, x_m, number, time_s, is_standing, zones, road, now):
    """Put a vehicle of a movement `x_m` before the stop line, or further back where there is no room."""
    spot = zones.seen[movement]
    for s in range(spot.first, spot.first + spot.n):
        stretch = zones.stretches[s]
        if x_m >= stretch.to_m or stretch.n == 0:
            continue
        place = zones.places[stretch.first + number % stretch.n]
        group = road.groups[road.route[place]]
        best, least = -1, 1e18
        for k in range(group.first, group.first + group.n):
            lane = now.lanes[road.conns[road.options[k].conn].start]
            score = lane.count + road.options[k].penalty
            if score < least and lane.count < road.lanes[road.conns[road.options[k].conn].start].room:
                best, least = k, score
        if best < 0:
            continue
        c = road.options[best].conn
        lane_at = road.conns[c].start
        way_s = 0.0
        if not is_standing:
            way_s = max(0.0, x_m - stretch.from_m) / road.lanes[lane_at].limit
        enter(lane_at, c, 0, place, time_s + way_s, time_s + way_s, 1.0, road, now)
        return


@inlined
def rounded(values, first, n, movements, offset, number):
    """Round the values of some movements so that their sum is rounded, too, and no movement is always the loser."""
    exact, given = 0.0, 0
    for m in range(first, first + n):
        exact += values[movements[m]]
        whole = int(exact + offset)
        number[movements[m]] = whole - given
        given = whole
    return given


@inlined
def ahead_of(place, slot, rank, time_s, zones, road):
    """Return how far from the stop line a vehicle of the model is, metres."""
    way_m = (slot.arrive - time_s) * road.lanes[place].limit
    return zones.covers[place].from_m + max(road.types[0].spacing * rank, way_m)


@inlined
def find_spots(approach, time_s, length_m, spots, old, zones, road):
    """Fill `spots` with where the model has vehicles in the zone of an approach, nearest first; return how many."""
    n = 0
    for place in range(len(road.lanes)):
        cover = zones.covers[place]
        if cover.approach != approach:
            continue
        k = old.lanes[place].head
        for rank in range(old.lanes[place].count):
            slot = old.slots[k]
            k += 1
            if k == road.lanes[place].first + road.lanes[place].room:
                k = road.lanes[place].first
            x_m = ahead_of(place, slot, rank, time_s, zones, road)
            if x_m >= length_m or n == len(spots) or (cover.level > 0 and zones.onward[slot.conn] != approach):
                continue
            at = n
            while at > 0 and spots[at - 1] > x_m:
                spots[at] = spots[at - 1]
                at -= 1
            spots[at] = x_m
            n += 1
    return n


@inlined
def fill_zone(approach, snapshot, offset, counter, time_s, numbers, spots, fresh_m, zones, road, old, now):
    """Put as many vehicles into the zone of an approach as were counted, those that stand in front.

    Those that move are where the model has some; if it has too few, the rest has come within the last `fresh_m`.
    """
    arriving, queued, length_m = snapshot
    site = zones.approaches[approach]
    standing, moving = numbers[0], numbers[1]
    n_all = rounded(arriving, site.first, site.n, zones.movements, offset, moving)
    n_standing = rounded(queued, site.first, site.n, zones.movements, offset, standing)
    for m in range(site.first, site.first + site.n):
        movement = zones.movements[m]
        standing[movement] = max(0, min(standing[movement], moving[movement]))
        moving[movement] -= standing[movement]
    serial = counter
    for _ in range(n_standing):
        for m in range(site.first, site.first + site.n):
            movement = zones.movements[m]
            if standing[movement] > 0:
                standing[movement] -= 1
                put(movement, 0.0, serial, time_s, True, zones, road, now)
                serial += 1
    n_moving = n_all - n_standing
    reach_m = length_m[zones.movements[site.first]]
    front_m = min(0.8 * reach_m, road.types[0].spacing * n_standing / site.n_lanes)
    n_known = max(0, min(n_moving, find_spots(approach, time_s, reach_m, spots, old, zones, road) - n_standing))
    from_m = max(front_m, reach_m - fresh_m)
    x_m = front_m
    placed = 0
    while placed < n_moving:
        if placed < n_known:
            x_m = max(x_m, spots[n_standing + placed])
        else:
            x_m = max(x_m, from_m + (placed - n_known + 0.5) / (n_moving - n_known) * (reach_m - from_m))
        most, best = 0, -1
        for m in range(site.first, site.first + site.n):
            if moving[zones.movements[m]] > most:
                best, most = zones.movements[m], moving[zones.movements[m]]
        if best < 0:
            break
        moving[best] -= 1
        put(best, x_m, serial, time_s, False, zones, road, now)
        serial += 1
        placed += 1


@inlined
def is_counted(place, slot, rank, time_s, reach, zones, road):
    """Whether a vehicle of the model is where a zone has counted."""
    cover = zones.covers[place]
    if cover.approach < 0 or reach[cover.approach] <= 0.0:
        return False
    if cover.level > 0 and zones.onward[slot.conn] != cover.approach:
        return False
    return ahead_of(place, slot, rank, time_s, zones, road) < reach[cover.approach]


@inlined
def keep_others(place, time_s, reach, old, zones, road, now):
    """Append to a lane those of its vehicles that no zone sees."""
    source, lane = old.lanes[place], now.lanes[place]
    k = source.head
    last_s = time_s
    if lane.count > 0:
        tail = lane.tail - 1
        if tail < road.lanes[place].first:
            tail += road.lanes[place].room
        last_s = now.slots[tail].arrive
    for rank in range(source.count):
        slot = old.slots[k]
        k += 1
        if k == road.lanes[place].first + road.lanes[place].room:
            k = road.lanes[place].first
        if is_counted(place, slot, rank, time_s, reach, zones, road) or lane.count == road.lanes[place].room:
            continue
        arrive_s = slot.arrive
        if zones.covers[place].approach >= 0:
            arrive_s = max(arrive_s, last_s)
        enter(place, slot.conn, slot.vehicle, slot.place, arrive_s, max(slot.clear, time_s), slot.pace, road, now)


@inlined
def set_heads(time_s, reach, zones, road, now):
    """Say of the lanes with zones what their heads do: stand at red, start, or run as in a queue that long green."""
    for place in range(len(road.lanes)):
        cover, lane = zones.covers[place], now.lanes[place]
        if cover.approach < 0 or reach[cover.approach] <= 0.0 or lane.count == 0:
            continue
        head = now.slots[lane.head]
        code = now.lamps[head.conn]
        since_s = time_s - now.lamp_since[head.conn]
        lane.launch = N_LAUNCH
        lane.held = ROLLING
        lane.free = min(lane.free, time_s + 2.0)
        lane.ready = time_s
        if head.arrive <= time_s and cover.level == 0:
            if code in (RED, YIELD) or since_s < 1.5:
                lane.held = STANDING
            elif code == GREEN:
                lane.launch = min(N_LAUNCH, int(since_s * 0.5))
        now.wake[place] = max(time_s, head.arrive, lane.free)


@entry
def estimate(time_s, counter, fresh_m, snapshot, shown, numbers, spots, reach, zones, stages, road, before, state):
    """Fill `state` with what the zones count and, elsewhere, what the model had `before`.

    Parameters
    ----------
    snapshot
        Arriving and standing vehicles and length of the zone, by movement; NaN unknown.
    shown
        Stage that runs, -1 in a change, and since when, by junction.
    fresh_m
        How far a vehicle can have come since the estimate before, metres.
    numbers, spots, reach
        Room to work in: two numbers a movement, places in a zone, a length an approach.
    """
    old, now = replica_of(before, 0), replica_of(state, 0)
    clear_lanes(old, road, now)
    see_lamps(shown[0], shown[1], time_s, stages, road, now)
    golden = counter * 0.6180339887498949
    offset = golden - int(golden)
    for approach in range(len(zones.approaches)):
        site = zones.approaches[approach]
        total = 0.0
        for m in range(site.first, site.first + site.n):
            total += snapshot[0][zones.movements[m]] + snapshot[1][zones.movements[m]]
        reach[approach] = 0.0
        if not isnan(total):
            reach[approach] = snapshot[2][zones.movements[site.first]]
            fill_zone(approach, snapshot, offset, counter, time_s, numbers, spots, fresh_m, zones, road, old, now)
    for place in range(len(road.lanes)):
        keep_others(place, time_s, reach, old, zones, road, now)
    set_heads(time_s, reach, zones, road, now)
