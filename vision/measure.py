"""Traffic measures out of crossings and tracks: headways, saturation flow, arrivals on red, queue, occupancy.

::

    green  |----4 s----|----4 s----|----4 s----| ...        vehicles that cross in each, mean over cycles
           start-up      saturation flow         queue gone

References
----------
Road Note 34, A method of measuring saturation flow at traffic signals, Road Research Laboratory, 1963.
Highway Capacity Manual, 7th edition, chapter 31: the first four headways are start-up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from vision.camera import Area, Camera
from vision.counter import Standing
from vision.crossings import Crossing
from vision.zones import inside

SPAN_S = 4.0
"""Length of the spans that a green is divided into."""
QUEUE_GONE_S = 4.0
"""A headway longer than this ends the discharge of a queue."""
START_UP_VEH = 4

Green = tuple[float, float]
"""Start and end of a green, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saturation:
    """Discharge of a queue on one lane of a line.

    Attributes
    ----------
    span_vph
        Mean flow in each span of 4 s of green while the queue lasted, veh/h; None where no green had a queue.
    sat_flow_vph
        Mean of 3600 / headway after the first four vehicles, None below eight headways.
    n_greens
        Greens that were looked at.
    """

    span_vph: tuple[float | None, ...]
    sat_flow_vph: float | None
    n_greens: int


def headways_s(crossings: Iterable[Crossing], line: str, lane: int = 0, n_lanes: int = 1) -> list[float]:
    """Return the times between one crossing of a lane and the next, seconds."""
    times = sorted(row.time_s for row in crossings if row.line == line and row.lane(n_lanes) == lane)
    return [after - before for before, after in pairwise(times)]


def saturation(times_s: Sequence[float], greens: Sequence[Green]) -> Saturation:
    """Return the discharge of the queues that stood when these greens began.

    Examples
    --------
    >>> s = saturation([2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26], [(0, 30)])
    >>> s.sat_flow_vph, s.span_vph[1]
    (1800.0, 1800.0)
    """
    counts: dict[int, list[int]] = defaultdict(list)
    steady: list[float] = []
    for start_s, end_s in greens:
        inside_s = [time_s for time_s in sorted(times_s) if start_s <= time_s < end_s]
        ends = [b for a, b in pairwise(inside_s) if b - a > QUEUE_GONE_S]
        last_s = inside_s[inside_s.index(ends[0]) - 1] if ends else (inside_s[-1] if inside_s else start_s)
        queue = [time_s for time_s in inside_s if time_s <= last_s]
        steady += [b - a for a, b in pairwise(queue)][START_UP_VEH - 1 :]
        for span in range(int((last_s - start_s) // SPAN_S)):
            low = start_s + span * SPAN_S
            counts[span].append(sum(low <= time_s < low + SPAN_S for time_s in queue))
    n_spans = max(counts, default=-1) + 1
    flows = tuple(3600.0 * float(np.mean(counts[i])) / SPAN_S if counts[i] else None for i in range(n_spans))
    flow = 3600.0 / float(np.mean(steady)) if len(steady) >= 2 * START_UP_VEH else None
    return Saturation(span_vph=flows, sat_flow_vph=flow, n_greens=len(greens))


def arrivals_on_red(times_s: Sequence[float], greens: Sequence[Green]) -> float | None:
    """Return the share of arrivals that came while no green was shown, 0-1; None without arrivals or greens.

    Examples
    --------
    >>> arrivals_on_red([5, 15, 25, 35], [(10, 20), (30, 40)])
    0.5
    """
    if not len(times_s) or not greens:
        return None
    red = sum(not any(start_s <= time_s < end_s for start_s, end_s in greens) for time_s in times_s)
    return red / len(times_s)


def per_cycle(times_s: Sequence[float], greens: Sequence[Green]) -> list[int]:
    """Return how many crossed in each cycle, from one start of green to the next.

    Examples
    --------
    >>> per_cycle([5, 15, 65, 75, 125], [(0, 30), (60, 90), (120, 150)])
    [2, 2]
    """
    return [sum(a <= time_s < b for time_s in times_s) for (a, _), (b, _) in pairwise(greens)]


@dataclass(slots=True, kw_only=True)
class LaneLooks:
    """What was seen of one lane, look by look: standing vehicles, back of queue, whether its stop line was covered."""

    times_s: list[float] = field(default_factory=list)
    queue_veh: list[int] = field(default_factory=list)
    queue_m: list[float] = field(default_factory=list)
    is_covered: list[bool] = field(default_factory=list)


class LaneWatch:
    """Queue length and occupancy of a camera's lanes; a lane's first edge is its stop line."""

    def __init__(self, camera: Camera, every_s: float = 1.0) -> None:
        self._camera, self._every_s, self._next_s = camera, every_s, 0.0
        self.lanes: Mapping[str, LaneLooks] = {lane.name: LaneLooks() for lane in camera.lanes}

    def see(self, time_s: float, users: Sequence[Standing]) -> None:
        """Take who is where now; looks every second."""
        if not self.lanes or time_s < self._next_s:
            return
        self._next_s = time_s + self._every_s
        points = np.array([user.anchor for user in users], np.float32).reshape(-1, 2)
        for lane in self._camera.lanes:
            looks = self.lanes[lane.name]
            mine = inside(points, lane.points) if len(points) else np.zeros(0, bool)
            standing = [user for user, is_here in zip(users, mine, strict=True) if is_here and user.is_standing]
            looks.times_s.append(time_s)
            looks.queue_veh.append(len(standing))
            looks.queue_m.append(self._back_m(lane, standing))
            looks.is_covered.append(any(_covers(user, _stop_middle(lane)) for user in users))

    def _back_m(self, lane: Area, standing: Sequence[Standing]) -> float:
        """Return how far the last standing vehicle is behind the stop line, metres; NaN without a road plane."""
        if self._camera.road is None:
            return float("nan")
        if not standing:
            return 0.0
        pixels = [_stop_middle(lane), *(user.anchor for user in standing)]
        road = self._camera.road.to_road(pixels)
        return float(np.linalg.norm(road[1:] - road[0], axis=1).max())


def _stop_middle(lane: Area) -> tuple[float, float]:
    (x0, y0), (x1, y1) = lane.points[:2]
    return (x0 + x1) / 2, (y0 + y1) / 2


def _covers(user: Standing, point: tuple[float, float]) -> bool:
    x1, y1, x2, y2 = user.box
    return bool(x1 <= point[0] <= x2 and y1 <= point[1] <= y2)
