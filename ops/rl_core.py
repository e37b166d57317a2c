"""The queue model of a scenario: as the plant of an environment's episodes, and as an exercise for many replicas."""

from __future__ import annotations

from dataclasses import dataclass, field

from control.controllers.policy import MAX_RED_S
from control.policy_runs import Exercise
from control.queue_plant import QueuePlant
from control.queue_site import QueueSite, build_site
from control.queue_stages import StagePolicy
from ops.core_mpc import clock_of, history_of
from ops.core_policy import POLICY_ZONE_M
from ops.core_runs import open_queue_model
from ops.plan_runs import town_of
from ops.scenario_folder import open_scenario
from ops.train_set import Conditions, exercise_in
from sim.protocols import LEGACY, Protocol
from sim.twin import Town
from traffic.errors import BadScenario
from traffic.scenario import Scenario

_MOST_SITES = 100
"""Demand seeds whose model is kept; there are 99 to train on."""


@dataclass(frozen=True, slots=True)
class QueueStart:
    """Starts plants over the queue model; the model of a demand seed is built once."""

    scenario: Scenario
    town: Town
    protocol: Protocol
    sites: dict[int, QueueSite] = field(default_factory=dict)

    def __call__(self, *, driver_seed: int, demand_seed: int, is_held: bool) -> QueuePlant:
        """Return a plant at its beginning."""
        if demand_seed not in self.sites:
            if len(self.sites) == _MOST_SITES:
                self.sites.pop(next(iter(self.sites)))
            self.sites[demand_seed] = self._site(demand_seed)
        return QueuePlant(self.sites[demand_seed], seed=driver_seed, is_held=is_held)

    def _site(self, demand_seed: int) -> QueueSite:
        town, model = self.town, open_queue_model(self.scenario, demand_seed=demand_seed)
        return build_site(model, town.stages, clock_of(town, self.protocol), town.zones, town.signals.plans)


def core_exercise(
    scenario: str | Scenario, *, demand_seed: int = 0, protocol: Protocol = LEGACY, zone_m: float = POLICY_ZONE_M
) -> Exercise:
    """Return a scenario's own network and vehicles in the core, to train on or to time: no zone is faulty.

    Raises
    ------
    BadScenario
        If the scenario cannot be run, or has no movement over a signal.
    """
    opened = scenario if isinstance(scenario, Scenario) else open_scenario(scenario)
    town, model = town_of(opened), open_queue_model(opened, demand_seed=demand_seed)
    if not town.network.movements:
        where = f"scenario {opened.name}"
        raise BadScenario(where, "no movement over a signal", "there is nothing to decide", "choose another scenario")
    policy = StagePolicy(name="network", max_red_s=MAX_RED_S)
    name = f"{opened.name} demand {demand_seed} {protocol.name}"
    return exercise_in(name, model, town, history_of(opened, town), Conditions(protocol, zone_m), policy)
