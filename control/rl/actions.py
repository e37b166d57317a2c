"""What a policy may do at one junction: the next stage, a green extension, or a plan for the next minutes.

::

    stage    Discrete(n stages)   go to this stage; the one that runs = stay
    extend   Discrete(4)          0: go to the next stage of the cycle; k: stay for k decision periods more
    plan     Box [-1, 1]          cycle, offset, one weight a phase -> projected onto legal plans, written as a pattern

What an action asks for passes the guard like anybody's decision; the mask says beforehand what the guard would refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import inf, isfinite
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete, Space

from control.guard import Guard
from control.lamp_rules import without_merges
from control.optimise.space import Site, Times
from control.rl.arena import Arena, made
from traffic.decisions import Decision, Extend, SelectPattern, Stage
from traffic.errors import BadInput, BadScenario
from traffic.ids import JunctionId
from traffic.signals import Order, Plan
from traffic.snapshot import Snapshot

Mask = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Choice:
    """What an action asks for, and until when the junction is not asked again, the plant's seconds."""

    decision: Decision | None
    until_s: float = -inf


STAY = Choice(None)


class Actions(Protocol):
    """A kind of action; what is sent depends on the action and the snapshot alone."""

    is_clocked: bool
    """Whether decisions fall due by the protocol's clock; else when the last choice has run out."""

    def space(self, junction: JunctionId) -> Space[Any]:
        """Return the space of a junction's actions."""

    def choice(self, action: Any, snapshot: Snapshot, junction: JunctionId) -> Choice:
        """Return what an action asks for; raises BadInput for what is none."""

    def mask(self, guard: Guard, snapshot: Snapshot, junction: JunctionId, *, is_due: bool) -> Mask | None:
        """Return 1 for actions that have an effect now and pass the guard, at least one; None where none is masked."""


MakeActions = Callable[[Arena], Actions]


class StageActions:
    """The next stage."""

    is_clocked = True

    def __init__(self, arena: Arena) -> None:
        self._index = arena.network.junction_index
        self._spaces = {name: Discrete(len(stages)) for name, stages in arena.stages.items()}
        self._always: dict[JunctionId, Mask] = {}
        self._decisions = {name: [Stage(name, s) for s in range(len(row))] for name, row in arena.stages.items()}

    def space(self, junction: JunctionId) -> Space[Any]:
        """Return the stages by number."""
        return self._spaces[junction]

    def choice(self, action: Any, snapshot: Snapshot, junction: JunctionId) -> Choice:
        """Return the stage; nothing is sent where it runs already."""
        stage = _whole(action, self._spaces[junction], junction)
        return STAY if stage == snapshot.stage[self._index[junction]] else Choice(self._decisions[junction][stage])

    def mask(self, guard: Guard, snapshot: Snapshot, junction: JunctionId, *, is_due: bool) -> Mask | None:
        """Return the stages that the guard lets pass; where nothing is due, the one that runs or comes."""
        running = snapshot.stage[self._index[junction]]
        decisions = self._decisions[junction]
        if not is_due:
            return _only(max(running, 0), len(decisions))
        if not guard.limits.is_street:
            return self._static(guard, junction).copy()
        mask = np.array([not guard.faults(decision) for decision in decisions], np.int8)
        return mask if mask.any() else _only(running, len(decisions))

    def _static(self, guard: Guard, junction: JunctionId) -> Mask:
        """Return the stages without conflicts: under the legacy profile nothing else counts."""
        if junction not in self._always:
            self._always[junction] = np.array([not guard.faults(d) for d in self._decisions[junction]], np.int8)
        return self._always[junction]


class ExtendActions:
    """Stay for some decision periods, or go on to the next stage of the cycle."""

    is_clocked = True
    n_most = 3

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._space = {name: Discrete(1 + self.n_most) for name in arena.stages}

    def space(self, junction: JunctionId) -> Space[Any]:
        """Return 0 for the next stage, and 1 to 3 decision periods."""
        return self._space[junction]

    def choice(self, action: Any, snapshot: Snapshot, junction: JunctionId) -> Choice:
        """Return the change or the extension."""
        n_periods = _whole(action, self._space[junction], junction)
        decision = self._decision(n_periods, snapshot, junction)
        return Choice(decision, decision.until_s if isinstance(decision, Extend) else -inf)

    def mask(self, guard: Guard, snapshot: Snapshot, junction: JunctionId, *, is_due: bool) -> Mask | None:
        """Return which extensions, and whether the change, pass the guard; to stay one period where none does."""
        if not is_due:
            return _only(1, 1 + self.n_most)
        decisions = [self._decision(k, snapshot, junction) for k in range(1 + self.n_most)]
        mask = np.array([not guard.faults(decision) for decision in decisions], np.int8)
        return mask if mask.any() else _only(1, 1 + self.n_most)

    def _decision(self, n_periods: int, snapshot: Snapshot, junction: JunctionId) -> Stage | Extend:
        if n_periods:
            return Extend(junction, snapshot.time_s + n_periods * self._arena.clock.decision_s)
        running = snapshot.stage[self._arena.network.junction_index[junction]]
        return Stage(junction, (running + 1) % len(self._arena.stages[junction]))


class PlanActions:
    """Cycle, offset and splits for the next minutes: -1 is the shortest cycle, offset 0, the least share.

    Raises
    ------
    BadScenario
        If at some junction no plan is legal, or none is installed.
    """

    is_clocked = False
    least_s = 300.0
    """A plan holds for five minutes, and for as many cycles as the guard asks for between two."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        missing = [name for name in arena.junctions if name not in arena.plans]
        if missing:
            raise BadScenario(f"plans of {arena.name}", ", ".join(missing), "one is installed everywhere", "add them")
        self._sites = {
            name: Site(without_merges(junction, arena.network), arena.plans[name], arena.limits)
            for name, junction in arena.junctions.items()
        }
        self._space = {
            name: Box(-1.0, 1.0, (2 + len(row.phases),), np.float32) for name, row in arena.junctions.items()
        }

    def space(self, junction: JunctionId) -> Space[Any]:
        """Return the box: cycle, offset, then a weight for each phase."""
        return self._space[junction]

    def choice(self, action: Any, snapshot: Snapshot, junction: JunctionId) -> Choice:
        """Return the order of the legal plan that is nearest to what was wished."""
        box, values = self._space[junction], np.asarray(action, dtype=np.float64)
        if values.shape != box.shape or not np.isfinite(values).all():
            raise BadInput(
                f"plan action of junction {junction}", action, f"{box.shape} finite numbers", "mend the policy"
            )
        times = self.times(values, junction)
        if times is None:
            return Choice(None, snapshot.time_s + self.least_s)
        n_cycles = self._arena.limits.cycles_between_plans
        until_s = snapshot.time_s + max(self.least_s, float(n_cycles * times.cycle_s))
        return Choice(SelectPattern(self._order(self._sites[junction].plan_of(times), snapshot, until_s)), until_s)

    def times(self, values: npt.NDArray[np.float64], junction: JunctionId) -> Times | None:
        """Return legal times near a wish: its splits, or else even ones, or else the installed plan's, or else none."""
        site = self._sites[junction]
        cycle, offset, *weights = ((1.0 + np.clip(values, -1.0, 1.0)) / 2.0).tolist()
        cycle_s = round(site.shortest_s + cycle * (site.longest_s - site.shortest_s))
        total = sum(weights) or 1.0
        wish_s = [cycle_s * weight / total for weight in weights]
        installed = site.installed_times
        return (
            site.project(wish_s, cycle_s, offset * cycle_s)
            or site.project([0.0] * len(weights), cycle_s, offset * cycle_s)
            or (installed if not site.faults(installed) else None)
        )

    def mask(self, guard: Guard, snapshot: Snapshot, junction: JunctionId, *, is_due: bool) -> Mask | None:  # noqa: ARG002
        """Return None: what is illegal is projected, not masked."""
        return None

    def _order(self, plan: Plan, snapshot: Snapshot, until_s: float) -> Order:
        now = self._arena.day + timedelta(seconds=snapshot.time_s)
        return Order(
            plan=plan,
            config_hash=self._arena.junctions[plan.junction].config_hash,
            sequence_number=1 + round(10.0 * snapshot.time_s),
            valid_from=now,
            expires=self._arena.day + timedelta(seconds=until_s + self.least_s),
            issuer="policy",
        )


def _whole(action: Any, space: Discrete, junction: JunctionId) -> int:
    """Return an action as a number of its space."""
    if isinstance(action, int | np.integer) and 0 <= action < space.n:
        return int(action)
    try:
        value = float(action)
    except (TypeError, ValueError):
        value = inf
    if not isfinite(value) or value != int(value) or not 0 <= value < space.n:
        raise BadInput(f"action of junction {junction}", action, f"0-{space.n - 1}", "mend the policy")
    return int(value)


def _only(place: int, n: int) -> Mask:
    mask = np.zeros(n, np.int8)
    mask[place] = 1
    return mask


ACTIONS: dict[str, MakeActions] = {"stage": StageActions, "extend": ExtendActions, "plan": PlanActions}


def actions_of(arena: Arena, action: str | MakeActions) -> Actions:
    """Return the actions of a name, or one's own.

    Raises
    ------
    BadInput
        If there is none of that name; the message lists them.
    """
    return made("action", action, ACTIONS, arena)
