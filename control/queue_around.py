"""What lies around a junction: all lanes that lead to it or to a neighbour before any other signal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from control.core.rollout import Around
from control.queue_roads import Compiled
from traffic.ids import LinkId
from traffic.network import Network

_FAR_M = 600.0
"""A signal further on is no neighbour."""
BoolArray = npt.NDArray[np.bool_]


def compile_around(network: Network, compiled: Compiled) -> Around:
    """Return what is run on with each junction when its stages are tried."""
    names = list(compiled.junctions)
    node_of = {node: j for j, name in enumerate(names) for node in network.crossings[name].nodes}
    ahead = _ahead(network, node_of)
    near = np.eye(len(names), dtype=np.bool_)
    for movement in network.movements.values():
        j = names.index(movement.junction)
        for k in ahead[movement.exit]:
            near[j, k] = near[k, j] = True
    links = compiled.links
    leads = np.zeros((len(links.strips), len(names)), dtype=np.bool_)
    for number, link in enumerate(links.strips):
        leads[number, list(ahead[links.last[link]])] = True
    lanes = (near.astype(int) @ leads.T.astype(int) > 0)[:, compiled.roads.lanes["link"]]
    groups = compiled.roads.groups["first"][
        compiled.roads.route[
            compiled.roads.vehicles["route"][compiled.roads.origin_vehicles[compiled.roads.origins["first"]]]
        ]
    ]
    starts = compiled.roads.conns["start"][compiled.roads.options["conn"][groups]]
    return Around(np.ascontiguousarray(lanes), near, np.ascontiguousarray(lanes[:, starts]))


def _ahead(network: Network, node_of: dict[str, int]) -> dict[LinkId, set[int]]:
    """Return the junctions that are next on some way on from the start of a link."""
    after: dict[LinkId, dict[LinkId, None]] = {}
    for row in network.connections:
        after.setdefault(row.from_link, {})[row.to_link] = None
    found: dict[LinkId, set[int]] = {}
    for start in network.links:
        seen, ends = {start: 0.0}, set[int]()
        front = [start]
        while front:
            link = front.pop()
            node = network.links[link].to_node
            if node in node_of:
                ends.add(node_of[node])
                continue
            for onto in after.get(link, {}):
                far_m = seen[link] + network.links[link].length_m
                if far_m < seen.get(onto, _FAR_M):
                    seen[onto] = far_m
                    front.append(onto)
        found[start] = ends
    return found
