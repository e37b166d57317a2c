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

from control.core.arrays import GREEN, N_LAUNCH, RED, ROLLING, STANDING, YIELD, Array, record
from control.core.jit import entry, inlined
from control.core.lanes import enter

APPROACH = record(**{"first": "i4", "n": "i4", "junction": "i4", "n_lanes": "i4"})
STRETCH = record(**{"first": "i4", "n": "i4", "from_m": "f8", "to_m": "f8"})
SEEN = record(**{"first": "i4", "n": "i4"})
COVER = record(**{"approach": "i4", "level": "i4", "from_m": "f8"})


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


class Roadway(NamedTuple):
    """What the zones need of `Roads`."""

    lanes: Array
    conns: Array
    groups: Array
    options: Array
    route: npt.NDArray[np.int32]
    types: Array


class Traffic(NamedTuple):
    """What the zones need of a `State`, of one replica."""

    wake: npt.NDArray[np.float64]
    lanes: Array
    slots: Array
    lamps: npt.NDArray[np.uint8]
    lamp_since: npt.NDArray[np.float64]


class Room(NamedTuple):
    """Room to work in: vehicles that stand and that move, by movement; places in a zone; lengths of zones."""

    standing: npt.NDArray[np.int32]
    moving: npt.NDArray[np.int32]
    spots: npt.NDArray[np.float64]
    reach_m: npt.NDArray[np.float64]


@inlined
def put(movement, x_m, serial, time_s, zones, road, now):
    """Put a vehicle of a movement `x_m` before the stop line, or further back where there is no room."""
    spot = zones.seen[movement]
    for s in range(spot.first, spot.first + spot.n):
        stretch = zones.stretches[s]
        if x_m >= stretch.to_m or stretch.n == 0:
            continue
        place = zones.places[stretch.first + serial % stretch.n]
        group = road.groups[road.route[place]]
        best, least = -1, 1e18
        for k in range(group.first, group.first + group.n):
            way = road.conns[road.options[k].conn].start
            value = now.lanes[way].count + road.options[k].penalty
            if value < least and now.lanes[way].count < road.lanes[way].room:
                best, least = k, value
        if best >= 0:
            c = road.options[best].conn
            arrive_s = time_s + max(0.0, x_m - stretch.from_m) / road.lanes[road.conns[c].start].limit
            enter(road.conns[c].start, c, road.route[0] * 0, place, arrive_s, arrive_s, 1.0, road, now)
            return


@inlined
def share_out(values, first, n, movements, offset, numbers):
    """Round the values of some movements so that their sum is rounded, too, and no movement is always the loser."""
    exact, given = 0.0, 0
    for m in range(first, first + n):
        exact += values[movements[m]]
        whole = int(exact + offset)
        numbers[movements[m]] = whole - given
        given = whole
    return given


@inlined
def ahead_m(place, slot, rank, time_s, zones, road):
    """Return how far from the stop line a vehicle of the model is, metres."""
    way_m = (slot.arrive - time_s) * road.lanes[place].limit
    return zones.covers[place].from_m + max(road.types[0].spacing * rank, way_m)


@inlined
def find_spots(approach, time_s, length_m, spots, zones, road, old):
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
            x_m = ahead_m(place, slot, rank, time_s, zones, road)
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
def fill_zone(approach, time_s, serial, fresh_m, readings, room, zones, road, old, now):
    """Put as many vehicles into the zone of an approach as were counted, those that stand in front.

    Those that move are where the model has some; if it has too few, the rest has come within the last `fresh_m`.
    """
    site, movements = zones.approaches[approach], zones.movements
    arriving, queued, length_m = readings
    offset = serial * 0.6180339887498949
    offset -= int(offset)
    n_all = share_out(arriving, site.first, site.n, movements, offset, room.moving)
    n_standing = share_out(queued, site.first, site.n, movements, offset, room.standing)
    reach_m = length_m[movements[site.first]]
    front_m = min(0.8 * reach_m, road.types[0].spacing * n_standing / site.n_lanes)
    n_known = find_spots(approach, time_s, reach_m, room.spots, zones, road, old) - n_standing
    n_known = max(0, min(n_all - n_standing, n_known))
    from_m, x_m = max(front_m, reach_m - fresh_m), 0.0
    for number in range(n_all):
        is_standing = number < n_standing
        best, most = movements[0], 0
        for m in range(site.first, site.first + site.n):
            left = room.moving[movements[m]]
            if is_standing:
                left = min(left, room.standing[movements[m]])
            if left > most:
                best, most = movements[m], left
        if most == 0:
            continue
        room.moving[best] -= 1
        if is_standing:
            room.standing[best] -= 1
        elif number < n_standing + n_known:
            x_m = max(x_m, front_m, room.spots[number])
        else:
            part = (number - n_standing - n_known + 0.5) / (n_all - n_standing - n_known)
            x_m = max(x_m, from_m + part * (reach_m - from_m))
        put(best, x_m, serial + number, time_s, zones, road, now)


@inlined
def keep_others(place, time_s, reach_m, zones, road, old, now):
    """Append to a lane those of its vehicles that no zone counts."""
    cover, source, first = zones.covers[place], old.lanes[place], road.lanes[place].first
    last, k, last_s = first + road.lanes[place].room, source.head, 0.0
    if now.lanes[place].count > 0:
        last_s = now.slots[first + now.lanes[place].count - 1].arrive
    for rank in range(source.count):
        slot = old.slots[k]
        k += 1
        if k == last:
            k = first
        is_in_zone = reach_m > 0.0 and (cover.level == 0 or zones.onward[slot.conn] == cover.approach)
        if is_in_zone and ahead_m(place, slot, rank, time_s, zones, road) < reach_m:
            continue
        if now.lanes[place].count < road.lanes[place].room:
            arrive_s = max(slot.arrive, last_s)
            enter(place, slot.conn, slot.vehicle, slot.place, arrive_s, slot.clear, slot.pace, road, now)


@inlined
def set_head(place, time_s, now):
    """Say what the head of a lane with a zone does: stands at red, starts, or runs as in a queue that long green."""
    lane = now.lanes[place]
    head = now.slots[lane.head]
    code, since_s = now.lamps[head.conn], time_s - now.lamp_since[head.conn]
    lane.launch, lane.held, lane.ready = N_LAUNCH, ROLLING, time_s
    lane.free = min(lane.free, time_s + 2.0)
    if head.arrive <= time_s:
        if code in (RED, YIELD) or since_s < 1.5:
            lane.held = STANDING
        elif code == GREEN:
            lane.launch = min(N_LAUNCH, int(since_s * 0.5))
    now.wake[place] = max(time_s, head.arrive, lane.free)


@entry
def estimate(time_s, serial, fresh_m, readings, room, zones, road, old, now):
    """Fill `now`, without vehicles, with what the zones count and, elsewhere, what the model has in `old`.

    Parameters
    ----------
    serial
        A number that differs from call to call: turns come in proportion over many.
    fresh_m
        How far a vehicle can have come since the estimate before, metres.
    readings
        Arriving and standing vehicles and length of the zone, by movement; NaN unknown.
    """
    for approach in range(len(zones.approaches)):
        site = zones.approaches[approach]
        total = 0.0
        for m in range(site.first, site.first + site.n):
            total += readings[0][zones.movements[m]] + readings[1][zones.movements[m]]
        room.reach_m[approach] = 0.0
        if not isnan(total):
            room.reach_m[approach] = readings[2][zones.movements[site.first]]
            fill_zone(approach, time_s, serial, fresh_m, readings, room, zones, road, old, now)
    for place in range(len(road.lanes)):
        reach_m = 0.0
        if zones.covers[place].approach >= 0:
            reach_m = room.reach_m[zones.covers[place].approach]
        keep_others(place, time_s, reach_m, zones, road, old, now)
        if reach_m > 0.0 and zones.covers[place].level == 0 and now.lanes[place].count > 0:
            set_head(place, time_s, now)
