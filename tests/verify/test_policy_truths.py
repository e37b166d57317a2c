"""A trained policy on an isolated junction of two one-way streets, where the truth is known.

References
----------
F. Webster, Traffic signal settings, Road Research Technical Paper 39, 1958: the cycle of least delay at Poisson
arrivals. Here it is found by trying all.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from control.core.policy import N_CELLS, N_ROWS
from control.policy_runs import Exercise, Weights, delays
from control.policy_table import compile_sight, with_zones
from control.queue_model import QueueModel
from control.queue_stages import StageClock, StagePolicy, compile_stages
from control.rl.evolution import EvolutionSettings, evolve, start_evolution
from sim.detectors import compile_zones
from tests.unit.control.queue_towns import SmallTown, TownMaker, make_plan, trips
from traffic.demand import Journey
from traffic.ids import JunctionId, LinkId
from traffic.network import Approach, Movement, movement_id

A = JunctionId("a")
WAYS = {"west": ("w", "e"), "south": ("s", "n")}
STAGES = ("Gr", "rG")
SECONDS = 1800


def make_crossing() -> SmallTown:
    """``w ---[a]--- e`` and ``s ---[a]--- n``, stage 0 for the first, stage 1 for the second."""
    town = TownMaker()
    for start, end in WAYS.values():
        town.road(start)
        town.road(end)
    for index, (start, end) in enumerate(WAYS.values()):
        town.way(start, end, signal=("a", index))
    town.signal("a", *((30, lamps) for lamps in STAGES))
    built = town.build()
    movements = {
        movement_id("a", start, end): Movement(
            id=movement_id("a", start, end),
            junction=A,
            approach=LinkId(start),
            exit=LinkId(end),
            direction="s",
            connections=(index,),
            link_indices=(index,),
        )
        for index, (start, end) in enumerate(WAYS.values())
    }
    approaches = tuple(
        Approach(
            junction=A,
            link=row.approach,
            lanes=built.network.links[row.approach].lanes,
            movements=(row.id,),
            bearing_deg=0.0,
        )
        for row in movements.values()
    )
    crossing = replace(built.network.crossings[A], approaches=approaches)
    network = replace(built.network, movements=movements, crossings={A: crossing})
    return replace(built, network=network)


def poisson(vph: dict[str, float], seed: int) -> list[Journey]:
    """Return Poisson arrivals on each way."""
    chance, rows = np.random.default_rng(seed), []
    for way, flow in vph.items():
        n = int(chance.poisson(flow * SECONDS / 3600.0))
        rows += trips(WAYS[way], np.sort(chance.uniform(0.0, SECONDS, n)).tolist(), way)
    return sorted(rows, key=lambda row: row.depart_s)


def make_exercise(town: SmallTown, model: QueueModel, vph: dict[str, float]) -> Exercise:
    """Return the junction with a decision every 5 s after 5 s of green, and 5 s lost in a change."""
    flows = {(LinkId(WAYS[way][0]), LinkId(WAYS[way][1])): flow for way, flow in vph.items()}
    clock = StageClock(decision_s=5.0, clearance_s={A: [(3.0, 2.0)] * 2}, min_green_s=5.0, is_by_green=True)
    zones = compile_zones(town.network, flows, zone_m=150.0)
    shown = {A: STAGES}
    stages = compile_stages(town.network, model.compiled, shown, clock, StagePolicy(name="network"), flows)
    sight = compile_sight(town.network, shown, flows, clock, zones.zone_length_m)
    sight = with_zones(sight, town.network, model.compiled, zones)
    return Exercise("crossing", model.compiled.roads, stages._replace(sight=sight), SECONDS)


def train(exercises: list[Exercise], n_generations: int) -> Weights:
    """Return weights as float32, shape (1, N_ROWS, N_CELLS)."""
    evolution = start_evolution(0)
    settings = EvolutionSettings(n_pairs=16, n_exercises=len(exercises), seed=0)
    with ThreadPoolExecutor(1) as pool:
        for _ in range(n_generations):
            evolution, _ = evolve(evolution, exercises, settings, pool)
    return evolution.weights.astype(np.float32).reshape(1, N_ROWS, N_CELLS)


def test_with_one_street_empty_the_other_is_served() -> None:
    town, vph = make_crossing(), {"west": 0.0, "south": 900.0}
    model = town.model(poisson(vph, 1), SECONDS)
    weights = train([make_exercise(town, model, vph)], 20)
    fresh = town.model(poisson(vph, 2), SECONDS)
    always = make_plan(town.junctions[A], [5, 235])
    served_s = delays(make_exercise(town, fresh, vph), weights, seed=0)[0]
    assert served_s <= fresh.run([{A: always}]).delay_s[0, 0], "no more than with nearly all of the time"


def test_at_equal_poisson_arrivals_it_is_no_worse_than_the_best_fixed_cycle() -> None:
    town, vph = make_crossing(), {"west": 500.0, "south": 500.0}
    models = [town.model(poisson(vph, seed), SECONDS) for seed in range(1, 5)]
    weights = train([make_exercise(town, model, vph) for model in models], 40)
    fresh = [town.model(poisson(vph, seed), SECONDS) for seed in range(101, 107)]
    plans = [{A: make_plan(town.junctions[A], [green_s, green_s])} for green_s in range(5, 46)]
    fixed_s = np.mean([model.run(plans).delay_s[:, 0] for model in fresh], axis=0)
    policy_s = np.mean([delays(make_exercise(town, model, vph), weights, seed=0)[0] for model in fresh])
    assert policy_s <= 1.05 * fixed_s.min()
    assert 5 < 5 + int(fixed_s.argmin()) < 45, "the best cycle is inside what was tried"
