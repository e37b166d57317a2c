"""One episode behind the guard: decisions when they are due, readings on the way, the end.

::

    |--- step ------------------------|--- step ---------|
    due       reading    reading      due                due      a step lasts until a decision falls due again;
    actions   +reward    +reward      actions                     on the way the zones are read every `sample_s`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np

from control.guard import Guard
from control.one_by_one import OneByOne
from control.rl.actions import Actions, MakeActions
from control.rl.arena import Arena
from control.rl.observations import MakeObservation, Watching
from control.rl.rewards import MakeReward
from traffic.decisions import Decision, Stage
from traffic.errors import BadInput, PlantLost
from traffic.ids import JunctionId
from traffic.ports import Plant
from traffic.snapshot import Snapshot

EPS_S = 1e-6
LAST_TRAINING_SEED = 99
"""Demand seeds 1-99 are for training; claims are judged on 100 and above, and on 0, the file as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSettings:
    """What a user chooses, each by name or as one's own; `sample_s` is the longest time between two readings."""

    action: str | MakeActions = "stage"
    observation: str | MakeObservation = "zones"
    reward: str | MakeReward = "queue"
    sample_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """SUMO's drivers and the demand of an episode."""

    driver: int
    demand: int


def draw_seeds(rng: np.random.Generator, options: Mapping[str, Any] | None = None) -> Seeds:
    """Return an episode's seeds, of those for training, unless `driver_seed` or `demand_seed` say otherwise."""
    driver, demand = (int(value) for value in rng.integers(1, LAST_TRAINING_SEED + 1, size=2))
    chosen = options or {}
    return Seeds(driver=int(chosen.get("driver_seed", driver)), demand=int(chosen.get("demand_seed", demand)))


class Episode:
    """A guarded plant that some junctions' actions drive; the others, if any, run what is installed.

    Parameters
    ----------
    driven
        The junctions that act.
    watcher
        An observation that looks at every reading, if it is such a one.

    Raises
    ------
    BadScenario, PlantLost
        If the plant cannot be started.
    """

    def __init__(
        self,
        arena: Arena,
        actions: Actions,
        driven: Sequence[JunctionId],
        seeds: Seeds,
        *,
        sample_s: float,
        watcher: object = None,
    ) -> None:
        self._arena, self._actions, self.driven, self.seeds = arena, actions, tuple(driven), seeds
        self._sample_s = sample_s
        self._watcher = watcher if isinstance(watcher, Watching) else None
        if self._watcher:
            self._watcher.start()
        is_held = actions.is_clocked and len(driven) == len(arena.junctions)
        plant = arena.start(driver_seed=seeds.driver, demand_seed=seeds.demand, is_held=is_held)
        self._plant = plant.plant if isinstance(plant, Guard) else plant
        try:
            self.guard = plant if isinstance(plant, Guard) else Guard(plant, arena.limits)
            self._front = OneByOne(self.guard)
            self._look()
            self._begin_s = self.snapshot.time_s
            self.end_s = self._begin_s + arena.horizon_s
            self._places = {name: arena.network.junction_index[name] for name in driven}
            self._until_s = dict.fromkeys(driven, -inf)
            if actions.is_clocked:
                self._take_over()
            self.due = self._due_now()
            if not self.due:
                self._advance()
        except BaseException:
            self.close()
            raise

    @property
    def is_over(self) -> bool:
        """Whether the horizon is reached."""
        return self.snapshot.time_s >= self.end_s - EPS_S

    @property
    def n_refused(self) -> int:
        """How many decisions the guard has refused so far."""
        return self._front.n_refused

    def step(self, actions: Mapping[JunctionId, Any]) -> list[Snapshot]:
        """Act where a decision is due, go on until one falls due again, and return the readings, the first one too.

        An action of a junction that is not due has no effect; one that the guard refuses leaves the stage that runs.

        Raises
        ------
        BadInput
            If an action is none, or is missing; nothing was sent.
        PlantLost
            If the plant is gone.
        """
        asked = [name for name in self.driven if name in self.due]
        choices = {name: self._actions.choice(actions[name], self.snapshot, name) for name in asked}
        decisions: list[Decision] = []
        for name, choice in choices.items():
            self._until_s[name] = choice.until_s
            if choice.decision is not None:
                decisions.append(choice.decision)
        before = self.snapshot
        if decisions:
            self._front.command(decisions)
            if self._arena.clock.is_clocked_by_green:
                self._look()
        return [before, *self._advance()]

    def close(self) -> None:
        """End the plant, if it can be ended; twice is harmless."""
        end = getattr(self._plant, "close", None)
        if end is not None:
            end()

    def _take_over(self) -> None:
        """Hold the driven junctions, each at the first stage that it shows; the guard bounds their reds from there."""
        waiting = dict(self._places)
        while waiting and not self.is_over:
            ready = [name for name, place in waiting.items() if self.snapshot.stage[place] >= 0]
            self._front.command([Stage(name, self.snapshot.stage[waiting.pop(name)]) for name in ready])
            if waiting:
                self._move(min(self._arena.limits.step_s, self.end_s - self.snapshot.time_s))

    def _advance(self) -> list[Snapshot]:
        """Go on until a decision falls due or the episode ends; return the readings on the way."""
        passed: list[Snapshot] = []
        while True:
            now_s = self.snapshot.time_s
            stop_s = min(self._next_s(), now_s + self._sample_s, self.end_s)
            self._move(stop_s - now_s)
            passed.append(self.snapshot)
            self.due = self._due_now()
            if self.due or self.is_over:
                return passed

    def _move(self, seconds: float) -> None:
        before_s = self.snapshot.time_s
        self._front.advance(seconds)
        self._look()
        if self.snapshot.time_s <= before_s:
            raise PlantLost("plant", f"its clock stands at {before_s:g} s", "time must go on", "restart the plant")

    def _look(self) -> None:
        self.snapshot = self._front.snapshot()
        if self._watcher:
            self._watcher.watch(self.snapshot)

    def _due_now(self) -> frozenset[JunctionId]:
        """Return the driven junctions about which a decision falls due now."""
        now_s = self.snapshot.time_s + EPS_S
        free = [name for name, until_s in self._until_s.items() if until_s <= now_s]
        if not self._actions.is_clocked or not free:
            return frozenset(free)
        view = self._view(free)
        places = self._arena.clock.due(view, self._begin_s)
        return frozenset(
            name for place, name in enumerate(free) if view.stage[place] >= 0 and (places is None or place in places)
        )

    def _next_s(self) -> float:
        """Return the next instant at which a decision may fall due."""
        now_s = self.snapshot.time_s + EPS_S
        held_s = min((until_s for until_s in self._until_s.values() if until_s > now_s), default=inf)
        free = [name for name, until_s in self._until_s.items() if until_s <= now_s]
        if not self._actions.is_clocked or not free:
            return held_s
        return min(held_s, self._arena.clock.next_s(self._view(free), self._begin_s))

    def _view(self, names: Sequence[JunctionId]) -> Snapshot:
        """Return the snapshot with the signals of some junctions only, for the clock."""
        snapshot = self.snapshot
        if len(names) == len(snapshot.stage):
            return snapshot
        places = [self._places[name] for name in names]
        return replace(
            snapshot,
            stage=tuple(snapshot.stage[place] for place in places),
            green_since_s=tuple(snapshot.green_since_s[place] for place in places),
        )


class HasEpisode:
    """An environment that runs one episode after the other."""

    _episode: Episode | None = None

    @property
    def snapshot(self) -> Snapshot:
        """What the detectors and lamps say now."""
        return self._running().snapshot

    @property
    def plant(self) -> Plant:
        """The guarded plant of the running episode."""
        return self._running().guard

    def close(self) -> None:
        """End the plant."""
        if self._episode is not None:
            self._episode.close()
            self._episode = None

    def _running(self) -> Episode:
        if self._episode is None:
            raise BadInput("environment", "no episode", next_move="reset first")
        return self._episode
