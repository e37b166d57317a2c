"""Model-predictive control on a real town: what history is, and that a decision is timed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.core_mpc import history_of, mpc_ms
from ops.evaluate_runs import EvaluateSpec, evaluate_one
from ops.scenario_folder import open_scenario
from sim.episode import Seed, open_town
from sim.protocols import LEGACY, SAFE


def test_history_has_every_vehicle_in_the_period_in_which_it_departs() -> None:
    scenario = open_scenario("grid")
    town = open_town(scenario)
    history = history_of(scenario, town)
    assert len(history.flows_vph) == -(-(scenario.end_s - scenario.begin_s) // history.period_s)
    entries = [link for link in town.network.links if not any(row.to_link == link for row in town.network.connections)]
    entered = sum(
        vph * history.period_s / 3600.0
        for flows in history.flows_vph
        for (link, _), vph in flows.items()
        if link in entries
    )
    assert entered > 500


def test_a_decision_takes_a_measurable_time() -> None:
    assert 0.05 < mpc_ms("grid", until_s=60.0) < 1e4


@pytest.mark.data
@pytest.mark.parametrize("protocol", [LEGACY, SAFE], ids=["legacy", "safe"])
def test_it_beats_the_installed_plan_on_a_real_junction(protocol: object, data_dir: Path, tmp_path: Path) -> None:
    scenario = open_scenario(str(data_dir / "resco" / "ingolstadt1"))
    delay_s = {}
    for control in ("static", "mpc"):
        spec = EvaluateSpec(
            scenario=scenario,
            control=control,
            protocol=protocol,  # type: ignore[arg-type]
            seed=Seed(driver=1),
            folder=tmp_path / control,
        )
        run = evaluate_one(spec)
        delay_s[control] = run.episode.measures.delay_s
        assert run.released == 0
    assert delay_s["mpc"] < 0.8 * delay_s["static"]
