"""The environment in `bench loop`: a whole episode of `control.rl.town_env` with the actions of max pressure.

Only `step` is timed: simulation, guard, observation of all junctions, rewards and infos. Its trip records must be those
of the controlled loop, so that the same replay is its baseline.
"""

from __future__ import annotations

import time

from control.controllers.max_pressure import MaxPressure
from ops.bench_loop_runs import Sample, sample
from ops.evaluate_runs import EvaluateSpec
from ops.rl_envs import parallel_env
from traffic.decisions import Stage


def stepped(spec: EvaluateSpec) -> Sample:
    """Run one episode in the environment, timed step by step."""
    env = parallel_env(spec.scenario, protocol=spec.protocol.name, folder=spec.folder)
    env.reset(options={"driver_seed": spec.seed.driver, "demand_seed": spec.seed.demand})
    controller, cpu_s = MaxPressure(), 0.0
    state = controller.start(env.plant)
    places = env.arena.network.junction_index
    while env.agents:
        snapshot = env.snapshot
        decisions, state = controller.decide(snapshot, state)
        actions = {str(name): max(0, snapshot.stage[place]) for name, place in places.items()}
        actions |= {str(row.junction): row.stage for row in decisions if isinstance(row, Stage)}
        started_s = time.process_time()
        env.step(actions)
        cpu_s += time.process_time() - started_s
    env.close()
    return sample(cpu_s, spec.folder)
