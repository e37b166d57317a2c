"""Delay as the centre sees it: arrivals and departures in the event log, no vehicle ever recognised.

::

    vehicles                       ____/ departures at the stop line
       |                 ____/____/
       |           _____/   <- queue (up), delay of all (the area between)
       |      ____/    /
       |_____/________/______ time
             arrivals at the advance detector, shifted by the free-flow travel time

Detectors miss and double vehicles, so the two curves drift apart. They are tied together again
(an *anchor*) where the queue is known to be 0: where it was below 0 for longer than speeds differ,
and where every phase of the approach was green for a while and nobody left. Between two anchors
the drift is spread evenly over the pulses.

References
----------
G. F. Newell, A simplified theory of kinematic waves in highway traffic, Transportation Research B
27 (1993) 281-313 (cumulative curves); HCM 2010, chapter 31 (input-output technique).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, nan

import numpy as np
import numpy.typing as npt

from traffic.events import Event, EventCode
from traffic.ids import JunctionId, LinkId

FloatArray = npt.NDArray[np.float64]
Key = tuple[JunctionId, LinkId]


class Place(StrEnum):
    """Where on an approach a detector lies."""

    ADVANCE = "advance"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorChannel:
    """Which approach and place a detector channel of the event log means."""

    junction: JunctionId
    approach: LinkId
    place: Place
    channel: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedApproach:
    """An approach as the log knows it.

    Attributes
    ----------
    advance, stop
        Channels of its detectors; one pulse (code 82) a vehicle.
    free_flow_s
        Mean travel time from advance detector to stop line without signals, seconds.
    phases
        Phases in which some of its vehicles have green (codes 1 and 7); none = never tied by a quiet green.
    storage_veh
        Vehicles that stand between the two detectors; a longer queue hides arrivals.
    """

    junction: JunctionId
    approach: LinkId
    advance: tuple[int, ...]
    stop: tuple[int, ...]
    free_flow_s: float
    phases: tuple[int, ...] = ()
    storage_veh: float = inf

    @property
    def key(self) -> Key:
        """Junction and approach."""
        return self.junction, self.approach


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftLimits:
    """When curves are tied together, and when their answer is not to be trusted (our assumptions).

    Attributes
    ----------
    early_s
        A queue below 0 for longer than this is drift; for less, somebody drove faster than the mean.
    quiet_green_s
        Green of every phase without a departure that shows an empty approach, seconds.
    max_drift
        Vehicles corrected, as a share of those counted, 0-1.
    max_untied_s
        Longest time without an anchor, seconds.
    max_drop_veh
        Vehicles that a quiet green may take away at once; more look like a blocked exit or a dead detector.
    """

    early_s: float = 5.0
    quiet_green_s: float = 8.0
    max_drift: float = 0.1
    max_untied_s: float = 900.0
    max_drop_veh: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedDelay:
    """Delay of one approach in the window; NaN where its detectors say nothing.

    `delay_veh_s` is the area between the curves, `vehicles` those that left in the window,
    `drift_veh` the vehicles added or taken away; `doubts` are empty where it can be trusted.
    """

    junction: JunctionId
    approach: LinkId
    delay_veh_s: float
    vehicles: int
    queue_mean_veh: float
    queue_max_veh: float
    drift_veh: float
    doubts: tuple[str, ...] = ()

    @property
    def delay_s(self) -> float:
        """Seconds per vehicle that left; NaN where none did."""
        return self.delay_veh_s / self.vehicles if self.vehicles else nan


def approaches_of(
    channels: Iterable[DetectorChannel],
    free_flow_s: Mapping[Key, float],
    phases: Mapping[Key, tuple[int, ...]] | None = None,
) -> tuple[LoggedApproach, ...]:
    """Return the approaches that have both an advance and a stop detector, in the order of the channels."""
    found: dict[Key, dict[Place, list[int]]] = {}
    for row in channels:
        places = found.setdefault((row.junction, row.approach), {Place.ADVANCE: [], Place.STOP: []})
        places[row.place].append(row.channel)
    return tuple(
        LoggedApproach(
            junction=key[0],
            approach=key[1],
            advance=tuple(places[Place.ADVANCE]),
            stop=tuple(places[Place.STOP]),
            free_flow_s=free_flow_s[key],
            phases=(phases or {}).get(key, ()),
        )
        for key, places in found.items()
        if all(places.values()) and key in free_flow_s
    )


def log_delay(
    events: Iterable[Event],
    approaches: Sequence[LoggedApproach],
    window: tuple[float, float],
    limits: DriftLimits = DriftLimits(),
) -> dict[Key, LoggedDelay]:
    """Return the delay of each approach in `window` = (begin, end) in seconds of the street's clock.

    Events before the window are used to know the queue at its beginning: give a few cycles of them.
    """
    wanted = {EventCode.DETECTOR_ON, EventCode.BEGIN_GREEN, EventCode.END_GREEN}
    by_junction: dict[JunctionId, list[Event]] = {}
    for event in sorted(events):
        if event.code in wanted and event.time_s < window[1]:
            by_junction.setdefault(event.junction, []).append(event)
    return {row.key: _delay(by_junction.get(row.junction, []), row, window, limits) for row in approaches}


def total_delay_s(delays: Mapping[Key, LoggedDelay], over: Iterable[Key] | None = None) -> float:
    """Return seconds per vehicle and junction passed, over the approaches `over` (all known ones if None).

    Two runs are comparable over the same approaches only; an unknown one named in `over` makes
    the total unknown. A vehicle that passes three junctions counts three times.
    """
    chosen = [row for row in delays.values() if row.vehicles] if over is None else [delays[key] for key in over]
    vehicles = sum(row.vehicles for row in chosen)
    return sum(row.delay_veh_s for row in chosen) / vehicles if vehicles else nan


def _delay(
    events: Sequence[Event], approach: LoggedApproach, window: tuple[float, float], limits: DriftLimits
) -> LoggedDelay:
    begin_s, end_s = window
    arrivals = _stamps(events, approach.advance) + approach.free_flow_s
    arrivals, departures = arrivals[arrivals < end_s], _stamps(events, approach.stop)
    n_in, n_out = int((arrivals >= begin_s).sum()), int((departures >= begin_s).sum())
    if not n_in or not n_out:
        silent = " and ".join(name for name, n in (("advance", n_in), ("stop", n_out)) if not n)
        return _logged(approach, nan, 0, (nan, nan, nan), (f"no pulse from the {silent} detector in the window",))
    quiet_s = [time - limits.early_s for time in _quiet_times(events, approach, departures, limits.quiet_green_s)]
    times = np.unique(np.concatenate((arrivals, departures, quiet_s, window)))
    balance = np.searchsorted(arrivals, times, "right") - np.searchsorted(departures, times, "right")
    anchors = _anchors(times, balance.astype(np.float64), frozenset(quiet_s), limits.early_s)
    queue_veh = balance - _drift(times, arrivals, departures, anchors)
    inside = times >= begin_s
    area_veh_s = float((queue_veh[:-1] * np.diff(times))[inside[:-1]].sum())
    longest_veh = max(0.0, float(queue_veh[inside].max()))
    values = [value for _, value in anchors]
    steps = np.diff(values)[[time > begin_s for time, _ in anchors[1:]]]
    drift_veh = float(np.abs(steps).sum())
    doubts = [
        (drift_veh > limits.max_drift * max(n_in, n_out), f"{drift_veh:.0f} of {max(n_in, n_out)} vehicles corrected"),
        (_untied_s(anchors, window) > limits.max_untied_s, f"never seen empty for {_untied_s(anchors, window):.0f} s"),
        (max(steps, default=0.0) > limits.max_drop_veh, "a green without departures while a queue stood"),
        (longest_veh > approach.storage_veh, "the queue covered the advance detector: a lower bound"),
    ]
    queue = (area_veh_s / (end_s - begin_s), longest_veh, drift_veh)
    return _logged(approach, area_veh_s, n_out, queue, tuple(text for holds, text in doubts if holds))


def _logged(
    approach: LoggedApproach,
    area_veh_s: float,
    vehicles: int,
    queue: tuple[float, float, float],
    doubts: tuple[str, ...],
) -> LoggedDelay:
    return LoggedDelay(
        junction=approach.junction,
        approach=approach.approach,
        delay_veh_s=area_veh_s,
        vehicles=vehicles,
        queue_mean_veh=queue[0],
        queue_max_veh=queue[1],
        drift_veh=queue[2],
        doubts=doubts,
    )


def _stamps(events: Sequence[Event], channels: tuple[int, ...]) -> FloatArray:
    stamps = [e.time_s for e in events if e.code is EventCode.DETECTOR_ON and e.parameter in channels]
    return np.asarray(stamps, dtype=np.float64)


def _quiet_times(
    events: Sequence[Event], approach: LoggedApproach, departures: FloatArray, quiet_green_s: float
) -> list[float]:
    """Return the times at which every phase has been green for `quiet_green_s` since the last departure."""
    changes = [
        (e.time_s, e.parameter, e.code is EventCode.BEGIN_GREEN)
        for e in events
        if e.code is not EventCode.DETECTOR_ON and e.parameter in approach.phases
    ]
    resets = [(float(time), 0, False) for time in departures]
    green_since: dict[int, float] = {}
    green_s = dict.fromkeys(approach.phases, 0.0)
    quiet: list[float] = []
    for time_s, phase, begins in sorted(changes + resets):
        reached = _reached_s(green_s, green_since, quiet_green_s)
        if reached <= time_s:
            quiet.append(reached)
        if reached <= time_s or not phase:
            green_s = dict.fromkeys(approach.phases, 0.0)
            green_since = dict.fromkeys(green_since, time_s)
        if phase and begins:
            green_since.setdefault(phase, time_s)
        elif phase and phase in green_since:
            green_s[phase] += time_s - green_since.pop(phase)
    return quiet


def _reached_s(green_s: Mapping[int, float], green_since: Mapping[int, float], quiet_green_s: float) -> float:
    """Return when all phases will have been green long enough if nothing changes; infinity if never."""
    lacking = {phase: quiet_green_s - done for phase, done in green_s.items() if done < quiet_green_s}
    if not lacking or not lacking.keys() <= green_since.keys():
        return inf
    return max(green_since[phase] + rest for phase, rest in lacking.items())


def _anchors(
    times: FloatArray, balance: FloatArray, quiet_s: frozenset[float], early_s: float
) -> list[tuple[float, float]]:
    """Return (time, balance at which the queue was 0), the first at the start of the log."""
    anchors = [(float(times[0]), 0.0)]
    for index, time_s in enumerate(times):
        zero = anchors[-1][1]
        if float(time_s) in quiet_s:
            found = float(balance[index])
        elif balance[index] < zero and time_s + early_s <= times[-1]:
            soon = int(np.searchsorted(times, time_s + early_s, "right"))
            found = min(zero, float(balance[index:soon].max()))
            if found == zero:
                continue
        else:
            continue
        anchors.append((float(time_s), found))
    return anchors


def _drift(
    times: FloatArray, arrivals: FloatArray, departures: FloatArray, anchors: Sequence[tuple[float, float]]
) -> FloatArray:
    """Return the drift at each time: from anchor to anchor in equal steps, one a pulse."""

    def pulses(at_s: FloatArray) -> npt.NDArray[np.intp]:
        return np.searchsorted(arrivals, at_s, "right") + np.searchsorted(departures, at_s, "right")

    tied = dict(zip(pulses(np.array([time for time, _ in anchors])), (value for _, value in anchors), strict=True))
    drift: FloatArray = np.interp(pulses(times), list(tied), list(tied.values()))
    return drift


def _untied_s(anchors: Sequence[tuple[float, float]], window: tuple[float, float]) -> float:
    """Return the longest time within the window without an anchor."""
    inside = [time for time, _ in anchors[1:] if window[0] < time < window[1]]
    return float(np.diff([window[0], *inside, window[1]]).max())
