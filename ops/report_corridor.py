"""The time-space diagram of a corridor: greens by place and time, and the vehicles that meet only green.

::

    distance
       |  ====  ====     greens of junction 3
       |    /    /
       | ====  ====      greens of junction 2        / = a band at the progression speed
       |  /    /
       |====  ====       greens of junction 1
       +---------------- time
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from ops.report_data import DemoResult
from ops.report_signals import spans_of
from ops.report_svg import AFTER, BEFORE, GREEN, RED, as_svg, style
from ops.report_words import label
from traffic.ids import JunctionId, LinkId
from traffic.network import Network
from traffic.signals import GREEN_LETTERS, Junction, Plan

Windows = list[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A junction on the corridor: metres from its start, the link index that goes on along it, each way."""

    junction: JunctionId
    distance_m: float
    outbound: int | None
    inbound: int | None


def stops(network: Network, corridor: Sequence[JunctionId]) -> list[Stop]:
    """Return the junctions with their distance along the shortest way; [] where two are not joined."""
    ways = [(shortest_way(network, a, b), shortest_way(network, b, a)) for a, b in pairwise(corridor)]
    if not ways or any(not out for out, _ in ways):
        return []
    found, distance_m = [], 0.0
    for place, junction in enumerate(corridor):
        before, after = ways[place - 1] if place else ([], []), ways[place] if place < len(ways) else ([], [])
        distance_m += sum(network.links[link].length_m for link in before[0])
        found.append(
            Stop(
                junction=junction,
                distance_m=distance_m,
                outbound=_link_index(network, junction, before[0][-1:], after[0][:1]),
                inbound=_link_index(network, junction, after[1][-1:], before[1][:1]),
            )
        )
    return found


def _link_index(network: Network, junction: JunctionId, arrives: list[LinkId], leaves: list[LinkId]) -> int | None:
    """Return the link index of the movement along the corridor; at its ends the straight one."""
    rows = [m for m in network.movements.values() if m.junction == junction and m.link_indices]
    rows = [m for m in rows if (not arrives or m.approach in arrives) and (not leaves or m.exit in leaves)]
    rows.sort(key=lambda movement: (movement.direction != "s", movement.id))
    return min(rows[0].link_indices) if rows and (arrives or leaves) else None


def shortest_way(network: Network, start: JunctionId, end: JunctionId) -> list[LinkId]:
    """Return the links of the shortest way from one junction to another, [] where there is none."""
    follow: dict[LinkId, set[LinkId]] = {}
    for connection in network.connections:
        follow.setdefault(connection.from_link, set()).add(connection.to_link)
    start_nodes, end_nodes = set(network.crossings[start].nodes), set(network.crossings[end].nodes)
    leaving = [link for link in network.links.values() if link.from_node in start_nodes]
    queue = [(link.length_m, str(link.id), [link.id]) for link in leaving]
    heapq.heapify(queue)
    done: set[str] = set()
    while queue:
        length_m, name, way = heapq.heappop(queue)
        if name in done:
            continue
        done.add(name)
        if network.links[way[-1]].to_node in end_nodes:
            return way
        for link in follow.get(way[-1], ()):
            heapq.heappush(queue, (length_m + network.links[link].length_m, str(link), [*way, link]))
    return []


def green_windows(junction: Junction, plan: Plan, link_index: int) -> Windows:
    """Return when a link is green, seconds after master zero, within one cycle; a green over its end is one window."""
    cycle_s = float(plan.pattern.cycle_s)
    greens = [(s.begin_s, s.end_s) for s in spans_of(junction, plan, link_index) if s.letter in GREEN_LETTERS]
    joined: Windows = []
    for begin, end in greens:
        if joined and abs(joined[-1][1] - begin) < 1e-6:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    if len(joined) > 1 and joined[0][0] == 0.0 and abs(joined[-1][1] - cycle_s) < 1e-6:
        joined = [*joined[1:-1], (joined[-1][0], cycle_s + joined[0][1])]
    return [((begin + plan.pattern.offset_s) % cycle_s, (begin + plan.pattern.offset_s) % cycle_s + end - begin)
            for begin, end in joined]  # fmt: skip


def band(windows: Sequence[Windows], travel_s: Sequence[float], cycle_s: float) -> Windows:
    """Return when a vehicle may pass the first place so as to meet green at all of them.

    Parameters
    ----------
    windows
        Greens of each place within one cycle, seconds after master zero.
    travel_s
        Travel time from the first place to each.

    Examples
    --------
    >>> band([[(0.0, 30.0)], [(20.0, 50.0)]], [0.0, 10.0], 60.0)
    [(10.0, 30.0)]
    """
    common: Windows = [(0.0, cycle_s)]
    for greens, travel in zip(windows, travel_s, strict=True):
        shifts = [k * cycle_s - travel for k in _turns(travel, cycle_s)]
        moved = sorted((begin + shift, end + shift) for begin, end in greens for shift in shifts)
        common = [(max(a, c), min(b, d)) for a, b in common for c, d in moved if min(b, d) - max(a, c) > 1e-6]
    return common


def _turns(travel_s: float, cycle_s: float) -> range:
    whole = int(travel_s // cycle_s)
    return range(whole - 2, whole + 3)


def corridor_chart(result: DemoResult) -> str:
    """Return the diagrams of the old and the new plans beside each other; '' without a corridor."""
    places = stops(result.network, result.corridor)
    timings = {timing.junction.id: timing for timing in result.timings}
    if len(places) < 2 or any(place.junction not in timings for place in places):
        return ""
    old = {name: timing.old for name, timing in timings.items()}
    new = {name: timing.new or timing.old for name, timing in timings.items()}
    arms = [("old", old)] + ([] if result.is_kept else [("new", new)])
    junctions = {name: timing.junction for name, timing in timings.items()}
    cycle_s = max(plan.pattern.cycle_s for _, plans in arms for plan in plans.values())
    with style("corridor"):
        figure = Figure(figsize=(9.4, 2.2 + 0.6 * len(places)))
        axes = figure.subplots(1, len(arms), sharey=True, squeeze=False)[0]
        for axis, (arm, plans) in zip(axes, arms, strict=True):
            _panel(axis, places, junctions, plans, speed_mps=result.speed_mps)
            axis.set_xlim(0.0, 2.0 * cycle_s)
            title = f"{label(arm)}\n{_bands_text(places, junctions, plans, result.speed_mps)}"
            axis.set_title(title, loc="left", fontsize=8.0)
            axis.set_xlabel(label("time_axis"))
        names = [result.network.crossings[place.junction].name or place.junction for place in places]
        texts = [f"{_short(name)}\n{place.distance_m:.0f} m" for name, place in zip(names, places, strict=True)]
        axes[0].set_yticks([place.distance_m for place in places], texts, fontsize=8.0)
        figure.tight_layout(w_pad=1.5)
        return as_svg(figure, "corridor", label("corridor"))


def _short(name: str, most: int = 22) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _panel(
    axis: Axes, places: Sequence[Stop], junctions: Mapping[JunctionId, Junction], plans: Mapping[JunctionId, Plan],
    *, speed_mps: float,
) -> None:  # fmt: skip
    """Draw the strips of every junction over two cycles, and the bands both ways."""
    length_m = places[-1].distance_m
    height_m = length_m / len(places) * 0.09
    for place in places:
        plan, junction = plans[place.junction], junctions[place.junction]
        for index, below in ((place.outbound, False), (place.inbound, True)):
            low_m = place.distance_m - (1.15 * height_m if below else -0.15 * height_m)
            if index is None:
                continue
            axis.add_patch(Rectangle((0.0, low_m), 1e4, height_m, facecolor=RED, alpha=0.35, linewidth=0))
            for begin, end in green_windows(junction, plan, index):
                for k in range(-2, 12):
                    at_s = begin + k * plan.pattern.cycle_s
                    green = Rectangle((at_s, low_m), end - begin, height_m, facecolor=GREEN, linewidth=0)
                    axis.add_patch(green)
    for is_inbound, colour in ((False, AFTER), (True, BEFORE)):
        way, cycle_s, found = _bands(places, junctions, plans, speed_mps, is_inbound=is_inbound)
        for begin, end in found:
            for k in range(-12, 4):
                travel_s = abs(way[-1].distance_m - way[0].distance_m) / speed_mps
                first, last = begin + k * cycle_s, end + k * cycle_s
                start_m, stop_m = way[0].distance_m, way[-1].distance_m
                corners = [(first, start_m), (last, start_m), (last + travel_s, stop_m), (first + travel_s, stop_m)]
                axis.add_patch(Polygon(corners, facecolor=colour, alpha=0.28, edgecolor=colour, linewidth=0.8))
    axis.set_ylim(-0.1 * length_m, 1.1 * length_m)
    axis.grid(visible=True, axis="x", color="#dde3e8", linewidth=0.5)


def _bands(
    places: Sequence[Stop], junctions: Mapping[JunctionId, Junction], plans: Mapping[JunctionId, Plan],
    speed_mps: float, *, is_inbound: bool,
) -> tuple[list[Stop], float, Windows]:  # fmt: skip
    """Return the places in the order of travel, the common cycle and the bands; no band without a common cycle."""
    way = list(reversed(places)) if is_inbound else list(places)
    indices = [(place, place.inbound if is_inbound else place.outbound) for place in way]
    cycles = {plans[place.junction].pattern.cycle_s for place in way}
    if len(cycles) != 1:
        return way, float(max(cycles)), []
    cycle_s = float(cycles.pop())
    known = [(place, index) for place, index in indices if index is not None]
    if len(known) < len(way):
        return way, cycle_s, []
    windows = [green_windows(junctions[p.junction], plans[p.junction], index) for p, index in known]
    travel_s = [abs(place.distance_m - way[0].distance_m) / speed_mps for place in way]
    return way, cycle_s, band(windows, travel_s, cycle_s)


def _bands_text(
    places: Sequence[Stop], junctions: Mapping[JunctionId, Junction], plans: Mapping[JunctionId, Plan], speed_mps: float
) -> str:
    if len({plans[place.junction].pattern.cycle_s for place in places}) != 1:
        return label("no_band")
    parts = []
    for name, is_inbound in (("outbound", False), ("inbound", True)):
        _, _, found = _bands(places, junctions, plans, speed_mps, is_inbound=is_inbound)
        width_s = sum(end - begin for begin, end in found)
        parts.append(f"{label('band')}, {label(name)}: {width_s:.0f} s")
    return "\n".join(parts)
