"""Stages on command: links that lose green show yellow, then red, those kept stay green; and policies that command.

::

    part      GREEN_PART .............. YELLOW_PART  RED_PART  GREEN_PART
    stage     a                         a            a         b
    until     decision  decision ..     end of it    end       since + least green
"""

from __future__ import annotations

from control.core.arrays import (
    GREEN,
    GREEN_PART,
    HOLD,
    LOSS,
    NETWORK,
    RED,
    RED_PART,
    YELLOW_PART,
    YIELD,
)
from control.core.jit import entry, inlined
from control.core.lanes import scan_lanes
from control.core.observe import look
from control.core.policy import best_stage
from control.core.run import insert
from control.core.signals import show


@inlined
def count_near(head, count, first, last, until_s, slots):
    """Return how many vehicles of a lane are at the stop line by `until_s`, unhindered by one another."""
    n, k = 0, head
    while n < count and slots[k].arrive <= until_s:
        n += 1
        k += 1
        if k == last:
            k = first
    return n


@inlined
def choose_stage(junction, time_s, key, stages, road, now):
    """Return the stage of a junction that the policy wants; ties stay, and nobody has red for longer than allowed."""
    site, rules, running = stages.junctions[junction], stages.rules[0], now.signals[junction].stage
    if rules.policy == HOLD:
        return running
    if rules.policy == NETWORK:
        look(junction, time_s, key, stages.sight, road, now)
        green_s = time_s - now.signals[junction].since
        return best_stage(junction, running, green_s, rules.max_red, stages.sight)
    for k in range(site.first_arm, site.first_arm + site.n_arm):
        lane, way = now.lanes[stages.arms[k]], road.lanes[stages.arms[k]]
        lane.near = count_near(lane.head, lane.count, way.first, way.first + way.room, time_s + rules.reach, now.slots)
    best, most, oldest_s = running, -1e18, rules.max_red
    for step in range(site.n):
        stage = running + step
        if stage >= site.n:
            stage -= site.n
        row = stages.rows[site.first + stage]
        near, beyond = 0.0, 0.0
        for k in range(row.first_feed, row.first_feed + row.n_feed):
            feed = stages.feeds[k]
            near += feed.near * now.lanes[feed.lane].near
            beyond += feed.beyond * now.lanes[feed.lane].count
        value = near - beyond
        if step == 0:
            value += rules.stay
        if oldest_s == rules.max_red and value > most:
            best, most = stage, value
        for k in range(road.junctions[junction].n):
            c = road.signal_conns[road.junctions[junction].first + k]
            lane, red_s = now.lanes[road.conns[c].start], time_s - now.lamp_since[c]
            is_served = stages.codes[row.row + k] in (GREEN, YIELD) and now.lamps[c] == RED
            if not is_served or red_s <= oldest_s or lane.count == 0:
                continue
            if now.slots[lane.head].conn == c and now.slots[lane.head].arrive <= time_s:
                best, oldest_s = stage, red_s
    return best


@inlined
def count_caught(junction, road, now):
    """Return how many vehicles wait inside a junction behind whom the lamps have turned red."""
    n, group = 0, road.junctions[junction]
    for k in range(group.first, group.first + group.n):
        c = road.signal_conns[k]
        if road.conns[c].box >= 0 and now.lamps[c] == RED:
            n += now.lanes[road.conns[c].box].count
    return n


@inlined
def run_stages(time_s, key, stages, road, now):
    """Move every junction on to what it shows at `time_s`; what is `wanted` goes before the policy.

    In a change `since` is when it was decided.
    """
    for junction in range(len(stages.junctions)):
        signal, site = now.signals[junction], stages.junctions[junction]
        if site.n == 0 or signal.until > time_s:
            continue
        row, codes, is_over = site.first + signal.stage, -1, True
        if signal.part == GREEN_PART:
            if signal.wanted < 0:
                signal.wanted = choose_stage(junction, time_s, key, stages, road, now)
            if signal.wanted == signal.stage:
                signal.wanted, signal.then = signal.then, -1
                signal.until = time_s + site.decision
                continue
            signal.since = time_s
            codes = stages.between[row, signal.wanted, 0]
            if codes >= 0:
                signal.part, is_over = YELLOW_PART, False
                signal.until = time_s + stages.rows[row].yellow
        elif signal.part == YELLOW_PART and stages.rows[row].red > 0.0:
            codes = stages.between[row, signal.wanted, 1]
            signal.part, is_over = RED_PART, False
            signal.until = time_s + stages.rows[row].red
        if is_over:
            until_s = signal.since + site.decision
            if stages.rules[0].is_by_green:
                until_s = time_s + site.min_green
            while until_s <= time_s:
                until_s += site.decision
            signal.until, signal.since, signal.part = until_s, time_s, GREEN_PART
            signal.stage, signal.wanted, signal.then = signal.wanted, signal.then, -1
            codes = stages.rows[site.first + signal.stage].row
        show(junction, codes, time_s, stages.codes, road, now)
        if is_over and stages.rules[0].caught > 0.0:
            now.totals[LOSS] += stages.rules[0].caught * count_caught(junction, road, now)


@inlined
def start_stages(stages, road, now):
    """Let every junction show its first stage from time 0 on, until its first decision."""
    for junction in range(len(stages.junctions)):
        signal, site = now.signals[junction], stages.junctions[junction]
        if site.n == 0:
            continue
        signal.stage, signal.then = 0, -1
        signal.until = site.min_green if stages.rules[0].is_by_green else 0.0
        show(junction, stages.rows[site.first].row, 0.0, stages.codes, road, now)


@entry
def run_seconds(start_s, n_seconds, key, stages, road, now):
    """Run one replica with its junctions by stages for whole seconds."""
    for second in range(n_seconds):
        time_s = start_s + second
        run_stages(time_s, key, stages, road, now)
        insert(time_s, key, road, now)
        scan_lanes(time_s, key, road, now)
