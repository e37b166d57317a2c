"""The two protocols under which controls are compared, and their clock of decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from traffic.signals import Junction
from traffic.snapshot import Snapshot

_EPS_S = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """When decisions fall due, and how a stage gives way to another.

    `legacy` decides at begin + k x `decision_s`, the change counted in the period. `safe` decides
    `min_green_s` after a stage has turned green and every `decision_s` from there, the change not
    counted, and never clears faster than what is installed.
    """

    name: str
    decision_s: float
    yellow_s: float
    all_red_s: float
    min_green_s: float = 0.0
    is_clocked_by_green: bool = False
    keeps_installed: bool = False

    def clearance_s(self, junction: Junction, stage: str) -> tuple[float, float]:
        """Return yellow and all-red after a stage, seconds."""
        if not self.keeps_installed:
            return self.yellow_s, self.all_red_s
        ending = [phase for phase in junction.phases if _shows(junction, phase.number, stage)]
        yellow_s = max([self.yellow_s, *(phase.yellow_ds / 10 for phase in ending)])
        return yellow_s, max([self.all_red_s, *(phase.red_clear_ds / 10 for phase in ending)])

    def due(self, snapshot: Snapshot, begin_s: float) -> frozenset[int] | None:
        """Return the places of the junctions about which a decision falls due at the snapshot's time; None = all."""
        if not self.is_clocked_by_green:
            return None if self._is_on_clock(snapshot.time_s - begin_s) else frozenset()
        return frozenset(
            place
            for place, (stage, since_s) in enumerate(zip(snapshot.stage, snapshot.green_since_s, strict=True))
            if stage >= 0 and self._is_on_clock(snapshot.time_s - since_s - self.min_green_s)
        )

    def _is_on_clock(self, passed_s: float) -> bool:
        return passed_s > -_EPS_S and min(passed_s % self.decision_s, -passed_s % self.decision_s) < _EPS_S

    def next_s(self, snapshot: Snapshot, begin_s: float) -> float:
        """Return the first time after the snapshot's at which a decision falls due."""
        starts: Sequence[float] = [begin_s]
        if self.is_clocked_by_green:
            starts = [since_s + self.min_green_s for since_s in snapshot.green_since_s]
        return min((self._after(snapshot.time_s, start_s) for start_s in starts), default=inf)

    def _after(self, time_s: float, start_s: float) -> float:
        if time_s < start_s - _EPS_S:
            return start_s
        return start_s + (int((time_s - start_s + _EPS_S) // self.decision_s) + 1) * self.decision_s


def _shows(junction: Junction, number: int, stage: str) -> bool:
    """Whether a phase holds green some link that the stage holds green."""
    return any(
        number in overlap.parents and any(stage[link] in "Gg" for link in overlap.link_indices)
        for overlap in junction.overlaps
    )


LEGACY = Protocol(name="legacy", decision_s=10.0, yellow_s=3.0, all_red_s=0.0)
LEGACY_FAST = Protocol(name="legacy", decision_s=5.0, yellow_s=2.0, all_red_s=0.0)
"""The published benchmarks' protocol for arterial4x4."""
SAFE = Protocol(
    name="safe",
    decision_s=5.0,
    yellow_s=3.0,
    all_red_s=2.0,
    min_green_s=5.0,
    is_clocked_by_green=True,
    keeps_installed=True,
)
