"""A SUMO network file as it stands: edges, nodes, connections and programs, unjudged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from sim.safe_xml import attribute, elements, number, points
from traffic.errors import BadScenario
from traffic.network import Point

RAIL_TYPES = frozenset({"rail_signal", "rail_crossing", "railSignal", "railCrossing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLane:
    """A `<lane>`."""

    id: str
    index: int
    length_m: float
    speed_mps: float
    width_m: float
    allow: str
    disallow: str
    shape: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEdge:
    """An `<edge>`; `function` is empty for a plain road."""

    id: str
    function: str
    from_node: str
    to_node: str
    name: str
    shape: tuple[Point, ...]
    lanes: tuple[RawLane, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawNode:
    """A `<junction>`; request i is (response bits, foe bits), the rightmost bit is link 0."""

    id: str
    type: str
    position: Point
    incoming: tuple[str, ...]
    requests: Mapping[int, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawConnection:
    """A `<connection>`."""

    from_edge: str
    to_edge: str
    from_lane: int
    to_lane: int
    via: str
    tl: str
    link_index: int
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeInterval:
    """A SUMO `<phase>`: the lamps do not change for `duration_s`; min and max matter to actuated programs only."""

    duration_s: float
    lamps: str
    min_s: float | None = None
    max_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A `<tlLogic>`: at time t it stands at (t - offset) mod cycle."""

    junction: str
    offset_s: float
    intervals: tuple[NativeInterval, ...]
    kind: str = "static"
    program: str = "0"

    @property
    def cycle_s(self) -> float:
        """Sum of all intervals, seconds."""
        return sum(interval.duration_s for interval in self.intervals)

    def lamps_at(self, time_s: float) -> str:
        """Return the lamp string that a static program shows at `time_s`."""
        return self.interval_at(time_s)[0].lamps

    def interval_at(self, time_s: float) -> tuple[NativeInterval, float]:
        """Return the interval in which a static program stands at `time_s`, and when it ends, seconds."""
        left_s = round((time_s - self.offset_s) % self.cycle_s, 6)
        for interval in self.intervals:
            if left_s < interval.duration_s - 1e-6:
                return interval, time_s + interval.duration_s - left_s
            left_s -= interval.duration_s
        return self.intervals[0], time_s + self.intervals[0].duration_s


@dataclass(slots=True, kw_only=True)
class RawNet:
    """All of a network file; `continuation` leads from an internal lane to the one behind its waiting place."""

    path: Path
    boundary: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    edges: dict[str, RawEdge] = field(default_factory=dict)
    nodes: dict[str, RawNode] = field(default_factory=dict)
    connections: list[RawConnection] = field(default_factory=list)
    continuation: dict[tuple[str, int], str] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)


def read_netfile(path: Path, additional: Sequence[Path] = ()) -> RawNet:
    """Read a network file and the programs of its additional files; the program read last is the one in force.

    Raises
    ------
    BadScenario
        If a file cannot be read or an element lacks what it must have.
    """
    net = RawNet(path=path)
    where = str(path)
    for element in elements(path, "net"):
        if element.tag == "edge":
            edge = _edge(element, where)
            net.edges[edge.id] = edge
        elif element.tag == "junction":
            node = _node(element, where)
            net.nodes[node.id] = node
        elif element.tag == "connection":
            raw = _connection(element, where)
            net.connections.append(raw)
            if raw.from_edge.startswith(":") and raw.via:
                net.continuation[(raw.from_edge, raw.from_lane)] = raw.via
        elif element.tag == "location":
            net.boundary = _boundary(element, where)
        elif element.tag == "tlLogic":
            _add_program(net.programs, element, where)
    for extra in additional:
        for element in elements(extra, ("additional", "add", "routes", "net")):
            if element.tag == "tlLogic":
                _add_program(net.programs, element, str(extra))
    return net


def _edge(element: Element, where: str) -> RawEdge:
    name = attribute(element, "id", where)
    here = f"{where}: edge {name}"
    lanes = sorted((_lane(lane, here) for lane in element.iterfind("lane")), key=lambda lane: lane.index)
    function = element.get("function", "")
    if not function and (not lanes or [lane.index for lane in lanes] != list(range(len(lanes)))):
        raise BadScenario(here, f"lanes {[lane.index for lane in lanes]}", "must be 0, 1, ...", "mend the network")
    return RawEdge(
        id=name,
        function="" if function in ("normal", "connector") else function,
        from_node=element.get("from", ""),
        to_node=element.get("to", ""),
        name=element.get("name", ""),
        shape=points(element.get("shape"), here),
        lanes=tuple(lanes),
    )


def _lane(element: Element, where: str) -> RawLane:
    return RawLane(
        id=attribute(element, "id", where),
        index=int(number(element, "index", where)),
        length_m=number(element, "length", where),
        speed_mps=number(element, "speed", where),
        width_m=number(element, "width", where, 3.2),
        allow=element.get("allow", ""),
        disallow=element.get("disallow", ""),
        shape=points(element.get("shape"), where),
    )


def _node(element: Element, where: str) -> RawNode:
    name = attribute(element, "id", where)
    here = f"{where}: junction {name}"
    requests = {
        int(number(request, "index", here)): (request.get("response", ""), request.get("foes", ""))
        for request in element.iterfind("request")
    }
    return RawNode(
        id=name,
        type=element.get("type", ""),
        position=(number(element, "x", here, 0.0), number(element, "y", here, 0.0)),
        incoming=tuple(element.get("incLanes", "").split()),
        requests=requests,
    )


def _connection(element: Element, where: str) -> RawConnection:
    return RawConnection(
        from_edge=attribute(element, "from", where),
        to_edge=attribute(element, "to", where),
        from_lane=int(number(element, "fromLane", where)),
        to_lane=int(number(element, "toLane", where)),
        via=element.get("via", ""),
        tl=element.get("tl", ""),
        link_index=int(number(element, "linkIndex", where, -1)),
        direction=element.get("dir", "s"),
    )


def _boundary(element: Element, where: str) -> tuple[float, float, float, float]:
    corners = points(" ".join(_pairs(element.get("convBoundary", ""))), where)
    if len(corners) != 2:
        return (0.0, 0.0, 0.0, 0.0)
    return (*corners[0], *corners[1])


def _pairs(text: str) -> list[str]:
    values = text.split(",")
    return [",".join(values[0:2]), ",".join(values[2:4])] if len(values) == 4 else []


def _add_program(programs: dict[str, Program], element: Element, where: str) -> None:
    """Take a program; the last one of a junction counts, in its first one's place."""
    name = attribute(element, "id", where)
    here = f"{where}: tlLogic {name}"
    kind = element.get("type", "static")
    phases = list(element.iterfind("phase"))
    if kind in RAIL_TYPES or not phases:
        return
    intervals = tuple(
        NativeInterval(
            duration_s=number(phase, "duration", here),
            lamps=attribute(phase, "state", here),
            min_s=number(phase, "minDur", here) if "minDur" in phase.attrib else None,
            max_s=number(phase, "maxDur", here) if "maxDur" in phase.attrib else None,
        )
        for phase in phases
    )
    intervals = tuple(interval for interval in intervals if interval.duration_s > 0)
    lengths = {len(interval.lamps) for interval in intervals}
    if len(lengths) != 1 or 0 in lengths:
        raise BadScenario(here, "lamp strings", "must be equally long, some longer than 0 s", "mend the program")
    programs[name] = Program(
        junction=name,
        offset_s=number(element, "offset", here, 0.0),
        intervals=intervals,
        kind=kind,
        program=element.get("programID", "0"),
    )
