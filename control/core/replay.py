"""A policy's decisions written down, and played again without it: what of a run is simulation, and what the policy."""

from __future__ import annotations

from control.core.arrays import GREEN_PART
from control.core.chance import key_of
from control.core.jit import entry
from control.core.observe import look
from control.core.policy import best_stage
from control.core.run import finish, replica_of, reset
from control.core.stages import run_seconds, start_stages

NOTHING, LOOK, DECIDE = 0, 1, 2
"""What is done beside a replay: nothing, the zones are read, the policy decides too, and is not heard."""


@entry
def record(decisions, period_s, replicas, stages, road, state, seed, first, last):
    """Run rows `first` to `last` by the stages' policy and fill `decisions` (n_row, n_decision, n_junction)."""
    for r in range(first, last):
        now, key = replica_of(state, r), key_of(seed, replicas[r])
        reset(road, now)
        start_stages(stages, road, now)
        for k in range(decisions.shape[1]):
            time_s = float(k * period_s)
            run_seconds(time_s, 1, key, stages, road, now)
            for junction in range(len(stages.junctions)):
                signal = now.signals[junction]
                decisions[r, k, junction] = signal.stage if signal.part == GREEN_PART else signal.wanted
            run_seconds(time_s + 1.0, period_s - 1, key, stages, road, now)
        finish(float(decisions.shape[1] * period_s), road, now)


@entry
def replay(decisions, beside, found, period_s, replicas, stages, road, state, seed, first, last):
    """Run rows `first` to `last` by what was decided; `found`, shaped like `decisions`, is what the policy says."""
    for r in range(first, last):
        now, key = replica_of(state, r), key_of(seed, replicas[r])
        reset(road, now)
        start_stages(stages, road, now)
        for k in range(decisions.shape[1]):
            time_s = float(k * period_s)
            for junction in range(len(stages.junctions)):
                signal = now.signals[junction]
                if beside >= LOOK:
                    look(junction, time_s, key, stages.sight, road, now)
                if beside == DECIDE:
                    green_s, most_s = time_s - signal.since, stages.rules[0].max_red
                    found[r, k, junction] = best_stage(junction, signal.stage, green_s, most_s, stages.sight)
                signal.wanted = decisions[r, k, junction]
            run_seconds(time_s, period_s, key, stages, road, now)
        finish(float(decisions.shape[1] * period_s), road, now)
