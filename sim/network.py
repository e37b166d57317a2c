"""Any SUMO network into the shared words of `traffic.network`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from sim.netfile import RAIL_TYPES, RawConnection, RawEdge, RawNet, read_netfile
from sim.right_of_way import Rights, link_conflicts, rights_of
from sim.safe_xml import elements, number
from traffic.errors import BadScenario
from traffic.ids import JunctionId, LaneId, LinkId, MovementId
from traffic.network import (
    Approach,
    Connection,
    Crossing,
    Lane,
    Link,
    Movement,
    Network,
    Point,
    VehicleType,
    movement_id,
)

VEHICLE_CLASSES = frozenset(
    {
        *("private", "emergency", "authority", "army", "vip", "pedestrian", "passenger", "hov", "taxi", "bus", "coach"),
        *("delivery", "truck", "trailer", "motorcycle", "moped", "bicycle", "evehicle", "tram", "rail_urban", "rail"),
        *("rail_electric", "rail_fast", "ship", "container", "cable_car", "subway", "aircraft", "wheelchair"),
        *("scooter", "drone", "custom1", "custom2"),
    }
)
"""SUMO's vehicle classes."""


def read_network(path: Path, additional: Sequence[Path] = ()) -> Network:
    """Read a SUMO network (.net.xml or .net.xml.gz) with the types and programs of its additional files.

    Raises
    ------
    BadScenario
        If a file cannot be read, refers to what is not there, or has no signals.
    """
    net = read_netfile(path, additional)
    _check_references(net)
    roads = {edge.id: edge for edge in net.edges.values() if not edge.function}
    rights = rights_of(net)
    places = _places(net, roads)
    connections = tuple(_connection(net, raw, places, rights) for raw in places)
    crossings = {JunctionId(name): _crossing(net, name, connections, rights) for name in _signals(net)}
    if not crossings:
        raise BadScenario(str(path), "no signals", "needs at least one traffic light", "take another network")
    movements = _movements(crossings, connections)
    return Network(
        links={LinkId(edge.id): _link(edge) for edge in roads.values()},
        lanes={LaneId(lane.id): lane for edge in roads.values() for lane in _lanes(edge)},
        connections=connections,
        crossings=crossings,
        movements=movements,
        vehicle_types=read_vehicle_types(additional),
        boundary=net.boundary,
    )


def read_vehicle_types(files: Iterable[Path]) -> dict[str, VehicleType]:
    """Return the vehicle types of additional or route files, those inside distributions too."""
    types: dict[str, VehicleType] = {}
    for path in files:
        for element in elements(path, ("additional", "add", "routes", "net")):
            for row in element.iter("vType"):
                where = f"{path}: vType {row.get('id')}"
                name, vehicle_class = row.get("id", ""), row.get("vClass", "passenger")
                values = _CLASS_NUMBERS.get(vehicle_class, {}) | {
                    key: number(row, attribute, where)
                    for key, attribute in _TYPE_NUMBERS.items()
                    if attribute in row.attrib
                }
                types[name] = VehicleType(id=name, vehicle_class=vehicle_class, **values)
    return types


_TYPE_NUMBERS = {
    "length_m": "length",
    "width_m": "width",
    "min_gap_m": "minGap",
    "tau_s": "tau",
    "accel_mps2": "accel",
    "decel_mps2": "decel",
    "max_speed_mps": "maxSpeed",
    "sigma": "sigma",
    "speed_dev": "speedDev",
}
_CLASS_NUMBERS: dict[str, dict[str, float]] = {
    "bus": {"length_m": 12.0, "width_m": 2.5, "accel_mps2": 1.2, "decel_mps2": 4.0, "max_speed_mps": 23.6},
    "coach": {"length_m": 14.0, "width_m": 2.6, "accel_mps2": 2.0, "decel_mps2": 4.0, "max_speed_mps": 27.8},
    "delivery": {"length_m": 6.5, "width_m": 2.16, "speed_dev": 0.05},
    "truck": {"length_m": 7.1, "width_m": 2.4, "accel_mps2": 1.3, "decel_mps2": 4.0, "max_speed_mps": 36.1},
    "trailer": {"length_m": 16.5, "width_m": 2.55, "accel_mps2": 1.0, "decel_mps2": 4.0, "max_speed_mps": 36.1},
    "motorcycle": {"length_m": 2.2, "width_m": 0.9, "accel_mps2": 6.0, "decel_mps2": 10.0},
    "moped": {"length_m": 2.1, "width_m": 0.8, "accel_mps2": 1.1, "decel_mps2": 7.0, "max_speed_mps": 12.5},
    "bicycle": {
        **{"length_m": 1.6, "width_m": 0.65, "min_gap_m": 0.5, "accel_mps2": 1.2},
        **{"decel_mps2": 3.0, "max_speed_mps": 5.56},
    },
}
"""SUMO's defaults by vehicle class where they differ from a car's (Vehicle Type Parameter Defaults)."""


def _check_references(net: RawNet) -> None:
    for edge in net.edges.values():
        if not edge.function and (edge.to_node not in net.nodes or edge.from_node not in net.nodes):
            raise BadScenario(f"{net.path}: edge {edge.id}", "its nodes are not there", next_move="mend the network")
    for raw in net.connections:
        for name, lane in ((raw.from_edge, raw.from_lane), (raw.to_edge, raw.to_lane)):
            if name not in net.edges or not 0 <= lane < len(net.edges[name].lanes):
                raise BadScenario(f"{net.path}: connection", f"{name}_{lane}", "no such lane", "mend the network")


def _signals(net: RawNet) -> list[str]:
    """Return the programs that control something on a road or a crossing, in the order of the file."""
    controlled = {raw.tl for raw in net.connections if raw.tl}
    rail = {node.id for node in net.nodes.values() if node.type in RAIL_TYPES}
    return [name for name in net.programs if name in controlled and name not in rail]


def _places(net: RawNet, roads: Mapping[str, RawEdge]) -> dict[RawConnection, int]:
    between = [raw for raw in net.connections if raw.from_edge in roads and raw.to_edge in roads]
    return {raw: place for place, raw in enumerate(dict.fromkeys(between))}


def _connection(net: RawNet, raw: RawConnection, places: Mapping[RawConnection, int], rights: Rights) -> Connection:
    foes, response = rights.get(raw, ((), ()))
    length_m, speed_mps, shape, waiting_m = _inner_path(net, raw)
    is_signal = raw.tl in net.programs and raw.link_index >= 0
    return Connection(
        from_lane=LaneId(net.edges[raw.from_edge].lanes[raw.from_lane].id),
        to_lane=LaneId(net.edges[raw.to_edge].lanes[raw.to_lane].id),
        from_link=LinkId(raw.from_edge),
        to_link=LinkId(raw.to_edge),
        direction=raw.direction,
        length_m=length_m,
        speed_mps=speed_mps,
        junction=JunctionId(raw.tl) if is_signal else None,
        link_index=raw.link_index if is_signal else None,
        foes=frozenset(places[other] for other in foes if other in places),
        response=frozenset(places[other] for other in response if other in places),
        shape=shape,
        waiting_m=waiting_m,
    )


def _inner_path(net: RawNet, raw: RawConnection) -> tuple[float, float, tuple[Point, ...], float]:
    """Return length, speed and shape of the lanes inside the node, and the length up to a waiting place in it."""
    length_m, speed_mps = 0.0, net.edges[raw.to_edge].lanes[raw.to_lane].speed_mps
    shape: tuple[Point, ...] = ()
    waiting_m = 0.0
    via, seen = raw.via, set[str]()
    while via and via not in seen:
        seen.add(via)
        edge_id, _, index = via.rpartition("_")
        edge = net.edges.get(edge_id)
        if edge is None or not index.isdigit() or int(index) >= len(edge.lanes):
            break
        lane = edge.lanes[int(index)]
        length_m += lane.length_m
        speed_mps = min(speed_mps, lane.speed_mps) if len(seen) > 1 else lane.speed_mps
        shape += lane.shape
        via = net.continuation.get((edge_id, int(index)), "")
        if via and not waiting_m:
            waiting_m = length_m
    return length_m, speed_mps, shape, waiting_m


def _link(edge: RawEdge) -> Link:
    return Link(
        id=LinkId(edge.id),
        from_node=edge.from_node,
        to_node=edge.to_node,
        lanes=tuple(LaneId(lane.id) for lane in edge.lanes),
        length_m=max(lane.length_m for lane in edge.lanes),
        speed_mps=max(lane.speed_mps for lane in edge.lanes),
        name=edge.name,
        shape=edge.shape or edge.lanes[-1].shape,
    )


def _lanes(edge: RawEdge) -> list[Lane]:
    return [
        Lane(
            id=LaneId(lane.id),
            link=LinkId(edge.id),
            index=lane.index,
            length_m=lane.length_m,
            speed_mps=lane.speed_mps,
            width_m=lane.width_m,
            allowed=_allowed(lane.allow, lane.disallow),
            shape=lane.shape,
        )
        for lane in edge.lanes
    ]


def _allowed(allow: str, disallow: str) -> frozenset[str]:
    """Return the classes that may use a lane; empty = everyone. A lane for nobody allows only `none`."""
    if allow and allow != "all":
        return frozenset(allow.split())
    if disallow == "all":
        return frozenset({"none"})
    return VEHICLE_CLASSES - frozenset(disallow.split()) if disallow else frozenset()


def _crossing(net: RawNet, name: str, connections: Sequence[Connection], rights: Rights) -> Crossing:
    controlled = [raw for raw in net.connections if raw.tl == name]
    n_links = max(len(net.programs[name].intervals[0].lamps), 1 + max(raw.link_index for raw in controlled))
    nodes = tuple(dict.fromkeys(_node_of(net, raw) for raw in controlled))
    conflicts, permissive = link_conflicts(rights, controlled)
    spots = [net.nodes[node].position for node in nodes if node in net.nodes] or [(0.0, 0.0)]
    return Crossing(
        id=JunctionId(name),
        nodes=nodes,
        position=(sum(x for x, _ in spots) / len(spots), sum(y for _, y in spots) / len(spots)),
        n_links=n_links,
        approaches=_approaches(net, name, connections),
        conflicts=conflicts,
        permissive=permissive,
        name=" / ".join(_street_names(net, controlled)),
    )


def _node_of(net: RawNet, raw: RawConnection) -> str:
    """Return the node in which a connection lies; internal edges are named `:<node>_<place>`."""
    edge = net.edges[raw.from_edge]
    return edge.to_node if not edge.function else raw.from_edge[1:].rpartition("_")[0]


def _street_names(net: RawNet, controlled: Iterable[RawConnection]) -> list[str]:
    names = dict.fromkeys(net.edges[raw.from_edge].name for raw in controlled)
    return [name for name in names if name]


def _approaches(net: RawNet, junction: str, connections: Sequence[Connection]) -> tuple[Approach, ...]:
    arriving: dict[LinkId, dict[MovementId, None]] = {}
    for row in connections:
        if row.junction == junction:
            arriving.setdefault(row.from_link, {})[movement_id(junction, row.from_link, row.to_link)] = None
    return tuple(
        Approach(
            junction=JunctionId(junction),
            link=link,
            lanes=tuple(LaneId(lane.id) for lane in net.edges[link].lanes),
            movements=tuple(movements),
            bearing_deg=bearing_deg(net.edges[link].lanes[0].shape),
        )
        for link, movements in arriving.items()
    )


def bearing_deg(shape: Sequence[Point]) -> float:
    """Return the heading at the end of a line, degrees clockwise from north.

    Examples
    --------
    >>> bearing_deg(((0.0, 0.0), (5.0, 0.0)))
    90.0
    """
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(shape) if a != b]
    return math.degrees(math.atan2(*steps[-1])) % 360.0 if steps else 0.0


def _movements(
    crossings: Mapping[JunctionId, Crossing], connections: Sequence[Connection]
) -> dict[MovementId, Movement]:
    places: dict[MovementId, list[int]] = {}
    for place, row in enumerate(connections):
        if row.junction in crossings:
            places.setdefault(movement_id(str(row.junction), row.from_link, row.to_link), []).append(place)
    return {
        movement: Movement(
            id=movement,
            junction=crossing.id,
            approach=approach.link,
            exit=connections[places[movement][0]].to_link,
            direction=connections[places[movement][0]].direction,
            connections=tuple(places[movement]),
            link_indices=tuple(sorted({int(connections[p].link_index or 0) for p in places[movement]})),
        )
        for crossing in crossings.values()
        for approach in crossing.approaches
        for movement in approach.movements
    }
