"""Crossroads in the core as plants and as exercises, with random traffic."""

from __future__ import annotations

import numpy as np

from control.policy_runs import Exercise
from control.policy_table import compile_sight, with_zones
from control.queue_model import QueueModel
from control.queue_plant import QueuePlant
from control.queue_site import QueueSite, build_site
from control.queue_stages import StageClock, StagePolicy, compile_stages
from sim.detectors import compile_zones
from tests.unit.control.fakes import FakePlant, make_plan
from tests.unit.control.mpc_factories import CAR, make_clock, make_street
from traffic.demand import Journey, Journeys
from traffic.ids import JunctionId

A, B = JunctionId("a"), JunctionId("b")
BEGIN_S, SECONDS = 57.0, 600
ZONE_M, VPH = 100.0, 250.0


def make_model(plant: FakePlant, *, vph: float = VPH, seed: int = 1, seconds: int = SECONDS) -> QueueModel:
    """Return crossroads with Poisson arrivals on every movement."""
    rng, rows = np.random.default_rng(seed), []
    for name, row in plant.network.movements.items():
        departs_s = rng.uniform(0.0, seconds, int(rng.poisson(vph * seconds / 3600.0)))
        rows += [
            Journey(
                id=f"{name}.{k}", depart_s=BEGIN_S + float(at_s), links=(row.approach, row.exit), vehicle_type="car"
            )
            for k, at_s in enumerate(departs_s)
        ]
    journeys = Journeys(
        rows=tuple(sorted(rows, key=lambda row: row.depart_s)),
        types={"car": CAR},
        begin_s=BEGIN_S,
        end_s=BEGIN_S + seconds,
    )
    return QueueModel(plant.network, plant.junctions, journeys)


def flows_of(plant: FakePlant, vph: float = VPH) -> dict[object, float]:
    return {(row.approach, row.exit): vph for row in plant.network.movements.values()}


def make_site(
    *names: str, has_plans: bool = True, vph: float = VPH, clock: StageClock | None = None, offset_s: int = 0
) -> QueueSite:
    street = make_street(*names)
    plans = {name: make_plan(row, offset_s=offset_s) for name, row in street.junctions.items()} if has_plans else None
    zones = compile_zones(street.network, zone_m=ZONE_M)
    return build_site(make_model(street, vph=vph), street.stages, clock or make_clock(street), zones, plans)


def make_plant(*names: str, is_held: bool = True, seed: int = 0, **site: object) -> QueuePlant:
    return QueuePlant(make_site(*names, **site), seed=seed, is_held=is_held)  # type: ignore[arg-type]


def make_exercise(*names: str, seconds: int = 300, seed: int = 1, is_by_green: bool = False) -> Exercise:
    """Return crossroads to train on, which decide every 10 s."""
    street = make_street(*names)
    model, flows = make_model(street, seed=seed, seconds=seconds), flows_of(street)
    clock = make_clock(street, is_by_green=is_by_green, min_green_s=5.0 if is_by_green else 0.0)
    zones = compile_zones(street.network, flows, zone_m=ZONE_M)  # type: ignore[arg-type]
    policy = StagePolicy(name="network", max_red_s=100.0)
    stages = compile_stages(street.network, model.compiled, street.stages, clock, policy, flows)  # type: ignore[arg-type]
    sight = compile_sight(street.network, street.stages, flows, clock, zones.zone_length_m)  # type: ignore[arg-type]
    sight = with_zones(sight, street.network, model.compiled, zones)
    return Exercise("crossroads", model.compiled.roads, stages._replace(sight=sight), seconds)
