"""All that the core's kernels leave behind on small cases, to be compared between processes.

``python -m tests.unit.control.queue_dump FILE.npz`` writes it; with NUMBA_DISABLE_JIT=1 by plain Python.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from control.core.ahead import time_plans
from control.core.arrays import Array, Stages, State, make_state
from control.core.policy import N_CELLS, N_ROWS
from control.core.rollout import roll_out, run_policy
from control.core.run import run_fixed
from control.core.stages import run_seconds
from control.policy_table import compile_sight, with_zones
from control.queue_around import compile_around
from control.queue_physics import Physics
from control.queue_stages import StageClock, StagePolicy, compile_stages
from control.queue_timing import compile_plans
from control.state_estimate import build_streets, first_belief, see
from sim.detectors import compile_zones
from tests.unit.control.fakes import FakePlant, make_crossroads
from tests.unit.control.queue_grids import Case, make_case
from traffic.demand import LinkHistory
from traffic.lamps import stages as stages_of
from traffic.network import VehicleType

SHAPES = {"one": ((1, 1), 3), "row": ((3, 1), 6), "block": ((2, 2), 9)}
"""Size of each grid, and the seed for the rest."""
POLICIES = {
    "pressure": StagePolicy(name="pressure", max_red_s=30.0),
    "network": StagePolicy(name="network", max_red_s=30.0),
}
WEIGHTS = np.sin(np.arange(N_ROWS * N_CELLS)).reshape(1, N_ROWS, N_CELLS).astype(np.float32)
FAULTS = 0.3, 0.2
SECONDS = 60


def dump() -> dict[str, Array]:
    """Return the arrays that every kernel leaves, by case, kernel and field."""
    found: dict[str, Array] = {}
    for name, (shape, seed) in SHAPES.items():
        case = make_case(shape, 60, seed, SECONDS)
        found |= _flat(f"{name} plans", _fixed(case))
        state, lost = _ahead(case)
        found |= _flat(f"{name} ahead", state) | {f"{name} ahead lost": lost}
        for policy, rules in POLICIES.items():
            state, costs = _staged(case, rules)
            found |= _flat(f"{name} {policy}", state) | {f"{name} {policy} costs": costs}
    return found | _flat("zones", _estimated())


def _fixed(case: Case) -> State:
    model = case.model
    timing = compile_plans(case.plans[:2], model.junctions, model.compiled.signal_links, 0.0)
    state = make_state(model.compiled.roads, 4)
    rows, replicas = np.array([0, 0, 1, 1], np.int32), np.array([0, 1, 0, 1], np.int32)
    run_fixed(rows, replicas, timing, model.compiled.roads, state, np.uint64(2**63 + 5), SECONDS, 0, 4)
    return state


def _ahead(case: Case) -> tuple[State, Array]:
    """Time both plans on from where the first has come to, one junction ahead and one behind."""
    base, roads = _fixed(case), case.model.compiled.roads
    timing = compile_plans(case.plans[:2], case.model.junctions, case.model.compiled.signal_links, float(SECONDS))
    ahead_s = np.where(np.arange(timing.n.size).reshape(timing.n.shape) % 2, 7.0, -7.0)
    state, lost, outside = make_state(roads, 2), np.zeros(2), np.zeros((2, len(roads.origins)))
    least_s, ends = 0.5 * timing.length_s, np.array([3.0, 0.3])
    time_plans(timing, least_s, ahead_s, float(SECONDS), 40, ends, roads, base, state, lost, outside, 0, 2)
    return state, np.concatenate([lost, outside.ravel()])


def _staged(case: Case, policy: StagePolicy) -> tuple[State, Array]:
    """Run by a policy, then roll out every stage of every junction for 15 s, then run on."""
    model, roads = case.model, case.model.compiled.roads
    shown = {name: stages_of(row) for name, row in model.junctions.items()}
    clock = StageClock(decision_s=5.0, clearance_s={name: [(3.0, 2.0)] * len(row) for name, row in shown.items()})
    stages: Stages = compile_stages(model.network, model.compiled, shown, clock, policy, {})
    zones = compile_zones(model.network, zone_m=60.0)
    sight = compile_sight(model.network, shown, {}, clock, zones.zone_length_m)
    sight = with_zones(sight, model.network, model.compiled, zones)
    sight.faults[:], sight.weights[:] = FAULTS, WEIGHTS[0]
    stages = stages._replace(sight=sight)
    state, scratch = make_state(roads, 1), make_state(roads, 1)
    one = np.zeros(1, np.int32)
    run_policy(one, one, WEIGHTS, stages, roads, state, np.uint64(1), SECONDS, 0, 1)
    pairs = [(j, k, k - 1) for j, row in enumerate(shown.values()) for k in range(len(row))]
    tasks = np.array(pairs, np.int32).reshape(-1, 3)
    costs, weights = np.zeros(len(tasks)), np.array([1.0, 0.7, 10.0, 1.0])
    around = compile_around(model.network, model.compiled)
    roll_out(tasks, float(SECONDS), 10, weights, around, stages, roads, state, scratch, costs, 0, len(tasks))
    run_seconds(float(SECONDS), 10, np.uint64(0), stages, roads, State(*(array[0] for array in state)))
    return state, costs


def _estimated() -> State:
    """See two snapshots of a crossroads."""
    plant = FakePlant([make_crossroads("a"), make_crossroads("b")])
    network, names = plant.network, list(plant.junctions)
    flows = {(row.from_link, row.to_link): 300.0 for row in network.connections}
    history = LinkHistory(begin_s=0.0, period_s=900.0, flows_vph=(flows,), vehicle=VehicleType(id="car"))
    clearance_s = {name: [(3.0, 2.0)] * len(plant.stages[name]) for name in names}
    clock = StageClock(decision_s=5.0, clearance_s=clearance_s)
    streets = build_streets(network, plant.stages, history, clock, StagePolicy(), Physics())
    belief = first_belief(streets)
    for reading in (2.0, 5.0):
        plant.readings[:] = reading
        belief = see(streets, belief, plant.snapshot())
        plant.advance(7.0)
    return belief.state


def _flat(name: str, state: State) -> dict[str, Array]:
    """Return the arrays of a state, records field by field."""
    found: dict[str, Array] = {}
    for part, array in state._asdict().items():
        if array.dtype.names is None:
            found[f"{name} {part}"] = np.array(array)
        else:
            found |= {f"{name} {part} {field}": np.array(array[field]) for field in array.dtype.names}
    return found


if __name__ == "__main__":
    with np.errstate(over="ignore"):  # the random numbers are the lower 64 bits of a product
        np.savez(Path(sys.argv[1]), **dump())
