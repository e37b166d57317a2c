"""What detector zones read of a state of the core: the same that a camera would count in the street.

A vehicle stands where its lane's queue has come to, and comes on at the limit; it stands still until the green has
worked its way back to it.
"""

from __future__ import annotations

from control.core.arrays import N_LAUNCH, RED, ROLLING, STOP
from control.core.chance import bits, uniform
from control.core.jit import inlined
from control.core.policy import note

_START_S = 1.3
"""The green works its way back from vehicle to vehicle in this time, seconds."""
_DEAD, _WRONG = 0x20000000, 0x30000000
"""Counters of the chances that a zone is dead, and how wrong it counts."""


@inlined
def count_piece(piece, time_s, counts, road, now):
    """Write the vehicles on a piece of a lane, and those of them that stand."""
    place = piece.lane
    lane = now.lanes[place]
    counts[0] = 0.0
    counts[1] = 0.0
    if lane.count == 0:
        return
    way, spacing_m = road.lanes[place], road.types[0].spacing
    last, k, near_m, far_m = way.first + way.room, lane.head, piece.near, piece.far
    starts_s = time_s + 1.0
    if lane.held == ROLLING:
        starts_s = -1.0
        if lane.launch < N_LAUNCH:
            starts_s = now.lamp_since[now.slots[lane.head].conn] + _START_S * lane.launch
    n, standing = 0, 0
    for rank in range(lane.count):
        arrive_s = now.slots[k].arrive
        x_m = max(spacing_m * rank, (arrive_s - time_s) * way.limit)
        if x_m >= far_m:
            break
        if x_m >= near_m:
            n += 1
            if arrive_s <= time_s < starts_s + _START_S * rank:
                standing += 1
        k += 1
        if k == last:
            k = way.first
    counts[0] = n
    counts[1] = standing


@inlined
def look(junction, time_s, key, sight, road, now):
    """Fill `readings` of the movements of a junction; zones that are dead say what history would expect."""
    site = sight.sites[junction]
    for k in range(site.first_piece, site.first_piece + site.n_piece):
        count_piece(sight.pieces[k], time_s, sight.counts[k], road, now)
    for m in range(site.first_move, site.first_move + site.n_move):
        move, reading = sight.moves[m], sight.readings[m]
        arriving, queued, leaving, wrong = 0.0, 0.0, 0.0, 1.0
        for k in range(move.first_in, move.first_in + move.n_in):
            arriving += sight.ins[k].share * sight.counts[sight.ins[k].piece, 0]
            queued += sight.ins[k].share * sight.counts[sight.ins[k].piece, 1]
        for k in range(move.first_out, move.first_out + move.n_out):
            leaving += sight.counts[sight.outs[k], 0]
        red_s = 0.0
        if now.lamps[move.conn] == RED or now.lamps[move.conn] == STOP:
            red_s = time_s - now.lamp_since[move.conn]
        if sight.faults[0] > 0.0 and uniform(bits(key, move.approach + _DEAD)) < sight.faults[0]:
            arriving, queued = float("nan"), float("nan")
        if sight.faults[1] > 0.0:
            wrong += sight.faults[1] * (2.0 * uniform(bits(key, move.approach + _WRONG)) - 1.0)
        note(reading, move, arriving * wrong, queued * wrong, leaving, red_s)
