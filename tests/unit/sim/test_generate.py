"""The parts of a generated town that need no SUMO: streets, lanes, stages, green needed, vehicles."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from control.lamp_rules import conflict_pairs
from sim.generate_demand import Process, draw_demand, draw_process
from sim.generate_lanes import Exit, fit_lanes, lane_spans, plain_xml
from sim.generate_signals import (
    Clearance,
    cycle_of,
    draw_stages,
    greens_needed,
    lost_time_s,
    timed_program,
)
from sim.generate_streets import Streets, TownKind, draw_streets
from sim.generate_types import draw_types, lane_flow_vph, types_xml
from sim.network import read_network, read_vehicle_types
from sim.programs import read_signals
from traffic.ids import JunctionId, LinkId
from traffic.network import Network, VehicleType

GRID = Path(__file__).parents[3] / "scenarios" / "grid"
SEEDS = range(40)
LEFT, RIGHT = Exit(room=1, is_straight=False), Exit(room=1, is_straight=False)


@pytest.fixture(scope="module")
def grid() -> Network:
    return read_network(GRID / "grid.net.xml", [GRID / "car.add.xml"])


def make_streets(seed: int) -> Streets:
    kinds = list(TownKind)
    return fit_lanes(draw_streets(kinds[seed % len(kinds)], np.random.default_rng(seed)))


def make_process(network: Network, seed: int = 1, **shares: float) -> Process:
    process = draw_process(network, np.random.default_rng(seed))
    mix = {"car": 1.0, "motorcycle": 0.0, "truck": 0.0, "bus": 0.0, **shares}
    return Process(
        ways=process.ways, share=process.share, gate=process.gate, type_shares=mix, begin_s=0.0, end_s=1800.0
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_every_signal_has_three_arms_and_streets_that_cross(seed: int) -> None:
    streets = make_streets(seed)
    for name, place in streets.places.items():
        if place.has_signals:
            arriving = [road for road in streets.roads.values() if road.end == name]
            arms = {r.start for r in arriving} | {r.end for r in streets.roads.values() if r.start == name}
            angles = [streets.turn_deg(a, b) for a in arriving for b in arriving]
            assert len(arms) >= 3
            assert max(abs(math.sin(math.radians(angle))) for angle in angles) > 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_spacing_and_lanes_stay_within_bounds(seed: int) -> None:
    streets = make_streets(seed)
    signals = {name for name, place in streets.places.items() if place.has_signals}
    for road in streets.roads.values():
        assert 1 <= road.n_lanes <= 4
        if {road.start, road.end} <= signals:
            assert 65.0 < streets.length_m(road) < 520.0


@pytest.mark.parametrize("seed", SEEDS)
def test_every_lane_leads_on(seed: int) -> None:
    streets = make_streets(seed)
    roots = plain_xml(streets, np.random.default_rng(seed))
    used = {(row.get("from"), int(row.get("fromLane", ""))) for row in roots["connection"]}
    ends = {edge.get("id") for edge in roots["edge"]} - {start for start, _ in used}
    assert all(not streets.exits(streets.roads[str(name)]) for name in ends)
    for edge in roots["edge"]:
        if edge.get("id") not in ends:
            assert all((edge.get("id"), lane) in used for lane in range(int(edge.get("numLanes", ""))))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_connection_leads_to_a_lane_that_is_not_there(seed: int) -> None:
    roots = plain_xml(make_streets(seed), np.random.default_rng(seed))
    lanes = {edge.get("id"): int(edge.get("numLanes", "")) for edge in roots["edge"]}
    for row in roots["connection"]:
        assert 0 <= int(row.get("toLane", "")) < lanes[row.get("to")]
        assert 0 <= int(row.get("fromLane", "")) < lanes[row.get("from")]


def test_streets_are_the_same_from_the_same_seed_and_differ_from_another() -> None:
    assert make_streets(3) == make_streets(3)
    assert make_streets(3) != make_streets(7)


def test_lanes_divide_without_crossing() -> None:
    ahead = Exit(room=3, is_straight=True)
    for spans in lane_spans(3, [RIGHT, ahead, LEFT]):
        assert spans[0][0] == 0 and spans[-1][1] == 2
        assert all(before[1] <= after[0] <= before[1] + 1 for before, after in pairwise(spans))


def test_two_lanes_at_a_fork_of_single_lanes_part() -> None:
    assert lane_spans(2, [RIGHT, LEFT]) == [((0, 0), (1, 1))]


def test_three_lanes_do_not_fit_into_two() -> None:
    assert lane_spans(3, [RIGHT, LEFT]) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_stages_serve_every_movement_and_never_conflict(grid: Network, seed: int) -> None:
    rng = np.random.default_rng(seed)
    junctions = read_signals(GRID / "grid.net.xml", grid).junctions
    for name, crossing in grid.crossings.items():
        stages = draw_stages(grid, crossing, rng)
        assert 2 <= len(stages) <= 8
        assert all(conflict_pairs(junctions[name], lamps) == [] for lamps in stages)
        served = {link for lamps in stages for link, letter in enumerate(lamps) if letter in "Gg"}
        assert served == {row.link_index for row in grid.connections if row.junction == name}


def test_stages_of_every_number_from_two_to_eight_occur(grid: Network) -> None:
    rng = np.random.default_rng(0)
    crossing = grid.crossings[JunctionId("B1")]
    assert {len(draw_stages(grid, crossing, rng)) for _ in range(300)} == set(range(2, 9))


def test_a_rich_crossroads_has_eight_stages(grid: Network) -> None:
    crossing = grid.crossings[JunctionId("B1")]
    assert len(draw_stages(grid, crossing, np.random.default_rng(1), has_all=True)) == 8


def test_green_needed_by_hand(grid: Network) -> None:
    """Two lanes straight on carry 900 veh/h at 1800 veh/h a lane: a quarter of the time; nobody crosses."""
    crossing = grid.crossings[JunctionId("B1")]
    stages = draw_stages(grid, crossing, np.random.default_rng(2))
    ahead = next(m for m in grid.movements.values() if m.junction == "B1" and m.direction == "s")
    green = [any(lamps[link] == "G" for link in ahead.link_indices) for lamps in stages]
    needed = greens_needed(grid, crossing, stages, {(ahead.approach, ahead.exit): 900.0}, 1800.0)
    assert sum(needed) == pytest.approx(0.25)
    assert all(is_green or share == 0.0 for is_green, share in zip(green, needed, strict=True))


def test_a_junction_that_nobody_crosses_needs_no_green(grid: Network) -> None:
    crossing = grid.crossings[JunctionId("B1")]
    stages = draw_stages(grid, crossing, np.random.default_rng(2))
    assert greens_needed(grid, crossing, stages, {}, 1800.0) == [0.0] * len(stages)


def test_lost_time_by_hand() -> None:
    """4 s of yellow of which one is used, 2 s of red, 2 s of start-up, twice: 14 s."""
    assert lost_time_s(("Gr", "rG"), Clearance(yellow_s=4.0, all_red_s=2.0)) == 14.0


def test_a_stage_that_only_adds_greens_costs_nothing() -> None:
    assert lost_time_s(("Gr", "GG"), Clearance(yellow_s=4.0, all_red_s=2.0)) == 7.0


def test_a_timed_program_has_its_greens_and_the_cycle(grid: Network) -> None:
    crossing, rng = grid.crossings[JunctionId("B1")], np.random.default_rng(3)
    stages = draw_stages(grid, crossing, rng)
    program = timed_program((crossing, stages), [0.2] * len(stages), 120.0, Clearance(yellow_s=3.0, all_red_s=1.0), rng)
    greens = [row for row in program.intervals if row.lamps in stages]
    assert [row.lamps for row in greens] == list(stages)
    assert min(row.duration_s for row in greens) >= 6.0
    assert 0 <= program.offset_s < program.cycle_s
    assert program.cycle_s == pytest.approx(120.0, abs=len(stages))


@pytest.mark.parametrize("load", [0.05, 0.8, 1.5])
def test_cycles_stay_within_bounds(load: float) -> None:
    rng = np.random.default_rng(1)
    assert all(45.0 <= cycle_of(14.0, [load], rng) <= 130.0 for _ in range(20))


def test_demand_is_the_same_from_the_same_seed_and_differs_from_another(grid: Network) -> None:
    process, network = make_process(grid), with_types(grid)
    assert draw_demand(network, process, 4000.0, (1, 2)) == draw_demand(network, process, 4000.0, (1, 2))
    first, second = (draw_demand(network, process, 4000.0, (1, seed)).journeys.rows for seed in (2, 3))
    assert first != second


def test_as_many_vehicles_come_as_the_saturation_says(grid: Network) -> None:
    process, network = make_process(grid), with_types(grid)
    for seed in range(5):
        demand = draw_demand(network, process, 6000.0, (1, seed))
        assert 0.3 <= demand.saturation <= 1.1
        assert len(demand.journeys.rows) == pytest.approx(0.5 * 6000.0 * demand.saturation, rel=0.25)
        assert all(0.0 <= row.depart_s < 1800.0 for row in demand.journeys.rows)


def test_journeys_take_joined_links_from_gate_to_gate(grid: Network) -> None:
    joined = {(row.from_link, row.to_link) for row in grid.connections}
    ends = set(grid.links) - {row.from_link for row in grid.connections if row.direction != "t"}
    for way in make_process(grid).ways:
        assert all(pair in joined for pair in pairwise(way))
        assert len(set(way)) == len(way)
        assert way[-1] in ends


def test_history_is_near_but_not_what_comes(grid: Network) -> None:
    process, network = make_process(grid), with_types(grid)
    demand = draw_demand(network, process, 8000.0, (1, 4))
    ways: dict[LinkId, float] = {}
    for row in demand.journeys.rows:
        ways[row.links[0]] = ways.get(row.links[0], 0.0) + 2.0
    known: dict[LinkId, float] = {}
    for flows in demand.history.flows_vph:
        for (start, _), vph in flows.items():
            known[start] = known.get(start, 0.0) + 0.5 * vph
    off = [known[gate] / vph - 1.0 for gate, vph in ways.items()]
    assert len(demand.history.flows_vph) == 2
    assert 0.05 < np.std(off) < 0.3
    assert abs(np.mean(off)) < 0.15


def test_the_mix_of_types_comes_as_drawn(grid: Network) -> None:
    process = make_process(grid, car=0.3, motorcycle=0.6, truck=0.1)
    journeys = draw_demand(with_types(grid), process, 8000.0, (1, 5)).journeys
    part = np.mean([row.vehicle_type == "motorcycle" for row in journeys.rows])
    assert part == pytest.approx(0.6, abs=0.05)
    assert journeys.has_lane_sharing


def test_types_are_read_back_as_drawn(tmp_path: Path) -> None:
    types = draw_types(np.random.default_rng(1))
    (tmp_path / "types.add.xml").write_text(types_xml(types, has_lane_sharing=True), encoding="utf-8")
    assert tuple(read_vehicle_types([tmp_path / "types.add.xml"]).values()) == types


def test_saturation_flow_by_hand() -> None:
    """Headway 0.35 + 1.2 + 8 m / 8 m/s = 2.55 s; motorcycles that share lanes take three tenths of theirs."""
    car = VehicleType(id="car", length_m=6.0, min_gap_m=2.0, tau_s=1.2)
    two = VehicleType(id="mc", vehicle_class="motorcycle", length_m=6.0, min_gap_m=2.0, tau_s=1.2)
    assert lane_flow_vph({"car": car}, {"car": 1.0}, False) == pytest.approx(3600.0 / 2.55)
    assert lane_flow_vph({"mc": two}, {"mc": 1.0}, True) == pytest.approx(3600.0 / (0.3 * 2.55))


def with_types(network: Network) -> Network:
    types = {row.id: row for row in draw_types(np.random.default_rng(1))}
    return Network(
        links=network.links,
        lanes=network.lanes,
        connections=network.connections,
        crossings=network.crossings,
        movements=network.movements,
        vehicle_types=types,
    )
