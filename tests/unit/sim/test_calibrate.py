"""Counts to demand: known flows come back, bounds bind from below, nonsense is refused in one line."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sim.calibrate import Calibration, calibrate, inconsistencies, write_demand
from sim.network import read_network
from sim.route_files import RouteFlow
from sim.street_demand import read_route_flows
from traffic.count_files import read_counts
from traffic.counts import Health, TurnCount, VehicleClass
from traffic.errors import BadInput, BadScenario
from traffic.ids import LinkId, MovementId
from traffic.network import Network
from traffic.scenario import Scenario, read_scenario

CLASSES = {
    "mc": VehicleClass.MOTORCYCLE,
    "car": VehicleClass.CAR,
    "bus": VehicleClass.BUS,
    "truck": VehicleClass.TRUCK,
}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return read_scenario(Path(__file__).parents[3] / "scenarios" / "thanh_hoa")


@pytest.fixture(scope="module")
def network(scenario: Scenario) -> Network:
    return read_network(scenario.network, list(scenario.additional))


@pytest.fixture(scope="module")
def history(scenario: Scenario) -> list[RouteFlow]:
    return read_route_flows(scenario)


def passing(network: Network, flows: list[RouteFlow]) -> dict[tuple[MovementId, VehicleClass], float]:
    """Return {(movement, class): veh/h} that these flows make, by walking each route."""
    at = {(m.approach, m.exit): m.id for m in network.movements.values()}
    found = {(m, c): 0.0 for m in network.movements for c in CLASSES.values()}
    for flow in flows:
        for a, b in pairwise(flow.links):
            found[at[LinkId(a), LinkId(b)], CLASSES[flow.vehicle_type]] += float(np.mean(flow.flows_vph))
    return found


def counts_of(
    network: Network, flows: list[RouteFlow], *, censored: frozenset[str] = frozenset(), period_s: float = 3600.0
) -> list[TurnCount]:
    return [
        TurnCount(
            movement=movement,
            vehicle_class=vehicle_class,
            start_s=25200.0,
            period_s=period_s,
            count=round(vph * period_s / 3600.0),
            is_censored=movement in censored,
        )
        for (movement, vehicle_class), vph in passing(network, flows).items()
    ]


def shifted(flows: list[RouteFlow], factor: float, through: str) -> list[RouteFlow]:
    """Return the flows with those through one link scaled."""
    return [
        replace(f, flows_vph=tuple(v * (factor if through in f.links else 1.0) for v in f.flows_vph)) for f in flows
    ]


def fit(
    network: Network, history: list[RouteFlow], counts: list[TurnCount], *, held_out: float = 0.2, seed: int = 7
) -> Calibration:
    return calibrate(network, history, counts, CLASSES, np.random.default_rng(seed), held_out=held_out)


def test_counts_of_history_give_history_back(network: Network, history: list[RouteFlow]) -> None:
    found = fit(network, history, counts_of(network, history))
    assert found.geh_below_5(held_out=False) == found.geh_below_5(held_out=True) == 1.0
    assert abs(found.total_error) < 0.01
    for old, new in zip(sorted(history, key=str_of), sorted(found.flows, key=str_of), strict=True):
        assert new.flows_vph[0] == pytest.approx(float(np.mean(old.flows_vph)), abs=3.0)


def str_of(flow: RouteFlow) -> tuple[str, tuple[str, ...]]:
    return flow.vehicle_type, flow.links


def test_another_days_flows_are_found_from_its_counts(network: Network, history: list[RouteFlow]) -> None:
    today = shifted(shifted(history, 1.4, "ql47_w_in"), 0.7, "ql45_s_in")
    found = fit(network, history, counts_of(network, today))
    assert found.geh_below_5(held_out=False) > 0.97
    assert found.geh_below_5(held_out=True) > 0.85
    assert abs(found.total_error) < 0.03
    assert set(found.geh_below_5_of_class(held_out=True)) == set(CLASSES.values())


def test_a_gate_that_grew_by_two_fifths_is_found_within_a_tenth(network: Network, history: list[RouteFlow]) -> None:
    today = shifted(history, 1.4, "ql47_w_in")
    found = fit(network, history, counts_of(network, today), held_out=0.0)
    grown = sum(f.flows_vph[0] for f in found.flows if f.links[0] == "ql47_w_in")
    true = sum(float(np.mean(f.flows_vph)) for f in today if f.links[0] == "ql47_w_in")
    assert grown == pytest.approx(true, rel=0.1)


def test_a_fifth_of_the_counted_movements_is_held_out(network: Network, history: list[RouteFlow]) -> None:
    found = fit(network, history, counts_of(network, history))
    out = {line.movement for line in found.lines if line.is_held_out}
    assert len(out) == round(0.2 * len(network.movements))


def test_held_out_counts_take_no_part(network: Network, history: list[RouteFlow]) -> None:
    counts = counts_of(network, history)
    out = {line.movement for line in fit(network, history, counts).lines if line.is_held_out}
    nonsense = [replace(row, count=9000) if row.movement in out else row for row in counts]
    assert fit(network, history, nonsense).flows == fit(network, history, counts).flows


def test_a_censored_count_binds_from_below_only(network: Network, history: list[RouteFlow]) -> None:
    more = shifted(history, 1.5, "buu_dien_e_in")
    held = frozenset(m for m in network.movements if network.movements[m].approach == "buu_dien_e_in")
    low = [
        replace(row, count=round((row.count or 0) / 2)) if row.is_censored else row
        for row in counts_of(network, more, censored=held)
    ]
    plain = [replace(row, is_censored=False) for row in low]
    as_bound, as_count = (entering(fit(network, history, rows, held_out=0.0)) for rows in (low, plain))
    assert as_bound > 1.15 * as_count


def test_a_lower_bound_above_history_lifts_the_demand(network: Network, history: list[RouteFlow]) -> None:
    more = shifted(history, 1.6, "buu_dien_e_in")
    held = frozenset(m for m in network.movements if network.movements[m].approach == "buu_dien_e_in")
    found = fit(network, history, counts_of(network, more, censored=held), held_out=0.0)
    assert entering(found) > 1.3 * sum(float(np.mean(f.flows_vph)) for f in history if f.links[0] == "buu_dien_e_in")


def entering(found: Calibration) -> float:
    return sum(f.flows_vph[0] for f in found.flows if f.links[0] == "buu_dien_e_in")


def test_an_unknown_count_is_left_out_not_zero(network: Network, history: list[RouteFlow]) -> None:
    dark = [
        replace(row, count=None, health=Health.DARK) if row.movement.startswith("giua:") else row
        for row in counts_of(network, history)
    ]
    found = fit(network, history, dark)
    assert not [line for line in found.lines if line.movement.startswith("giua:")]
    through = passing(network, list(found.flows))
    truth = passing(network, history)
    total = sum(v for (m, _), v in through.items() if m.startswith("giua:"))
    assert total == pytest.approx(sum(v for (m, _), v in truth.items() if m.startswith("giua:")), rel=0.05)


def test_historic_counts_are_consistent(network: Network, scenario: Scenario, history: list[RouteFlow]) -> None:
    assert scenario.counts is not None
    assert fit(network, history, read_counts(scenario.counts)).inconsistencies == ()


def test_a_camera_that_sees_half_is_named(network: Network, history: list[RouteFlow]) -> None:
    bad = [
        replace(row, count=(row.count or 0) // 2) if row.movement.startswith("ql47:") else row
        for row in counts_of(network, history)
    ]
    named = " ".join(fit(network, history, bad).inconsistencies)
    for link in ("bac_ql47", "ql47_bac", "ql47_buu_dien", "buu_dien_ql47"):
        assert f"link {link}:" in named
    assert "giua_ql45" not in named


def test_links_whose_ends_are_not_counted_whole_are_not_judged(network: Network, history: list[RouteFlow]) -> None:
    observed = {
        (MovementId(row.movement), row.vehicle_class): (float(row.count or 0), False)
        for row in counts_of(network, history)
        if not row.movement.startswith("ql47:")
    }
    assert inconsistencies(network, observed) == ()


def test_demand_written_has_the_fitted_number(tmp_path: Path, network: Network, history: list[RouteFlow]) -> None:
    found = fit(network, history, counts_of(network, history))
    n_vehicles = write_demand(tmp_path / "d.rou.xml", found, 25200.0, 28800.0, np.random.default_rng(1))
    assert n_vehicles == pytest.approx(sum(f.flows_vph[0] for f in found.flows), rel=0.02)
    again = tmp_path / "e.rou.xml"
    write_demand(again, found, 25200.0, 28800.0, np.random.default_rng(1))
    assert again.read_bytes() == (tmp_path / "d.rou.xml").read_bytes()


def test_nonsense_is_refused_in_one_line(network: Network, history: list[RouteFlow]) -> None:
    counts = counts_of(network, history)
    rng = np.random.default_rng(0)
    with pytest.raises(BadInput, match="no known count"):
        calibrate(network, history, [replace(counts[0], movement="x:y>z")], CLASSES, rng)
    with pytest.raises(BadInput, match="no known count"):
        calibrate(network, history, [], CLASSES, rng)
    with pytest.raises(BadScenario, match="no route"):
        calibrate(network, [], counts, CLASSES, rng)
    with pytest.raises(BadScenario, match="class"):
        calibrate(network, history, counts, {"mc": VehicleClass.MOTORCYCLE}, rng)
    with pytest.raises(BadInput, match="held_out"):
        calibrate(network, history, counts, CLASSES, rng, held_out=1.0)


def test_no_demand_is_refused_when_written(tmp_path: Path) -> None:
    empty = Calibration(flows=(), lines=())
    with pytest.raises(BadScenario, match="no vehicles"):
        write_demand(tmp_path / "d.rou.xml", empty, 0.0, 60.0, np.random.default_rng(0))
