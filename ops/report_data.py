"""Everything that the report of a demo shows, as plain frozen data; unknown is NaN or None, never 0.

::

    DemoResult
    ├── RunFacts        scenario, window, seeds, command, commit, versions, settings
    ├── Measure         one number a street seed and arm: delay_s, delay_log_s, delay_person_s ...
    ├── ApproachRow     control delay and queue per approach, before and after
    ├── JunctionTiming  what is installed, the old plan, the new plan (None = kept)
    ├── CandidateRow    a plan that the twin judged, its delay on each twin seed
    ├── CountRow        historic, counted and true flow of one movement
    ├── FitRow          counted and fitted flow of one movement
    ├── PushRow         a plan sent to a controller and what became of it
    └── LogRow          anything else that happened, with its street time
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, nan
from pathlib import Path
from typing import Any

from ops.statistics import Paired, mean_interval, paired_difference
from traffic.counts import geh
from traffic.ids import JunctionId, LinkId, MovementId
from traffic.network import Network
from traffic.signals import Junction, Plan

DELAY = "delay_s"
DELAY_LOG = "delay_log_s"
DELAY_PERSON = "delay_person_s"
DELAY_MCU = "delay_mcu_s"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What was run, when, with what; enough to make it again.

    `begin_s` and `end_s` bound the measuring window on the street's clock. `seeds` are those of
    the street, the same in both arms; `twin_seeds` those on which the candidates were judged.
    """

    scenario: str
    title: str
    is_schematic: bool
    network_file: Path
    begin_s: float
    end_s: float
    seeds: tuple[int, ...]
    twin_seeds: tuple[int, ...] = ()
    command: str = ""
    commit: str = ""
    started: str = ""
    wall_s: float = nan
    versions: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure per street seed, in the order of `RunFacts.seeds`; `after` is empty where nothing was pushed.

    `key` is a name of `ops.report_words.MEASURES`.
    """

    key: str
    before: tuple[float, ...]
    after: tuple[float, ...] = ()

    @property
    def paired(self) -> Paired | None:
        """The paired difference; None where nothing was pushed."""
        return paired_difference(self.before, self.after) if self.after else None

    @property
    def before_mean(self) -> float:
        """Mean over the known seeds; NaN where none is known."""
        return mean_interval(self.before)[0]

    @property
    def after_mean(self) -> float:
        """Mean over the known seeds; NaN where none is known or nothing was pushed."""
        return mean_interval(self.after)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproachRow:
    """Control delay (s/veh) and 95th-percentile back of queue (m) of one approach, means over the seeds."""

    junction: JunctionId
    approach: LinkId
    delay_before_s: float
    delay_after_s: float
    queue_before_m: float = nan
    queue_after_m: float = nan


@dataclass(frozen=True, slots=True, kw_only=True)
class JunctionTiming:
    """What is installed at a junction, its old plan, and the plan that was pushed (None = the old one was kept)."""

    junction: Junction
    old: Plan
    new: Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """A set of plans that the twin judged: delay in s/veh on each of `RunFacts.twin_seeds`.

    The old plan is the candidate named "keep". `refused` is why the guard turned it down.
    """

    name: str
    why: str
    delays_s: tuple[float, ...] = ()
    refused: str | None = None
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRow:
    """Flows of one movement over one period, all classes, veh; None = unknown.

    `is_censored` marks a count that is a lower bound, because the approach was saturated.
    """

    junction: JunctionId
    movement: MovementId
    period_s: float
    historic_veh: float | None
    counted_veh: float | None
    true_veh: float | None
    is_censored: bool = False

    def flow_vph(self, count_veh: float | None) -> float:
        """Return the hourly flow of a count of this period; NaN where unknown."""
        return nan if count_veh is None else count_veh * 3600.0 / self.period_s

    @property
    def geh_counted(self) -> float:
        """GEH of counted against true flow; NaN where one is unknown."""
        return known_geh(self.flow_vph(self.counted_veh), self.flow_vph(self.true_veh))

    @property
    def geh_historic(self) -> float:
        """GEH of historic against true flow; NaN where one is unknown."""
        return known_geh(self.flow_vph(self.historic_veh), self.flow_vph(self.true_veh))


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRow:
    """How the calibrated demand fits one counted movement; a held-out count took no part in the fit."""

    movement: MovementId
    counted_vph: float
    fitted_vph: float
    is_held_out: bool = False
    is_censored: bool = False

    @property
    def geh(self) -> float:
        """GEH of the fitted against the counted flow; NaN where one is unknown."""
        return known_geh(self.fitted_vph, self.counted_vph)


class PushState(StrEnum):
    """What became of a plan that was sent."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRow:
    """A plan sent to one controller at a street time; `is_readback_equal` is None where nothing was read back."""

    time_s: float
    seed: int
    junction: JunctionId
    pattern: int
    state: PushState
    reason: str = ""
    is_readback_equal: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One event of the run at a street time: a lease, a status, an alarm, a release; `kind` is one short word."""

    time_s: float
    seed: int
    kind: str
    text: str
    junction: JunctionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """All that the report shows.

    `corridor` is the order of the junctions along the main road (empty = no time-space diagram),
    `speed_mps` the speed of its progression. `choice_reason` says why the chosen candidate was
    chosen. `is_complete` is False after an interrupt; `notes` are plain sentences for the reader.
    """

    facts: RunFacts
    network: Network
    timings: tuple[JunctionTiming, ...]
    measures: tuple[Measure, ...] = ()
    approaches: tuple[ApproachRow, ...] = ()
    candidates: tuple[CandidateRow, ...] = ()
    choice_reason: str = ""
    counts: tuple[CountRow, ...] = ()
    fit: tuple[FitRow, ...] = ()
    pushes: tuple[PushRow, ...] = ()
    log: tuple[LogRow, ...] = ()
    corridor: tuple[JunctionId, ...] = ()
    speed_mps: float = 50 / 3.6
    is_complete: bool = True
    notes: tuple[str, ...] = ()

    def measure(self, key: str) -> Measure | None:
        """Return the measure of this key; None where the run has none."""
        return next((m for m in self.measures if m.key == key), None)

    @property
    def is_kept(self) -> bool:
        """Whether the old plan was kept: nothing was pushed."""
        return not any(timing.new for timing in self.timings)

    @property
    def count_abs_error_pct(self) -> float:
        """Sum of |counted - true| over the sum of true counts, where both are known, per cent."""
        pairs = [
            (row.counted_veh, row.true_veh)
            for row in self.counts
            if row.counted_veh is not None and row.true_veh is not None
        ]
        total = sum(true for _, true in pairs)
        return 100.0 * sum(abs(counted - true) for counted, true in pairs) / total if total > 0 else nan

    @property
    def is_readback_equal(self) -> bool | None:
        """Whether every read-back was equal to what was sent; None where nothing was read back."""
        return _all_known([row.is_readback_equal for row in self.pushes])

    def as_json_row(self, report: Path | None = None) -> dict[str, Any]:
        """Return the keys that `demo --json` prints; NaN is unknown.

        Where the old plan was kept the two arms are one and the same run: the change is 0 by
        construction, and the interval is [0, 0].
        """
        delay = self.measure(DELAY)
        before, after, change, low, high = _effect(delay, is_kept=self.is_kept)
        log = _effect(self.measure(DELAY_LOG), is_kept=self.is_kept)
        return {
            "scenario": self.facts.scenario,
            "seeds": len(self.facts.seeds),
            "delay_before_s": before,
            "delay_after_s": after,
            "delay_change_pct": change,
            "delay_change_ci95_pct": [low, high],
            "delay_log_change_pct": log[2],
            "plans_pushed": sum(row.state is not PushState.REFUSED for row in self.pushes),
            "plans_refused": sum(row.state is PushState.REFUSED for row in self.pushes),
            "readback_equal": self.is_readback_equal,
            "count_abs_error_pct": self.count_abs_error_pct,
            "wall_s": self.facts.wall_s,
            "report": None if report is None else str(report),
        }


def _effect(measure: Measure | None, *, is_kept: bool) -> tuple[float, float, float, float, float]:
    """Return before, after, change in per cent and its interval."""
    if measure is None:
        return nan, nan, nan, nan, nan
    paired = measure.paired
    if paired is not None:
        return paired.before, paired.after, paired.change_pct, *paired.change_ci95_pct
    if is_kept:
        return measure.before_mean, measure.before_mean, 0.0, 0.0, 0.0
    return measure.before_mean, nan, nan, nan, nan


def _all_known(values: Sequence[bool | None]) -> bool | None:
    known = [value for value in values if value is not None]
    return all(known) if known else None


def known_geh(model_vph: float, counted_vph: float) -> float:
    """Return the GEH of two flows; NaN where one is unknown."""
    return geh(model_vph, counted_vph) if isfinite(model_vph) and isfinite(counted_vph) else nan
