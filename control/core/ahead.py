"""Looking ahead under plans: one believed state, timed on by many plans, and what each of them costs.

::

    base state --copy--> plan 0, in transition, then in step --600 s--> cost
               --copy--> plan 1 ...

A controller that changes plans keeps its green and corrects its clock cycle by cycle: while it is ahead of the new
plan greens are longer by a fourth, while it is behind they are shorter by a fifth, never below their least.
"""

from __future__ import annotations

from control.core.arrays import GREEN_PART
from control.core.chance import key_of
from control.core.jit import entry, inlined
from control.core.lanes import scan_lanes
from control.core.rollout import loss_until
from control.core.run import insert, replica_of
from control.core.signals import show
from control.core.stages import run_seconds

_LONGER, _SHORTER = 0.25, 0.2
"""By these shares of itself a green may change in a transition: cycles by a fifth and a sixth (NCHRP 812, 7.7)."""


@inlined
def copy_all(old, road, now):
    """Copy one replica into another."""
    for place in range(len(road.lanes)):
        now.wake[place] = old.wake[place]
        now.lanes[place] = old.lanes[place]
    for k in range(len(now.slots)):
        now.slots[k] = old.slots[k]
    for c in range(len(road.conns)):
        now.lamps[c], now.lamp_since[c] = old.lamps[c], old.lamp_since[c]
    for junction in range(len(road.junctions)):
        now.signals[junction] = old.signals[junction]
    for origin in range(len(road.origins)):
        now.origin_next[origin], now.origin_wake[origin] = old.origin_next[origin], old.origin_wake[origin]
    now.totals[:] = 0.0


@inlined
def join_plans(plan, start_s, timing, ahead_s, road, now):
    """Put every junction where it is in its plan's cycle, `timing.shift_s`; `since` keeps how far it is ahead."""
    for junction in range(len(road.junctions)):
        n = timing.n[plan, junction]
        if n == 0:
            continue
        place, rest_s = 0, timing.shift_s[plan, junction]
        while place < n - 1 and rest_s >= timing.length_s[plan, junction, place]:
            rest_s -= timing.length_s[plan, junction, place]
            place += 1
        signal = now.signals[junction]
        signal.interval = place
        signal.until = start_s + max(0.0, timing.length_s[plan, junction, place] - rest_s)
        signal.since = ahead_s[plan, junction]
        show(junction, timing.row[plan, junction, place], start_s, timing.codes, road, now)


@inlined
def correct(length_s, least_s, signal):
    """Return how much longer an interval lasts in a transition, seconds; what is left to correct stays in `since`."""
    change_s = 0.0
    if signal.since > 0.0:
        change_s = min(signal.since, _LONGER * length_s)
    elif signal.since < 0.0:
        change_s = -min(-signal.since, _SHORTER * length_s, length_s - least_s)
    signal.since -= change_s
    return change_s


@inlined
def move_plans(plan, time_s, timing, least_s, road, now):
    """Move every junction on to the interval in which its plan stands at `time_s`; only greens give way."""
    for junction in range(len(road.junctions)):
        signal = now.signals[junction]
        n = timing.n[plan, junction]
        if n == 0 or signal.until > time_s:
            continue
        while signal.until <= time_s:
            signal.interval += 1
            if signal.interval == n:
                signal.interval = 0
            length_s = timing.length_s[plan, junction, signal.interval]
            shortest_s = least_s[plan, junction, signal.interval]
            if shortest_s < length_s:
                length_s += correct(length_s, shortest_s, signal)
            signal.until += length_s
        show(junction, timing.row[plan, junction, signal.interval], time_s, timing.codes, road, now)


@inlined
def count_left(end_s, road, now):
    """Add to every lane's loss what those on it have lost so far."""
    for place in range(len(road.lanes)):
        lane = now.lanes[place]
        k = lane.head
        for _ in range(lane.count):
            lane.loss += max(0.0, end_s - now.slots[k].clear)
            k += 1
            if k == road.lanes[place].first + road.lanes[place].room:
                k = road.lanes[place].first


@entry
def time_plans(timing, least_s, ahead_s, start_s, n_seconds, ends, road, base, state, lost_s, outside_s, first, last):
    """Run rows `first` to `last` of `timing` on from `base`, a state of one replica, for whole seconds.

    Parameters
    ----------
    timing
        Plans; `shift_s` is where each junction is in its cycle at `start_s`.
    least_s
        Shortest length of every interval, seconds; that of the interval where it does not give way.
    ahead_s
        How far each junction is ahead of its plan's offset, seconds; negative: behind.
    ends
        What a vehicle loses that stands at red at the end, and a queue per vehicle squared, seconds.
    lost_s, outside_s
        What vehicles have lost at the end, by row; those who wait to enter, by row and origin. Lanes keep their own.
    """
    old, end_s = replica_of(base, 0), start_s + n_seconds
    for row in range(first, last):
        now = replica_of(state, row)
        copy_all(old, road, now)
        join_plans(row, start_s, timing, ahead_s, road, now)
        for second in range(n_seconds):
            time_s = start_s + second
            move_plans(row, time_s, timing, least_s, road, now)
            insert(time_s, key_of(0, 0), road, now)
            scan_lanes(time_s, key_of(0, 0), road, now)
        lost_s[row] = loss_until(end_s, ends[0], ends[1], road, now)
        count_left(end_s, road, now)
        for origin in range(len(road.origins)):
            outside_s[row, origin] = 0.0
            k, end = now.origin_next[origin], road.origins[origin].first + road.origins[origin].n
            while k < end and road.vehicles[road.origin_vehicles[k]].depart < end_s:
                outside_s[row, origin] += end_s - road.vehicles[road.origin_vehicles[k]].depart
                k += 1


@entry
def share_greens(stages, road, base, state, start_s, n_seconds, greens):
    """Let the stages' policy drive on from `base` for whole seconds; add to `greens` how long each stage was green.

    Every junction starts with its first stage. `greens` (n_junction, n_stage), seconds; `base` and `state` are of one
    replica.
    """
    now = replica_of(state, 0)
    copy_all(replica_of(base, 0), road, now)
    for junction in range(len(stages.junctions)):
        signal, site = now.signals[junction], stages.junctions[junction]
        if site.n == 0:
            continue
        signal.stage, signal.part, signal.wanted, signal.then = 0, GREEN_PART, -1, -1
        signal.since, signal.until = start_s, start_s + site.min_green
        show(junction, stages.rows[site.first].row, start_s, stages.codes, road, now)
    for second in range(n_seconds):
        run_seconds(start_s + second, 1, key_of(0, 0), stages, road, now)
        for junction in range(len(stages.junctions)):
            signal = now.signals[junction]
            if stages.junctions[junction].n > 0 and signal.part == GREEN_PART:
                greens[junction, signal.stage] += 1.0
