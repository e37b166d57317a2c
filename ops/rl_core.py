"""The queue model of a scenario as the plant of an environment's episodes."""

from __future__ import annotations

from dataclasses import dataclass, field

from control.queue_plant import QueuePlant
from control.queue_site import QueueSite, build_site
from ops.core_mpc import clock_of
from ops.core_runs import open_queue_model
from sim.protocols import Protocol
from sim.twin import Town
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
