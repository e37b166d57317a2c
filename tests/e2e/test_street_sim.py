"""The simulated street on the schematic corridor: sensors, lamps, hidden demand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.launch import launch_of
from sim.network import read_network
from sim.safe_xml import elements
from sim.street import Street
from sim.street_demand import read_route_flows, shift_flows, write_street_demand
from traffic.network import Network
from traffic.scenario import Scenario, read_scenario

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return read_scenario(ROOT / "scenarios" / "thanh_hoa")


@pytest.fixture(scope="module")
def network(scenario: Scenario) -> Network:
    return read_network(scenario.network)


def test_every_passage_is_a_movement_of_the_network_and_trips_agree(
    scenario: Scenario, network: Network, tmp_path: Path
) -> None:
    what = replace(launch_of(scenario, seed=3), end_s=scenario.begin_s + 240.0)
    passages, pulses = [], []
    with Street(what, network, tmp_path) as street:
        while street.time_s < what.end_s:
            new_pulses, new_passages = street.advance()
            pulses += new_pulses
            passages += new_passages
        poses = street.poses()
    assert len(passages) > 50
    assert {p.movement for p in passages} <= set(network.movements)
    assert {p.place for p in pulses} == {"advance", "stop"}
    trips = [row for row in elements(street.trips, "tripinfos") if float(row.get("depart", "-1")) >= 0]
    running = [row for row in trips if float(row.get("arrival", "-1")) < 0]
    assert len(running) == len(poses)
    assert Counter(p.vehicle_class for p in passages).most_common(1)[0][0] == "motorcycle"


def test_lamps_stay_as_they_were_set(scenario: Scenario, network: Network, tmp_path: Path) -> None:
    crossing = next(iter(network.crossings.values()))
    what = replace(launch_of(scenario, seed=3), end_s=scenario.begin_s + 200.0)
    with Street(what, network, tmp_path) as street:
        street.set_lamps(crossing.id, "r" * crossing.n_links)
        passed = 0
        while street.time_s < what.end_s:
            passed += sum(p.movement.startswith(f"{crossing.id}:") for p in street.advance()[1])
        assert street.read_lamps(crossing.id) == "r" * crossing.n_links
    assert passed == 0


def test_the_same_seeds_give_the_same_day_and_another_day_differs(
    scenario: Scenario, network: Network, tmp_path: Path
) -> None:
    def day(name: str, shift_seed: int, day_seed: int) -> bytes:
        path = tmp_path / name
        write_street_demand(path, scenario, network, shift_seed=shift_seed, day_seed=day_seed, spread=0.4)
        return path.read_bytes()

    assert day("a", 1, 1) == day("b", 1, 1)
    assert day("a", 1, 1) != day("b", 1, 2)
    assert day("a", 1, 1) != day("b", 2, 1)


def test_without_spread_the_street_is_history(scenario: Scenario, network: Network) -> None:
    history = read_route_flows(scenario)
    assert shift_flows(network, history, spread=0.0, rng=np.random.default_rng(1)) == history
    shifted = shift_flows(network, history, spread=0.4, rng=np.random.default_rng(1))
    ratios = {s.flows_vph[0] / h.flows_vph[0] for s, h in zip(shifted, history, strict=True) if h.flows_vph[0] > 0}
    assert len(ratios) > 10 and 0.2 < min(ratios) < 0.9 and 1.1 < max(ratios) < 4.0
