"""Signal programs for a generated town: stages by a scheme drawn at each junction, greens by what arrives.

::

    axis of two approaches a, b facing each other, lefts that yield `g`, protected `G`
    permissive  | a+b all, lefts g |
    protected   | lefts a+b | ahead a+b |            both   | lefts a+b | a+b all, lefts g |
    split       | a all | b all |                    lead   | a all | ahead a+b | b all |
    quad        | lefts a+b | a all | ahead a+b | b all |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from sim.netfile import NativeInterval, Program
from traffic.ids import LaneId, LinkId
from traffic.lamps import change
from traffic.network import Approach, Connection, Crossing, Network

Site = tuple[Crossing, tuple[str, ...]]
"""A junction and its stages."""
Flows = Mapping[tuple[LinkId, LinkId], float]
_MIN_GREEN_S = 6.0
_ODDS = {"permissive": 2.0, "quad": 1.0}
"""How likely a scheme is, against others."""
_FILTERED = {"l": 0.3, "L": 0.3}
"""Share of its green that a left turn has that yields to who comes towards it; other yielding movements have more."""
_FILTERED_ELSE = 0.8
_HELD_BACK = 0.15
"""Share of a green that a lane has on which somebody may wait for another stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """Yellow and all-red between stages, seconds."""

    yellow_s: float
    all_red_s: float


def draw_stages(
    network: Network, crossing: Crossing, rng: np.random.Generator, *, has_all: bool = False
) -> tuple[str, ...]:
    """Return stages that serve every movement, two or more, none with conflicting greens, in order of service.

    `has_all` takes the scheme of most stages everywhere.
    """
    own = [row for row in network.connections if row.junction == crossing.id and row.link_index is not None]
    stages: list[str] = []
    for axis in _axes(crossing.approaches):
        schemes = _schemes([[row for row in own if row.from_link == approach.link] for approach in axis])
        odds = np.array([_ODDS.get(name, 1.0) for name in schemes])
        drawn = list(schemes.values())[int(rng.choice(len(odds), p=odds / odds.sum()))]
        groups = max(schemes.values(), key=len) if has_all else drawn
        if rng.random() < 0.3:
            groups = groups[::-1]
        stages += [lamps for group in groups if (lamps := _lamps(crossing, group))]
    if rng.random() < 0.5:
        stages = [_with_rights(crossing, own, lamps) for lamps in stages]
    return tuple(dict.fromkeys(stages))


def _axes(approaches: Sequence[Approach]) -> list[list[Approach]]:
    """Return approaches in pairs that face each other, and those that face nobody."""
    axes: list[list[Approach]] = []
    for approach in approaches:
        for axis in axes:
            apart = abs((axis[0].bearing_deg - approach.bearing_deg) % 360.0 - 180.0)
            if len(axis) == 1 and apart < 40.0:
                axis.append(approach)
                break
        else:
            axes.append([approach])
    return axes


def _schemes(sides: Sequence[Sequence[Connection]]) -> dict[str, list[set[int]]]:
    """Return what an axis may do: by name of the scheme, the link indices that are green together."""
    everything = [_links(rows) for rows in sides]
    if len(sides) == 1:
        return {"alone": everything}
    a, b = everything
    lefts = [_links([row for row in rows if row.direction in "lL"]) for rows in sides]
    split, permissive = [a, b], [a | b]
    left, ahead = lefts[0] | lefts[1], (a | b) - lefts[0] - lefts[1]
    if not (left and ahead and all(_has_own_lanes(rows) for rows in sides)):
        return {"permissive": permissive, "split": split}
    lead, lag = ([side] if own else [] for side, own in zip((a, b), lefts, strict=True))
    return {
        "permissive": permissive,
        "both": [left, a | b],
        "protected": [left, ahead],
        "split": split,
        "lead": [*lead, ahead, *lag],
        "quad": [left, *lead, ahead, *lag],
    }


def _links(rows: Sequence[Connection]) -> set[int]:
    return {row.link_index for row in rows if row.link_index is not None}


def _has_own_lanes(rows: Sequence[Connection]) -> bool:
    """Whether no lane leads both to the left and elsewhere."""
    left = {row.from_lane for row in rows if row.direction in "lL"}
    return left.isdisjoint(row.from_lane for row in rows if row.direction not in "lL")


def _lamps(crossing: Crossing, group: set[int]) -> str:
    """Return the lamps in which a group is green, `g` where it yields within the group; empty for no group."""
    yields = {i for i, j in crossing.permissive if i in group and j in group}
    return "".join("g" if i in yields else "G" if i in group else "r" for i in range(crossing.n_links)) if group else ""


def _with_rights(crossing: Crossing, own: Sequence[Connection], lamps: str) -> str:
    """Return the lamps with the right turns green, too, that have lanes of their own and meet nobody."""
    group = {i for i, letter in enumerate(lamps) if letter != "r"}
    for row in own:
        index = row.link_index
        is_alone = all(other.direction in "rR" for other in own if other.from_lane == row.from_lane)
        if index is None or row.direction not in "rR" or not is_alone or index in group:
            continue
        if not any((min(index, j), max(index, j)) in crossing.conflicts for j in group):
            group.add(index)
    return _lamps(crossing, group)


def greens_needed(
    network: Network, crossing: Crossing, stages: Sequence[str], flows: Flows, sat_flow_vph: float
) -> list[float]:
    """Return the least share of time that every stage has to be green so that all lanes can discharge their flows.

    Flows in veh/h; the sum above 1 - L / C means that no cycle C is long enough.
    """
    lanes: dict[LaneId, list[tuple[Connection, float]]] = {}
    n_lanes: dict[tuple[LinkId, LinkId], int] = {}
    own = [row for row in network.connections if row.junction == crossing.id and row.link_index is not None]
    for row in own:
        n_lanes[row.from_link, row.to_link] = n_lanes.get((row.from_link, row.to_link), 0) + 1
    for row in own:
        pair = (row.from_link, row.to_link)
        lanes.setdefault(row.from_lane, []).append((row, flows.get(pair, 0.0) / n_lanes[pair]))
    loaded = [rows for rows in lanes.values() if sum(vph for _, vph in rows) > 0.0]
    served = [[-_served(rows, lamps) for lamps in stages] for rows in loaded]
    needed = [-sum(vph for _, vph in rows) / sat_flow_vph for rows in loaded]
    if not loaded:
        return [0.0] * len(stages)
    found = linprog([1.0] * len(stages), A_ub=served, b_ub=needed, bounds=(0.0, None), method="highs")
    return [float(value) for value in found.x]


def _served(rows: Sequence[tuple[Connection, float]], lamps: str) -> float:
    """Return how much of a green stage a lane can use, 0-1."""
    green = [(row, vph) for row, vph in rows if lamps[row.link_index or 0] in "Gg"]
    if not green or not sum(vph for _, vph in green):
        return 0.0
    time = sum(
        vph / (1.0 if lamps[r.link_index or 0] == "G" else _FILTERED.get(r.direction, _FILTERED_ELSE))
        for r, vph in green
    )
    share = sum(vph for _, vph in green) / time
    return share if sum(vph for _, vph in green) >= 0.999 * sum(vph for _, vph in rows) else _HELD_BACK * share


def lost_time_s(stages: Sequence[str], clearance: Clearance) -> float:
    """Return the time of a cycle in which nobody discharges: 2 s of start-up, and clearance but 1 s of yellow."""
    spans = [change(a, b, clearance.yellow_s, clearance.all_red_s) for a, b in _pairs(stages)]
    return sum(1.0 + sum(span for span, _ in steps) for steps in spans if steps)


def cycle_of(lost_s: float, needed: Sequence[float], rng: np.random.Generator) -> float:
    """Return Webster's cycle, mostly too long, as engineers have it: 45-130 s."""
    spare = max(0.1, 1.0 - sum(needed))
    return float(np.clip((1.5 * lost_s + 5.0) / spare * rng.uniform(0.9, 1.5), 45.0, 130.0))


def timed_program(
    site: Site, needed: Sequence[float], cycle_s: float, clearance: Clearance, rng: np.random.Generator
) -> Program:
    """Return a fixed-time program of about this cycle, greens in proportion to the need, a little off."""
    crossing, stages = site
    lost_s = lost_time_s(stages, clearance)
    shares = (np.array(needed) + 0.01) * np.exp(rng.normal(0.0, 0.12, len(stages)))
    greens_s = np.maximum(_MIN_GREEN_S, np.round((cycle_s - lost_s) * shares / shares.sum()))
    intervals: list[NativeInterval] = []
    for green_s, (lamps, after) in zip(greens_s.tolist(), _pairs(stages), strict=True):
        intervals.append(NativeInterval(duration_s=green_s, lamps=lamps))
        for span_s, shown in change(lamps, after, clearance.yellow_s, clearance.all_red_s):
            intervals.append(NativeInterval(duration_s=span_s, lamps=shown))
    whole_s = sum(row.duration_s for row in intervals)
    offset_s = float(rng.integers(int(whole_s)))
    return Program(junction=crossing.id, offset_s=offset_s, intervals=tuple(intervals))


def _pairs(stages: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(stages, [*stages[1:], stages[0]], strict=True))
