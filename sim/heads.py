"""The signal heads of one junction as the twin plays them: a running stage, an agenda, a history.

::

    agenda    (t+3, rGr all red)  (t+5, stage 2)      lamps change at these times only
    program   after the agenda the next interval of a static program, if one is played
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sim.netfile import Program
from traffic.ids import JunctionId
from traffic.lamps import change, is_stage

Moment = tuple[float, str]
"""From this time on, this lamp string."""
_EPS_S = 1e-6
_steps = lru_cache(maxsize=16384)(change)


@dataclass(slots=True, kw_only=True)
class Heads:
    """Lamps of one junction. `stage` is -1 in a change; then `green_since_s` is when the next stage turns green.

    `clearance_s` is (yellow, all-red) after each stage; no program is joined before `min_green_s` of green are over.
    `is_native` as long as SUMO's own program runs. `next_s` is when the lamps change next, infinite where nothing is on
    the agenda. `changes` remembers (seconds after the start of the change, lamps, stage) per pair of stages.
    """

    junction: JunctionId
    stages: Sequence[str]
    clearance_s: Sequence[tuple[float, float]]
    native: Program
    begin_s: float
    step_s: float = 1.0
    min_green_s: float = 0.0
    lamps: str = ""
    stage: int = -1
    green_since_s: float = 0.0
    is_native: bool = True
    program: Program | None = None
    agenda: deque[tuple[float, str, int]] = field(default_factory=deque)
    history: list[Moment] = field(default_factory=list)
    changes: dict[tuple[int, int], tuple[tuple[float, str, int], ...]] = field(default_factory=dict)
    next_s: float = math.inf

    def take_over(self, time_s: float) -> None:
        """Hold what the native program shows; its next changes stay on the agenda until a stage runs."""
        self.is_native = False
        self.history = self.native_history(time_s)
        lamps = self.native.lamps_at(time_s)
        self._show(time_s, lamps, self._stage_of(lamps))
        if self.stage >= 0:
            interval, end_s = self.native.interval_at(time_s)
            self.green_since_s = end_s - interval.duration_s
        else:
            self.program = self.native
            self._queue_program(time_s)

    def start_held(self, time_s: float) -> None:
        """Hold the stage that the native program shows or comes to next, from the start of a run."""
        self.is_native = False
        ask_s = time_s
        for _ in range(len(self.native.intervals) + 1):
            interval, end_s = self.native.interval_at(ask_s)
            if interval.lamps in self.stages:
                break
            ask_s = end_s + _EPS_S
        lamps = interval.lamps if interval.lamps in self.stages else self.stages[0]
        self._show(time_s, lamps, self._stage_of(lamps))

    def go_to(self, stage: int, start_s: float) -> None:
        """Put the change to a stage on the agenda, from `start_s` on; the stage that runs is held until then."""
        self.program = None
        self.agenda.clear()
        if stage != self.stage:
            pair = (self.stage, stage)
            if pair not in self.changes:
                self.changes[pair] = self._change(stage)
            first_s = self._on_step(start_s)
            self.agenda.extend([(first_s + after_s, lamps, to) for after_s, lamps, to in self.changes[pair]])
        self.next_s = self.agenda[0][0] if self.agenda else math.inf

    def hold(self, until_s: float = math.inf) -> None:
        """Drop a change that has not begun and would begin before `until_s`; one that has begun ends in its stage."""
        self.program = None
        if self.stage >= 0 and self.next_s < until_s:
            self.agenda.clear()
            self.next_s = math.inf

    def play(self, program: Program, time_s: float) -> None:
        """Join a static program where it shows what is shown, else as soon as a stage of it is in reach.

        A change that runs ends in its stage first; no green is cut below its least, or what the program gives it.
        """
        start_s, shown, stage, since_s = self._next_stage(time_s)
        free_s = max(start_s, since_s + self.min_green_s if stage >= 0 else start_s)
        self.program = program
        interval, end_s = program.interval_at(start_s + _EPS_S if self.agenda else start_s)
        if interval.lamps == shown and (end_s >= free_s - _EPS_S or end_s - since_s >= interval.duration_s - _EPS_S):
            if not self.agenda:
                self._queue_program(time_s)
            return
        clearance = self.clearance_s[stage] if stage >= 0 else (0.0, 0.0)
        join_s, lamps = self._joint(program, free_s + sum(clearance))
        steps = change(shown, lamps, *clearance)
        at_s = join_s - sum(span_s for span_s, _ in steps)
        for span_s, between in steps:
            self.agenda.append((self._on_step(at_s), between, -1))
            at_s += span_s
        self.agenda.append((self._on_step(join_s), lamps, self._stage_of(lamps)))
        self.next_s = self.agenda[0][0]

    def _joint(self, program: Program, ask_s: float) -> tuple[float, str]:
        """Return when a program can be joined from `ask_s` on, and its lamps then.

        At once where its stage is green for a least green more, else when its next stage begins.
        """
        interval, end_s = program.interval_at(ask_s)
        if is_stage(interval.lamps) and end_s - ask_s >= max(self.min_green_s, self.step_s):
            return ask_s, interval.lamps
        join_s, lamps = ask_s, interval.lamps
        for _ in range(2 * len(program.intervals)):
            _, end_s = program.interval_at(ask_s)
            join_s, lamps = end_s, program.lamps_at(end_s + _EPS_S)
            if is_stage(lamps):
                break
            ask_s = end_s + _EPS_S
        return join_s, lamps

    def _next_stage(self, time_s: float) -> tuple[float, str, int, float]:
        """Return when a stage runs, its lamps and number, and since when it is green; the agenda leads there.

        Where no stage can be reached, what is shown now.
        """
        program, agenda = self.program or self.native, self.agenda
        if self.stage < 0 and agenda:
            for _ in program.intervals:
                if agenda[-1][2] >= 0:
                    break
                _, end_s = program.interval_at(agenda[-1][0] + _EPS_S)
                lamps = program.lamps_at(end_s + _EPS_S)
                agenda.append((self._on_step(end_s), lamps, self._stage_of(lamps)))
            at_s, lamps, stage = agenda[-1]
            if stage >= 0:
                self.next_s = agenda[0][0]
                return at_s, lamps, stage, at_s
        agenda.clear()
        return time_s, self.lamps, self.stage, self.green_since_s

    def apply(self, time_s: float) -> bool:
        """Show what the agenda has for now; return whether the lamps changed."""
        before, agenda = self.lamps, self.agenda
        while agenda and agenda[0][0] <= time_s + _EPS_S:
            _, lamps, stage = agenda.popleft()
            self._show(time_s, lamps, stage)
            if not agenda and self.program is not None:
                self._queue_program(time_s)
        self.next_s = agenda[0][0] if agenda else math.inf
        return self.lamps != before

    def native_history(self, until_s: float) -> list[Moment]:
        """Return what the native program has shown from the start of the run until `until_s`."""
        moments: list[Moment] = []
        time_s = self.begin_s
        while time_s < until_s - _EPS_S:
            interval, end_s = self.native.interval_at(time_s)
            if not moments or moments[-1][1] != interval.lamps:
                moments.append((time_s, interval.lamps))
            time_s = round(end_s, 6)
        return moments

    def _show(self, time_s: float, lamps: str, stage: int) -> None:
        if stage >= 0 and stage != self.stage:
            self.green_since_s = time_s
        elif stage < 0 and self.agenda:
            self.green_since_s = self.agenda[-1][0]
        self.stage = stage
        if lamps != self.lamps:
            self.lamps = lamps
            self.history.append((time_s, lamps))

    def _stage_of(self, lamps: str) -> int:
        return self.stages.index(lamps) if lamps in self.stages else -1

    def _queue_program(self, time_s: float) -> None:
        assert self.program is not None
        _, end_s = self.program.interval_at(time_s)
        lamps = self.program.lamps_at(end_s + _EPS_S)
        self.agenda.append((self._on_step(end_s), lamps, self._stage_of(lamps)))
        self.next_s = self.agenda[0][0]

    def _change(self, stage: int) -> tuple[tuple[float, str, int], ...]:
        """Return (seconds after the start, lamps, stage) of the change to a stage, each rounded up to a step."""
        rows, after_s = [], 0.0
        for span_s, lamps in _steps(self.lamps, self.stages[stage], *self.clearance_s[self.stage]):
            rows.append((after_s, lamps, -1))
            after_s = round(math.ceil((after_s + span_s) / self.step_s - _EPS_S) * self.step_s, 6)
        return (*rows, (after_s, self.stages[stage], stage))

    def _on_step(self, time_s: float) -> float:
        """Return the first step of the simulation at or after `time_s`."""
        steps = math.ceil((time_s - self.begin_s) / self.step_s - _EPS_S)
        return round(self.begin_s + steps * self.step_s, 6)
