"""What a set of plans does in the twin: one run of one seed, behind the same guard as the street."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from control.guard import Guard, street_limits
from control.orders import STREET_DAY, orders_of
from sim.episode import open_town
from sim.launch import launch_of
from sim.measures import measure
from sim.network import read_network
from sim.programs import Signals, program_of_plan
from sim.trips import read_trips
from sim.twin import Town, Twin, build_town
from traffic.errors import BadScenario
from traffic.ids import JunctionId
from traffic.saved import read_signals
from traffic.scenario import Scenario
from traffic.signals import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRun:
    """One run, as the street would have it: the installed plans, from `switch_s` on these, measured over departures
    in `window` (begin, end).
    """

    scenario: Scenario
    routes: Path
    plans: tuple[Plan, ...]
    seed: int
    switch_s: float
    window: tuple[float, float]
    folder: Path


def open_signals(scenario: Scenario) -> tuple[Town, dict[JunctionId, Plan]]:
    """Return a scenario's town with the junctions of its signals.json, and the plans in force there.

    Raises
    ------
    BadScenario
        If there is no signals.json, or a junction has no plan in it.
    """
    if scenario.signals is None:
        where = f"scenario {scenario.name}"
        raise BadScenario(where, "no signals.json", "controllers need their tables", "make one: see docs/engineers.md")
    return _open_signals(scenario.network, scenario.additional, scenario.signals)


def town_of(scenario: Scenario) -> Town:
    """Return a scenario's town, with the signals of its signals.json where it has one.

    Raises
    ------
    BadScenario
        If the scenario cannot be read.
    """
    return open_town(scenario) if scenario.signals is None else open_signals(scenario)[0]


def town_seen(scenario: Scenario, *, zone_m: float) -> Town:
    """Return a scenario's town as `town_of` does, its zones of that length and weighed by the flows of its demand.

    Raises
    ------
    BadScenario
        If the scenario cannot be read.
    """
    town = open_town(scenario, zone_m=zone_m)
    return town if scenario.signals is None else replace(open_signals(scenario)[0], zones=town.zones)


@lru_cache(maxsize=2)
def _open_signals(
    network_file: Path, additional: tuple[Path, ...], signals_file: Path
) -> tuple[Town, dict[JunctionId, Plan]]:
    network = read_network(network_file, additional)
    junctions, plans = read_signals(signals_file, network.crossings)
    installed = {plan.junction: plan for plan in plans}
    bare = sorted(set(junctions) - set(installed))
    if bare:
        raise BadScenario(str(signals_file), f"no plan for {bare}", "each junction needs a local plan", "add them")
    programs = {name: program_of_plan(junctions[name], installed[name]) for name in junctions}
    losses: Mapping[JunctionId, tuple[str, ...]] = dict.fromkeys(junctions, ())
    signals = Signals(junctions=junctions, plans=installed, programs=programs, losses=losses)
    return build_town(network, signals), installed


def run_plans(run: PlanRun) -> float:
    """Return the delay of one run, s/veh, over vehicles scheduled in its window.

    Raises
    ------
    UnsafeCommand
        If the guard refuses a plan.
    """
    scenario = run.scenario
    town, installed = open_signals(scenario)
    what = launch_of(scenario, seed=run.seed, routes=(run.routes,))
    twin = Twin(town, what, run.folder, is_held=False, reads_queue=False)
    try:
        limits = street_limits(scenario.guard, scenario.clearance, is_push=False)
        guard = Guard(twin, limits, now=lambda: STREET_DAY + timedelta(seconds=twin.time_s))
        for number, plans in enumerate((tuple(installed.values()), run.plans), start=1):
            if number == 1 or plans != tuple(installed.values()):
                guard.command(orders_of(town.signals.junctions, plans, sequence_number=number, time_s=twin.time_s))
            guard.advance((run.switch_s if number == 1 else scenario.end_s) - twin.time_s)
    finally:
        trips = twin.close()
    return measure(read_trips(trips, scenario.end_s), *run.window).delay_s
