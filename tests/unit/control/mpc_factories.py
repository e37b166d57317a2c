"""Streets of fake crossroads in the core, with what history knows of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from control.controllers.mpc import Mpc, MpcSettings
from control.controllers.plan_mpc import PlanMpc, PlanMpcSettings
from control.controllers.policy import UniversalPolicy
from control.core.policy import N_CELLS, N_ROWS, SKIP, Sight
from control.limits import GuardLimits
from control.policy_table import compile_sight, with_zones
from control.queue_physics import Physics
from control.queue_stages import StageClock, StagePolicy
from control.state_estimate import Streets, build_streets
from sim.detectors import compile_zones
from tests.unit.control.fakes import FakePlant, make_crossroads, make_plan
from traffic.demand import LinkHistory
from traffic.network import Network, VehicleType
from traffic.snapshot import Snapshot

CAR = VehicleType(id="car", speed_dev=0.0, sigma=0.0)


def make_street(*names: str) -> FakePlant:
    return FakePlant([make_crossroads(name) for name in names or ("a",)])


def make_history(network: Network, vph: float = 200.0) -> LinkHistory:
    flows = {(row.approach, row.exit): vph for row in network.movements.values()}
    return LinkHistory(begin_s=0.0, period_s=900.0, flows_vph=(flows,), vehicle=CAR)


def make_clock(plant: FakePlant, **changes: object) -> StageClock:
    clock = StageClock(
        decision_s=10.0,
        clearance_s={name: [(3.0, 2.0)] * len(rows) for name, rows in plant.stages.items()},
    )
    return replace(clock, **changes)  # type: ignore[arg-type]


def make_streets(
    plant: FakePlant, *, vph: float = 200.0, policy: StagePolicy | None = None, **clock: object
) -> Streets:
    return build_streets(
        plant.network,
        plant.stages,
        make_history(plant.network, vph),
        make_clock(plant, **clock),
        policy or StagePolicy(),
        Physics(noise=0.0),
    )


def make_sight(plant: FakePlant, streets: Streets, *, vph: float = 200.0, zone_m: float = 100.0) -> Sight:
    network, zones = plant.network, compile_zones(plant.network, zone_m=zone_m)
    flows = {(row.approach, row.exit): vph for row in network.movements.values()}
    sight = compile_sight(network, plant.stages, flows, make_clock(plant), zones.zone_length_m)
    return with_zones(sight, network, streets.compiled, zones)


def make_mpc(plant: FakePlant | None = None, settings: MpcSettings | None = None, *, has_plans: bool = True) -> Mpc:
    street = plant or make_street("a", "b")
    plans = {name: make_plan(junction) for name, junction in street.junctions.items()} if has_plans else {}
    return Mpc(make_history(street.network), make_clock(street, clearance_s=_short(street)), plans, settings)


def make_plan_mpc(plant: FakePlant | None = None, **settings: object) -> PlanMpc:
    """Return model-predictive control of plans, which decides soon and spends little."""
    street = plant or make_street("a", "b")
    plans = {name: make_plan(junction) for name, junction in street.junctions.items()}
    small: dict[str, object] = {
        "warm_up_s": 30.0,
        "n_draws": 2,
        "n_checks": 2,
        "budget_s": 0.02,
        "horizon_s": 300,
        "spread": 0.3,
    }
    chosen = replace(PlanMpcSettings(), **{**small, **settings})  # type: ignore[arg-type]
    limits = GuardLimits(is_push=False)
    return PlanMpc(make_history(street.network), make_clock(street), plans, limits, chosen)


def make_universal(plant: FakePlant | None = None, *, seed: int = 3, vph: float = 200.0) -> UniversalPolicy:
    """Return the policy from which training starts, a little changed at random."""
    street = plant or make_street("a", "b")
    plans = {name: make_plan(junction) for name, junction in street.junctions.items()}
    weights = np.random.default_rng(seed).normal(0.0, 0.02, (N_ROWS, N_CELLS))
    weights[SKIP, 0] += 1.0
    flows = {(row.approach, row.exit): vph for row in street.network.movements.values()}
    zone_length_m = np.full(len(street.network.movements), 100.0)
    clock = make_clock(street, clearance_s=_short(street))
    return UniversalPolicy(weights.astype(np.float32), flows, clock, zone_length_m, plans)


def _short(plant: FakePlant) -> dict[object, list[tuple[float, float]]]:
    return {name: [(3.0, 1.0)] * len(rows) for name, rows in plant.stages.items()}


def make_snapshot(plant: FakePlant, arriving: object, queued: object = 0.0, **changes: object) -> Snapshot:
    shape = (len(plant.network.movements),)
    return replace(
        plant.snapshot(),
        arriving_veh=np.broadcast_to(np.asarray(arriving, float), shape).copy(),
        queued_veh=np.broadcast_to(np.asarray(queued, float), shape).copy(),
        **changes,  # type: ignore[arg-type]
    )
