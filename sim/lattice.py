"""Regular towns as SUMO networks: rows and columns of streets that cross at signals, left turns on a lane of their own.

::

            n0    n1                     node ids: A0 A1 .. B0 ..: column letter, row from the south
             |     |                     gates: n, s, e, w and the place of the street
       w1 -- A1 -- B1 -- e1
             |     |
       w0 -- A0 -- B0 -- e0
             |     |
            s0    s1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from sim.netconvert import convert_plain

Node = tuple[str, float, float, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A direction's streets: lanes a side (the inner one turns left), speed, metres between its signals."""

    n_lanes: int
    speed_mps: float
    spacing_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """So many columns and rows, their streets, and the options of netconvert that time the signals."""

    columns: int
    rows: int
    east_west: Street
    north_south: Street
    options: Sequence[str] = ()


def build_lattice(lattice: Lattice, network: Path) -> None:
    """Write the network, with the signal programs that netconvert makes under `lattice.options`."""
    roots = {"node": _nodes(lattice), "edge": _edges(lattice), "connection": _connections(lattice)}
    convert_plain(roots, lattice.options, network)


def _name(column: int, row: int) -> str:
    return f"{chr(ord('A') + column)}{row}"


def _place(lattice: Lattice, column: int, row: int) -> Node | None:
    """Return (id, x, y, has a signal) of a place; places beyond the edge are gates, corners are nothing."""
    x, y = column * lattice.east_west.spacing_m, row * lattice.north_south.spacing_m
    inside = 0 <= column < lattice.columns, 0 <= row < lattice.rows
    if all(inside):
        return _name(column, row), x, y, True
    if not any(inside):
        return None
    side = ("w" if column < 0 else "e") if inside[1] else ("s" if row < 0 else "n")
    return f"{side}{row if inside[1] else column}", x, y, False


def _nodes(lattice: Lattice) -> Element:
    root = Element("nodes")
    for column in range(-1, lattice.columns + 1):
        for row in range(-1, lattice.rows + 1):
            if place := _place(lattice, column, row):
                name, x, y, has_signal = place
                kind = "traffic_light" if has_signal else "priority"
                SubElement(root, "node", id=name, x=f"{x:g}", y=f"{y:g}", type=kind)
    return root


def _edges(lattice: Lattice) -> Element:
    root = Element("edges")
    for column in range(-1, lattice.columns + 1):
        for row in range(-1, lattice.rows + 1):
            here = _place(lattice, column, row)
            for step in ((1, 0), (0, 1)):
                there = _place(lattice, column + step[0], row + step[1])
                if here and there and (here[3] or there[3]):
                    street = lattice.east_west if step[0] else lattice.north_south
                    _add_edge(root, here[0], there[0], street)
                    _add_edge(root, there[0], here[0], street)
    return root


def _add_edge(root: Element, start: str, end: str, street: Street) -> None:
    edge = SubElement(root, "edge", {"id": f"{start}{end}", "from": start, "to": end})
    edge.set("numLanes", str(street.n_lanes))
    edge.set("speed", f"{street.speed_mps:g}")


def _connections(lattice: Lattice) -> Element:
    root = Element("connections")
    for column in range(lattice.columns):
        for row in range(lattice.rows):
            for dx, dy in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                _add_turns(root, lattice, (column, row), (dx, dy))
    return root


def _add_turns(root: Element, lattice: Lattice, at: tuple[int, int], came: tuple[int, int]) -> None:
    """Add the turns of the approach that comes from `at` + `came`: straight -came, right and left across."""
    column, row = at
    dx, dy = came
    here, start = _place(lattice, column, row), _place(lattice, column + dx, row + dy)
    along, across = (lattice.east_west, lattice.north_south) if dx else (lattice.north_south, lattice.east_west)
    inner = along.n_lanes - 1
    ways = {"s": (-dx, -dy), "r": (-dy, dx), "l": (dy, -dx)}
    for turn, (tx, ty) in ways.items():
        end = _place(lattice, column + tx, row + ty)
        if here and start and end:
            lanes = {"r": [(0, 0)], "l": [(inner, across.n_lanes - 1)], "s": [(k, k) for k in range(inner)]}[turn]
            for from_lane, to_lane in lanes:
                row_of = {"from": f"{start[0]}{here[0]}", "to": f"{here[0]}{end[0]}"}
                SubElement(root, "connection", {**row_of, "fromLane": str(from_lane), "toLane": str(to_lane)})
