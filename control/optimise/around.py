"""Who loses time around a junction: on the lanes that lead to it from the signals before, and from it to the next.

::

    signal ====> ====> [junction] ====> ====> signal        both stretches count for the junction; a stretch between
           before                    behind                 two signals counts for both
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from control.core.arrays import State
from control.queue_model import QueueModel
from control.queue_roads import Compiled
from traffic.ids import JunctionId, LaneId, LinkId
from traffic.network import Network
from traffic.snapshot import FloatArray


class Around:
    """The time lost around each junction of a model, from the state that a run has left."""

    def __init__(self, model: QueueModel, junctions: Sequence[JunctionId]) -> None:
        compiled, journeys = model.compiled, model.journeys
        near = [links_around(model.network, name) for name in junctions]
        self._lanes = lanes_around(model.network, compiled, near)
        roads = compiled.roads
        rows = sorted(journeys.rows, key=lambda row: row.depart_s)
        starts = [rows[roads.origin_vehicles[first]].links[0] for first in roads.origins["first"]] if rows else []
        self._origins = np.array([[float(link in row) for row in near] for link in starts]).reshape(-1, len(near))
        depart_s = roads.vehicles["depart"][roads.origin_vehicles] if rows else np.zeros(0)
        wait_s = np.maximum(0.0, journeys.end_s - journeys.begin_s - depart_s)
        self._waits_s = np.concatenate([[0.0], np.cumsum(wait_s)])
        self._last = roads.origins["first"] + roads.origins["n"]

    def lost_s(self, state: State, n: int) -> FloatArray:
        """Return vehicle seconds of the first `n` rows of a state, shape (n, n_junction)."""
        inside: FloatArray = state.lanes["loss"][:n] @ self._lanes
        if not len(self._origins):
            return inside
        outside: FloatArray = self._waits_s[self._last] - self._waits_s[state.origin_next[:n]]
        lost_s: FloatArray = inside + outside @ self._origins
        return lost_s


def lanes_around(network: Network, compiled: Compiled, near: Sequence[set[LinkId]]) -> FloatArray:
    """Return 1 where a lane of the core lies on links around a junction, shape (n_lane, n_junction)."""
    link_of = {place: network.lanes[LaneId(lane)].link for lane, place in compiled.lane_at.items()}
    for place, name in enumerate(compiled.lanes):
        start = network.lanes.get(LaneId(name.partition(">")[0]))
        if start is not None:
            link_of[place] = start.link
    lanes = range(len(compiled.lanes))
    return np.array([[float(link_of.get(lane) in row) for row in near] for lane in lanes])


def links_around(network: Network, junction: JunctionId) -> set[LinkId]:
    """Return the links to a junction from the signals before it, and from it to the next signals."""
    own = [row for row in network.connections if row.junction == junction and row.link_index is not None]
    approaches, exits = {row.from_link for row in own}, {row.to_link for row in own}
    return _spread(network, approaches, backwards=True) | _spread(network, exits, backwards=False)


def neighbours(network: Network, junctions: Sequence[JunctionId]) -> list[set[int]]:
    """Return the places of the junctions that share a link with each."""
    near = [links_around(network, name) for name in junctions]
    return [{k for k, other in enumerate(near) if k != j and other & row} for j, row in enumerate(near)]


def colours(near: Sequence[set[int]]) -> list[list[int]]:
    """Return the junctions in classes in which no two are neighbours, by the first class that has room.

    Examples
    --------
    >>> colours([{1}, {0, 2}, {1}])
    [[0, 2], [1]]
    """
    classes: list[list[int]] = []
    for place, row in enumerate(near):
        fitting = next((members for members in classes if not row & set(members)), None)
        if fitting is None:
            classes.append([place])
        else:
            fitting.append(place)
    return classes


def _spread(network: Network, start: set[LinkId], *, backwards: bool) -> set[LinkId]:
    """Return the links that are reached from some without crossing a signal."""
    steps: dict[LinkId, set[LinkId]] = {}
    for row in network.connections:
        if row.junction is None or row.link_index is None:
            one, other = (row.to_link, row.from_link) if backwards else (row.from_link, row.to_link)
            steps.setdefault(one, set()).add(other)
    found, waiting = set(start), list(start)
    while waiting:
        for link in steps.get(waiting.pop(), ()):
            if link not in found:
                found.add(link)
                waiting.append(link)
    return found
