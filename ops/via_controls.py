"""Controls with a plan head: those that `evaluate --via controller` can score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from control.controllers.fixed_time import FixedTime
from control.controllers.plan_mpc import PlanMpc
from control.orders import orders_of
from control.plan.in_step import in_step
from ops.core_plan_mpc import plan_mpc_of
from ops.evaluate_runs import EvaluateSpec, webster_plans
from ops.street_centre import PAUSE_S
from sim.netfile import Program
from sim.programs import program_of_plan
from sim.twin import Town
from traffic.decisions import SelectPattern
from traffic.ids import JunctionId
from traffic.ports import Controller, Plant
from traffic.signals import Junction, Plan
from traffic.snapshot import Snapshot

Junctions = Mapping[JunctionId, Junction]


class PlansOnce:
    """Pushes plans at its first decision, and says nothing after that. Its state is the junctions still to be told.

    Offsets are moved so that no controller has far to go in its transition, those of one cycle together.
    """

    def __init__(self, plans: Mapping[JunctionId, Plan], installed: Mapping[JunctionId, Plan]) -> None:
        self._plans, self._installed = plans, installed

    def start(self, plant: Plant) -> Junctions:
        """Return all junctions."""
        return plant.junctions

    def decide(self, snapshot: Snapshot, state: Junctions) -> tuple[Sequence[SelectPattern], Junctions]:
        """Return an order for each junction that was not told yet."""
        if not state:
            return (), state
        turns = enumerate(self._plans, start=1)
        times_s = {name: snapshot.time_s + turn * PAUSE_S for turn, name in turns}  # dialogues follow one another
        plans = in_step(state, self._plans, self._installed, times_s)
        return orders_of(state, list(plans.values()), sequence_number=1, time_s=snapshot.time_s), {}


def _webster(spec: EvaluateSpec, town: Town) -> PlansOnce:
    return PlansOnce(webster_plans(town, spec.protocol, spec.scenario), town.signals.plans)


def _plan_mpc(spec: EvaluateSpec, town: Town) -> PlanMpc:
    return plan_mpc_of(spec.scenario, town, spec.protocol)


PLAN_LEVEL: dict[str, Callable[[EvaluateSpec, Town], Controller[Any]]] = {
    "static_safe": lambda _spec, _town: FixedTime(),
    "webster": _webster,
    "plan_mpc": _plan_mpc,
    "mpc": _plan_mpc,
    "universal": lambda spec, town: plan_mpc_of(spec.scenario, town, spec.protocol, model=spec.model),
}
"""By the name of the control that runs directly, too. The town is the one that the controllers hold."""
PROGRAMS: dict[str, Callable[[EvaluateSpec, Town], Mapping[JunctionId, Program]]] = {
    "static_safe": lambda _spec, town: town.signals.programs,
    "webster": lambda spec, town: {
        name: program_of_plan(town.signals.junctions[name], plan)
        for name, plan in webster_plans(town, spec.protocol, spec.scenario).items()
    },
}
"""What those that are plans run directly, on the junctions that the controllers hold: there a link that is green in two
phases in a row stays green between them. The others decide by stages."""
