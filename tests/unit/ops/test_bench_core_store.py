"""Runs are kept, found again, held by one process at a time; who gridlocks is told from who crawls."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ops.bench_core_plans import Kind, PlanSet
from ops.bench_core_rides import arrivals
from ops.bench_core_store import Ride, Store, open_store, scenario_key
from ops.bench_core_sumo import reference_of, stuck_plans
from ops.scenario_folder import open_scenario
from sim.trips import Trips
from traffic.errors import BadInput
from traffic.ids import JunctionId, PhaseNumber
from traffic.signals import Pattern, Plan, Split, SplitPlan


def make_set(name: str = "random-00", kind: Kind = Kind.RANDOM, split_s: int = 30) -> PlanSet:
    junction = JunctionId("a")
    plan = Plan(
        junction=junction,
        pattern=Pattern(number=1, cycle_s=60, offset_s=4, split=1),
        split=SplitPlan(
            number=1,
            splits=(
                Split(phase=PhaseNumber(1), split_s=split_s, is_coordinated=True),
                Split(phase=PhaseNumber(2), split_s=60 - split_s),
            ),
        ),
    )
    return PlanSet(name=name, kind=kind, plans={junction: plan})


def make_ride(delay_s: float = 40.0, *, last: int = 50, best: int = 60, running: int = 100) -> Ride:
    return Ride(delay_s=delay_s, running=running, not_departed=10, arrived_last=last, arrived_best=best)


def test_a_run_is_found_again_by_another_store(tmp_path: Path) -> None:
    path = tmp_path / "town.json"
    store = Store(path, {"scenario": "town"})
    assert store.get(make_set(), 3) is None
    store.put(make_set(), 3, make_ride())
    store.put(make_set(split_s=31), 3, make_ride(50.0))
    again = Store(path, {"scenario": "town"})
    assert again.get(make_set(name="webster-07"), 3) == make_ride(), "a plan is known by its timing"
    assert again.get(make_set(split_s=31), 3) == make_ride(50.0)
    assert again.get(make_set(), 4) is None
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved["scenario"] == "town" and [*tmp_path.iterdir()] == [path]
    assert [row["timing"] for row in saved["plans"].values()] == [[[60, 4, 30, 30]], [[60, 4, 31, 29]]]


def test_one_process_at_a_time_has_the_runs(tmp_path: Path) -> None:
    scenario = open_scenario("grid")
    with open_store(scenario, tmp_path) as store:
        assert store.path.name == f"grid-{scenario_key(scenario)}.json"
        with pytest.raises(BadInput, match="in use"), open_store(scenario, tmp_path):
            pass
    with open_store(scenario, tmp_path):
        pass


def test_another_demand_or_period_has_other_runs(tmp_path: Path) -> None:
    scenario = open_scenario("grid")
    routes = tmp_path / "other.rou.xml"
    routes.write_bytes(scenario.routes[0].read_bytes() + b"\n")
    others = [replace(scenario, routes=(routes,)), replace(scenario, end_s=1800.0), replace(scenario, step_s=0.5)]
    assert len({scenario_key(row) for row in (scenario, *others)}) == 4


@pytest.mark.parametrize(
    ("ride", "is_gridlocked"),
    [
        (make_ride(last=0), True),
        (make_ride(last=5), True),
        (make_ride(last=6), False),
        (make_ride(last=60), False),
        (make_ride(last=0, running=0), False),
        (make_ride(last=0, running=50), False),
    ],
    ids=["nobody arrives", "hardly anybody", "a tenth arrives", "all move", "empty", "demand has ended"],
)
def test_gridlock(ride: Ride, is_gridlocked: bool) -> None:
    assert ride.is_gridlocked is is_gridlocked


def test_who_gridlocks_on_more_than_a_third_of_the_seeds_is_dropped() -> None:
    plans = [make_set("random-00"), make_set("random-01", split_s=31)]
    still, moves = make_ride(last=0), make_ride()
    assert stuck_plans(plans, [[still, moves, moves], [still, still, moves]]) == {"random-01"}


def test_near_default_plans_have_a_reliability_of_their_own() -> None:
    kinds = [Kind.NEAR_DEFAULT] * 3 + [Kind.RANDOM] * 3
    plans = [make_set(f"p-{k}", kind, split_s=30 + k) for k, kind in enumerate(kinds)]
    delays_s = [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [10.0, 10.0], [20.0, 20.0], [30.0, 30.0]]
    found = reference_of(plans, [[make_ride(delay_s) for delay_s in row] for row in delays_s])
    # Near the default the two seeds contradict one another. All: d = 2 0 2 0 0 0, rho = 1 - 48 / 210 = 27 / 35.
    assert found.reliability_near_default == 0.0 and not found.is_reliable
    assert found.reliability == pytest.approx(2 * 27 / 35 / (1 + 27 / 35))
    assert found.delays_s.shape == (6, 2) and found.is_near_default.tolist() == [True] * 3 + [False] * 3


def test_arrivals_are_counted_back_from_the_end() -> None:
    arrived_s = np.array([10.0, 1000.0, 1201.0, 1800.0, 1500.0])
    zeros = np.zeros(5)
    trips = Trips(
        ids=tuple("abcde"),
        vehicle_types=("car",) * 5,
        scheduled_s=arrived_s - 8.0,
        depart_delay_s=zeros + 3.0,
        duration_s=zeros + 5.0,
        wait_s=zeros,
        stops=zeros,
        time_loss_s=zeros,
        has_departed=zeros == 0.0,
        has_arrived=np.array([True, True, True, True, False]),
    )
    assert arrivals(trips, 0.0, 1800.0) == [2, 1, 1]
