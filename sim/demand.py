"""Demand as SUMO's route files have it, and the demand seeds of a comparison.

Seed 0 is the file as it is. Seeds of 1 and more resample the vehicles of the period with replacement (their
number scaled by up to 10 % either way), move each departure by up to 60 s, and scale the rate of each flow by up
to 10 %. Times stay within the period: what would leave it is reflected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.etree.ElementTree import Element, tostring
from xml.sax.saxutils import quoteattr

import numpy as np

from sim.safe_xml import attribute, elements
from traffic.errors import BadScenario

JITTER_S = 60.0
SCALE = 0.1
_VEHICLES = frozenset({"vehicle", "trip", "person", "container"})
_FLOWS = frozenset({"flow", "personFlow", "containerFlow"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One vehicle or trip. `edges` is its whole route, or (from, via ..., to) where `is_trip`; `route` names another.

    `before` and `after` are its XML around `id` and `depart`.
    """

    id: str
    depart_s: float
    edges: tuple[str, ...]
    is_trip: bool
    route: str
    vehicle_type: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One flow; `rates` are the attributes that say how many vehicles, `after` its children."""

    id: str
    begin_s: float
    end_s: float
    edges: tuple[str, ...]
    is_trip: bool
    route: str
    vehicle_type: str
    tag: str
    attributes: tuple[tuple[str, str], ...]
    after: str

    def vehicles_per_hour(self) -> float:
        """Return the rate; a `number` is spread over the flow's own period."""
        given = dict(self.attributes)
        for name in ("vehsPerHour", "perHour"):
            if name in given:
                return _rate(given[name])
        if "probability" in given:
            return 3600.0 * _rate(given["probability"])
        if "period" in given:
            text = given["period"]
            return 3600.0 * _rate(text[4:-1]) if text.startswith("exp(") else 3600.0 / max(_rate(text), 1e-9)
        return _rate(given.get("number", "0")) * 3600.0 / max(self.end_s - self.begin_s, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """All of some route files. `heading` is the XML of types and named routes; `routes` are those routes' edges."""

    heading: tuple[str, ...]
    routes: dict[str, tuple[str, ...]]
    departures: tuple[Departure, ...]
    flows: tuple[Flow, ...]

    def edges_of(self, row: Departure | Flow) -> tuple[str, ...]:
        """Return the edges of a row; empty where they stand in a distribution or another file."""
        return row.edges or self.routes.get(row.route, ())


@lru_cache(maxsize=4)
def read_demand(routes: tuple[Path, ...]) -> Demand:
    """Read route files; a worker that runs many seeds of one scenario reads them once.

    Raises
    ------
    BadScenario
        If a file cannot be read, a time is not a time, or a device would write a file.
    """
    heading: list[str] = []
    named: dict[str, tuple[str, ...]] = {}
    departures: list[Departure] = []
    flows: list[Flow] = []
    for path in routes:
        for element in elements(path, ("routes", "additional", "add")):
            _refuse_files(element, path)
            if element.tag in _VEHICLES:
                departures.append(_departure(element, path))
            elif element.tag in _FLOWS:
                flows.append(_flow(element, path))
            else:
                heading.append(tostring(element, encoding="unicode").strip())
                for route in element.iter("route"):
                    named[route.get("id", "")] = tuple(route.get("edges", "").split())
    return Demand(heading=tuple(heading), routes=named, departures=tuple(departures), flows=tuple(flows))


def check_demand(demand: Demand, edges: Iterable[str], begin_s: float, end_s: float, where: str) -> None:
    """Check that the demand fits the network and the period.

    Raises
    ------
    BadScenario
        If a route names an edge that is not there, or nobody departs in the period.
    """
    known = set(edges)
    rows: list[Departure | Flow] = [*demand.departures, *demand.flows]
    for row in rows:
        missing = next((edge for edge in demand.edges_of(row) if edge not in known), None)
        if missing is not None:
            raise BadScenario(f"{where}: {row.id}", f"edge {missing}", "not in the network", "mend the routes")
    is_any = any(begin_s <= row.depart_s < end_s for row in demand.departures) or any(
        flow.begin_s < end_s and flow.end_s > begin_s and flow.vehicles_per_hour() > 0 for flow in demand.flows
    )
    if not is_any:
        raise BadScenario(where, f"no demand in {begin_s:g}-{end_s:g} s", "needs a vehicle", "mend period or demand")


def seeded_routes(routes: Sequence[Path], seed: int, begin_s: float, end_s: float, folder: Path) -> tuple[Path, ...]:
    """Return the route files of a demand seed: the files as they are for 0, else one new file in `folder`."""
    if seed == 0:
        return tuple(routes)
    demand = read_demand(tuple(routes))
    path = folder / f"demand_{seed}.rou.xml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(_seeded(demand, begin_s, end_s, np.random.default_rng(seed)), encoding="utf-8")
    return (path,)


def _seeded(demand: Demand, begin_s: float, end_s: float, rng: np.random.Generator) -> str:
    present = [row for row in demand.departures if begin_s <= row.depart_s < end_s]
    rows: list[tuple[float, str]] = []
    number = round(len(present) * rng.uniform(1 - SCALE, 1 + SCALE))
    if present:
        picks = rng.integers(len(present), size=max(1, number))
        moves = rng.uniform(-JITTER_S, JITTER_S, size=len(picks))
        for place, (pick, move) in enumerate(zip(picks.tolist(), moves.tolist(), strict=True)):
            row = present[pick]
            depart_s = _reflect(row.depart_s + move, begin_s, end_s)
            name = quoteattr(f"{row.id}~{place}")
            rows.append((depart_s, f'{row.before} id={name} depart="{depart_s:.2f}"{row.after}'))
    for flow in demand.flows:
        rows.append((flow.begin_s, _scaled(flow, float(rng.uniform(1 - SCALE, 1 + SCALE)))))
    rows.sort(key=lambda row: row[0])
    return "\n".join(["<routes>", *demand.heading, *(text for _, text in rows), "</routes>", ""])


def _reflect(time_s: float, begin_s: float, end_s: float) -> float:
    """Return a time mirrored back into [begin, end), in hundredths of a second."""
    if time_s < begin_s:
        time_s = 2 * begin_s - time_s
    if time_s >= end_s:
        time_s = 2 * end_s - time_s - 0.01
    return round(min(max(time_s, begin_s), end_s - 0.01), 2)


def _scaled(flow: Flow, factor: float) -> str:
    texts = []
    for name, value in flow.attributes:
        shown = value
        if name == "number":
            shown = str(max(1, round(_rate(value) * factor)))
        elif name == "probability":
            shown = f"{min(1.0, _rate(value) * factor):.6f}"
        elif name in ("vehsPerHour", "perHour"):
            shown = f"{_rate(value) * factor:.4f}"
        elif name == "period":
            is_exp = value.startswith("exp(")
            shown = f"exp({_rate(value[4:-1]) * factor:.8f})" if is_exp else f"{_rate(value) / factor:.6f}"
        texts.append(f"{name}={quoteattr(shown)}")
    return f"<{flow.tag} {' '.join(texts)}{flow.after}"


def _refuse_files(element: Element, path: Path) -> None:
    for row in element.iter("param"):
        if "file" in row.get("key", "") or "output" in row.get("key", ""):
            raise BadScenario(f"{path}: param", row.get("key"), "no device may write files", "remove it")


def _departure(element: Element, path: Path) -> Departure:
    where = f"{path}: {element.tag} {element.get('id')}"
    kept = " ".join(f"{name}={quoteattr(value)}" for name, value in element.attrib.items() if name not in _PLACED)
    edges, is_trip = _edges(element)
    return Departure(
        id=attribute(element, "id", where),
        depart_s=time_of(attribute(element, "depart", where), where),
        edges=edges,
        is_trip=is_trip,
        route=element.get("route", ""),
        vehicle_type=element.get("type", ""),
        before=f"<{element.tag} {kept}",
        after=_after(element),
    )


_PLACED = ("id", "depart")


def _flow(element: Element, path: Path) -> Flow:
    where = f"{path}: {element.tag} {element.get('id')}"
    edges, is_trip = _edges(element)
    flow = Flow(
        id=attribute(element, "id", where),
        begin_s=time_of(element.get("begin", "0"), where),
        end_s=time_of(element.get("end", "86400"), where),
        edges=edges,
        is_trip=is_trip,
        route=element.get("route", ""),
        vehicle_type=element.get("type", ""),
        tag=str(element.tag),
        attributes=tuple(element.attrib.items()),
        after=_after(element),
    )
    try:
        flow.vehicles_per_hour()
    except ValueError:
        raise BadScenario(where, "its rate", "must be a number", "mend the flow") from None
    return flow


def _edges(element: Element) -> tuple[tuple[str, ...], bool]:
    route = element.find("route")
    if route is not None and route.get("edges"):
        return tuple(route.get("edges", "").split()), False
    if "from" in element.attrib and "to" in element.attrib:
        return (element.get("from", ""), *element.get("via", "").split(), element.get("to", "")), True
    return (), False


def _after(element: Element) -> str:
    if not len(element):
        return "/>"
    inside = "".join(tostring(child, encoding="unicode").strip() for child in element)
    return f">{inside}</{element.tag}>"


def _rate(text: str) -> float:
    return float(text)


def time_of(text: str, where: str) -> float:
    """Return seconds from SUMO's `12.5` or `1:02:03`; `triggered` and the like depart with what triggers them.

    Raises
    ------
    BadScenario
        If it is neither.
    """
    if text in ("triggered", "containerTriggered", "begin", "split"):
        return 0.0
    parts = text.split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 4 or not all(0 <= value < 1e9 for value in numbers):
        raise BadScenario(where, text, "must be seconds or H:M:S", "mend the time")
    factors = (1, 60, 3600, 86400)
    return sum(value * factor for value, factor in zip(reversed(numbers), factors, strict=False))
