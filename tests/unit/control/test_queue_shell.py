"""What the queue model does with bad, empty and excessive input: one line, or a sound answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from control.core.arrays import bytes_per_replica, make_state
from control.queue_memory import free_bytes
from control.queue_model import Outcome, QueueModel
from control.queue_physics import Physics
from tests.unit.control.queue_film import departures, place_of
from tests.unit.control.queue_grids import make_case
from tests.unit.control.queue_towns import SmallTown, TownMaker, trips
from traffic.demand import Journey
from traffic.errors import BadInput, BadScenario
from traffic.ids import JunctionId, LinkId
from traffic.network import VehicleType


def make_street(length_m: float = 300.0) -> SmallTown:
    """``in ---[a]--- out``, a road `apart` that nothing leads to, and one for buses only."""
    town = TownMaker()
    for name in ("in", "out", "apart"):
        town.road(name, length_m)
    town.road("lane", length_m, allowed=frozenset({"bus"}))
    town.way("in", "out", signal=("a", 0))
    town.way("in", "lane", signal=("a", 0))
    town.signal("a", (20, "G"), (20, "r"))
    return town.build()


def make_ring() -> SmallTown:
    """Four links in a ring, at every corner a way in and a way out."""
    town = TownMaker()
    for k in range(4):
        town.road(f"ring{k}", 30.0)
        town.road(f"in{k}", 300.0)
        town.road(f"out{k}", 300.0)
    for k in range(4):
        onward = town.way(f"ring{k}", f"ring{(k + 1) % 4}")
        town.way(f"ring{k}", f"out{k}")
        merging = town.way(f"in{k}", f"ring{(k + 1) % 4}")
        town.yield_to(onward, [merging])  # who comes in has priority: the old French rule, which locks up
    return town.build()


def is_sound(outcome: Outcome) -> bool:
    """Whether counts add up, and nothing is negative or infinite."""
    values = [getattr(outcome, name) for name in outcome.__slots__]
    return (
        all(np.all(np.isfinite(row)) and np.all(row >= 0) for row in values)
        and np.array_equal(outcome.scheduled, outcome.inserted + outcome.not_departed)
        and np.array_equal(outcome.inserted, outcome.running + outcome.arrived)
    )


@pytest.mark.parametrize(
    ("way", "message"),
    [
        (["in", "apart"], "no lane leads there for passenger"),
        (["in", "nowhere"], "link nowhere (not in the network)"),
        (["in", "lane"], "no lane leads there for passenger"),
        (["lane"], "no lane leads there for passenger"),
        ([], "needs at least one link"),
    ],
    ids=["disconnected", "unknown", "closed", "closed start", "empty"],
)
def test_a_route_that_cannot_be_driven_is_one_line(way: list[str], message: str) -> None:
    journey = Journey(id="j1", depart_s=0.0, links=tuple(LinkId(link) for link in way))
    with pytest.raises(BadScenario) as failure:
        make_street().model([journey], 100.0)
    assert "journey j1" in failure.value.line and message in failure.value.line
    assert "\n" not in failure.value.line


@pytest.mark.parametrize("depart_s", [nan, inf, -inf])
def test_a_departure_that_is_no_time_is_one_line(depart_s: float) -> None:
    with pytest.raises(BadScenario, match=r"journey in\.0: departure"):
        make_street().model(trips(["in", "out"], [depart_s]), 100.0)


@pytest.mark.parametrize("end_s", [nan, inf, -1.0])
def test_a_period_that_is_none_is_one_line(end_s: float) -> None:
    with pytest.raises(BadScenario, match="queue model: period"):
        make_street().model([], end_s)


def test_signals_of_another_network_are_one_line() -> None:
    town = make_street()
    for junctions in ({}, {JunctionId("b"): town.junctions[JunctionId("a")]}):
        with pytest.raises(BadScenario, match="must be those of the network"):
            replace(town, junctions=junctions).model([], 100.0)
    longer = replace(town.junctions[JunctionId("a")], n_links=2)
    with pytest.raises(BadScenario, match="junction a: links: 2"):
        replace(town, junctions={JunctionId("a"): longer}).model([], 100.0)


def test_a_missing_plan_is_one_line() -> None:
    with pytest.raises(BadInput, match="junction a: none"):
        make_street().model([], 100.0).run([{}])


@pytest.mark.parametrize(
    "options", [{"n_replicas": 0}, {"n_threads": 0}, {"seed": -1}, {"seed": 2**64}, {"n_replicas": -5}], ids=str
)
def test_numbers_out_of_bounds_are_one_line(options: dict[str, int]) -> None:
    town = make_street()
    with pytest.raises(BadInput, match="choose another number"):
        town.model([], 100.0).run([town.plans], **options)


def test_more_replicas_than_memory_are_refused_and_it_says_how_many_fit() -> None:
    town = make_street()
    model = town.model(trips(["in", "out"], [0.0]), 100.0)
    with pytest.raises(BadInput) as failure:
        model.run([town.plans] * 2, n_replicas=500_000_000)
    each = bytes_per_replica(make_state(model.compiled.roads, 1))
    fitting = int(failure.value.limit.split()[0])
    assert str(failure.value.value).startswith("1000000000 of")
    assert 0.5 * free_bytes() < fitting * each < free_bytes() * 1.1
    assert is_sound(model.run([town.plans], n_replicas=2000))


def test_no_plans_have_no_outcome() -> None:
    assert make_street().model([], 100.0).run([]).delay_s.shape == (0, 1)


@pytest.mark.parametrize("length_m", [0.0, 0.01, 1.0])
def test_links_without_length_let_everyone_pass(length_m: float) -> None:
    town = make_street(length_m)
    outcome = town.model(trips(["in", "out"], [0.0] * 10), 200.0).run([town.plans])
    assert is_sound(outcome) and outcome.arrived[0, 0] == 10


def test_a_network_without_signals_runs() -> None:
    town = TownMaker()
    town.road("in")
    town.road("out")
    town.way("in", "out")
    small = town.build()
    outcome = small.model(trips(["in", "out"], [0.0] * 10), 200.0).run([small.plans])
    assert is_sound(outcome) and outcome.arrived[0, 0] == 10


def test_without_journeys_nothing_happens() -> None:
    town = make_street()
    outcome = town.model([], 200.0).run([town.plans], n_replicas=3)
    assert outcome.delay_s.tolist() == [[0.0] * 3] and not outcome.totals.any()


def test_no_one_takes_a_lane_with_no_way_on() -> None:
    town = TownMaker()
    town.road("in", lanes=2)
    town.road("out")
    town.way("in", "out", lanes=(1, 0), signal=("a", 0))
    town.signal("a", (20, "G"), (20, "r"))
    small = town.build()
    model = small.model(trips(["in", "out"], [0.0] * 10), 300.0)
    assert len(departures(model, small.plans, "in_1")) == 10
    assert len(departures(model, small.plans, "in_0")) == 0


def test_who_ends_on_a_joined_link_drives_to_its_end() -> None:
    town = TownMaker()
    town.road("in", lanes=2)
    town.road("out")
    town.way("in", "out", lanes=(0, 0))
    small = town.build()
    model = small.model(trips(["in", "out"], [0.0, 3.0, 6.0, 9.0], depart_speed="max"), 300.0)
    assert place_of(model, "in_0") == place_of(model, "out_0")
    assert len(departures(model, small.plans, "out_0")) == 4


def test_an_unknown_type_is_a_car() -> None:
    town = make_street()
    rows = [trips(["in", "out"], [0.0] * 5, vehicle_type=name) for name in ("no such type", "car")]
    town = replace(town, network=replace(town.network, vehicle_types={"car": VehicleType(id="car")}))
    unknown, car = (town.model(row, 200.0).run([town.plans]).delay_s for row in rows)
    assert np.array_equal(unknown, car)


def test_hours_above_capacity_overflow_nothing_and_a_signal_is_no_gridlock() -> None:
    town = make_street()
    outcome = town.model(trips(["in", "out"], np.arange(0.0, 14400.0, 0.5).tolist()), 14400.0).run([town.plans])
    assert is_sound(outcome)
    assert outcome.not_departed[0, 0] > 20000 and outcome.running[0, 0] >= 20
    assert outcome.delay_s[0, 0] > 3600.0
    assert not outcome.is_gridlocked[0, 0]


@pytest.mark.parametrize(("gap_s", "locks"), [(2.0, True), (120.0, False)], ids=["above capacity", "light"])
def test_a_ring_that_fills_up_is_reported_as_gridlock(gap_s: float, locks: bool) -> None:
    town = make_ring()
    journeys = []
    for k in range(4):
        way = [f"in{k}", *(f"ring{(k + 1 + n) % 4}" for n in range(3)), f"out{(k + 3) % 4}"]
        journeys += trips(way, np.arange(0.0, 3600.0, gap_s).tolist())
    outcome = town.model(journeys, 3600.0).run([town.plans], n_replicas=2)
    assert is_sound(outcome)
    assert outcome.is_gridlocked.tolist() == [[locks] * 2]
    assert np.all(outcome.stuck <= outcome.running)
    assert np.all(outcome.stuck >= 16.0) == locks


@pytest.mark.parametrize(
    "name", ["noise", "gap_scale", "insertion", "wrong_lane_veh", "jam_s", "yellow_s", "reaction_s"]
)
def test_other_physics_in_a_compiled_model_are_those_of_a_new_one(name: str) -> None:
    case = make_case((3, 2), 400, 5, 200)
    model, physics = case.model, replace(Physics(), **{name: 0.0})
    changed = model.with_physics(physics).run(case.plans, n_replicas=2)
    new = QueueModel(model.network, model.junctions, model.journeys, physics).run(case.plans, n_replicas=2)
    assert np.array_equal(changed.totals, new.totals)
    assert not np.array_equal(changed.totals, model.run(case.plans, n_replicas=2).totals)


BAD_PHYSICS: list[tuple[str, Callable[[], Physics]]] = [
    ("NaN", lambda: Physics(noise=nan)),
    ("negative", lambda: Physics(jam_s=-1.0)),
    ("infinite", lambda: Physics(patience_s=inf)),
]


@pytest.mark.parametrize("make", [row[1] for row in BAD_PHYSICS], ids=[row[0] for row in BAD_PHYSICS])
def test_physics_that_no_driver_has_are_one_line(make: Callable[[], Physics]) -> None:
    with pytest.raises(BadInput, match="queue model: "):
        make()
