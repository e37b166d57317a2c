"""Stages on command: links that lose green show yellow, then red, those kept stay green; and policies that command.

::

    part      GREEN_PART .............. YELLOW_PART  RED_PART  GREEN_PART
    stage     a                         a            a         b
    until     decision  decision ..     end of it    end       since + least green
"""

from __future__ import annotations

from math import tanh

from control.core.arrays import (
    GREEN,
    GREEN_PART,
    HOLD,
    N_INPUTS,
    NETWORK,
    RED,
    RED_PART,
    YELLOW_PART,
    YIELD,
)
from control.core.jit import compiled, inlined
from control.core.lanes import scan_lanes
from control.core.run import insert
from control.core.signals import show

_PER_VEHICLE = 0.1
"""Scale of vehicles in a network's inputs."""


@inlined
def count_near(place, until_s, road, now):
    """Return how many vehicles of a lane are at the stop line by `until_s`, unhindered by one another."""
    lane = now.lanes[place]
    k = lane.head
    last = road.lanes[place].first + road.lanes[place].room
    n = 0
    for _ in range(lane.count):
        if now.slots[k].arrive > until_s:
            break
        n += 1
        k += 1
        if k == last:
            k = road.lanes[place].first
    return n


@inlined
def longest_red(junction, row, time_s, stages, road, now):
    """Return how long the longest waiting vehicle that a stage would serve has had red, seconds."""
    longest_s = 0.0
    first = road.junctions[junction].first
    codes = stages.rows[row].row
    for k in range(road.junctions[junction].n):
        c = road.signal_conns[first + k]
        code = stages.codes[codes + k]
        if now.lamps[c] != RED or code not in (GREEN, YIELD):
            continue
        lane = now.lanes[road.conns[c].start]
        if lane.count > 0 and now.slots[lane.head].conn == c and now.slots[lane.head].arrive <= time_s:
            longest_s = max(longest_s, time_s - now.lamp_since[c])
    return longest_s


@inlined
def worth(junction, row, time_s, stages, now):
    """Return what a policy gives a stage: its pressure, or the score of a network of one layer."""
    near, beyond = 0.0, 0.0
    first = stages.rows[row].first_feed
    for k in range(first, first + stages.rows[row].n_feed):
        feed = stages.feeds[k]
        near += feed.near * now.lanes[feed.lane].near
        beyond += feed.beyond * now.lanes[feed.lane].count
    runs = 1.0 if row == stages.junctions[junction].first + now.signals[junction].stage else 0.0
    if stages.rules[0].policy != NETWORK:
        return near - beyond + stages.rules[0].stay * runs
    since_s = min(60.0, time_s - now.signals[junction].since)
    weights = stages.weights
    n_hidden = len(weights) // (N_INPUTS + 1)
    score = 0.0
    for h in range(n_hidden):
        w = h * (N_INPUTS + 1)
        total = weights[w] + weights[w + 1] * near * _PER_VEHICLE + weights[w + 2] * beyond * _PER_VEHICLE
        total += weights[w + 3] * runs + weights[w + 4] * runs * since_s / 60.0
        total += weights[w + 5] * runs * near * _PER_VEHICLE
        score += weights[w + 6] * tanh(total)
    return score


@inlined
def choose_stage(junction, time_s, stages, road, now):
    """Return the stage of a junction that the policy wants; ties stay, and nobody has red for longer than allowed."""
    site, rules = stages.junctions[junction], stages.rules[0]
    running = now.signals[junction].stage
    if rules.policy == HOLD:
        return running
    for k in range(site.first_arm, site.first_arm + site.n_arm):
        place = stages.arms[k]
        now.lanes[place].near = count_near(place, time_s + rules.reach, road, now)
    best, most = running, worth(junction, site.first + running, time_s, stages, now)
    oldest_s = rules.max_red
    for stage in range(site.n):
        if stage == running:
            continue
        red_s = longest_red(junction, site.first + stage, time_s, stages, road, now)
        value = worth(junction, site.first + stage, time_s, stages, now)
        if red_s > oldest_s:
            oldest_s, best, most = red_s, stage, 1e18
        elif value > most:
            best, most = stage, value
    return best


@inlined
def decide(junction, time_s, stages, road, now):
    """Take a decision that is due: keep the stage, or begin a change; return the codes to show, -1 for none."""
    signal, site = now.signals[junction], stages.junctions[junction]
    wanted = signal.wanted
    if wanted < 0:
        wanted = choose_stage(junction, time_s, stages, road, now)
    signal.wanted = -1
    if wanted == signal.stage:
        signal.wanted, signal.then = signal.then, -1
        signal.until = time_s + site.decision
        return -1
    row = site.first + signal.stage
    signal.wanted = wanted
    signal.since = time_s
    codes = stages.between[row, wanted, 0]
    if codes < 0:
        return end_change(junction, time_s, stages, now)
    signal.part = YELLOW_PART
    signal.until = time_s + stages.rows[row].yellow
    return codes


@inlined
def end_change(junction, time_s, stages, now):
    """Let the stage wanted run, `then` is wanted next; return its codes. In a change `since` is when it was decided."""
    signal, site = now.signals[junction], stages.junctions[junction]
    until_s = signal.since + site.decision
    signal.stage = signal.wanted
    signal.wanted, signal.then = signal.then, -1
    signal.part = GREEN_PART
    signal.since = time_s
    if stages.rules[0].is_by_green:
        until_s = time_s + site.min_green
    while until_s <= time_s:
        until_s += site.decision
    signal.until = until_s
    return stages.rows[site.first + signal.stage].row


@inlined
def run_stages(time_s, stages, road, now):
    """Move every junction on to what it shows at `time_s`; what is `wanted` goes before the policy."""
    for junction in range(len(stages.junctions)):
        signal, site = now.signals[junction], stages.junctions[junction]
        if site.n == 0 or signal.until > time_s:
            continue
        if signal.part == GREEN_PART:
            codes = decide(junction, time_s, stages, road, now)
        else:
            row = site.first + signal.stage
            codes = stages.between[row, signal.wanted, 1]
            if signal.part == YELLOW_PART and stages.rows[row].red > 0.0:
                signal.part = RED_PART
                signal.until = time_s + stages.rows[row].red
            else:
                codes = end_change(junction, time_s, stages, now)
        if codes >= 0:
            show(junction, codes, time_s, stages.codes, road, now)


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


@compiled
def run_seconds(start_s, n_seconds, key, stages, road, now):
    """Run junctions by stages for whole seconds."""
    for second in range(n_seconds):
        time_s = start_s + second
        run_stages(time_s, stages, road, now)
        insert(time_s, key, road, now)
        scan_lanes(time_s, key, road, now)
