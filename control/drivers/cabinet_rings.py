"""The rings: each times one phase at a time; between two barriers they run side by side.

::

    ring 1  |--1--|----2----|---3---|---4---|
    ring 2  |---5---|---6---|--7--|----8----|
            |       barrier |       barrier |

A ring leaves its last phase before a barrier only when it would reach the far side together with the others;
until then it rests in green. Once one has left, the others serve what was `booked` then, and no more.
A green never ends before its minimum and the pedestrians in it are served.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from control.drivers.cabinet_calls import Calls
from control.drivers.cabinet_clock import CycleClock
from traffic.events import EventCode
from traffic.ids import PhaseNumber
from traffic.lamps import Part, RingState
from traffic.signals import ForceMode, Junction, Phase

NEVER_DS = 1 << 60
NO_PHASE = PhaseNumber(0)


class Ending(IntEnum):
    """Why a green ended or is about to; the numbers are the event codes."""

    GAP_OUT = 4
    MAX_OUT = 5
    FORCE_OFF = 6


@dataclass(slots=True, kw_only=True)
class Ring:
    """One ring. `cycle` counts the local cycles that it has begun; `contested_ds` is since when others wait."""

    order: tuple[PhaseNumber, ...]
    phase: PhaseNumber
    part: Part
    since_ds: int
    next_phase: PhaseNumber = NO_PHASE
    is_crossing: bool = False
    cycle: int = 0
    walk_end_ds: int = 0
    ped_end_ds: int = 0
    passage_end_ds: int = 0
    contested_ds: int = NEVER_DS
    ending: Ending | None = None
    had_yield: bool = False
    booked: frozenset[PhaseNumber] = frozenset()

    @property
    def state(self) -> RingState:
        """What the lamps need to know."""
        return RingState(self.phase, self.part, self.next_phase)


@dataclass(slots=True, kw_only=True)
class Rings:
    """All rings of a junction. `goal` is None in normal service; else only these phases may be green.

    `clock` is None in free operation. `heading` is the barrier group that the rings are crossing to.
    """

    junction: Junction
    rings: tuple[Ring, ...]
    calls: Calls
    step_ds: int
    now_ds: int
    clock: CycleClock | None = None
    goal: frozenset[PhaseNumber] | None = None
    group: int = 0
    heading: int | None = None
    on_change: Callable[[Ring, Part], None] | None = None
    on_walk: Callable[[EventCode, int], None] | None = None
    _group_of: dict[PhaseNumber, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._group_of = {p: i for i, group in enumerate(self.junction.barriers) for p in group}

    def step(self) -> None:
        """Do all that is due at `now_ds`."""
        for ring in self.rings:
            if ring.part is Part.GREEN:
                self._watch(ring)
        for _ in range(2 * len(self.junction.phases) + 2):
            changed = [self._clear(ring) for ring in self.rings]
            started = self._start()
            ended = [ring.part is Part.GREEN and self._try_end(ring) for ring in self.rings]
            if not (any(changed) or started or any(ended)):
                return

    def _watch(self, ring: Ring) -> None:
        """Keep a green's passage timer, its maximum timer and its place in the local cycle up to date."""
        if self.on_walk is not None and ring.ped_end_ds > ring.since_ds:
            if self.now_ds == ring.walk_end_ds:
                self.on_walk(EventCode.BEGIN_PED_CLEAR, int(ring.phase))
            if self.now_ds == ring.ped_end_ds:
                self.on_walk(EventCode.BEGIN_DONT_WALK, int(ring.phase))
        if ring.phase in self.calls.occupied:
            ring.passage_end_ds = self.now_ds + self.junction.phase(ring.phase).passage_ds
        if self.clock is None:
            if ring.contested_ds == NEVER_DS and self._next_group() is not None:
                ring.contested_ds = self.now_ds
            return
        window, table = self.clock.table.windows.get(ring.phase), self.clock.table
        if window is None:
            return
        if self.clock.local_ds >= (ring.cycle + 1) * table.cycle_ds + window.start_ds:
            ring.cycle += 1
        if ring.phase in table.coordinated and not ring.had_yield and self.now_ds >= self.earliest_end_ds(ring):
            ring.had_yield = True
            late_ds = self.clock.local_ds - ring.cycle * table.cycle_ds - window.force_off_ds
            if late_ds > 0:
                self.clock.fall_back(late_ds)

    # -- clearance and start of green ---------------------------------------------------------

    def _clear(self, ring: Ring) -> bool:
        phase = self.junction.phase(ring.phase)
        elapsed = self.now_ds - ring.since_ds
        if ring.part is Part.YELLOW and elapsed >= phase.yellow_ds:
            self._show(ring, Part.RED_CLEAR)
            return True
        if ring.part is Part.RED_CLEAR and elapsed >= phase.red_clear_ds:
            self._show(ring, Part.RED)
            return True
        return False

    def _start(self) -> bool:
        started = False
        for ring in self.rings:
            if ring.part is Part.RED and not ring.is_crossing:
                chosen = ring.next_phase if self._may_run(ring.next_phase) else NO_PHASE
                if not chosen and self.heading is None:
                    chosen = self._called_in(ring, self.group)
                if chosen and all(self._is_beside(chosen, other) for other in self.rings if other is not ring):
                    self._green(ring, chosen)
                    started = True
        if started:
            return True
        if self.heading is None and all(ring.part is Part.RED for ring in self.rings):
            self.heading = self._next_group()
        return self._cross()

    def _cross(self) -> bool:
        """Begin the group that is headed for, once every ring is red."""
        if self.heading is None or any(ring.part is not Part.RED for ring in self.rings):
            return False
        self.group, self.heading = self.heading, None
        for ring in self.rings:
            chosen = ring.next_phase
            if self._group_of.get(chosen) != self.group or not self._may_run(chosen):
                chosen = self._entry(ring, self.group)
            ring.is_crossing = False
            ring.next_phase = NO_PHASE
            if chosen and all(self._is_beside(chosen, o) for o in self.rings if o is not ring):
                self._green(ring, chosen)
        # Beyond a barrier all are in one cycle; a ring whose green was late by a whole window had counted one too many.
        begun = [ring for ring in self.rings if ring.part is Part.GREEN]
        for ring in begun:
            ring.cycle = min(other.cycle for other in begun)
        return True

    def _is_beside(self, phase: PhaseNumber, other: Ring) -> bool:
        """Whether a phase may be green while another ring is where it is."""
        if other.part is Part.RED:
            return True
        allowed = self.junction.phase(phase).concurrency
        return self._group_of[other.phase] == self._group_of[phase] and (not allowed or other.phase in allowed)

    def _green(self, ring: Ring, number: PhaseNumber) -> None:
        phase = self.junction.phase(number)
        if ring.order.index(number) <= ring.order.index(ring.phase):
            ring.cycle += 1
        serves_pedestrians = bool(phase.walk_s or phase.ped_clear_s) and self.calls.has_pedestrian(number)
        ring.phase, ring.next_phase, ring.ending, ring.had_yield = number, NO_PHASE, None, False
        self._show(ring, Part.GREEN)
        self._walk(ring, phase, serves_pedestrians)
        ring.passage_end_ds = self.now_ds + phase.passage_ds
        ring.contested_ds = NEVER_DS
        self.calls.vehicle.discard(number)
        self.calls.pedestrian.discard(number)

    def _walk(self, ring: Ring, phase: Phase, is_served: bool) -> None:
        ring.walk_end_ds = ring.ped_end_ds = ring.since_ds
        if is_served:
            ring.walk_end_ds += (phase.walk_s or 0) * 10
            ring.ped_end_ds = ring.walk_end_ds + (phase.ped_clear_s or 0) * 10
            if self.on_walk is not None:
                self.on_walk(EventCode.BEGIN_WALK, int(phase.number))

    def _show(self, ring: Ring, part: Part) -> None:
        before, ring.part, ring.since_ds = ring.part, part, self.now_ds
        if self.on_change is not None:
            self.on_change(ring, before)

    # -- end of green -------------------------------------------------------------------------

    def _try_end(self, ring: Ring) -> bool:
        ending = self._ending(ring)
        if ending is None:
            return False
        following = self._later(ring, ring.phase)
        if following:
            self._leave(ring, following[0], ending, is_crossing=False)
            return True
        group = self.heading if self.heading is not None else self._next_group()
        if group is None:
            if self.goal is not None and ring.phase not in self.goal:
                self._leave(ring, NO_PHASE, ending, is_crossing=True)
                return True
            return False
        own_end = self.now_ds + self.junction.phase(ring.phase).clearance_ds
        if any(self._clear_by(other) > own_end for other in self.rings if other is not ring):
            return False
        if self.heading is None:
            for other in self.rings:
                other.booked = frozenset(self._still_to_serve(other))
            self.heading = group
        self._leave(ring, self._entry(ring, group), ending, is_crossing=True)
        return True

    def _leave(self, ring: Ring, following: PhaseNumber, ending: Ending, *, is_crossing: bool) -> None:
        ring.next_phase, ring.ending, ring.is_crossing = following, ending, is_crossing
        self._show(ring, Part.YELLOW)

    def _ending(self, ring: Ring) -> Ending | None:
        """Return why the green may end now; None while it may not."""
        if self.now_ds < self.earliest_end_ds(ring):
            return None
        if self.goal is not None:
            return None if ring.phase in self.goal else Ending.FORCE_OFF
        if ring.phase in self.calls.controls.force_off or not self.calls.is_served(ring.phase):
            return Ending.FORCE_OFF
        if ring.phase in self.calls.controls.hold:
            return None
        return self._forced_or_gapped(ring) if self.clock is not None else self._maxed_or_gapped(ring)

    def _forced_or_gapped(self, ring: Ring) -> Ending | None:
        if self.now_ds >= self._forced_at_ds(ring):
            waits = ring.phase in self.calls.coordinated and self.heading is None and not self._is_permissive(ring)
            return None if waits else Ending.FORCE_OFF
        if ring.phase in self.calls.coordinated or self.calls.extends(ring.phase):
            return None
        if self.heading is not None:
            return Ending.FORCE_OFF
        return Ending.GAP_OUT if self.now_ds >= ring.passage_end_ds else None

    def _maxed_or_gapped(self, ring: Ring) -> Ending | None:
        if self.now_ds >= self._forced_at_ds(ring):
            return Ending.MAX_OUT
        if self.calls.extends(ring.phase):
            return None
        if self.heading is not None:
            return Ending.GAP_OUT
        return Ending.GAP_OUT if self.now_ds >= ring.passage_end_ds else None

    def _is_permissive(self, ring: Ring) -> bool:
        """Whether a coordinated phase may still yield in this cycle.

        To a recall always; to a detector's call while the phase called can have its minimum before its split ends.
        """
        green = {other.phase for other in self.rings if other.part is Part.GREEN}
        waiting = [p for other in self.rings for p in other.order if p not in green and self._wants(p)]
        return any(self.calls.stands(p) or self._fits(ring, p) for p in waiting)

    def _fits(self, ring: Ring, number: PhaseNumber) -> bool:
        if self.clock is None or number not in self.clock.table.windows:
            return True
        table, phase = self.clock.table, self.junction.phase(number)
        window, own = table.windows[number], table.windows[ring.phase]
        cycle = ring.cycle + (1 if window.start_ds <= own.start_ds else 0)
        end_ds = self.now_ds + cycle * table.cycle_ds + window.end_ds - self.clock.local_ds
        start_ds = self.now_ds + self.junction.phase(ring.phase).clearance_ds
        return start_ds + phase.min_service_s * 10 + phase.clearance_ds <= end_ds

    def earliest_end_ds(self, ring: Ring) -> int:
        """Return when minimum green and the pedestrians in it are served; at least one step after the start."""
        served_ds = ring.since_ds + self.junction.phase(ring.phase).min_green_s * 10
        return max(served_ds, ring.ped_end_ds, ring.since_ds + self.step_ds)

    def _forced_at_ds(self, ring: Ring) -> int:
        """Return the street time at which the green is forced off or runs into its maximum, as far as is known."""
        if self.clock is None:
            return ring.contested_ds + self.junction.phase(ring.phase).max1_s * 10
        return self._force_off_ds(ring, ring.phase, ring.since_ds)

    def _force_off_ds(self, ring: Ring, phase: PhaseNumber, start_ds: int) -> int:
        """Return the street time of a phase's force-off in the ring's present cycle; now where the plan omits it."""
        if self.clock is None:
            return start_ds + self.junction.phase(phase).max1_s * 10
        table = self.clock.table
        window = table.windows.get(phase)
        if window is None:
            return self.now_ds
        forced_ds = self.now_ds + ring.cycle * table.cycle_ds + window.force_off_ds - self.clock.local_ds
        if table.force_mode is ForceMode.FLOATING and phase not in table.coordinated:
            return min(forced_ds, start_ds + window.force_off_ds - window.start_ds)
        return forced_ds

    def _clear_by(self, ring: Ring) -> int:
        """Return when a ring will have cleared for the barrier at the latest; NEVER while that is not known.

        What it still has to serve in its group counts with force-offs or maxima, never below the minima.
        """
        phase = self.junction.phase(ring.phase)
        if ring.part is Part.GREEN:
            end_ds = self.now_ds if self._ending(ring) is not None else self._forced_at_ds(ring)
            clear_ds = max(end_ds, self.earliest_end_ds(ring)) + phase.clearance_ds
        elif ring.part is Part.RED:
            clear_ds = self.now_ds
        else:
            clear_ds = ring.since_ds + (phase.clearance_ds if ring.part is Part.YELLOW else phase.red_clear_ds)
        for number in self._still_to_serve(ring):
            following = self.junction.phase(number)
            forced_ds = self._force_off_ds(ring, number, clear_ds)
            clear_ds = max(forced_ds, clear_ds + following.min_service_s * 10) + following.clearance_ds
        return clear_ds

    def _still_to_serve(self, ring: Ring) -> list[PhaseNumber]:
        """Return the phases that a ring serves after its present one before it crosses."""
        if ring.is_crossing:
            return []
        at = ring.next_phase if ring.part is not Part.GREEN and ring.next_phase else ring.phase
        ahead = [at] if at != ring.phase else []
        return ahead + self._later(ring, at)

    # -- who is next --------------------------------------------------------------------------

    def _may_run(self, phase: PhaseNumber) -> bool:
        if not phase:
            return False
        return phase in self.goal if self.goal is not None else self.calls.is_served(phase)

    def _wants(self, phase: PhaseNumber) -> bool:
        return phase in self.goal if self.goal is not None else self.calls.wants(phase)

    def _called_in(self, ring: Ring, group: int) -> PhaseNumber:
        return next((p for p in ring.order if self._group_of[p] == group and self._wants(p)), NO_PHASE)

    def _later(self, ring: Ring, phase: PhaseNumber) -> list[PhaseNumber]:
        """Return the phases after `phase` that the ring is to serve before the barrier."""
        group = self._group_of[phase]
        later = [p for p in ring.order[ring.order.index(phase) + 1 :] if self._group_of[p] == group]
        return [p for p in later if (p in ring.booked if self.heading is not None else self._wants(p))]

    def _next_group(self) -> int | None:
        """Return the next barrier group in which somebody waits, the present one last."""
        count = len(self.junction.barriers)
        green = {ring.phase for ring in self.rings if ring.part is Part.GREEN}
        for ahead in range(1, count + 1):
            group = (self.group + ahead) % count
            if any(self._wants(p) for p in self.junction.barriers[group] if p not in green):
                return group
        return None

    def _entry(self, ring: Ring, group: int) -> PhaseNumber:
        """Return the phase with which a ring enters a group: the first called, else the last that may run."""
        called = self._called_in(ring, group)
        if called or self.goal is not None:
            return called
        return next((p for p in reversed(ring.order) if self._group_of[p] == group and self._may_run(p)), NO_PHASE)
