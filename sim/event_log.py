"""The event log of a twin: what phases and overlaps did, from the lamps that were shown, 0.1 s stamps.

::

    lamps    Gr      yr        rr          rG
    phase 1  1 green 8 yellow  10 red cl.
    phase 2                                1 green
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product

from sim.heads import Moment
from traffic.events import Event, EventCode
from traffic.ids import JunctionId, PhaseNumber
from traffic.lamps import Part, RingState, lamps
from traffic.signals import GREEN_LETTERS, Junction

Parts = dict[PhaseNumber, Part]

_BEGIN = {
    Part.GREEN: EventCode.BEGIN_GREEN,
    Part.YELLOW: EventCode.BEGIN_YELLOW,
    Part.RED_CLEAR: EventCode.BEGIN_RED_CLEAR,
}
_END = {Part.GREEN: EventCode.END_GREEN, Part.YELLOW: EventCode.END_YELLOW, Part.RED_CLEAR: EventCode.END_RED_CLEAR}


def events_of_run(
    junctions: Mapping[JunctionId, Junction], histories: Mapping[JunctionId, Sequence[Moment]]
) -> list[Event]:
    """Return the events of all junctions in order of time."""
    return sorted(event for name, history in histories.items() for event in lamp_events(junctions[name], history))


def lamp_events(junction: Junction, history: Sequence[Moment]) -> Iterator[Event]:
    """Yield the events of one junction; `history` is [(from when, lamps)], changes only."""
    known = _states(junction)
    parts: Parts = {}
    for time_s, shown in history:
        now = _which(known.get(shown, []), parts) or _clearing(parts, shown)
        yield from _phase_events(junction.id, time_s, parts, now)
        parts = now
    for (_, before), (time_s, after) in pairwise([(0.0, "r" * junction.n_links), *history]):
        yield from _overlap_events(junction, time_s, before, after)


def _states(junction: Junction) -> dict[str, list[Parts]]:
    """Return which phases may be in which part, per lamp string; greens first."""
    found: dict[str, list[Parts]] = {}
    for latest in (Part.GREEN, Part.YELLOW, Part.RED_CLEAR):
        for group in junction.barriers:
            rings = [list(_ring_states(ring, group, latest)) for ring in junction.rings]
            for states in product(*(ring for ring in rings if ring)):
                parts = {state.phase: state.part for state in states}
                rows = found.setdefault(lamps(junction, states), [])
                if parts not in rows:
                    rows.append(parts)
    return found


def _which(candidates: Sequence[Parts], before: Parts) -> Parts | None:
    """Return the state in which the same phases go on clearing, else the first; None where there is none."""
    same = [parts for parts in candidates if parts.keys() == before.keys()]
    return next(iter([*same, *candidates]), None)


def _ring_states(ring: Sequence[PhaseNumber], group: frozenset[PhaseNumber], latest: Part) -> Iterator[RingState]:
    for phase in ring:
        if phase in group:
            yield RingState(phase, Part.GREEN, phase)
            for part in (Part.YELLOW, Part.RED_CLEAR):
                if latest is not Part.GREEN and (part is Part.YELLOW or latest is Part.RED_CLEAR):
                    yield from (RingState(phase, part, after) for after in ring)


def _clearing(parts: Parts, shown: str) -> Parts:
    """Return the phases in their clearance, where the lamps are those of no state of the rings."""
    part = Part.YELLOW if "y" in shown else Part.RED_CLEAR
    return dict.fromkeys(parts, part)


def _phase_events(junction: JunctionId, time_s: float, before: Parts, after: Parts) -> Iterator[Event]:
    stamp = round(time_s * 10)
    for phase in sorted(before.keys() | after.keys()):
        was, now = before.get(phase), after.get(phase)
        if was is now:
            continue
        if was is not None:
            yield Event(stamp, junction, _END[was], phase)
        if now is Part.GREEN:
            yield Event(stamp, junction, EventCode.PHASE_ON, phase)
        if now is not None:
            yield Event(stamp, junction, _BEGIN[now], phase)


def _overlap_events(junction: Junction, time_s: float, before: str, after: str) -> Iterator[Event]:
    """Yield begin green, yellow and red clearance of the overlaps; a link of two overlaps speaks for both."""
    stamp = round(time_s * 10)
    for overlap in junction.overlaps:
        was, now = before[overlap.link_indices[0]], after[overlap.link_indices[0]]
        code = _overlap_code(was, now)
        if code is not None:
            yield Event(stamp, junction.id, code, overlap.number)


def _overlap_code(was: str, now: str) -> EventCode | None:
    if now in GREEN_LETTERS:
        return None if was in GREEN_LETTERS else EventCode.OVERLAP_BEGIN_GREEN
    if now == "y":
        return None if was == "y" else EventCode.OVERLAP_BEGIN_YELLOW
    return EventCode.OVERLAP_BEGIN_RED_CLEAR if was in "Ggy" else None
