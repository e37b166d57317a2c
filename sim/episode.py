"""One run of one scenario under one control, measured: what an ensemble repeats and an evaluation compares."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import TypeVar
from xml.sax.saxutils import quoteattr

from sim.demand import check_demand, read_demand, seeded_routes
from sim.detectors import ZONE_M
from sim.drive import drive
from sim.heads import Moment
from sim.history import link_flows
from sim.lamp_history import LampFaults, faults_of_run, longest_red_s
from sim.launch import TOTALS, TRIPS, Launch, launch, launch_of
from sim.measures import Measures, measure, read_totals
from sim.netfile import Program
from sim.network import read_network
from sim.programs import read_signals, write_programs
from sim.protocols import Protocol
from sim.trips import read_trips
from sim.twin import Town, Twin, build_town
from traffic.ids import JunctionId
from traffic.ports import Controller, Plant
from traffic.scenario import Scenario

StateT = TypeVar("StateT")
_STATE = re.compile(r'<tlsState time="([^"]*)" id="([^"]*)" [^>]*?state="([^"]*)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A seed is a pair: SUMO's drivers, and the demand (0 = the file as it is)."""

    driver: int
    demand: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What one run gave: the longest red of a link that is ever green, CPU time from the first to the last step."""

    seed: Seed
    measures: Measures
    faults: LampFaults
    longest_red_s: float
    cpu_s: float


def open_town(scenario: Scenario, *, zone_m: float = ZONE_M) -> Town:
    """Return the town of a scenario, its zones weighed by the flows of the demand file as it is; read once a process.

    Raises
    ------
    BadScenario
        If network, programs or demand cannot be read.
    """
    period = (scenario.begin_s, scenario.end_s)
    return _town(scenario.network, scenario.additional, scenario.routes, period, zone_m)


@lru_cache(maxsize=2)
def _town(
    network: Path, additional: tuple[Path, ...], routes: tuple[Path, ...], period: tuple[float, float], zone_m: float
) -> Town:
    roads = read_network(network, additional)
    signals = read_signals(network, roads, additional)
    demand = read_demand(routes)
    check_demand(demand, roads.links, *period, where=f"demand for {network.name}")
    flows = link_flows(demand, roads, *period)
    return build_town(roads, signals, flows, zone_m=zone_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What every control is given: the town, how SUMO starts, where it writes, the seed, the protocol."""

    town: Town
    what: Launch
    folder: Path
    seed: Seed
    protocol: Protocol


def prepare(scenario: Scenario, seed: Seed, protocol: Protocol, folder: Path, *, zone_m: float = ZONE_M) -> Run:
    """Return a run of a scenario, its demand file written if the seed asks for one."""
    routes = seeded_routes(scenario.routes, seed.demand, scenario.begin_s, scenario.end_s, folder)
    return Run(
        town=open_town(scenario, zone_m=zone_m),
        what=launch_of(scenario, seed=seed.driver, routes=routes),
        folder=folder,
        seed=seed,
        protocol=protocol,
    )


def run_controlled(
    run: Run,
    controller: Controller[StateT],
    *,
    wrap: Callable[[Plant], Plant] | None = None,
    reads_queue: bool = True,
) -> Episode:
    """Run a controller over a twin, behind what `wrap` puts around it (the guard), and measure."""
    twin = Twin(run.town, run.what, run.folder, protocol=run.protocol, reads_queue=reads_queue)
    try:
        plant: Plant = wrap(twin) if wrap else twin
        gc.freeze()  # the town is not garbage: looking through all of it costs as much as a hundred decisions
        started_s = time.process_time()
        drive(plant, controller, run.what.end_s, run.protocol)
        cpu_s = time.process_time() - started_s
        histories = twin.history()
    finally:
        gc.unfreeze()
        twin.close()
    return episode_of(run, histories, cpu_s)


def run_native(run: Run, programs: Mapping[JunctionId, Program] | None = None) -> Episode:
    """Run SUMO's own programs, or `programs` in their place, without a controller, and measure.

    What static programs showed follows from the programs; actuated ones are recorded by SUMO at each switch.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    shown, what = programs or run.town.signals.programs, run.what
    if programs is not None:
        written = write_programs(run.folder / "programs.add.xml", programs.values())
        what = replace(what, additional=(*what.additional, written))
    is_static = all(program.kind == "static" for program in shown.values())
    if not is_static:
        what = replace(what, outputs=(_recorder(run.folder, shown),))
    with launch(what, run.folder) as simulation:
        started_s = time.process_time()
        simulation.step(what.end_s)
        cpu_s = time.process_time() - started_s
    histories = (
        {name: history_of_program(program, what.begin_s, what.end_s) for name, program in shown.items()}
        if is_static
        else _recorded(run.folder)
    )
    return episode_of(run, histories, cpu_s)


def history_of_program(program: Program, begin_s: float, end_s: float) -> list[Moment]:
    """Return what a static program shows from `begin_s` to `end_s`, changes only."""
    moments: list[Moment] = []
    time_s = begin_s
    while time_s < end_s - 1e-6:
        interval, next_s = program.interval_at(time_s)
        if not moments or moments[-1][1] != interval.lamps:
            moments.append((time_s, interval.lamps))
        time_s = round(next_s, 6)
    return moments


def episode_of(run: Run, histories: Mapping[JunctionId, Sequence[Moment]], cpu_s: float) -> Episode:
    """Return what a run gave, from the trip records in its folder and the lamps that were shown."""
    begin_s, end_s = run.what.begin_s, run.what.end_s
    intergreen_s = run.protocol.yellow_s + run.protocol.all_red_s
    trips = read_trips(run.folder / TRIPS, end_s)
    return Episode(
        seed=run.seed,
        measures=measure(trips, begin_s, end_s, totals=read_totals(run.folder / TOTALS)),
        faults=faults_of_run(histories, run.town.network.crossings, intergreen_s),
        longest_red_s=max((longest_red_s(history, end_s) for history in histories.values()), default=0.0),
        cpu_s=cpu_s,
    )


def _recorder(folder: Path, programs: Mapping[JunctionId, Program]) -> Path:
    rows = [
        f'  <timedEvent type="SaveTLSSwitchStates" source={quoteattr(name)} dest={quoteattr(str(_states(folder)))}/>'
        for name in programs
    ]
    path = folder / "recorder.add.xml"
    path.write_text("\n".join(["<additional>", *rows, "</additional>", ""]), encoding="utf-8")
    return path


def _states(folder: Path) -> Path:
    return (folder / "states.xml").resolve()


def _recorded(folder: Path) -> dict[JunctionId, list[Moment]]:
    histories: dict[JunctionId, list[Moment]] = {}
    for time_s, name, lamps in _STATE.findall(_states(folder).read_text(encoding="utf-8")):
        moments = histories.setdefault(JunctionId(unescape(name)), [])
        if not moments or moments[-1][1] != lamps:
            moments.append((float(time_s), lamps))
    return histories
