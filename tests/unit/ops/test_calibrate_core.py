"""Fitting the queue model: here the truth is the core itself under other parameters."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.progress import Progress

from control.queue_physics import Physics
from ops.bench_core_plans import Kind, PlanSet
from ops.calibrate_core import CalibrateOptions, run_calibrate
from ops.calibrate_core_fit import RANGES, Case, fit_links, from_unit, search, to_unit
from ops.core_runs import FILE, network_digest, stored_physics
from ops.scenario_folder import open_scenario
from tests.unit.control.queue_towns import SmallTown, TownMaker, make_plan, trips
from traffic.errors import BadInput, BadScenario
from traffic.ids import JunctionId

A = JunctionId("a")


def make_town() -> SmallTown:
    """Two roads that cross at a signal, each green in turn."""
    town = TownMaker()
    for name in ("west", "south", "east", "north"):
        town.road(name)
    town.way("west", "east", signal=("a", 0))
    town.way("south", "north", signal=("a", 1))
    town.signal("a", (20, "Gr"), (20, "rG"))
    return town.build()


def make_case(truth: Physics) -> Case:
    """Return a case whose truth is the core under other parameters."""
    town = make_town()
    journeys = trips(["west", "east"], [6.0 * k for k in range(140)]) + trips(
        ["south", "north"], [9.0 * k for k in range(95)]
    )
    model = town.model(journeys, 900.0, physics=Physics())
    greens = [(20, 20), (24, 18), (18, 24), (28, 18), (22, 16), (30, 30)]
    plans = [
        PlanSet(
            name=f"plan-{k}",
            kind=Kind.NEAR_DEFAULT if k < 3 else Kind.RANDOM,
            plans={A: make_plan(town.junctions[A], pair)},
        )
        for k, pair in enumerate(greens)
    ]
    links = sorted(set(model.compiled.lane_links))
    blank = Case(
        plans=plans,
        models=[model],
        delay_s=np.ones(len(plans)),
        links=links,
        link_loss_s=np.zeros((len(plans), len(links))),
    )
    delay_s, lost_s = blank.run(truth)
    return replace(blank, delay_s=delay_s, link_loss_s=lost_s)


def bar() -> tuple[Progress, int]:
    progress = Progress(disable=True)
    return progress, progress.add_task("", total=None)


def test_the_truth_itself_has_no_misfit() -> None:
    truth = replace(Physics(), reaction_s=0.6)
    misfit = make_case(truth).misfit(truth)
    assert misfit.value == pytest.approx(0.0, abs=1e-12)
    assert (misfit.rho, misfit.rho_near_default, misfit.links) == (1.0, 1.0, 0.0)


def test_longer_headways_than_sumos_show_as_a_bias_above_nought() -> None:
    case = make_case(Physics())
    assert case.misfit(replace(Physics(), reaction_s=0.7)).bias > 0.02


def test_the_search_comes_nearer_to_the_truth() -> None:
    case = make_case(replace(Physics(), reaction_s=0.75, start_up_s=1.4))
    found = list(search(case, Physics(), 60, step=0.2, seed=3, progress=bar()))
    values = [case.misfit(physics).value for physics in found]
    assert found[0] == Physics() and values == sorted(values, reverse=True)
    assert values[-1] < 0.3 * values[0]


def test_the_same_seed_finds_the_same_parameters() -> None:
    case = make_case(replace(Physics(), reaction_s=0.75))
    runs = [list(search(case, Physics(), 28, step=0.2, seed=3, progress=bar()))[-1] for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_link_with_longer_headways_is_found() -> None:
    case = make_case(replace(Physics(), headway_factor={"west": 1.2}))
    best = list(fit_links(case, Physics(), 10, gain=0.15, progress=bar()))[-1]
    assert best.headway_factor["west"] > 1.08
    assert abs(best.headway_factor.get("south", 1.0) - 1.0) < 0.05
    assert case.misfit(best).value < 0.5 * case.misfit(Physics()).value


def test_parameters_survive_the_way_to_the_unit_cube_and_back() -> None:
    physics = replace(Physics(), headway_factor={"west": 1.1})
    back = from_unit(to_unit(physics).tolist(), physics)
    assert all(getattr(back, name) == pytest.approx(getattr(physics, name), abs=1e-4) for name in RANGES)
    assert back.headway_factor == physics.headway_factor


@pytest.mark.parametrize("options", [{"plans": 7}, {"seeds": 0}, {"evaluations": 0}])
def test_options_out_of_bounds_are_refused_before_anything_runs(options: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--"):
        run_calibrate("grid", CalibrateOptions(out=tmp_path / "x.json", **options))
    assert not list(tmp_path.iterdir())


def test_stored_parameters_are_used_only_for_the_network_they_were_fitted_on(tmp_path: Path) -> None:
    scenario = replace(open_scenario("grid"), folder=tmp_path)
    record = {"network_sha256": network_digest(scenario), "physics": {"reaction_s": 0.5, "headway_factor": {"x": 1.2}}}
    (tmp_path / FILE).write_text(json.dumps(record))
    assert stored_physics(scenario) == replace(Physics(), reaction_s=0.5, headway_factor={"x": 1.2})
    (tmp_path / FILE).write_text(json.dumps({**record, "network_sha256": "another"}))
    assert stored_physics(scenario).headway_factor == {}


@pytest.mark.parametrize("physics", [{"reaction_s": "soon"}, {"no_such": 1.0}, [1, 2]], ids=str)
def test_stored_parameters_that_make_no_sense_are_refused(physics: object, tmp_path: Path) -> None:
    scenario = replace(open_scenario("grid"), folder=tmp_path)
    (tmp_path / FILE).write_text(json.dumps({"network_sha256": network_digest(scenario), "physics": physics}))
    with pytest.raises(BadScenario, match="physics"):
        stored_physics(scenario)
