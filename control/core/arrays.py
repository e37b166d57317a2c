"""The records that the kernels read and write, and what a lamp's code means.

::

    link        lanes          slots of a lane, a ring                          connections
    =====>   [ lane 0 ]   | head | ... | tail | free | free |    --conn--> [ box ] --conn--> [ lane of the next link ]
             [ lane 1 ]     next to leave     enters here              waiting place of a turn inside the junction

Static records are shared by all replicas; `*_STATE` exist once a replica. Times are seconds after the begin of the
model; lengths metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

RED, YIELD, GREEN, YELLOW, STOP = 0, 1, 2, 3, 4
"""Lamp codes: r, g (and unsignalised minor ways), G (and major ways), y, s (turn on red after a stop)."""
ROLLING, STANDING, BLOCKED = 0, 1, 2
"""What the head of a lane does: comes or leaves, stands at the stop line, waits for room beyond it."""
ASLEEP = 1e18
"""Time of a lane that only a change of lamps or an arrival can wake."""
N_LAUNCH = 16
"""Places in a queue for which the speed at the stop line differs; from there on it is the connection's."""


ANYWHERE, AT_SPEED = 1, 2
"""Bits of a vehicle's `mode`: starts anywhere on its link, starts at its speed."""

Array = npt.NDArray[Any]


def record(**fields: str) -> np.dtype[np.void]:
    """Return the type of a record with these fields."""
    return np.dtype((np.record, np.dtype(list(fields.items()), align=True)))


LANE = record(first="i4", room="i4", link="i4", length="f8", limit="f8", wave="f8", factor="f8")
LANE_STATE = record(
    **{"head": "i4", "tail": "i4", "count": "i4", "launch": "i4", "held": "i4", "near": "i4", "last_conn": "i4"},
    **{"free": "f8", "entry": "f8", "ready": "f8", "since": "f8", "waited": "f8", "loss": "f8", "last": "f8"},
)
SLOT_STATE = record(vehicle="i4", conn="i4", place="i4", arrive="f8", clear="f8", release="f8", pace="f8")
CONN = record(
    **{"start": "i4", "end": "i4", "box": "i4", "junction": "i4", "foe": "i4", "n_foe": "i4", "code": "i4"},
    **{"gate": "i4"},
    **{"length": "f8", "speed": "f8", "gap": "f8", "clear": "f8"},
)
FOE = record(conn="i4", merges="i4")
GROUP = record(first="i4", n="i4")
OPTION = record(conn="i4", penalty="f8")
VEHICLE = record(route="i4", type="i4", mode="i4", depart="f8", headway="f8")
TYPE = record(spacing="f8", tau="f8", accel="f8", dawdle="f8", speed="f8", spread="f8", pcu="f8")
ORIGIN = record(first="i4", n="i4")
JUNCTION = record(first="i4", n="i4")
SIGNAL_STATE = record(
    **{"interval": "i4", "stage": "i4", "wanted": "i4", "part": "i4", "then": "i4", "until": "f8", "since": "f8"}
)
STAGED = record(
    **{"first": "i4", "n": "i4", "first_arm": "i4", "n_arm": "i4", "min_green": "f8", "decision": "f8"},
)
STAGE = record(row="i4", first_feed="i4", n_feed="i4", yellow="f8", red="f8")
FEED = record(lane="i4", near="f8", beyond="f8")
RULES = record(**{"is_by_green": "i4", "policy": "i4", "reach": "f8", "stay": "f8", "max_red": "f8", "caught": "f8"})
PHYSICS = record(
    **{"reaction": "f8", "first_gap": "f8", "start_up": "f8", "patience": "f8", "rolling": "f8", "yellow": "f8"},
    **{"loss": "f8", "side_step": "f8", "noise": "f8", "merge": "f8", "minor": "f8", "jam": "f8"},
    **{"gap": "f8", "wrong_lane": "f8", "insertion": "f8", "crossing": "f8"},
)

LOSS, ARRIVED, INSERTED, RUNNING, WAITING, MOVES, SCANS, SCHEDULED = range(8)
N_TOTALS = 8
"""Columns of the totals: lost time (s), vehicles by what became of them, work done."""
HOLD, PRESSURE, NETWORK = 0, 1, 2
"""Policies of `RULES`: keep the running stage; the stage of highest pressure; of the highest score of a network."""
GREEN_PART, YELLOW_PART, RED_PART = 0, 1, 2
"""Parts of `SIGNAL_STATE`: a stage runs, yellow or all-red before the stage `wanted`."""


class Roads(NamedTuple):
    """What does not change: see the records above; `route`, `origin_vehicles`, `signal_conns` are places."""

    lanes: Array
    conns: Array
    foes: Array
    groups: Array
    options: Array
    route: npt.NDArray[np.int32]
    vehicles: Array
    types: Array
    launch: npt.NDArray[np.float64]
    origins: Array
    origin_vehicles: npt.NDArray[np.int32]
    junctions: Array
    signal_conns: npt.NDArray[np.int32]
    physics: Array


class Timing(NamedTuple):
    """Fixed-time plans: per plan and junction the intervals of a cycle, and the table of lamp codes.

    `length_s` (n_plan, n_junction, n_interval), `row` the same shape: first place of the interval's codes in `codes`,
    `n` (n_plan, n_junction), `shift_s` (n_plan, n_junction): place in the cycle at the begin of the model.
    """

    length_s: npt.NDArray[np.float64]
    row: npt.NDArray[np.int32]
    n: npt.NDArray[np.int32]
    shift_s: npt.NDArray[np.float64]
    codes: npt.NDArray[np.uint8]


class Stages(NamedTuple):
    """Stages on command.

    `junctions` (STAGED): first stage and their number, `arms`: lanes that arrive, clock; `rows` (STAGE): a stage's
    codes, what feeds it, yellow and all-red after it; `between` (n_row, n_stage, 2): place of the codes of yellow and
    all-red from a stage to another one of its junction, -1 where no link loses green; `feeds` (FEED): by lane the
    weight of vehicles near the stop line, and of those beyond it; `sight`: of `control.core.policy`, what the policy
    `NETWORK` knows.
    """

    junctions: Array
    rows: Array
    between: npt.NDArray[np.int32]
    arms: npt.NDArray[np.int32]
    feeds: Array
    codes: npt.NDArray[np.uint8]
    sight: Any
    rules: Array


class State(NamedTuple):
    """What changes, once a replica (first axis)."""

    wake: npt.NDArray[np.float64]
    lanes: Array
    slots: Array
    lamps: npt.NDArray[np.uint8]
    lamp_since: npt.NDArray[np.float64]
    signals: Array
    origin_next: npt.NDArray[np.int32]
    origin_wake: npt.NDArray[np.float64]
    totals: npt.NDArray[np.float64]


def rows_of(rows: Sequence[Sequence[float]], dtype: np.dtype[np.void]) -> Array:
    """Return an array of records from rows of their fields in order.

    Examples
    --------
    >>> rows_of([(3, 4)], GROUP)["n"].tolist()
    [4]
    """
    array = np.zeros(len(rows), dtype)
    for name, column in zip(dtype.names or (), zip(*rows, strict=True), strict=False):
        array[name] = column
    return array


def make_state(roads: Roads, n_replicas: int) -> State:
    """Return an empty state; `control.core.run` resets it before a run."""
    n_lanes, n_slots, n_conns = len(roads.lanes), int(roads.lanes["room"].sum()), len(roads.conns)
    n_junctions, n_origins = len(roads.junctions), len(roads.origins)
    return State(
        wake=np.zeros((n_replicas, n_lanes)),
        lanes=np.zeros((n_replicas, n_lanes), LANE_STATE),
        slots=np.zeros((n_replicas, n_slots), SLOT_STATE),
        lamps=np.zeros((n_replicas, n_conns), np.uint8),
        lamp_since=np.zeros((n_replicas, n_conns)),
        signals=np.zeros((n_replicas, n_junctions), SIGNAL_STATE),
        origin_next=np.zeros((n_replicas, n_origins), np.int32),
        origin_wake=np.zeros((n_replicas, n_origins)),
        totals=np.zeros((n_replicas, N_TOTALS)),
    )


def bytes_per_replica(state: State) -> int:
    """Return the memory of one replica, bytes."""
    return sum(array.nbytes for array in state) // len(state.totals)
