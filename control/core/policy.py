"""The universal policy: what every stage of a junction is worth, from what its detector zones read.

::

    readings by movement --> inputs by stage --[W1]--> cells --+--[W2]--> cells --> worth      one set of weights,
                                          mean and most over stages                            any number of stages

Weights are shared by all stages of all junctions, and the only things that stages know of one another are a mean and
a maximum: the policy is the same whatever their number and order. Inputs and cells are single precision; loops over
cells come last, so that a processor takes a whole layer of a stage at once.

References
----------
M. Zaheer et al., Deep sets, NeurIPS 2017 (sums over a set for what does not depend on its order).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from control.core.arrays import Array, record, rows_of
from control.core.jit import entry, inlined

INPUTS = (
    *("arriving", "queued", "most queued in a lane", "arriving permissive", "share to a full exit", "fullest exit"),
    *("is running", "green s", "longest red s", "flow", "arriving and green now", "lost s", "arriving elsewhere"),
    *("queued elsewhere", "share unknown", "lanes", "zone m", "decision s", "stages", "queued per lane"),
)
"""What goes in of a stage, in order: weights are kept with these names, and fit no others."""
N_INPUTS, N_CELLS = len(INPUTS), 16
"""Inputs of a stage; cells of each of the two layers."""
_B1 = N_INPUTS
_OWN = _B1 + 1
_MEAN, _MOST = _OWN + N_CELLS, _OWN + 2 * N_CELLS
_B2 = _OWN + 3 * N_CELLS
_OUT, SKIP, SKIP_2 = _B2 + 1, _B2 + 2, _B2 + 3
N_ROWS = SKIP_2 + 1
"""Rows of the weights, `N_CELLS` wide: W1, b1, W2 (of the own cells, of their mean, of the most), b2, w3, and two rows
straight from the inputs to the worth, of which the end is not used."""
MOST_STAGES = 64
ARRIVING, QUEUED, LEAVING, RED_S, KNOWN = range(5)
"""Columns of readings: vehicles in the zone, those that stand, those on the exit as a share of its room; seconds since
the movement was green, 0 while it is; 1 where the zone is known."""
_LONGEST_S = 180.0

SITE = record(
    **{"first_move": "i4", "n_move": "i4", "first_piece": "i4", "n_piece": "i4", "first_row": "i4", "n_row": "i4"},
    decision="f8",
)
MOVE = record(
    **{"place": "i4", "conn": "i4", "approach": "i4", "first_in": "i4", "n_in": "i4", "first_out": "i4", "n_out": "i4"},
    **{"lanes": "f8", "flow": "f8", "zone": "f8", "room": "f8"},
)
IN = record(piece="i4", share="f8")
PIECE = record(lane="i4", near="f8", far="f8")
ROW = record(first="i4", n="i4", lost="f8")
SERVED = record(move="i4", firm="f8")


class Sight(NamedTuple):
    """What the policy knows of the junctions, and room to work in: one a thread.

    `sites` (SITE) by junction: their movements, pieces of zones and stages; `moves` (MOVE) with the pieces that make
    up their zones (`ins`, IN) and exits (`outs`); `pieces` (PIECE): a lane of the core, metres before its end; `rows`
    (ROW) by stage: what it serves (`served`, SERVED: 1 protected, 0 permissive) and the time lost in leaving it.
    `faults`: share of zones that are dead, spread of their errors as a ratio. `readings` (n_move, 5), `inputs`
    (MOST_STAGES, N_INPUTS), `cells` (2 MOST_STAGES + 3, N_CELLS), `counts` (n_piece, 2); `weights` (N_ROWS, N_CELLS).
    """

    sites: Array
    moves: Array
    ins: Array
    outs: npt.NDArray[np.int32]
    pieces: Array
    rows: Array
    served: Array
    faults: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float32]
    readings: npt.NDArray[np.float64]
    inputs: npt.NDArray[np.float32]
    cells: npt.NDArray[np.float32]
    counts: npt.NDArray[np.float64]


def make_sight(
    sites: Sequence[Sequence[float]] = (),
    moves: Sequence[Sequence[float]] = (),
    rows: Sequence[Sequence[float]] = (),
    served: Sequence[Sequence[float]] = (),
) -> Sight:
    """Return a sight of these junctions, weights zero and no zones in a core; without any it is of no use."""
    return Sight(
        sites=rows_of(sites, SITE),
        moves=rows_of(moves, MOVE),
        ins=rows_of([(0, 0.0)], IN),
        outs=np.zeros(1, np.int32),
        pieces=rows_of([(0, 0.0, 0.0)], PIECE),
        rows=rows_of(rows, ROW),
        served=rows_of(served or [(0, 0.0)], SERVED),
        faults=np.zeros(2),
        weights=np.zeros((N_ROWS, N_CELLS), np.float32),
        readings=np.zeros((max(1, len(moves)), 5)),
        inputs=np.zeros((MOST_STAGES, N_INPUTS), np.float32),
        cells=np.zeros((2 * MOST_STAGES + 3, N_CELLS), np.float32),
        counts=np.zeros((1, 2)),
    )


@inlined
def note(reading, move, arriving, queued, leaving, red_s):
    """Write a reading of one movement; where it is unknown, what history would expect since the last green."""
    reading[RED_S] = red_s
    reading[LEAVING] = 0.0 if isnan(leaving) else leaving / move.room
    reading[KNOWN] = 1.0
    if isnan(arriving) or isnan(queued):
        reading[KNOWN] = 0.0
        queued = move.flow * min(red_s, 180.0)
        arriving = queued + move.flow * move.zone * 0.1
    reading[ARRIVING] = arriving
    reading[QUEUED] = queued


@inlined
def serves(row, move, sight):
    """Whether a stage has a movement green."""
    found = False
    for k in range(row.first, row.first + row.n):
        found = found or sight.served[k].move == move
    return found


@inlined
def fill_inputs(junction, running, green_s, sight):
    """Fill `inputs` of the stages of a junction from `readings`; `green_s` is how long the running one is green."""
    site, readings = sight.sites[junction], sight.readings
    all_veh, all_queued = 0.0, 0.0
    for m in range(site.first_move, site.first_move + site.n_move):
        all_veh += readings[m, ARRIVING]
        all_queued += readings[m, QUEUED]
    shown = sight.rows[site.first_row + running]
    for stage in range(site.n_row):
        row, x = sight.rows[site.first_row + stage], sight.inputs[stage]
        veh, queued, most, permissive, full_veh, full = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        red_s, flow, kept, unknown, lanes, zone_m = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(row.first, row.first + row.n):
            m = sight.served[k].move
            move, arriving = sight.moves[m], readings[m, ARRIVING]
            veh += arriving
            queued += readings[m, QUEUED]
            most = max(most, readings[m, QUEUED] / move.lanes)
            permissive += (1.0 - sight.served[k].firm) * arriving
            full_veh += arriving * readings[m, LEAVING]
            full = max(full, readings[m, LEAVING])
            red_s = max(red_s, readings[m, RED_S])
            flow += move.flow
            unknown += 1.0 - readings[m, KNOWN]
            lanes += move.lanes
            zone_m += move.zone
            if stage == running or serves(shown, m, sight):
                kept += arriving
        n, is_running = max(1.0, row.n * 1.0), 0.0
        if stage == running:
            is_running = 1.0
        x[0] = 0.1 * veh
        x[1] = 0.1 * queued
        x[2] = 0.2 * most
        x[3] = 0.1 * permissive
        x[4] = full_veh / max(1.0, veh)
        x[5] = full
        x[6] = is_running
        x[7] = is_running * min(2.0, green_s / 30.0)
        x[8] = min(_LONGEST_S, red_s) / 60.0
        x[9] = 2.0 * flow
        x[10] = 0.1 * kept
        x[11] = (1.0 - is_running) * 0.1 * shown.lost
        x[12] = 0.1 * (all_veh - veh)
        x[13] = 0.1 * (all_queued - queued)
        x[14] = unknown / n
        x[15] = 0.25 * lanes
        x[16] = 0.01 * zone_m / n
        x[17] = 0.1 * site.decision
        x[18] = 0.125 * site.n_row
        x[19] = 0.2 * queued / max(1.0, lanes)


@inlined
def weigh(n, sight):
    """Fill the last cells of `n` stages, from the inputs on; a stage's are `MOST_STAGES` rows below its first ones.

    Inputs are added one after the other, but several at a time, so that a row of cells is fetched and kept less often.
    """
    cells, w, x, width = sight.cells, sight.weights, sight.inputs, sight.cells.shape[1]
    for stage in range(n):
        for k in range(width):
            cells[stage, k] = w[_B1, k]
    for i in range(0, N_INPUTS, 4):
        for stage in range(n):
            a, b, c, d = x[stage, i], x[stage, i + 1], x[stage, i + 2], x[stage, i + 3]
            for k in range(width):
                near = cells[stage, k] + a * w[i, k] + b * w[i + 1, k]
                cells[stage, k] = near + c * w[i + 2, k] + d * w[i + 3, k]
    mean, most, shared = 2 * MOST_STAGES, 2 * MOST_STAGES + 1, 2 * MOST_STAGES + 2
    for k in range(width):
        cells[mean, k] = np.float32(0.0)
        cells[most, k] = np.float32(0.0)
        cells[shared, k] = w[_B2, k]
    for stage in range(n):
        for k in range(width):
            value = max(cells[stage, k], np.float32(0.0))
            cells[stage, k] = value
            cells[mean, k] += value
            cells[most, k] = max(cells[most, k], value)
    parts = np.float32(n)
    for i in range(0, N_CELLS, 2):
        a, b, c, d = cells[mean, i] / parts, cells[most, i], cells[mean, i + 1] / parts, cells[most, i + 1]
        for k in range(width):
            near = cells[shared, k] + (a * w[_MEAN + i, k] + b * w[_MOST + i, k])
            cells[shared, k] = near + (c * w[_MEAN + i + 1, k] + d * w[_MOST + i + 1, k])
    for stage in range(n):
        for k in range(width):
            cells[MOST_STAGES + stage, k] = cells[shared, k]
    for i in range(0, N_CELLS, 4):
        for stage in range(n):
            a, b, c, d = cells[stage, i], cells[stage, i + 1], cells[stage, i + 2], cells[stage, i + 3]
            row = MOST_STAGES + stage
            for k in range(width):
                near = cells[row, k] + a * w[_OWN + i, k] + b * w[_OWN + i + 1, k]
                cells[row, k] = near + c * w[_OWN + i + 2, k] + d * w[_OWN + i + 3, k]


@inlined
def worth_of(stage, sight):
    """Return what a stage is worth, once its last cells are there."""
    cells, x, w = sight.cells[MOST_STAGES + stage], sight.inputs[stage], sight.weights
    worth = np.float32(0.0)
    for k in range(N_CELLS):
        worth += max(cells[k], np.float32(0.0)) * w[_OUT, k] + x[k] * w[SKIP, k]
    for k in range(N_INPUTS - N_CELLS):
        worth += x[N_CELLS + k] * w[SKIP_2, k]
    return worth


@inlined
def oldest_call(junction, max_red_s, sight):
    """Return the movement whose vehicles have waited at red for longer than `max_red_s`, and longest; -1 if none."""
    site, oldest, oldest_s = sight.sites[junction], -1, max_red_s
    for m in range(site.first_move, site.first_move + site.n_move):
        stands = sight.readings[m, ARRIVING] > 0.0 or sight.readings[m, KNOWN] == 0.0
        if stands and sight.readings[m, RED_S] > oldest_s:
            oldest, oldest_s = m, sight.readings[m, RED_S]
    return oldest


@inlined
def best_stage(junction, running, green_s, max_red_s, sight):
    """Return the stage that is worth most, ties to the running one; who waited too long at red is served first."""
    site = sight.sites[junction]
    fill_inputs(junction, running, green_s, sight)
    weigh(site.n_row, sight)
    oldest = oldest_call(junction, max_red_s, sight)
    best, most = -1, np.float32(0.0)
    for step in range(site.n_row):
        stage = running + step
        if stage >= site.n_row:
            stage -= site.n_row
        if oldest >= 0 and not serves(sight.rows[site.first_row + stage], oldest, sight):
            continue
        worth = worth_of(stage, sight)
        if best < 0 or worth > most:
            best, most = stage, worth
    return running if best < 0 else best


@entry
def best_stages(running, green_s, max_red_s, sight, chosen):
    """Fill `chosen` with the best stage of every junction, where one is running (not -1)."""
    for junction in range(len(sight.sites)):
        chosen[junction] = -1
        if running[junction] >= 0 and sight.sites[junction].n_row > 0:
            chosen[junction] = best_stage(junction, running[junction], green_s[junction], max_red_s, sight)


@entry
def worths(junction, running, green_s, sight, worth):
    """Fill `worth` by stage of one junction."""
    site = sight.sites[junction]
    fill_inputs(junction, running, green_s, sight)
    weigh(site.n_row, sight)
    for stage in range(site.n_row):
        worth[stage] = worth_of(stage, sight)


@entry
def read_zones(arriving, queued, leaving, red_s, sight):
    """Fill `readings` from those of a snapshot, by movement; NaN is unknown."""
    for m in range(len(sight.moves)):
        k = sight.moves[m].place
        note(sight.readings[m], sight.moves[m], arriving[k], queued[k], leaving[k], red_s[k])
