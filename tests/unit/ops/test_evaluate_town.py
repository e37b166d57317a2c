"""What a run of an evaluation is given to see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ops.core_policy import POLICY_ZONE_M
from ops.evaluate_runs import EvaluateSpec, run_of
from ops.plan_runs import open_signals
from ops.scenario_folder import open_scenario
from sim.detectors import ZONE_M
from sim.episode import Seed
from sim.protocols import SAFE


@pytest.mark.parametrize(("control", "zone_m"), [("greedy", ZONE_M), ("universal", POLICY_ZONE_M)])
def test_a_town_with_signals_of_its_own_has_zones_as_long_as_the_control_sees(
    control: str, zone_m: float, tmp_path: Path
) -> None:
    scenario = open_scenario("thanh_hoa")
    spec = EvaluateSpec(scenario=scenario, control=control, protocol=SAFE, seed=Seed(driver=0), folder=tmp_path)
    town = run_of(spec).town
    assert np.nanmax(town.zones.zone_length_m) == pytest.approx(zone_m, rel=0.01)
    assert town.signals == open_signals(scenario)[0].signals
