"""Rows by hand: agreement with SUMO, choices, speeds, what UXsim is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import isnan
from typing import Any

import numpy as np
import pytest

from ops.bench_core_plans import Kind, PlanSet
from ops.bench_core_rows import FRESH_SEEDS, best_plan, ranking_row, regret_row
from ops.bench_core_speed import Engine, Speed, interleaved, speeds_of
from ops.bench_core_store import Ride
from ops.bench_core_sumo import Reference
from ops.bench_core_uxsim import uxsim_spec
from ops.scenario_folder import open_scenario
from sim.ensemble import stderr_progress

SUMO_S = [[10.0, 12.0], [21.0, 19.0], [30.0, 30.0], [41.0, 39.0], [50.0, 50.0]]
CORE_S = np.array([20.0, 10.0, 40.0, 30.0, 50.0])


def make_reference() -> Reference:
    kinds = [Kind.NEAR_DEFAULT] * 3 + [Kind.WEBSTER, Kind.RANDOM]
    return Reference(
        plans=tuple(PlanSet(name=f"p-{k}", kind=kind, plans={}) for k, kind in enumerate(kinds)),
        dropped=("random-00",),
        delays_s=np.array(SUMO_S),
        reliability=0.81,
        reliability_near_default=0.5,
    )


def test_the_agreement_of_all_plans_and_of_those_near_the_default() -> None:
    row = ranking_row(make_reference(), CORE_S)
    # Ranks 1 2 3 4 5 and 2 1 4 3 5: 1 - 6 * 4 / 120. Near the default 1 2 3 and 2 1 3: 1 - 6 * 2 / 24.
    assert row["rho"] == pytest.approx(0.8) and row["rho_near_default"] == pytest.approx(0.5)
    assert row["rho_ci95"][0] < 0.8 < row["rho_ci95"][1]
    assert (row["rho_ceiling"], row["rho_near_default_ceiling"]) == (0.81, 0.5)
    assert row["rho_truth"] == pytest.approx(0.9)
    assert (row["plans"], row["seeds"], row["dropped"]) == (5, 2, 1)


class FakeLab:
    """Answers rides on fresh seeds: the first plan takes 100 s, the second 110 s and a second more or less."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def rides(self, plans: Sequence[PlanSet], seeds: Sequence[int]) -> list[list[Ride]]:
        self.asked.append([plan.name for plan in plans])
        assert list(seeds) == list(FRESH_SEEDS) == list(range(100, 110))
        delay_s = {"p-0": lambda _: 100.0, "p-1": lambda seed: 110.0 + (1.0 if seed % 2 else -1.0)}
        return [
            [
                Ride(delay_s=delay_s[plan.name](seed), running=1, not_departed=0, arrived_last=9, arrived_best=9)
                for seed in seeds
            ]
            for plan in plans
        ]


def test_regret_is_judged_on_fresh_seeds() -> None:
    lab: Any = FakeLab()
    row = regret_row(lab, make_reference(), CORE_S)
    assert lab.asked == [["p-0", "p-1"]], "SUMO's best, then the core's"
    assert row["regret_pct"] == pytest.approx(10.0)
    # Differences 9 and 11, five of each: deviation sqrt(10 / 9), t(9) 2.262.
    assert row["regret_ci95_pct"] == pytest.approx([10.0 - 0.754, 10.0 + 0.754], abs=0.001)
    assert (row["sumo_best"], row["core_best"]) == ("p-0", "p-1")


def test_there_is_no_regret_in_the_same_choice() -> None:
    lab: Any = FakeLab()
    row = regret_row(lab, make_reference(), np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert row["regret_pct"] == 0.0 and row["regret_ci95_pct"] == [0.0, 0.0]
    assert best_plan(make_reference(), np.array([3.0, 1.0, 1.0, 2.0, 9.0])).name == "p-1"


def test_speed_is_net_of_the_run_of_one_step() -> None:
    speed = Speed(span_s=3599.0, full_s=(1.5, 9.0, 1.4), one_step_s=(0.5, 0.4, 0.6))
    assert speed.sim_s_per_cpu_s == pytest.approx(3599.0)
    assert isnan(Speed(span_s=3599.0, full_s=(0.4,), one_step_s=(0.5,)).sim_s_per_cpu_s), "too short to be timed"


def test_works_are_taken_in_turn_and_every_second_round_backwards() -> None:
    order: list[str] = []

    def work(name: str) -> float:
        order.append(name)
        return float(len(order))

    with stderr_progress() as progress:
        taken = interleaved({name: lambda name=name: work(name) for name in "abc"}, 2, progress, "test")
    assert "".join(order) == "abccba"
    assert taken == {"a": [1.0, 6.0], "b": [2.0, 5.0], "c": [3.0, 4.0]}


def test_each_engine_has_its_own_samples() -> None:
    taken = {"micro full": [3.0], "micro one step": [1.0], "meso full": [1.5], "meso one step": [1.0]}
    speeds = speeds_of(open_scenario("grid"), taken)
    assert speeds[Engine.MICRO].sim_s_per_cpu_s == pytest.approx(3599.0 / 2.0)
    assert speeds[Engine.MESO].sim_s_per_cpu_s == pytest.approx(3599.0 / 0.5)


def test_uxsim_is_given_equal_roads_signals_and_trips() -> None:
    scenario = open_scenario("grid")
    spec = uxsim_spec(scenario)
    assert len(spec.signals) == 16 and {sum(seconds) for seconds, _ in spec.signals.values()} == {90.0}
    roads = {road.name: road for road in spec.roads}
    assert len(roads) == 80 and Counter(road.n_lanes for road in roads.values()) == {3: 80}
    assert len(spec.trips) == 5548 and all(0.0 <= depart_s < 3600.0 for depart_s, _ in spec.trips)
    for _, links in spec.trips:
        for one, other in pairwise(links):
            assert roads[one].to_node == roads[other].from_node
    seconds, _ = spec.signals["B2"]
    green_s = {name: sum(seconds[k] for k in roads[name].greens) for name in ("A2B2", "C2B2", "B1B2", "B3B2")}
    assert green_s == {"A2B2": 29.0, "C2B2": 29.0, "B1B2": 29.0, "B3B2": 29.0}
    assert not set(roads["A2B2"].greens) & set(roads["B1B2"].greens)
    assert roads["B0s1"].greens == (), "no signal at a gate"
