"""Many replicas under other people's decisions: actions in, observations and rewards out, one call a step."""

from __future__ import annotations

from control.core.arrays import GREEN_PART
from control.core.chance import key_of
from control.core.jit import entry, inlined
from control.core.observe import look
from control.core.policy import N_INPUTS, QUEUED, fill_inputs
from control.core.rollout import loss_until
from control.core.run import replica_of, reset
from control.core.stages import run_seconds, start_stages


@inlined
def observe(time_s, key, stages, road, now, inputs):
    """Write what the universal policy is told of every stage of every junction."""
    for junction in range(len(stages.junctions)):
        signal, site = now.signals[junction], stages.sight.sites[junction]
        for stage in range(inputs.shape[1]):
            for k in range(N_INPUTS):
                inputs[junction, stage, k] = 0.0
        if site.n_row == 0:
            continue
        green_s = 0.0
        if signal.part == GREEN_PART:
            green_s = time_s - signal.since
        look(junction, time_s, key, stages.sight, road, now)
        fill_inputs(junction, signal.stage, green_s, stages.sight)
        for stage in range(site.n_row):
            for k in range(N_INPUTS):
                inputs[junction, stage, k] = stages.sight.inputs[stage, k]


@entry
def begin(replicas, stages, road, state, seed, inputs, lost_s, first, last):
    """Empty rows `first` to `last` and write what is seen, `inputs` (n_row, n_junction, n_stage, N_INPUTS)."""
    for r in range(first, last):
        now = replica_of(state, r)
        reset(road, now)
        start_stages(stages, road, now)
        lost_s[r] = 0.0
        observe(0.0, key_of(seed, replicas[r]), stages, road, now, inputs[r])


@entry
def step(actions, replicas, stages, road, state, seed, time_s, n_seconds, inputs, queues, lost_s, first, last):
    """Run rows `first` to `last` on from `time_s` with the stages wanted in `actions` (n_row, n_junction).

    A junction in a change keeps what it wants; one that is not due takes its action when it is. `queues`
    (n_row, n_junction) are the vehicles that its zones see standing at the end, `lost_s` (n_row,) what all vehicles
    have lost so far, seconds.
    """
    for r in range(first, last):
        now = replica_of(state, r)
        key = key_of(seed, replicas[r])
        for junction in range(len(stages.junctions)):
            if now.signals[junction].part == GREEN_PART:
                now.signals[junction].wanted = actions[r, junction]
        run_seconds(time_s, n_seconds, key, stages, road, now)
        end_s = time_s + n_seconds
        observe(end_s, key, stages, road, now, inputs[r])
        lost_s[r] = loss_until(end_s, 0.0, 0.0, road, now)
        for junction in range(len(stages.junctions)):
            site = stages.sight.sites[junction]
            queues[r, junction] = 0.0
            for m in range(site.first_move, site.first_move + site.n_move):
                queues[r, junction] += stages.sight.readings[m, QUEUED]
