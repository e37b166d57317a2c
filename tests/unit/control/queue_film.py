"""The queue model watched second by second: a run of k seconds for every k gives the state after each.

Every run starts from the empty network with the same seed, so that run k + 1 is run k and one second more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from control.core.arrays import State, make_state
from control.core.run import run_fixed
from control.queue_model import QueueModel
from control.queue_timing import compile_plans
from traffic.ids import JunctionId
from traffic.signals import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Who left a lane when; `second` is the scan in which it did, `code` the lamp then, `conn` over which way."""

    vehicle: int
    leave_s: float
    second: int
    conn: int
    code: int


def states(
    model: QueueModel, plans: Mapping[JunctionId, Plan], *, seed: int = 0, seconds: int | None = None
) -> Iterator[State]:
    """Yield the state after 1, 2, ... seconds; the arrays are written over by the next one."""
    timing = compile_plans([plans], model.junctions, model.compiled.signal_links, model.journeys.begin_s)
    state = make_state(model.compiled.roads, 1)
    place = np.zeros(1, np.int32)
    whole = int(model.journeys.end_s - model.journeys.begin_s) if seconds is None else seconds
    for second in range(1, whole + 1):
        run_fixed(place, place, timing, model.compiled.roads, state, np.uint64(seed), second, 0, 1)
        yield state


def place_of(model: QueueModel, name: str) -> int:
    """Return the place of a lane of the network, or of a box by the lanes `from>to` that it lies between."""
    return model.compiled.lane_at[name] if name in model.compiled.lane_at else model.compiled.lanes.index(name)


def queue(model: QueueModel, state: State, lane: int) -> list[int]:
    """Return the vehicles in a lane, the head first."""
    row, now = model.compiled.roads.lanes[lane], state.lanes[0, lane]
    places = (now["head"] - row["first"] + np.arange(now["count"])) % row["room"] + row["first"]
    found: list[int] = state.slots["vehicle"][0, places].tolist()
    return found


def queues(model: QueueModel, state: State) -> list[list[int]]:
    """Return the vehicles in every lane."""
    return [queue(model, state, lane) for lane in range(len(model.compiled.roads.lanes))]


def departures(
    model: QueueModel, plans: Mapping[JunctionId, Plan], lane_name: str, *, seed: int = 0
) -> list[Departure]:
    """Return everyone who left a lane, in order; who enters and leaves within one second is not seen.

    The slot that a vehicle leaves keeps when it may be entered again: `leave_s` and the time of the wave behind it.
    """
    lane = place_of(model, lane_name)
    row = model.compiled.roads.lanes[lane]
    wave_s = row["wave"] * model.compiled.roads.physics[0]["jam"]
    found: list[Departure] = []
    before: list[int] = []
    head, conns = int(row["first"]), np.zeros(0, np.int32)
    for second, state in enumerate(states(model, plans, seed=seed)):
        now = queue(model, state, lane)
        for k, vehicle in enumerate(before):
            if vehicle in now:
                break
            place = (head - row["first"] + k) % row["room"] + row["first"]
            found.append(
                Departure(
                    vehicle=vehicle,
                    leave_s=float(state.slots["release"][0, place] - wave_s),
                    second=second,
                    conn=int(conns[place]),
                    code=int(state.lamps[0, conns[place]]),
                )
            )
        before, head, conns = now, int(state.lanes["head"][0, lane]), state.slots["conn"][0].copy()
    return found
