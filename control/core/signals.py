"""Lamps: fixed-time plans, and stages on command with yellow and all-red between them."""

from __future__ import annotations

from control.core.arrays import ASLEEP, RED
from control.core.jit import inlined


@inlined
def show(junction, row, time_s, codes, road, now):
    """Set the lamps of a junction to a row of codes, and wake the lanes that may go."""
    first, n = road.junctions[junction].first, road.junctions[junction].n
    for k in range(n):
        c = road.signal_conns[first + k]
        code = codes[row + k]
        if code == now.lamps[c]:
            continue
        now.lamps[c] = code
        now.lamp_since[c] = time_s
        start = road.conns[c].start
        if code != RED and now.wake[start] == ASLEEP and now.lanes[start].count > 0:
            now.wake[start] = time_s
            now.lanes[start].ready = time_s


@inlined
def start_plans(plan, timing, road, now):
    """Put every junction into the interval in which its plan stands at the begin."""
    for junction in range(len(road.junctions)):
        n = timing.n[plan, junction]
        if n == 0:
            continue
        place, rest_s = 0, timing.shift_s[plan, junction]
        while place < n - 1 and rest_s >= timing.length_s[plan, junction, place]:
            rest_s -= timing.length_s[plan, junction, place]
            place += 1
        now.signals[junction].interval = place
        now.signals[junction].until = timing.length_s[plan, junction, place] - rest_s
        show(junction, timing.row[plan, junction, place], 0.0, timing.codes, road, now)


@inlined
def run_plans(plan, time_s, timing, road, now):
    """Move every junction on to the interval in which its plan stands at `time_s`."""
    for junction in range(len(road.junctions)):
        signal = now.signals[junction]
        n = timing.n[plan, junction]
        if n == 0 or signal.until > time_s:
            continue
        while signal.until <= time_s:
            signal.interval += 1
            if signal.interval == n:
                signal.interval = 0
            signal.until += timing.length_s[plan, junction, signal.interval]
        show(junction, timing.row[plan, junction, signal.interval], time_s, timing.codes, road, now)
