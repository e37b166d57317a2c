"""The queue model of a scenario, with the parameters that were calibrated for it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from control.core.arrays import MOVES, SCANS, bytes_per_replica, make_state
from control.queue_model import QueueModel
from control.queue_physics import Physics
from ops.plan_runs import town_of
from sim.demand import seeded_routes
from sim.ensemble import n_cores
from sim.journeys import read_journeys
from traffic.errors import BadScenario
from traffic.ids import JunctionId
from traffic.scenario import Scenario
from traffic.signals import Plan
from traffic.snapshot import FloatArray

FILE = "queue_model.json"
STORE = Path(__file__).resolve().parents[1] / "models" / "queue_model"
"""Where the parameters of scenarios lie whose own folder is not ours to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreSpeed:
    """How fast the core is on one processor core: all its time per simulated second, vehicle move and lane scan."""

    sim_s_per_cpu_s: float
    ns_per_move: float
    ns_per_scan: float
    kb_per_replica: float


def open_queue_model(scenario: Scenario, *, demand_seed: int = 0, physics: Physics | None = None) -> QueueModel:
    """Return the queue model of a scenario under a demand seed, calibrated where somebody did that.

    Raises
    ------
    BadScenario
        If the scenario, its demand or its parameters cannot be read.
    """
    town = town_of(scenario)
    with TemporaryDirectory(prefix="demand-") as folder:
        routes = seeded_routes(scenario.routes, demand_seed, scenario.begin_s, scenario.end_s, Path(folder))
        journeys = read_journeys(scenario, town.network, routes=routes)
    return QueueModel(town.network, town.signals.junctions, journeys, physics or stored_physics(scenario))


def stored_physics(scenario: Scenario) -> Physics:
    """Return the parameters that were calibrated for a scenario's network, the defaults where there are none.

    Raises
    ------
    BadScenario
        If a file is there and cannot be used.
    """
    for path in physics_paths(scenario):
        if path.is_file():
            record = _read(path)
            if record.get("network_sha256") == network_digest(scenario):
                return _physics(record.get("physics"), path)
    return Physics()


def physics_paths(scenario: Scenario) -> tuple[Path, Path]:
    """Return where the parameters of a scenario may lie: with the scenario, or with our models."""
    return scenario.folder / FILE, STORE / f"{scenario.name}.json"


def network_digest(scenario: Scenario) -> str:
    """Return the sha256 of the network file: parameters hold for the network they were fitted on."""
    return hashlib.sha256(scenario.network.read_bytes()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadScenario(str(path), str(error), "must be JSON", "calibrate again, or remove it") from error
    return record if isinstance(record, dict) else {}


def _physics(values: object, path: Path) -> Physics:
    try:
        given = dict(values)  # type: ignore[call-overload]
        factors = {str(link): float(value) for link, value in dict(given.pop("headway_factor", {})).items()}
        return Physics(headway_factor=factors, **{str(name): float(value) for name, value in given.items()})
    except (TypeError, ValueError) as error:
        raise BadScenario(f"{path}: physics", str(error), "must be numbers by name", "calibrate again") from error


def core_delays(scenario: Scenario, plans: Sequence[Mapping[JunctionId, Plan]], *, n_replicas: int = 16) -> FloatArray:
    """Return the core's mean delay of every plan on the demand as it is, shape (n_plan,), s/veh."""
    delays: FloatArray = open_queue_model(scenario).run(plans, n_replicas=n_replicas, n_threads=n_cores()).delay_s
    return np.asarray(delays.mean(axis=1))


def core_speed(scenario: Scenario, *, n_replicas: int = 50) -> CoreSpeed:
    """Return how fast one core runs the installed plan, insertion and counters included; compiled beforehand."""
    model = open_queue_model(scenario)
    plans = [town_of(scenario).signals.plans]
    model.run(plans)
    begun_s = time.process_time()
    totals = model.run(plans, n_replicas=n_replicas).totals
    cpu_s = time.process_time() - begun_s
    return CoreSpeed(
        sim_s_per_cpu_s=n_replicas * (scenario.end_s - scenario.begin_s) / cpu_s,
        ns_per_move=1e9 * cpu_s / float(totals[..., MOVES].sum()),
        ns_per_scan=1e9 * cpu_s / float(totals[..., SCANS].sum()),
        kb_per_replica=bytes_per_replica(make_state(model.compiled.roads, 1)) / 1024.0,
    )
