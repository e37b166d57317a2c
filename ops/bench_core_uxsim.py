"""UXsim (PyPI, bench extra) in its C++ mode on the roads, signals and trips of a scenario, to time it beside SUMO.

UXsim knows links, not lanes: all lanes of a link share one queue, and a link is green while its straight movement is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from sim.demand import read_demand
from sim.episode import open_town
from sim.programs import program_of_plan
from traffic.errors import MissingTool
from traffic.ids import JunctionId, LinkId
from traffic.network import Network
from traffic.scenario import Scenario
from traffic.signals import GREEN_LETTERS, Junction, Plan

JAM_VEH_PER_M = 1 / 7.5
"""Jam density of a lane: SUMO's car of 5 m and its gap of 2.5 m."""
PACKAGE = "uxsim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """One link: ends, size, and the intervals of its end's cycle in which it is green (empty: no signal)."""

    name: str
    from_node: str
    to_node: str
    length_m: float
    speed_mps: float
    n_lanes: int
    greens: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UxsimSpec:
    """What UXsim is given; picklable.

    `signals`: node -> (seconds of each interval, offset); `trips`: (when a vehicle departs, its links).
    """

    roads: tuple[Road, ...]
    signals: dict[str, tuple[tuple[float, ...], float]]
    trips: tuple[tuple[float, tuple[str, ...]], ...]
    span_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UxsimSample:
    """CPU time of the simulation alone, and how many arrived."""

    cpu_s: float
    arrived: int


def uxsim_version() -> str | None:
    """Return the version that is installed, None if none is."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return None


def uxsim_spec(scenario: Scenario) -> UxsimSpec:
    """Return a scenario as UXsim can take it: installed plans, every trip on its own route at its own time.

    Raises
    ------
    BadScenario
        If it cannot be read.
    MissingTool
        If a junction has several nodes or a trip has no route: UXsim's world would not be equal.
    """
    town = open_town(scenario)
    network, junctions = town.network, town.signals.junctions
    shared = [crossing.id for crossing in network.crossings.values() if len(crossing.nodes) != 1]
    demand = read_demand(scenario.routes)
    if shared or demand.flows or any(row.is_trip or len(demand.edges_of(row)) < 2 for row in demand.departures):
        raise MissingTool(PACKAGE, f"no equal of {scenario.name}", "one node a signal, routes", "leave it out")
    signals: dict[str, tuple[tuple[float, ...], float]] = {}
    greens: dict[LinkId, tuple[int, ...]] = {}
    for name, crossing in network.crossings.items():
        program = program_of_plan(junctions[name], town.signals.plans[name])
        seconds = tuple(row.duration_s for row in program.intervals)
        signals[crossing.nodes[0]] = (seconds, (program.offset_s - scenario.begin_s) % program.cycle_s)
        greens |= _greens(network, junctions[name], town.signals.plans[name])
    roads = tuple(
        Road(
            name=link.id,
            from_node=link.from_node,
            to_node=link.to_node,
            length_m=link.length_m,
            speed_mps=link.speed_mps,
            n_lanes=len(link.lanes),
            greens=greens.get(link.id, ()),
        )
        for link in network.links.values()
    )
    trips = tuple((row.depart_s - scenario.begin_s, tuple(demand.edges_of(row))) for row in demand.departures)
    return UxsimSpec(roads=roads, signals=signals, trips=trips, span_s=scenario.end_s - scenario.begin_s)


def _greens(network: Network, junction: Junction, plan: Plan) -> dict[LinkId, tuple[int, ...]]:
    """Return for each approach the intervals in which its straight movement, or else any of it, is green."""
    intervals = program_of_plan(junction, plan).intervals
    greens = {}
    for approach in network.crossings[JunctionId(junction.id)].approaches:
        movements = [network.movements[name] for name in approach.movements]
        chosen = [row for row in movements if row.direction == "s"] or movements
        links = {link for row in chosen for link in row.link_indices}
        greens[approach.link] = tuple(
            place for place, row in enumerate(intervals) if any(row.lamps[link] in GREEN_LETTERS for link in links)
        )
    return greens


def run_uxsim(spec: UxsimSpec) -> UxsimSample:
    """Run UXsim once: one vehicle a packet, a step of one second, no log, no picture.

    Raises
    ------
    MissingTool
        If it is not installed.
    """
    try:
        package = import_module(PACKAGE)
    except ImportError as error:
        raise MissingTool(PACKAGE, str(error), next_move='pip install ".[bench]"') from error
    world = package.World(
        cpp=True,
        deltan=1,
        reaction_time=1,
        tmax=spec.span_s,
        random_seed=0,
        print_mode=0,
        save_mode=0,
        show_mode=0,
        show_progress=0,
        vehicle_logging_timestep_interval=-1,
    )
    for node in dict.fromkeys(name for road in spec.roads for name in (road.from_node, road.to_node)):
        seconds, offset_s = spec.signals.get(node, ((0.0,), 0.0))
        # UXsim leaves an interval in the step after the one in which its time is up: a second later than it says.
        world.addNode(node, 0, 0, signal=[max(0.0, span_s - 1.0) for span_s in seconds], signal_offset=offset_s)
    for road in spec.roads:
        world.addLink(
            road.name,
            road.from_node,
            road.to_node,
            length=road.length_m,
            free_flow_speed=road.speed_mps,
            jam_density_per_lane=JAM_VEH_PER_M,
            number_of_lanes=road.n_lanes,
            signal_group=list(road.greens) or [0],
        )
    ends = {road.name: (road.from_node, road.to_node) for road in spec.roads}
    for depart_s, links in spec.trips:
        vehicle = world.addVehicle(ends[links[0]][0], ends[links[-1]][1], depart_s)
        vehicle.enforce_route(list(links))
    started_s = time.process_time()
    world.exec_simulation()
    cpu_s = time.process_time() - started_s
    return UxsimSample(cpu_s=cpu_s, arrived=sum(row.state == "end" for row in world.VEHICLES.values()))
