"""Where a junction is in the cycle of the plan that it is believed to run, from its clock and the lamps it shows.

::

    clock    |==== 1 ====yr|==== 2 ====yr|       by the plan's offset it should be here: ^
    shown         2                              it is ahead, at the beginning of green 2
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from traffic.lamps import coordinated_start_ds, cycle_intervals, is_stage
from traffic.signals import Junction, Plan

ADD_STEPS, SUBTRACT_STEPS = 6, 5
"""A controller that is ahead stands still each so many steps; one that is behind counts one of so many twice."""
_CLOSE_S, _NEAR_S = 0.5, 1.5
"""What is no offset to correct; how far a junction's clock may be off: steps of a street, dialogues; seconds."""


def correction_s(place_s: float, wanted_s: float, cycle_s: int, slack_s: float) -> float:
    """Return how far a controller is ahead of its offset (it waits) or behind it (negative: it hurries), seconds.

    The shorter way in time; who has too little green to give up waits.
    """
    error_s = (wanted_s - place_s) % cycle_s
    if min(error_s, cycle_s - error_s) < _CLOSE_S:
        return 0.0
    is_shorter = error_s * SUBTRACT_STEPS <= (cycle_s - error_s) * ADD_STEPS
    return -error_s if is_shorter and slack_s * ADD_STEPS >= cycle_s else cycle_s - error_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A plan that a junction is believed to run since `since_s`; its cycle as lamps and ends of intervals, seconds.

    `green_s` is the shortest green, `slack_s` what all greens together can give up, seconds.
    """

    junction: Junction
    plan: Plan
    since_s: float
    lamps: tuple[str, ...]
    end_s: tuple[float, ...]
    start_s: float
    green_s: float
    slack_s: float

    @property
    def cycle_s(self) -> int:
        """The plan's cycle, seconds."""
        return self.plan.pattern.cycle_s

    def clock_s(self, time_s: float) -> float:
        """Return where in its cycle the junction should be."""
        return (time_s - self.plan.pattern.offset_s + self.start_s) % self.cycle_s

    def lamps_at(self, place_s: float) -> str:
        """Return the lamps at a place in the cycle."""
        place_s %= self.cycle_s
        return next((lamps for lamps, end_s in zip(self.lamps, self.end_s, strict=True) if place_s < end_s), "")

    def least_s(self, number: int) -> float:
        """Return the shortest length of an interval, seconds: greens give way in a transition, changes never."""
        length_s = self.end_s[number] - (self.end_s[number - 1] if number else 0.0)
        return min(length_s, self.green_s) if is_stage(self.lamps[number]) else length_s

    def ahead_s(self, place_s: float, time_s: float) -> float:
        """Return how far a junction that is at this place of its cycle is ahead of its offset, seconds."""
        return correction_s(place_s, self.clock_s(time_s), self.cycle_s, self.slack_s)

    def agrees(self, time_s: float, lamps: str) -> bool:
        """Whether these lamps are what the clock has, give or take a second."""
        clock_s = self.clock_s(time_s)
        return any(self.lamps_at(clock_s + off_s) == lamps for off_s in (0.0, -_NEAR_S, _NEAR_S))


def running(junction: Junction, plan: Plan, since_s: float) -> Running:
    """Return a junction under a plan."""
    rows = cycle_intervals(junction, plan)
    return Running(
        junction=junction,
        plan=plan,
        since_s=since_s,
        lamps=tuple(row.lamps for row in rows),
        end_s=tuple(accumulate(row.duration_ds / 10.0 for row in rows)),
        start_s=coordinated_start_ds(junction, plan) / 10.0,
        green_s=min((phase.min_service_s for phase in junction.phases), default=0),
        slack_s=min(
            sum(plan.split.split_s(number) - junction.phase(number).min_split_s for number in ring)
            for ring in junction.rings
        ),
    )


def place_of(run: Running, time_s: float, lamps: str, age_s: float | None) -> float:
    """Return where in its cycle a junction is that shows these lamps, for `age_s` where that is known.

    What its clock says where the lamps agree, or are none of the plan's; else the nearest interval with them.
    """
    clock_s = run.clock_s(time_s)
    if lamps not in run.lamps or run.agrees(time_s, lamps):
        return clock_s
    starts_s = (0.0, *run.end_s[:-1])
    spans = [row for row in zip(starts_s, run.end_s, run.lamps, strict=True) if row[2] == lamps]
    first_s, last_s, _ = min(spans, key=lambda row: _apart_s(clock_s, row[0], row[1], run.cycle_s))
    if age_s is not None:
        return min(first_s + max(0.0, age_s), last_s - 1.0)
    return first_s


def _apart_s(clock_s: float, first_s: float, last_s: float, cycle_s: int) -> float:
    """Return how far a place is from a span of the cycle, either way round."""
    return min((first_s - clock_s) % cycle_s, (clock_s - last_s) % cycle_s)
