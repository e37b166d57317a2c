"""The queue model as a `Plant`: one replica, second by second, under the same rules as the SUMO twin.

::

    a junction plays its plan --Stage, Extend--> is held --Release, SelectPattern--> is held until the plan comes to
                                                                                     what is shown, and plays it

One seed gives one run, to the bit; another plant of the same `QueueSite` starts at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np

from control.core.arrays import ASLEEP, GREEN_PART, INSERTED, YELLOW_PART, State, make_state
from control.core.plant import count_pieces, empty, hold_stage, obey, play_plan, run_on, time_lost
from control.queue_cycles import Cycle, cycle_of
from control.queue_site import QueueSite
from control.queue_timing import compile_plans
from traffic.decisions import Decision, Extend, Release, SelectPattern, Stage
from traffic.errors import BadInput, UnsafeCommand
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.signals import Junction
from traffic.snapshot import Snapshot

_EPS_S = 1e-6


class QueuePlant:
    """A replica of the core that obeys.

    Parameters
    ----------
    site
        Model, stages, zones and plans.
    seed
        Of the drivers.
    is_held
        Whether all junctions wait for decisions from the start, each in the stage that its plan shows or comes to
        next, without plans in the first; otherwise each plays its own until it is first commanded.

    Raises
    ------
    BadInput
        If junctions are to play plans and there are none.
    """

    def __init__(self, site: QueueSite, *, seed: int = 0, is_held: bool = True) -> None:
        if not (is_held or site.cycles):
            raise BadInput("queue plant: plans", "none", "what junctions play that are not held", "give some, or hold")
        model, compiled = site.model, site.model.compiled
        self._site, self._seed, self._roads = site, np.uint64(seed), compiled.roads
        self._begin_s, self._now_s = model.journeys.begin_s, 0
        self._now = State(*(array[0] for array in make_state(compiled.roads, 1)))
        self._counts = np.zeros((len(site.pieces), 2))
        self._stages = site.stages._replace(junctions=site.stages.junctions.copy())
        self._names = tuple(model.junctions)
        self._place = {name: place for place, name in enumerate(self._names)}
        self._cycles: list[Cycle | None] = [None] * len(self._names)
        self._coming: dict[int, Cycle] = {}
        self._timing = compile_plans(
            [{row.plan.junction: row.plan for row in site.cycles}] if site.cycles else [],
            model.junctions if site.cycles else {},
            compiled.signal_links,
            self._begin_s,
        )
        if not site.cycles:
            self._timing = self._timing._replace(n=np.zeros((1, len(self._names)), np.int32))
        self._timing.n[:] = 0
        empty(self._roads, self._now)
        for place in range(len(self._names)):
            self._start(place, is_held=is_held)

    @property
    def network(self) -> Network:
        """The roads."""
        return self._site.model.network

    @property
    def junctions(self) -> Mapping[JunctionId, Junction]:
        """What is installed."""
        return self._site.model.junctions

    @property
    def stages(self) -> Mapping[JunctionId, Sequence[str]]:
        """The stages that decisions number, lamp strings."""
        return self._site.shown

    @property
    def time_s(self) -> float:
        """The plant's clock."""
        return self._begin_s + self._now_s

    @property
    def lost_s(self) -> float:
        """What all vehicles have lost so far, waiting to enter included, seconds."""
        return float(time_lost(float(self._now_s), self._roads, self._now))

    @property
    def inserted(self) -> int:
        """Vehicles that have entered so far."""
        return int(self._now.totals[INSERTED])

    def snapshot(self) -> Snapshot:
        """Return zone readings and lamps; the lamps are those shown from now on."""
        zones, n = self._site.zones, len(self.network.movements)
        count_pieces(float(self._now_s), self._site.pieces, self._counts, self._roads, self._now)
        veh, standing = self._counts[:, 0], self._counts[:, 1]
        shown = [self._shown(place) for place in range(len(self._names))]
        lamps, stage, green_since_s = zip(*shown, strict=True) if shown else ((), (), ())
        return Snapshot(
            time_s=self.time_s,
            arriving_veh=zones.arriving.apply(veh, n),
            queued_veh=zones.arriving.apply(standing, n),
            leaving_veh=zones.leaving.apply(veh, n),
            zone_length_m=zones.zone_length_m,
            lamps=lamps,
            stage=stage,
            green_since_s=green_since_s,
        )

    def command(self, decisions: Sequence[Decision]) -> None:
        """Obey all decisions, or none.

        Raises
        ------
        UnsafeCommand
            If a junction or stage is not there, a junction is in a change to another stage, or a pattern shows none
            of the stages that decisions number.
        """
        plans = [self._checked(decision) for decision in decisions]
        for decision, cycle in zip(decisions, plans, strict=True):
            place = self._place[decision.junction]
            if cycle is not None:
                self._coming[place] = cycle
                self._join(place)
            elif isinstance(decision, Stage | Extend):
                self._take_over(place)
                self._hold(place, decision)
        self._obey()

    def advance(self, seconds: float) -> None:
        """Move the clock by whole seconds.

        Raises
        ------
        BadInput
            If it is no whole number of seconds.
        """
        n = round(seconds)
        if abs(n - seconds) > _EPS_S or n < 0:
            raise BadInput("queue plant: advance", f"{seconds} s", "whole seconds", "round up")
        while n > 0:
            step = 1 if self._coming else n
            run_on(float(self._now_s), step, self._seed, self._timing, self._stages, self._roads, self._now)
            self._now_s, n = self._now_s + step, n - step
            self._obey()
            for place in list(self._coming):
                self._join(place)

    def close(self) -> None:
        """Do nothing: there is nothing to end."""

    def _obey(self) -> None:
        obey(float(self._now_s), self._seed, self._timing, self._stages, self._roads, self._now)

    # ---- one junction -------------------------------------------------------------------------

    def _start(self, place: int, *, is_held: bool) -> None:
        cycles, shown = self._site.cycles, self._site.shown[self._names[place]]
        if not is_held:
            self._play(place, cycles[place])
            return
        following = [0]
        if cycles:
            first = cycles[place].at(0.0)[0]
            lamps = cycles[place].lamps[first:] + cycles[place].lamps[:first]
            following = [shown.index(row) for row in lamps if row in shown] + [0]
        hold_stage(place, following[0], 0.0, 0.0, self._stages, self._roads, self._now)

    def _shown(self, place: int) -> tuple[str, int, float]:
        """Return lamps, stage and since when it is green; in a change when the next one turns green."""
        signal, lamps = self._now.signals[place], self._site.shown[self._names[place]]
        cycle, stage, wanted = self._cycles[place], int(signal["stage"]), int(signal["wanted"])
        if cycle is not None:
            k, end_s = int(signal["interval"]), float(signal["until"])
            found = lamps.index(cycle.lamps[k]) if cycle.lamps[k] in lamps else -1
            at_s = end_s if found < 0 else max(0.0, end_s - cycle.lengths_s[k])
            return cycle.lamps[k], found, self._begin_s + at_s
        if signal["part"] == GREEN_PART:
            return lamps[stage], stage, self._begin_s + float(signal["since"])
        is_yellow = signal["part"] == YELLOW_PART
        green_s = ceil(signal["until"] - _EPS_S)
        if is_yellow:
            row = self._stages.junctions[place]["first"] + stage
            green_s = ceil(green_s + self._stages.rows[row]["red"] - _EPS_S)
        changing = self._site.changes[place][stage, wanted]["yellow" if is_yellow else "red"]
        return changing, -1, self._begin_s + green_s

    def _take_over(self, place: int) -> None:
        """Hold the stage that a plan shows; nothing where the junction is held already."""
        self._coming.pop(place, None)
        if self._cycles[place] is None:
            return
        _, stage, since_s = self._shown(place)
        self._cycles[place] = None
        self._timing.n[0, place] = 0
        self._stages.junctions["n"][place] = self._site.stages.junctions["n"][place]
        now_s = float(self._now_s)
        hold_stage(place, stage, since_s - self._begin_s, now_s, self._stages, self._roads, self._now)

    def _hold(self, place: int, decision: Stage | Extend) -> None:
        """Note the next stage, or drop one that would come too early; a change that has begun goes on."""
        signal = self._now.signals[place]
        if signal["part"] != GREEN_PART:
            return
        if isinstance(decision, Stage):
            is_other = decision.stage != signal["stage"]
            signal["wanted"] = decision.stage if is_other else -1
            signal["until"] = max(self._now_s, decision.not_before_s - self._begin_s) if is_other else ASLEEP
        elif signal["until"] < decision.until_s - self._begin_s:
            signal["wanted"], signal["until"] = -1, ASLEEP

    def _play(self, place: int, cycle: Cycle) -> None:
        """Let a junction play a plan from where it stands now."""
        self._coming.pop(place, None)
        self._cycles[place] = cycle
        self._stages.junctions["n"][place] = 0
        plans = {name: row.plan for name, row in zip(self._names, self._cycles_or_installed(), strict=True)}
        model = self._site.model
        timing = compile_plans([plans], model.junctions, model.compiled.signal_links, self._begin_s)
        timing.n[0, [row is None for row in self._cycles]] = 0
        self._timing = timing
        k, end_s = cycle.at(float(self._now_s))
        play_plan(place, k, end_s, float(self._now_s), timing, self._roads, self._now)

    def _cycles_or_installed(self) -> list[Cycle]:
        return [row or self._site.cycles[place] for place, row in enumerate(self._cycles)]

    def _join(self, place: int) -> None:
        """Let a junction play the plan that it waits for, if that shows now what is shown."""
        cycle, (lamps, stage, _) = self._coming[place], self._shown(place)
        shown = self._site.shown[self._names[place]]
        if stage < 0:
            return
        if cycle.lamps[cycle.at(float(self._now_s))[0]] == lamps:
            self._take_over(place)
            self._play(place, cycle)
        elif lamps not in cycle.lamps:
            self._take_over(place)
            first = next(shown.index(row) for row in cycle.lamps if row in shown)
            self._hold(place, Stage(self._names[place], first))
            self._coming[place] = cycle
        elif self._cycles[place] is not None:
            self._take_over(place)
            self._coming[place] = cycle

    def _checked(self, decision: Decision) -> Cycle | None:
        """Return the plan that a decision asks for, if it does for one."""
        where = f"junction {decision.junction}"
        place = self._place.get(decision.junction)
        if place is None:
            raise UnsafeCommand(where, "not in this network", next_move="command the junctions of `plant.junctions`")
        if isinstance(decision, Release):
            if not self._site.cycles:
                raise UnsafeCommand(where, "no plan of its own", "needed for a release", "hold it in a stage")
            return self._site.cycles[place] if self._cycles[place] is not self._site.cycles[place] else None
        if isinstance(decision, SelectPattern):
            return self._pattern(decision, place)
        stage = self._shown(place)[1]
        if isinstance(decision, Stage):
            n = len(self._site.shown[decision.junction])
            if not 0 <= decision.stage < n:
                raise UnsafeCommand(f"{where}: stage {decision.stage}", "not there", f"0-{n - 1}", "ask for another")
            if stage < 0 and (self._cycles[place] is not None or decision.stage != self._now.signals[place]["wanted"]):
                what = "the junction is in a change"
                raise UnsafeCommand(
                    f"{where}: stage {decision.stage}", what, "one change at a time", "ask when it is over"
                )
        elif stage < 0 and self._cycles[place] is not None:
            raise UnsafeCommand(where, "its plan is in a change", "a stage to extend", "ask when it is over")
        return None

    def _pattern(self, decision: SelectPattern, place: int) -> Cycle:
        if not self._site.cycles:
            where = f"junction {decision.junction}"
            raise UnsafeCommand(where, "a pattern", "not without installed plans", "ask for stages")
        cycle = cycle_of(self.junctions[decision.junction], decision.order.plan, self._begin_s)
        if not set(cycle.lamps) & set(self._site.shown[decision.junction]):
            where = f"junction {decision.junction}: pattern {decision.order.plan.pattern.number}"
            raise UnsafeCommand(where, "shows none of the stages", "at least one", "choose another plan")
        current = self._cycles[place]
        return current if current is not None and current.plan == cycle.plan else cycle
