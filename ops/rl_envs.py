"""Environments over the SUMO twin or the queue model, put together: scenario, protocol, guard and seeds.

Importing this registers the ids of `control.rl.registry`, and starts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from control.core.policy import Sight
from control.expected_demand import mean_flows
from control.policy_table import compile_sight
from control.rl.arena import Arena
from control.rl.episode import EnvSettings
from control.rl.junction_env import JunctionEnv
from control.rl.registry import register_ids
from control.rl.town_env import TownEnv
from ops.core_mpc import clock_of, history_of
from ops.evaluate_runs import PROTOCOLS, limits_of, protocol_of
from ops.plan_runs import town_seen
from ops.rl_core import QueueStart
from ops.rl_occupancy import OCCUPANCIES, persons_per_vehicle
from ops.scenario_folder import open_scenario
from sim.demand import seeded_routes
from sim.detectors import ZONE_M
from sim.launch import launch_of
from sim.protocols import Protocol
from sim.twin import Town, Twin
from traffic.errors import BadInput, PlantLost
from traffic.ids import JunctionId
from traffic.scenario import Scenario

PLANTS = ("sumo", "core")
SHORTEST_ZONE_M, LONGEST_ZONE_M = 50.0, 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TownOptions:
    """What an environment runs on.

    Attributes
    ----------
    protocol
        `legacy` or `safe`.
    horizon_s
        Length of an episode; the scenario's own period if None, seconds.
    occupancies
        Persons in a vehicle, by class; the defaults are assumptions.
    zone_m
        Length of the detector zones, 50-150 m.
    plant
        `sumo`, or `core`: the queue model, calibrated where somebody did that; it starts at once, and several fit into
        a process.
    folder
        Where SUMO writes; a temporary folder, removed at the end of each episode, if None.
    """

    protocol: str = "safe"
    horizon_s: float | None = None
    occupancies: dict[str, float] | None = None
    zone_m: float = ZONE_M
    plant: str = "sumo"
    folder: Path | None = None


def junction_env(scenario: str | Scenario, junction: str | None = None, **chosen: Any) -> JunctionEnv:
    """Return a Gymnasium environment of one junction of a scenario.

    `chosen` are fields of `TownOptions` (protocol, horizon_s, ...) and of `EnvSettings` (action, observation, reward).

    Raises
    ------
    BadScenario, BadInput
        If the scenario cannot be read, or a name is not there.
    """
    options, settings = _split(chosen)
    return JunctionEnv(arena_of(scenario, options), None if junction is None else JunctionId(junction), settings)


def parallel_env(scenario: str | Scenario, **chosen: Any) -> TownEnv:
    """Return a PettingZoo parallel environment of all junctions of a scenario; `chosen` as in `junction_env`.

    Raises
    ------
    BadScenario, BadInput
        If the scenario cannot be read, or a name is not there.
    """
    options, settings = _split(chosen)
    return TownEnv(arena_of(scenario, options), settings)


def arena_of(scenario: str | Scenario, options: TownOptions | None = None) -> Arena:
    """Return the arena of a scenario: its twin, or queue model, behind the limits that `evaluate` has for the protocol.

    Raises
    ------
    BadScenario, BadInput
        If the scenario cannot be read, or the protocol or the plant is not there.
    """
    opened = scenario if isinstance(scenario, Scenario) else open_scenario(scenario)
    given = options or TownOptions()
    if given.protocol not in PROTOCOLS:
        raise BadInput("protocol", given.protocol, f"one of {', '.join(PROTOCOLS)}", "choose one")
    if given.plant not in PLANTS:
        raise BadInput("plant", given.plant, f"one of {', '.join(PLANTS)}", "choose one")
    if not SHORTEST_ZONE_M <= given.zone_m <= LONGEST_ZONE_M:
        limit = f"{SHORTEST_ZONE_M:g}-{LONGEST_ZONE_M:g} m"
        raise BadInput("zone_m", f"{given.zone_m} m", limit, "a camera sees no less and no more")
    town, protocol = town_seen(opened, zone_m=given.zone_m), protocol_of(given.protocol, opened)
    return Arena(
        name=opened.name,
        network=town.network,
        junctions=town.signals.junctions,
        stages=town.stages,
        plans=town.signals.plans,
        limits=limits_of(town, protocol, opened),
        clock=protocol,
        horizon_s=opened.end_s - opened.begin_s if given.horizon_s is None else given.horizon_s,
        start=_Start(opened, town, protocol, given.folder)
        if given.plant == "sumo"
        else QueueStart(opened, town, protocol),
        sight=partial(_sight, opened, town, protocol),
        persons_per_vehicle=persons_per_vehicle(opened, town.network, given.occupancies or OCCUPANCIES),
    )


def _sight(scenario: Scenario, town: Town, protocol: Protocol) -> Sight:
    """Return what the universal policy knows of a town: its history and its protocol."""
    flows = mean_flows(history_of(scenario, town))
    clock = clock_of(town, protocol)
    return compile_sight(town.network, town.stages, flows, clock, town.zones.zone_length_m)


@dataclass(frozen=True, slots=True)
class _Start:
    """Starts a twin; one at a time in a process."""

    scenario: Scenario
    town: Town
    protocol: Protocol
    folder: Path | None

    def __call__(self, *, driver_seed: int, demand_seed: int, is_held: bool) -> Twin:
        scenario = self.scenario
        folder = Path(mkdtemp(prefix="env-")) if self.folder is None else self.folder
        routes = seeded_routes(scenario.routes, demand_seed, scenario.begin_s, scenario.end_s, folder)
        what = launch_of(scenario, seed=driver_seed, routes=routes)
        try:
            return _EnvTwin(self.town, what, folder, self.protocol, is_held=is_held, is_kept=self.folder is not None)
        except PlantLost as error:
            next_move = "close it, or give each environment a process (SubprocVecEnv, AsyncVectorEnv)"
            raise PlantLost(error.where, error.value, error.limit, next_move) from error


class _EnvTwin(Twin):
    """A twin that removes its temporary folder when it is closed."""

    def __init__(
        self, town: Town, what: Any, folder: Path, protocol: Protocol, *, is_held: bool, is_kept: bool
    ) -> None:
        self._folder, self._is_kept = folder, is_kept
        try:
            super().__init__(town, what, folder, protocol=protocol, is_held=is_held)
        except BaseException:
            self._remove()
            raise

    def close(self) -> Path:
        """End the run; its records are gone unless a folder was given."""
        trips = super().close()
        self._remove()
        return trips

    def _remove(self) -> None:
        if not self._is_kept:
            rmtree(self._folder, ignore_errors=True)


_SETTINGS = frozenset(EnvSettings.__dataclass_fields__)
_OPTIONS = frozenset(TownOptions.__dataclass_fields__)


def _split(chosen: dict[str, Any]) -> tuple[TownOptions, EnvSettings]:
    """Return options and settings; an unknown one is an error that lists those that there are."""
    unknown = sorted(set(chosen) - _SETTINGS - _OPTIONS)
    if unknown:
        known = ", ".join(sorted(_SETTINGS | _OPTIONS))
        raise BadInput("environment", ", ".join(unknown), f"options are {known}", "mend the name")
    return (
        TownOptions(**{name: value for name, value in chosen.items() if name in _OPTIONS}),
        EnvSettings(**{name: value for name, value in chosen.items() if name in _SETTINGS}),
    )


register_ids("ops.rl_envs:junction_env")
