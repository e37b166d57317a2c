"""What controllers by stages share: which movement is green in which stage, and what to do when blind.

::

    rows  = stages of all junctions, one under the other
    score = green @ value                 value per movement, from a snapshot's readings
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan

import numpy as np
import numpy.typing as npt

from traffic.decisions import Stage
from traffic.ids import JunctionId
from traffic.ports import Plant
from traffic.signals import GREEN_LETTERS
from traffic.snapshot import FloatArray, Snapshot

BLIND_GREEN_S = 20.0
"""Green of each stage in turn at a junction of which a reading is unknown, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMatrix:
    """Stages of all junctions as rows; `first[j]` is the first row of junction j, with one end mark more.

    `green` is 1 where a stage holds a movement green, shape (n_row, n_movement); `junction_of` is the place of
    each movement's junction, shape (n_movement,).
    """

    junctions: tuple[JunctionId, ...]
    first: tuple[int, ...]
    green: FloatArray
    junction_of: npt.NDArray[np.intp]


def stage_matrix(plant: Plant) -> StageMatrix:
    """Return the matrix of a plant, from its network and stages alone."""
    network = plant.network
    rows: list[list[float]] = []
    first = [0]
    movements = list(network.movements.values())
    for junction in network.crossings:
        for shown in plant.stages[junction]:
            rows.append(
                [
                    float(m.junction == junction and any(shown[i] in GREEN_LETTERS for i in m.link_indices))
                    for m in movements
                ]
            )
        first.append(len(rows))
    return StageMatrix(
        junctions=tuple(network.crossings),
        first=tuple(first),
        green=np.array(rows, dtype=np.float64).reshape(len(rows), len(movements)),
        junction_of=np.array([network.junction_index[m.junction] for m in movements], dtype=np.intp),
    )


@dataclass(frozen=True, slots=True)
class LastGreen:
    """State of a controller by stages: the matrix, and when each row was last seen green."""

    matrix: StageMatrix
    seen_s: tuple[float, ...]


def start_last_green(plant: Plant) -> LastGreen:
    """Return the state before the first decision: nothing was green yet."""
    matrix = stage_matrix(plant)
    return LastGreen(matrix, (-inf,) * matrix.first[-1])


def decide_by_score(snapshot: Snapshot, state: LastGreen, value: FloatArray) -> tuple[list[Stage], LastGreen]:
    """Return a switch wherever another stage has a higher score than the running one.

    Parameters
    ----------
    value
        What a movement is worth while it is green, shape (n_movement,); NaN where unknown. A junction
        with an unknown movement is served in turn, the stage longest without green first.

    Notes
    -----
    Ties go to the running stage, then to the lowest number. Junctions in a change are left alone.
    """
    matrix = state.matrix
    blind: set[int] = set()
    if isnan(value.sum()):
        unknown = np.isnan(value)
        blind = set(matrix.junction_of[unknown].tolist())
        value = np.where(unknown, 0.0, value)
    scores = (matrix.green @ value).tolist()
    seen_s, first = list(state.seen_s), matrix.first
    decisions = []
    for place, running in enumerate(snapshot.stage):
        if running < 0:
            continue
        low = first[place]
        seen_s[low + running] = snapshot.time_s
        row = scores[low : first[place + 1]]
        if place in blind:
            stage = _next_in_turn(snapshot, seen_s[low : first[place + 1]], place)
        else:
            best = max(row)
            stage = running if row[running] >= best else row.index(best)
        if stage != running:
            decisions.append(Stage(matrix.junctions[place], stage))
    return decisions, LastGreen(matrix, tuple(seen_s))


def _next_in_turn(snapshot: Snapshot, seen_s: Sequence[float], place: int) -> int:
    """Return the stage longest without green once the running one has had `BLIND_GREEN_S`."""
    running = snapshot.stage[place]
    if snapshot.time_s - snapshot.green_since_s[place] < BLIND_GREEN_S:
        return running
    return min(range(len(seen_s)), key=lambda stage: (seen_s[stage], stage))
