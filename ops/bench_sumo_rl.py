"""The same measure for sumo-rl (PyPI, bench extra): its loop over libsumo, against its own lamps replayed.

sumo-rl has no max pressure; here each signal takes the phase with the longest queue in sumo-rl's own observation.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ops.bench_loop_runs import Replay, Sample, replay_of, sample
from ops.evaluate_runs import EvaluateSpec
from sim.heads import Moment
from sim.launch import TRIPS, Launch, launch_of
from sim.netconvert import find_tool
from traffic.errors import MissingTool
from traffic.ids import JunctionId

Rule = Callable[[np.ndarray[Any, Any]], int]


def record_sumo_rl(spec: EvaluateSpec) -> Replay:
    """Run sumo-rl once, and return the run that shows the same lamps without it.

    Raises
    ------
    MissingTool
        If sumo-rl is not installed, or cannot run this scenario.
    """
    histories: dict[JunctionId, list[Moment]] = {}
    env = _environment(spec)
    step = env._sumo_step

    def noted() -> None:
        for name in env.ts_ids:
            lamps = env.sumo.trafficlight.getRedYellowGreenState(name)
            moments = histories.setdefault(JunctionId(name), [])
            if not moments or moments[-1][1] != lamps:
                moments.append((env.sim_step, lamps))
        step()

    env._sumo_step = noted
    _loop(env)
    return replay_of(_launch(spec), histories, spec.protocol.decision_s, spec.folder)


def run_sumo_rl(spec: EvaluateSpec) -> Sample:
    """Run sumo-rl, timed from the first to the last step."""
    return sample(_loop(_environment(spec)), spec.folder)


def _loop(env: Any) -> float:
    """Drive a whole episode; return its CPU time."""
    seen = env.reset()
    rules = {name: _longest_queue(env, name) for name in env.ts_ids}
    started_s = time.process_time()
    is_over = False
    while not is_over:
        seen, _, done, _ = env.step({name: rules[name](row) for name, row in seen.items()})
        is_over = done["__all__"]
    cpu_s = time.process_time() - started_s
    env.close()
    return cpu_s


def _longest_queue(env: Any, name: str) -> Rule:
    """Return the rule of one signal: the phase whose green lanes have the longest queues together."""
    signal = env.traffic_signals[name]
    controlled = env.sumo.trafficlight.getControlledLanes(name)
    greens = np.array(
        [
            [
                any(lane == at and lamp in "Gg" for at, lamp in zip(controlled, phase.state, strict=True))
                for lane in signal.lanes
            ]
            for phase in signal.green_phases
        ],
        dtype=np.float64,
    )
    n_lanes = len(signal.lanes)
    return lambda seen: int((greens @ seen[-n_lanes:]).argmax())


def _launch(spec: EvaluateSpec) -> Launch:
    return launch_of(spec.scenario, seed=spec.seed.driver)


def _environment(spec: EvaluateSpec) -> Any:
    """Return sumo-rl's environment of a scenario, over libsumo, with our options for SUMO."""
    _silence()
    os.environ["LIBSUMO_AS_TRACI"] = "1"
    os.environ.setdefault("SUMO_HOME", str(find_tool("sumo").parent.parent))
    if find_spec("sumo_rl") is None:
        raise MissingTool("sumo-rl", "not installed", next_move='pip install ".[bench]"')
    what, protocol = _launch(spec), spec.protocol
    if what.step_s != 1 or what.begin_s % 1 or protocol.decision_s % 1 or protocol.yellow_s % 1:
        raise MissingTool("sumo-rl", "knows whole seconds only", next_move="leave it out")
    spec.folder.mkdir(parents=True, exist_ok=True)
    try:
        return import_module("sumo_rl").SumoEnvironment(
            net_file=str(what.network),
            route_file=",".join(map(str, what.routes)),
            begin_time=int(what.begin_s),
            num_seconds=int(what.end_s - what.begin_s),
            delta_time=int(protocol.decision_s),
            yellow_time=int(protocol.yellow_s),
            min_green=0,
            sumo_seed=what.seed,
            sumo_warnings=False,
            additional_sumo_cmd=" ".join(_options(what, spec.folder)),
            add_system_info=False,
            add_per_agent_info=False,
        )
    except ImportError as error:
        raise MissingTool("sumo-rl", str(error), next_move='pip install ".[bench]"') from error


def _options(what: Launch, folder: Path) -> list[str]:
    """Return the options of our own launches that sumo-rl does not set."""
    chosen: dict[str, object] = {
        "--additional-files": ",".join(map(str, what.additional)) or None,
        "--lateral-resolution": what.lateral_resolution_m,
        "--ignore-junction-blocker": what.ignore_junction_blocker_s,
        "--tripinfo-output": (folder / TRIPS).resolve(),
        "--tripinfo-output.write-unfinished": "true",
        "--tripinfo-output.write-undeparted": "true",
        "--xml-validation": "never",
        "--no-step-log": "true",
    }
    return [str(part) for name, value in chosen.items() if value is not None for part in (name, value)]


def _silence() -> None:
    """Send this process's stdout to stderr: sumo-rl and SUMO print, and stdout belongs to `--json`."""
    os.dup2(2, 1)
