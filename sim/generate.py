"""Towns made up from a seed alone, for training: streets, signals and demand at random, in a folder SUMO can run.

::

    folder/town_00007_3f2a.../   scenario.toml  town.net.xml  types.add.xml  town.rou.xml (demand seed 0)

A town lies in the folder whole or not at all; one that is there is read, not made again. The name carries a digest of
the generator, so that another generator makes its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sim.generate_demand import GeneratedDemand, Process, draw_demand, draw_process, has_lane_sharing
from sim.generate_lanes import fit_lanes, plain_xml
from sim.generate_signals import Clearance, cycle_of, draw_stages, greens_needed, lost_time_s, timed_program
from sim.generate_streets import TownKind, draw_streets
from sim.generate_types import draw_types, lane_flow_vph, types_xml
from sim.netconvert import convert_plain, set_programs
from sim.network import read_network
from sim.programs import read_signals
from sim.route_files import Trip, write_trips
from sim.twin import Town, build_town
from traffic.errors import BadInput
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.scenario import Scenario, read_scenario

NETWORK, TYPES, ROUTES = "town.net.xml", "types.add.xml", "town.rou.xml"
_ODDS = {TownKind.CROSS: 0.2, TownKind.TEE: 0.1, TownKind.ARTERIAL: 0.35, TownKind.LATTICE: 0.35}
_HAS_ALL = 0.25
"""How many towns have as many stages everywhere as there can be: eight at a crossroads with lanes for left turns."""
_CYCLE_S = 100.0
"""Cycle at which the capacity of a junction is estimated."""
_USUAL = 0.75
"""Degree of saturation for which the installed programs are timed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedTown:
    """A town from a seed: what is built, and how its vehicles come.

    `capacity_vph` is the demand that fills the critical junction, by a simple estimate.
    """

    seed: int
    kind: TownKind
    scenario: Scenario
    town: Town
    process: Process
    capacity_vph: float

    def demand(self, demand_seed: int) -> GeneratedDemand:
        """Return the vehicles of a demand seed, and what is known of them beforehand; seed 0 is the route file."""
        return draw_demand(self.town.network, self.process, self.capacity_vph, (self.seed, 3, demand_seed))


def generate_town(seed: int, kind: TownKind | None, folder: Path) -> GeneratedTown:
    """Return the town of a seed, made in `folder` where it is not there yet; without a kind, one is drawn.

    Raises
    ------
    BadInput
        If the seed is below 0, or the folder cannot be written to.
    """
    if seed < 0:
        raise BadInput("generated town: seed", seed, "0 or more", "choose another seed")
    if kind is None:
        names = list(_ODDS)
        kind = names[int(np.random.default_rng((seed, 0)).choice(len(names), p=list(_ODDS.values())))]
    place = folder / f"town_{seed:05d}_{_digest(kind)}"
    if not place.is_dir():
        try:
            _make(seed, kind, place)
        except OSError as error:
            raise BadInput(f"generated towns: {folder}", error, "must take files", "choose another folder") from error
    return _open(seed, kind, place)


def generate_set(first_seed: int, number: int, folder: Path) -> Iterator[GeneratedTown]:
    """Yield the towns of so many seeds in a row, one after the other."""
    for seed in range(first_seed, first_seed + number):
        yield generate_town(seed, None, folder)


def _digest(kind: TownKind) -> str:
    return hashlib.sha256(_sources() + kind.encode()).hexdigest()[:12]


@cache
def _sources() -> bytes:
    """Return the text of the generator."""
    return b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("generate*.py")))


def _make(seed: int, kind: TownKind, place: Path) -> None:
    """Write a town beside its place, then put it there at one go."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place.parent, prefix=".making-") as name:
        draft = Path(name) / place.name
        draft.mkdir()
        _write(seed, kind, draft)
        try:
            draft.rename(place)
        except OSError:
            if not place.is_dir():
                raise


def _write(seed: int, kind: TownKind, draft: Path) -> None:
    rng = np.random.default_rng((seed, 1))
    convert_plain(plain_xml(fit_lanes(draw_streets(kind, rng)), rng), [], draft / NETWORK)
    types = draw_types(rng)
    network = read_network(draft / NETWORK)
    process = _process(seed, network)
    (draft / TYPES).write_text(types_xml(types, has_lane_sharing=has_lane_sharing(process)), encoding="utf-8")
    network = read_network(draft / NETWORK, (draft / TYPES,))
    clearance = Clearance(yellow_s=float(rng.integers(3, 6)), all_red_s=float(rng.integers(0, 4)))
    has_all = rng.random() < _HAS_ALL
    stages = {name: draw_stages(network, row, rng, has_all=has_all) for name, row in network.crossings.items()}
    losses_s = {name: lost_time_s(rows, clearance) for name, rows in stages.items()}
    needed = _needed(network, stages, process)
    usual_vph = _USUAL * _capacity_vph(needed, losses_s)
    usual = {name: [usual_vph * share for share in rows] for name, rows in needed.items()}
    cycles_s = {name: cycle_of(losses_s[name], rows, rng) for name, rows in usual.items()}
    if rng.random() < 0.5:
        cycles_s = dict.fromkeys(cycles_s, max(cycles_s.values()))
    sites = {name: (crossing, stages[name]) for name, crossing in network.crossings.items()}
    programs = [timed_program(site, usual[name], cycles_s[name], clearance, rng) for name, site in sites.items()]
    set_programs(draft / NETWORK, programs)
    (draft / "scenario.toml").write_text(_scenario_toml(seed, kind, process), encoding="utf-8")
    write_trips(draft / ROUTES, [Trip(depart_s=0.0, vehicle_type="car", links=process.ways[0])])
    rows = _open(seed, kind, draft).demand(0).journeys.rows
    trips = [Trip(depart_s=row.depart_s, vehicle_type=row.vehicle_type, links=row.links) for row in rows]
    write_trips(draft / ROUTES, trips)


def _open(seed: int, kind: TownKind, place: Path) -> GeneratedTown:
    scenario = read_scenario(place)
    network = read_network(scenario.network, scenario.additional)
    signals = read_signals(scenario.network, network)
    process = _process(seed, network)
    plain = build_town(network, signals, process.flows())
    clearance = {name: _clearance_of(plain, name) for name in plain.stages}
    losses_s = {name: lost_time_s(rows, clearance[name]) for name, rows in plain.stages.items()}
    capacity_vph = _capacity_vph(_needed(network, plain.stages, process), losses_s)
    return GeneratedTown(
        seed=seed, kind=kind, scenario=scenario, town=plain, process=process, capacity_vph=capacity_vph
    )


def _process(seed: int, network: Network) -> Process:
    return draw_process(network, np.random.default_rng((seed, 2)))


def _clearance_of(town: Town, name: JunctionId) -> Clearance:
    phases = town.signals.junctions[name].phases
    return Clearance(
        yellow_s=max(phase.yellow_ds for phase in phases) / 10.0,
        all_red_s=max(phase.red_clear_ds for phase in phases) / 10.0,
    )


def _needed(
    network: Network, stages: Mapping[JunctionId, tuple[str, ...]], process: Process
) -> dict[JunctionId, list[float]]:
    """Return the green that every stage needs per vehicle and hour of demand, as a share of time."""
    sat_flow_vph = lane_flow_vph(network.vehicle_types, process.type_shares, has_lane_sharing(process))
    flows = process.flows()
    return {
        name: greens_needed(network, network.crossings[name], rows, flows, sat_flow_vph)
        for name, rows in stages.items()
    }


def _capacity_vph(needed: Mapping[JunctionId, list[float]], losses_s: Mapping[JunctionId, float]) -> float:
    """Return the demand at which the critical junction is full at a usual cycle, veh/h."""
    return min((1.0 - losses_s[name] / _CYCLE_S) / max(1e-9, sum(row)) for name, row in needed.items())


def _scenario_toml(seed: int, kind: TownKind, process: Process) -> str:
    lines = [
        "version = 1",
        f'name = "town_{seed:05d}"',
        f'title = "Generated town {seed} ({kind})"',
        f'network = "{NETWORK}"',
        f'routes = ["{ROUTES}"]',
        f'additional = ["{TYPES}"]',
        f"begin_s = {process.begin_s:g}",
        f"end_s = {process.end_s:g}",
        "step_s = 1.0",
    ]
    if has_lane_sharing(process):
        lines += ["lateral_resolution_m = 0.8", "ignore_junction_blocker_s = 15"]
    return "\n".join([*lines, ""])
