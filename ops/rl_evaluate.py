"""What a policy is worth: an episode of an environment, measured as `evaluate` measures (no vehicle left out)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ops.rl_envs import junction_env, parallel_env
from ops.scenario_folder import open_scenario
from sim.episode import Seed
from sim.launch import TOTALS, TRIPS
from sim.measures import Measures, measure, read_totals
from sim.trips import read_trips
from traffic.scenario import Scenario

Act = Callable[[Any, Mapping[str, Any]], Any]
"""An action from an observation and its info."""


def measure_policy(
    scenario: str | Scenario, act: Act, seed: Seed, *, junction: str | None = None, **chosen: Any
) -> Measures:
    """Run a policy for one episode and measure it: at one junction, or the same policy at every one.

    Parameters
    ----------
    act
        The policy: observation and info in, action out.
    seed
        Demand seeds of 100 and above are for claims, 0 is the file as it is, 1-99 are for training.
    junction
        Where it acts; everywhere if None.
    chosen
        As in `ops.rl_envs.junction_env`; the policy has to be given what it was trained on.

    Raises
    ------
    BadScenario, BadInput
        If the scenario cannot be read, or a name is not there.
    """
    opened = scenario if isinstance(scenario, Scenario) else open_scenario(scenario)
    options = {"driver_seed": seed.driver, "demand_seed": seed.demand}
    with TemporaryDirectory(prefix="policy-") as name:
        folder = Path(name)
        if junction is None:
            _run_everywhere(opened, act, options, folder, chosen)
        else:
            _run_at_one(opened, act, options, folder, {"junction": junction, **chosen})
        end_s = opened.begin_s + chosen.get("horizon_s", opened.end_s - opened.begin_s)
        trips, totals = read_trips(folder / TRIPS, end_s), read_totals(folder / TOTALS)
    return measure(trips, opened.begin_s, end_s, totals=totals)


def _run_everywhere(
    scenario: Scenario, act: Act, options: dict[str, Any], folder: Path, chosen: Mapping[str, Any]
) -> None:
    env = parallel_env(scenario, folder=folder, **chosen)
    try:
        seen, infos = env.reset(options=options)
        while env.agents:
            seen, _, _, _, infos = env.step({agent: act(seen[agent], infos[agent]) for agent in env.agents})
    finally:
        env.close()


def _run_at_one(scenario: Scenario, act: Act, options: dict[str, Any], folder: Path, chosen: Mapping[str, Any]) -> None:
    env = junction_env(scenario, folder=folder, **chosen)
    try:
        seen, info = env.reset(options=options)
        is_over = False
        while not is_over:
            seen, _, _, is_over, info = env.step(act(seen, info))
    finally:
        env.close()
