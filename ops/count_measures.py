"""Measures of a count as rows of a table: speeds, headways, saturation flow, arrivals on red, queue, occupancy.

::

    signals.csv:  time_s, signal, state       state: green, yellow, red (or G, y, r); a line's `signal` names one
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from traffic.errors import BadInput
from vision.camera import Camera, CountLine
from vision.crossings import Crossing
from vision.measure import SPAN_S, Green, LaneWatch, arrivals_on_red, headways_s, per_cycle, saturation

_GREEN = frozenset({"green", "g"})
_STATES = _GREEN | {"yellow", "y", "red", "r"}


def read_greens(path: Path) -> dict[str, list[Green]]:
    """Read signal states and return the greens of each signal, seconds since the first frame.

    Raises
    ------
    BadInput
        If the file is missing, lacks a column, or holds an unknown state or times that go back.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [(float(row["time_s"]), row["signal"], row["state"].strip().lower()) for row in csv.DictReader(file)]
    except OSError as error:
        raise BadInput(str(path), "cannot be read", str(error), "give a file of signal states") from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadInput(
            str(path), str(error), "want the columns time_s, signal, state", "see docs/counting.md"
        ) from error
    greens: dict[str, list[Green]] = {}
    began: dict[str, float] = {}
    last_s = -float("inf")
    for time_s, signal, state in rows:
        if state not in _STATES:
            raise BadInput(str(path), f"state {state!r} at {time_s:g} s", "green, yellow or red", "mend it")
        if time_s < last_s:
            raise BadInput(str(path), f"{time_s:g} s after {last_s:g} s", "times go forward", "sort it")
        last_s = time_s
        if state in _GREEN:
            began.setdefault(signal, time_s)
        elif signal in began:
            greens.setdefault(signal, []).append((began.pop(signal), time_s))
    return greens


def line_rows(
    camera: Camera, crossings: Sequence[Crossing], greens: dict[str, list[Green]]
) -> Iterator[dict[str, Any]]:
    """Yield the measures of every line."""
    for line in camera.lines:
        mine = [row for row in crossings if row.line == line.name]
        for direction in line.directions:
            speeds = [row.speed_kph for row in mine if row.direction == direction and row.speed_kph is not None]
            if speeds:
                way, n = ("line", line.name, direction), len(speeds)
                yield _row(way, "speed_mean", float(np.mean(speeds)), "km/h", n)
                yield _row(way, "speed_p85", float(np.percentile(speeds, 85)), "km/h", n)
        for lane in range(line.n_lanes):
            yield from _lane_rows(line, lane, mine, greens.get(line.signal or "", []))


def _lane_rows(
    line: CountLine, lane: int, mine: Sequence[Crossing], greens: Sequence[Green]
) -> Iterator[dict[str, Any]]:
    name = f"lane {lane + 1}"
    gaps = headways_s(mine, line.name, lane, line.n_lanes)
    if gaps:
        yield _row(("line", line.name, name), "headway_median", float(np.median(gaps)), "s", len(gaps))
    if not greens:
        return
    times = [row.time_s for row in mine if row.lane(line.n_lanes) == lane]
    flow = saturation(times, greens)
    for span, vph in enumerate(flow.span_vph):
        if vph is not None:
            place = f"{span * SPAN_S:g}-{(span + 1) * SPAN_S:g} s of green"
            yield _row(("line", line.name, name), "discharge", vph, "veh/h", flow.n_greens, place)
    if flow.sat_flow_vph is not None:
        yield _row(("line", line.name, name), "sat_flow", flow.sat_flow_vph, "veh/h", flow.n_greens)
    share = arrivals_on_red(times, greens)
    if share is not None:
        yield _row(("line", line.name, name), "crossings_on_red", share, "0-1", len(times))
    for cycle, n in enumerate(per_cycle(times, greens), start=1):
        yield _row(("line", line.name, name), "count", n, "veh", 1, f"cycle {cycle}")


def lane_rows(watch: LaneWatch) -> Iterator[dict[str, Any]]:
    """Yield queue and occupancy of every lane."""
    for name, looks in watch.lanes.items():
        n = len(looks.times_s)
        if not n:
            continue
        yield _row(("lane", name, ""), "queue_mean", float(np.mean(looks.queue_veh)), "veh", n)
        yield _row(("lane", name, ""), "queue_most", float(np.max(looks.queue_veh)), "veh", n)
        back_m = float(np.max(looks.queue_m))
        if isfinite(back_m):
            yield _row(("lane", name, ""), "back_of_queue_most", back_m, "m", n)
        yield _row(("lane", name, ""), "occupancy", float(np.mean(looks.is_covered)), "0-1", n)


def _row(where: tuple[str, str, str], measure: str, value: float, unit: str, n: int, place: str = "") -> dict[str, Any]:
    kind, name, lane = where
    return {"kind": kind, "name": name, "lane": lane, "measure": measure, "place": place, "value": round(value, 3),
            "unit": unit, "n": n}  # fmt: skip
