"""Plain XML of the schematic, and the network that netconvert makes of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from layout import BOX_M, LANE_M, LEGS, ONE_LANE_GATES, PLACES, ROAD_NAMES, SPACING_M, SPEED_MPS, STEP, TURNS

from sim.netconvert import convert
from sim.netfile import RawNet, read_netfile

OPTIONS = (
    *("--no-turnarounds", "true", "--output.street-names", "true"),
    *("--junctions.corner-detail", "5", "--default.junctions.radius", "3.5"),
)
"""The radius keeps a straight path at 21 m, so that 2 s of red clearance cover it at 50 km/h."""


def gates() -> dict[str, tuple[float, float]]:
    """Return the outer end of each leg that leads out of the schematic."""
    found = {}
    for junction, legs in LEGS.items():
        (x, y), _ = PLACES[junction]
        for leg, other in legs.items():
            if other not in PLACES:
                dx, dy = STEP[leg]
                found[other] = (x + dx * SPACING_M["gate"], y + dy * SPACING_M["gate"])
    return found


def link_id(start: str, end: str) -> str:
    """Return the id of the one-way road from node to node; gates have `_in` and `_out`."""
    if start not in PLACES:
        return f"{start}_in"
    return f"{end}_out" if end not in PLACES else f"{start}_{end}"


def n_lanes(start: str, end: str) -> int:
    """Return the number of lanes of a one-way road."""
    return 1 if {start, end} & ONE_LANE_GATES else 2


def approach(junction: str, leg: str) -> str:
    """Return the link that arrives at `junction` from `leg`."""
    return link_id(LEGS[junction][leg], junction)


def exit_link(junction: str, leg: str) -> str:
    """Return the link that leaves `junction` by `leg`."""
    return link_id(junction, LEGS[junction][leg])


def turns(junction: str, leg: str) -> dict[str, str]:
    """Return {turn: leg it leads to} of an approach, right to left."""
    return {turn: to for turn, to in TURNS[leg].items() if to in LEGS[junction]}


def lane_turns(junction: str, leg: str) -> list[str]:
    """Return the turns of each lane of an approach, from the kerb: the inner one turns left."""
    there = "".join(turns(junction, leg))
    if n_lanes(LEGS[junction][leg], junction) == 1:
        return [there]
    if "l" in there:
        return [there.replace("l", ""), "l"]
    return [there, "s"]


def build(network: Path) -> None:
    """Write the network, with netconvert's own signal programs."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder)
        files = {"node": _nodes(), "edge": _edges(), "connection": _connections()}
        arguments: list[str | Path] = []
        for kind, root in files.items():
            indent(root)
            path = plain / f"{kind}.xml"
            path.write_bytes(tostring(root, encoding="utf-8"))
            arguments += [f"--{kind}-files", path]
        convert([*arguments, *OPTIONS], network)


def _nodes() -> Element:
    root = Element("nodes")
    for node, ((x, y), _) in PLACES.items():
        SubElement(root, "node", id=node, x=str(x), y=str(y), type="traffic_light", tl=node)
    for node, (x, y) in gates().items():
        SubElement(root, "node", id=node, x=str(x), y=str(y), type="priority")
    return root


def _edges() -> Element:
    root = Element("edges")
    pairs = [(junction, other) for junction, legs in LEGS.items() for other in legs.values()]
    for start, end in sorted({*pairs, *((b, a) for a, b in pairs)}):
        edge = SubElement(root, "edge", {"id": link_id(start, end), "from": start, "to": end})
        edge.set("numLanes", str(n_lanes(start, end)))
        edge.set("speed", str(SPEED_MPS))
        edge.set("width", str(LANE_M))
        if name := ROAD_NAMES.get(frozenset({start, end})):
            edge.set("name", name)
        if end in PLACES:
            SubElement(edge, "stopOffset", value=str(BOX_M), exceptions="motorcycle")
    return root


def _connections() -> Element:
    root = Element("connections")
    for junction, legs in LEGS.items():
        for leg in legs:
            for lane, allowed in enumerate(lane_turns(junction, leg)):
                for turn in allowed:
                    to = turns(junction, leg)[turn]
                    last = n_lanes(junction, legs[to]) - 1
                    to_lane = {"r": 0, "l": last}.get(turn, min(lane, last))
                    row = {"from": approach(junction, leg), "to": exit_link(junction, to)}
                    SubElement(root, "connection", {**row, "fromLane": str(lane), "toLane": str(to_lane)})
    return root


def link_turns(network: Path) -> dict[str, dict[int, tuple[str, str]]]:
    """Return {junction: {link index: (leg, turn)}} as netconvert numbered them."""
    ways = {
        (approach(junction, leg), exit_link(junction, to)): (leg, turn)
        for junction, legs in LEGS.items()
        for leg in legs
        for turn, to in turns(junction, leg).items()
    }
    found: dict[str, dict[int, tuple[str, str]]] = {junction: {} for junction in PLACES}
    for row in read_netfile(network).connections:
        if row.tl:
            found[row.tl][row.link_index] = ways[row.from_edge, row.to_edge]
    return found


def path_lengths(network: Path) -> dict[tuple[str, str, str], float]:
    """Return the metres inside the node of each {(junction, leg, turn)}."""
    net = read_netfile(network)
    found: dict[tuple[str, str, str], float] = {}
    by_index = link_turns(network)
    for row in net.connections:
        if row.tl:
            key = (row.tl, *by_index[row.tl][row.link_index])
            found[key] = max(found.get(key, 0.0), _inside_m(net, row.via))
    return found


def _inside_m(net: RawNet, via: str) -> float:
    lengths = {lane.id: lane.length_m for edge in net.edges.values() for lane in edge.lanes}
    total, lane = 0.0, via
    while lane:
        total += lengths[lane]
        lane = net.continuation.get(lane, "")
    return total
