"""Taking up a timetable: in step from the first tick, or from wherever the rings happen to be."""

from __future__ import annotations

from control.drivers.cabinet_calls import Calls
from control.drivers.cabinet_clock import CycleClock
from control.drivers.cabinet_plan import Timetable
from control.drivers.cabinet_rings import NO_PHASE, Ring, Rings
from traffic.ids import PhaseNumber
from traffic.lamps import Part
from traffic.signals import Junction


def start_in_step(junction: Junction, clock: CycleClock, calls: Calls) -> Rings:
    """Return rings that are where a controller would be that had run this timetable for hours."""
    clock.local_ds = clock.desired_ds()
    rings = Rings(
        junction=junction,
        rings=tuple(_ring_at(junction, clock, order) for order in clock.table.order),
        calls=calls,
        step_ds=clock.step_ds,
        now_ds=clock.now_ds,
        clock=clock,
    )
    _find_group(rings)
    return rings


def _ring_at(junction: Junction, clock: CycleClock, order: tuple[PhaseNumber, ...]) -> Ring:
    """Return the ring that stands at the clock's position: the parts of a window are half open, [start, end)."""
    position, windows = clock.local_ds, clock.table.windows
    served = [p for p in order if p in windows]
    place = next(i for i, p in enumerate(served) if windows[p].start_ds <= position < windows[p].end_ds)
    number, following = served[place], served[(place + 1) % len(served)]
    window, phase = windows[number], junction.phase(number)
    elapsed = position - window.start_ds
    ring = Ring(order=order, phase=number, part=Part.GREEN, since_ds=clock.now_ds - elapsed)
    if position >= window.force_off_ds:
        is_yellow = position < window.force_off_ds + phase.yellow_ds
        ring.part = Part.YELLOW if is_yellow else Part.RED_CLEAR
        ring.since_ds = clock.now_ds - (position - window.force_off_ds) + (0 if is_yellow else phase.yellow_ds)
        ring.next_phase = following
        ring.is_crossing = _is_crossing(junction, order, number, following)
    return ring


def start_dark(junction: Junction, calls: Calls, step_ds: int, now_ds: int) -> Rings:
    """Return rings that are all red and about to serve the coordinated phase's group: after flash or a restart."""
    group = next(i for i, phases in enumerate(junction.barriers) if junction.coordinated in phases)
    rings = tuple(Ring(order=order, phase=order[-1], part=Part.RED, since_ds=now_ds) for order in junction.rings)
    return Rings(
        junction=junction, rings=rings, calls=calls, step_ds=step_ds, now_ds=now_ds, heading=group, group=group
    )


def _is_crossing(junction: Junction, order: tuple[PhaseNumber, ...], before: PhaseNumber, after: PhaseNumber) -> bool:
    shares_group = any(before in group and after in group for group in junction.barriers)
    return not shares_group or order.index(after) <= order.index(before)


def _find_group(rings: Rings) -> None:
    """Set the barrier group that the rings are in, and the one that they are crossing to."""
    for index, group in enumerate(rings.junction.barriers):
        if any(ring.phase in group for ring in rings.rings):
            rings.group = index
        if any(ring.is_crossing and ring.next_phase in group for ring in rings.rings):
            rings.heading = index


def take_up(rings: Rings, table: Timetable, zero_ds: int) -> None:
    """Give running rings a new timetable; nothing that is lit changes by this.

    The local clock starts where the offset wants it if every ring's phase may be green there; else where the
    rings are, and a correction begins.
    """
    clock = CycleClock(table=table, step_ds=rings.step_ds, zero_ds=zero_ds, now_ds=rings.now_ds, local_ds=0)
    spans = [span for ring in rings.rings if (span := _span(rings, table, ring)) is not None]
    wanted = clock.desired_ds()
    positions = [position for position, _, _ in spans] or [wanted]
    shifted = [wanted + turn * table.cycle_ds for turn in (-1, 0, 1)]
    fitting = [at for at in shifted if spans and all(low <= at <= high for _, low, high in spans)]
    clock.local_ds = fitting[0] if fitting else min(positions)
    if clock.error_ds:
        clock.plan_correction()
    rings.clock = clock
    for ring in rings.rings:
        served = ring.phase if ring.part is Part.GREEN or not ring.next_phase else ring.next_phase
        wraps = served != ring.phase and ring.order.index(served) <= ring.order.index(ring.phase)
        ring.cycle = -1 if wraps else 0
        ring.had_yield = False
        if ring.part is Part.RED and not ring.next_phase:
            ring.cycle = _idle_cycle(clock)


def _idle_cycle(clock: CycleClock) -> int:
    """Return the cycle of a ring that rests in red, so that the phase it starts next has its window ahead."""
    return clock.local_ds // clock.table.cycle_ds - 1


def _span(rings: Rings, table: Timetable, ring: Ring) -> tuple[int, int, int] | None:
    """Return (position, least, greatest) of the cycle at which this ring's present state belongs."""
    if ring.part is Part.GREEN:
        window = table.windows.get(ring.phase)
        if window is not None:
            elapsed = rings.now_ds - ring.since_ds
            return min(window.start_ds + elapsed, window.force_off_ds), window.start_ds, window.force_off_ds
        after = _next_served(table, ring)
        return None if after is NO_PHASE else (table.windows[after].start_ds,) * 3
    following = ring.next_phase if ring.next_phase in table.windows else NO_PHASE
    if not following:
        return None
    phase = rings.junction.phase(ring.phase)
    whole = phase.clearance_ds if ring.part is Part.YELLOW else phase.red_clear_ds
    left = 0 if ring.part is Part.RED else whole - (rings.now_ds - ring.since_ds)
    at = table.windows[following].start_ds - left
    return at, at, at


def _next_served(table: Timetable, ring: Ring) -> PhaseNumber:
    place = ring.order.index(ring.phase)
    turned = ring.order[place + 1 :] + ring.order[:place]
    return next((p for p in turned if p in table.windows), NO_PHASE)
