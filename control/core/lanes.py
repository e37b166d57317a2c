"""Lanes: who may leave, when, into which lane, and when it comes to the next stop line.

References
----------
G. Newell, A simplified car-following theory, Transportation Research B 36, 2002: a vehicle repeats its leader's
trajectory `tau` later and one spacing behind. That gives the headway at the stop line and the wave that runs
upstream from it; a slot left at `td` may be entered again at `td + wave`.
"""

from __future__ import annotations

from control.core.arrays import (
    ARRIVED,
    ASLEEP,
    BLOCKED,
    GREEN,
    LOSS,
    MOVES,
    N_LAUNCH,
    RED,
    ROLLING,
    SCANS,
    STANDING,
    STOP,
    YELLOW,
    YIELD,
)
from control.core.chance import bell, bits, step_of
from control.core.jit import compiled, inlined

_LEAST_MPS = 3.0
"""Slowest speed at which a headway is reckoned, m/s."""
_LOOK_AHEAD, _FOLLOW_S = 3, 1.8
"""How many vehicles of a lane with priority are looked at, and their headway, seconds."""
_STOPPED_S = 3.0
"""Who waits longer than this for room has come to a stop, seconds."""
_BRAKE_MPS2 = 4.5
"""How hard a vehicle brakes before a line where it has to look out, m/s2 (SUMO's default of `decel`)."""


@inlined
def enter(place, conn, vehicle, route, arrive_s, clear_s, pace, road, now):
    """Put a vehicle at the tail of a lane: at the stop line from `arrive_s`, unhindered at `clear_s`."""
    lane = now.lanes[place]
    slot = now.slots[lane.tail]
    slot.vehicle = vehicle
    slot.conn = conn
    slot.place = route
    slot.arrive = arrive_s
    slot.clear = clear_s
    slot.pace = pace
    if lane.count == 0:
        now.wake[place] = max(arrive_s, lane.free)
    lane.count += 1
    lane.tail += 1
    if lane.tail == road.lanes[place].first + road.lanes[place].room:
        lane.tail = road.lanes[place].first


@inlined
def leave(place, leave_s, headway_s, road, now):
    """Take the head off a lane; the next may follow `headway_s` later."""
    lane = now.lanes[place]
    slot = now.slots[lane.head]
    slot.release = leave_s + road.lanes[place].wave * road.physics[0].jam
    now.totals[LOSS] += leave_s - slot.clear
    lane.loss += leave_s - slot.clear
    lane.last = leave_s
    lane.last_conn = slot.conn
    lane.head += 1
    if lane.head == road.lanes[place].first + road.lanes[place].room:
        lane.head = road.lanes[place].first
    lane.count -= 1
    lane.free = leave_s + headway_s
    lane.held = ROLLING
    lane.waited = 0.0
    if lane.count == 0:
        lane.launch = N_LAUNCH
        now.wake[place] = ASLEEP
    else:
        arrive_s = now.slots[lane.head].arrive
        if arrive_s > lane.free + 1.0:
            lane.launch = N_LAUNCH
        now.wake[place] = max(arrive_s, lane.free)


@inlined
def hold(place, ready_s, how, wake_s, now):
    """Let the head of a lane wait until `wake_s`; it may leave from `ready_s`."""
    now.lanes[place].held = max(now.lanes[place].held, how)
    now.lanes[place].ready = ready_s
    now.wake[place] = wake_s


@inlined
def code_of(c, road, now):
    """Return the lamp code that holds at a connection; in a waiting place that of the way into it.

    Who waits inside the junction goes first while the way in shows protected green or yellow (as in SUMO).
    """
    gate = road.conns[c].gate
    code = now.lamps[gate]
    if gate == c:
        return code
    return GREEN if code in (GREEN, YELLOW) else YIELD


@inlined
def must_yield(c, leave_s, gap_s, road, now):
    """Whether a vehicle with priority over connection `c` would come within `gap_s` of `leave_s`, or is still crossing.

    Who waits for room does not hinder a crossing, but comes before who would merge into the same link.
    """
    first = road.conns[c].foe
    for k in range(first, first + road.conns[c].n_foe):
        foe = road.foes[k].conn
        start = road.conns[foe].start
        lane = now.lanes[start]
        if lane.last_conn == foe and leave_s < lane.last + road.conns[foe].clear * road.physics[0].crossing:
            return True
        if now.lamps[foe] == RED:
            continue
        if lane.count == 0 or (lane.held == STANDING and now.lamps[foe] != GREEN):
            continue
        if lane.held == BLOCKED and not road.foes[k].merges:
            continue
        if comes_before(foe, start, leave_s + gap_s, road, now):
            return True
    return False


@inlined
def comes_before(foe, place, time_s, road, now):
    """Whether one of the first vehicles of a lane takes connection `foe` before `time_s`."""
    lane = now.lanes[place]
    slot, arrive_s = lane.head, lane.free
    for _ in range(min(lane.count, _LOOK_AHEAD)):
        arrive_s = max(arrive_s, now.slots[slot].arrive)
        if arrive_s >= time_s:
            return False
        if now.slots[slot].conn == foe:
            return True
        arrive_s += _FOLLOW_S
        slot += 1
        if slot == road.lanes[place].first + road.lanes[place].room:
            slot = road.lanes[place].first
    return False


@inlined
def choose(group, aim, end_s, road, now):
    """Return the place of the best option of a group whose lane has room before `end_s`, -1 where none has.

    Few vehicles are good; a lane from which the way goes on badly, or that is not the one `aim`ed at, is less so.
    """
    best, least = -1, 1e18
    first = road.groups[group].first
    for k in range(first, first + road.groups[group].n):
        option = road.options[k]
        place = road.conns[option.conn].start
        lane = now.lanes[place]
        score = lane.count + option.penalty * road.physics[0].wrong_lane
        if place != aim:
            score += road.physics[0].side_step
        if score < least and has_room(place, end_s, road, now):
            best, least = k, score
    return best


@inlined
def has_room(place, end_s, road, now):
    """Whether a lane may be entered before `end_s`."""
    lane = now.lanes[place]
    return lane.count < road.lanes[place].room and now.slots[lane.tail].release < end_s and lane.entry < end_s


@inlined
def is_held(place, leave_s, time_s, road, now):
    """Whether lamps or right of way hold the head of a lane now; if so, it is put to wait."""
    lane = now.lanes[place]
    c = now.slots[lane.head].conn
    conn, code = road.conns[c], code_of(c, road, now)
    physics = road.physics[0]
    if code == GREEN:
        return False
    if code == RED:
        hold(place, time_s + 1.0, STANDING, ASLEEP, now)
        return True
    if code == YELLOW:
        if lane.held == STANDING or leave_s > now.lamp_since[c] + physics.yellow:
            hold(place, time_s + 1.0, STANDING, ASLEEP, now)
            return True
        return False
    if code == STOP and lane.held == ROLLING:
        hold(place, time_s + 1.0, STANDING, time_s + 1.0, now)
        return True
    if conn.n_foe == 0 or conn.box >= 0:
        return False
    gap_s = conn.gap * physics.gap * max(0.0, 1.0 - lane.waited / physics.patience)
    if lane.held == ROLLING:
        gap_s *= physics.rolling
    if must_yield(c, leave_s, gap_s, road, now):
        lane.waited += 1.0
        hold(place, time_s + 1.0, STANDING, time_s + 1.0, now)
        return True
    return False


@inlined
def discharge(place, vehicle, headway_noise, road, now):
    """Return the speed over the stop line and the headway behind a vehicle; counts the queue's launch on."""
    lane = now.lanes[place]
    slot = now.slots[lane.head]
    kind = road.types[road.vehicles[vehicle].type]
    speed = road.conns[slot.conn].speed * slot.pace
    if code_of(slot.conn, road, now) == YIELD:
        speed = min(speed, road.physics[0].minor)
    headway_s = kind.tau + road.physics[0].reaction
    if lane.launch < N_LAUNCH:
        speed = min(speed, road.launch[road.vehicles[vehicle].type, lane.launch])
        if lane.launch == 0:
            headway_s += road.physics[0].first_gap
        lane.launch += 1
    headway_s += kind.spacing / max(speed, _LEAST_MPS)
    return speed, headway_s * headway_noise * road.lanes[place].factor


@inlined
def move_head(place, leave_s, time_s, key, road, now):
    """Let the head of a lane leave for the next one, or out of the network; return whether it could."""
    lane = now.lanes[place]
    slot = now.slots[lane.head]
    conn, vehicle, physics = road.conns[slot.conn], slot.vehicle, road.physics[0]
    kind = road.types[road.vehicles[vehicle].type]
    end_s = time_s + 1.0
    if lane.held == STANDING:
        leave_s += physics.start_up
        lane.launch = 0
    if conn.end < 0:
        now.totals[ARRIVED] += 1.0
        leave(place, leave_s, kind.tau * kind.pcu, road, now)
        return True
    step, next_conn, beyond = slot.place, conn.end, conn.box
    if beyond >= 0:
        if not has_room(beyond, end_s, road, now):
            beyond = -1
    else:
        step += 1
        option = choose(road.route[step], conn.end, end_s, road, now)
        if option >= 0:
            next_conn = road.options[option].conn
            beyond = road.conns[next_conn].start
    if beyond < 0:
        if lane.held != BLOCKED:
            lane.since = leave_s
        hold(place, time_s, BLOCKED, end_s, now)
        return False
    if lane.held == BLOCKED and time_s > lane.since + _STOPPED_S:
        lane.launch = 0
    other, way = now.lanes[beyond], road.lanes[beyond]
    if code_of(slot.conn, road, now) == YIELD and lane.held == ROLLING and lane.launch == N_LAUNCH:
        slowing = max(0.0, conn.speed - physics.minor)
        leave_s += slowing * slowing / (2.0 * _BRAKE_MPS2 * max(1.0, conn.speed))
    leave_s = max(leave_s, now.slots[other.tail].release, other.entry)
    noise = 1.0
    if physics.noise > 0.0:
        noise = max(0.3, 1.0 + physics.noise * bell(bits(key, step_of(vehicle, step + 1))))
    speed, headway_s = discharge(place, vehicle, noise, road, now)
    cruise = max(1.0, min(way.limit * slot.pace, kind.speed) - kind.dawdle)
    clear_s = leave_s + conn.length / max(1.0, conn.speed * slot.pace - kind.dawdle) + way.length / cruise
    arrive_s = clear_s
    if speed < cruise:
        arrive_s += physics.loss * (cruise - speed) * (cruise - speed) / (2.0 * kind.accel * cruise)
    other.entry = leave_s + physics.merge * kind.pcu
    enter(beyond, next_conn, vehicle, step, arrive_s, clear_s, slot.pace, road, now)
    leave(place, leave_s, headway_s * kind.pcu, road, now)
    return True


@compiled
def scan_lanes(time_s, key, road, now):
    """Let the heads of every lane that are due within the second from `time_s` leave, or hold them."""
    end_s = time_s + 1.0
    moves, scans = 0, 0
    for place in range(len(road.lanes)):
        while now.wake[place] < end_s:
            scans += 1
            lane = now.lanes[place]
            leave_s = max(now.slots[lane.head].arrive, lane.free)
            if lane.held != ROLLING:
                leave_s = max(leave_s, lane.ready)
            if not is_held(place, leave_s, time_s, road, now):
                moves += move_head(place, leave_s, time_s, key, road, now)
    now.totals[MOVES] += moves
    now.totals[SCANS] += scans
