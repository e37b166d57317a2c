"""Where a plan stands in its cycle at a time, in the core's seconds."""

from __future__ import annotations

from dataclasses import dataclass

from traffic.lamps import coordinated_start_ds, cycle_intervals
from traffic.signals import Junction, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """A plan's intervals, lengths in seconds, and its place in the cycle at the begin of the model."""

    plan: Plan
    lengths_s: tuple[float, ...]
    lamps: tuple[str, ...]
    shift_s: float

    def at(self, time_s: float) -> tuple[int, float]:
        """Return the interval at a time after the begin, and when it ends, seconds."""
        rest_s, k = (time_s + self.shift_s) % sum(self.lengths_s), 0
        while k < len(self.lengths_s) - 1 and rest_s >= self.lengths_s[k]:
            rest_s -= self.lengths_s[k]
            k += 1
        return k, time_s + self.lengths_s[k] - rest_s


def cycle_of(junction: Junction, plan: Plan, begin_s: float) -> Cycle:
    """Return the cycle of a plan where the model begins at `begin_s` of the plant's clock.

    Raises
    ------
    UnsafeCommand
        If the plan has no cycle.
    """
    intervals = cycle_intervals(junction, plan)
    start_s = coordinated_start_ds(junction, plan) / 10.0
    return Cycle(
        plan=plan,
        lengths_s=tuple(interval.duration_ds / 10.0 for interval in intervals),
        lamps=tuple(interval.lamps for interval in intervals),
        shift_s=round((begin_s - plan.pattern.offset_s + start_s) % plan.pattern.cycle_s, 1),
    )
