"""Rewards by name: what the zones saw between two readings, one figure a junction, higher is better.

::

    reward(before, after) -> shape (n_junction,)      pure: asked again, it says the same
    step's reward = sum over the readings on the way  so that it does not depend on how often was read

========  =============================================================================  ============
name      minus the time integral (trapezoid) of                                         unit
========  =============================================================================  ============
queue     vehicles below 5 km/h in the zones                                             veh s
pressure  vehicles per 100 m of lane before the stop line, less those beyond             veh s / 100 m
delay     vehicles in the zones, standing or not                                         veh s
person_   the same, each vehicle with the mean occupancy of its movement                 person s
delay
========  =============================================================================  ============

Time in the zones is delay in the zones but for the free-flow time of those who passed, which no signal changes. What
waits beyond the zones is not seen by a camera, and so not here: score with `evaluate`, never with the reward.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from control.rl.arena import Arena, made
from traffic.snapshot import FloatArray, Snapshot

Reward = Callable[[Snapshot, Snapshot], FloatArray]
"""From the reading before to the one after, shape (n_junction,)."""
MakeReward = Callable[[Arena], Reward]


def queue(arena: Arena) -> Reward:
    """Return minus the standing vehicles over time."""

    def reward(before: Snapshot, after: Snapshot) -> FloatArray:
        return arena.by_junction(_over_time(before, after, before.queued_veh, after.queued_veh))

    return reward


def delay(arena: Arena) -> Reward:
    """Return minus the vehicles in the zones over time."""

    def reward(before: Snapshot, after: Snapshot) -> FloatArray:
        return arena.by_junction(_over_time(before, after, before.arriving_veh, after.arriving_veh))

    return reward


def person_delay(arena: Arena) -> Reward:
    """Return minus the persons in the zones over time; occupancies are historic, a zone does not tell classes."""
    persons = np.array([arena.persons_per_vehicle.get(movement, 1.0) for movement in arena.network.movements])

    def reward(before: Snapshot, after: Snapshot) -> FloatArray:
        return arena.by_junction(persons * _over_time(before, after, before.arriving_veh, after.arriving_veh))

    return reward


def pressure(arena: Arena) -> Reward:
    """Return minus the pressure over time.

    References
    ----------
    H. Wei et al., PressLight, KDD 2019, doi 10.1145/3292500.3330949; here without the absolute value, per metre.
    """

    def of(snapshot: Snapshot) -> FloatArray:
        zone_m = snapshot.zone_length_m
        room_m = arena.lanes_beyond * np.minimum(zone_m, arena.exit_length_m)
        value: FloatArray = snapshot.arriving_veh / (arena.lanes_before * zone_m) - snapshot.leaving_veh / room_m
        return 100.0 * value

    def reward(before: Snapshot, after: Snapshot) -> FloatArray:
        return arena.by_junction(_over_time(before, after, of(before), of(after)))

    return reward


def _over_time(before: Snapshot, after: Snapshot, first: FloatArray, last: FloatArray) -> FloatArray:
    """Return minus the integral of a reading between two snapshots."""
    value: FloatArray = (before.time_s - after.time_s) * 0.5 * (first + last)
    return value


REWARDS: dict[str, MakeReward] = {
    "queue": queue,
    "pressure": pressure,
    "delay": delay,
    "person_delay": person_delay,
}


def reward_of(arena: Arena, reward: str | MakeReward) -> Reward:
    """Return the reward of a name, or one's own.

    Raises
    ------
    BadInput
        If there is none of that name; the message lists them.
    """
    return made("reward", reward, REWARDS, arena)
