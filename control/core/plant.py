"""One replica under somebody's hand: junctions are held in stages or play a plan, one by one, and zones are counted."""

from __future__ import annotations

from control.core.arrays import ASLEEP, GREEN_PART
from control.core.chance import key_of
from control.core.jit import entry
from control.core.lanes import scan_lanes
from control.core.observe import count_piece
from control.core.rollout import loss_until
from control.core.run import insert, reset
from control.core.signals import run_plans, show
from control.core.stages import run_stages


@entry
def empty(road, now):
    """Empty the network; no junction shows anything yet."""
    reset(road, now)


@entry
def hold_stage(junction, stage, since_s, time_s, stages, road, now):
    """Let a junction stay in a stage that is green since `since_s`, until it is told otherwise."""
    signal = now.signals[junction]
    signal.stage, signal.wanted, signal.then, signal.part = stage, -1, -1, GREEN_PART
    signal.since, signal.until = since_s, ASLEEP
    show(junction, stages.rows[stages.junctions[junction].first + stage].row, time_s, stages.codes, road, now)


@entry
def play_plan(junction, interval, until_s, time_s, timing, road, now):
    """Let a junction show an interval of its plan until `until_s`."""
    signal = now.signals[junction]
    signal.stage, signal.wanted, signal.then, signal.part = -1, -1, -1, GREEN_PART
    signal.interval, signal.until = interval, until_s
    show(junction, timing.row[0, junction, interval], time_s, timing.codes, road, now)


@entry
def obey(time_s, seed, timing, stages, road, now):
    """Change the lamps that fall due now."""
    run_plans(0, time_s, timing, road, now)
    run_stages(time_s, key_of(seed, 0), stages, road, now)


@entry
def run_on(start_s, n_seconds, seed, timing, stages, road, now):
    """Run for whole seconds: junctions with a plan in `timing` play it, those in `stages` change on word."""
    key = key_of(seed, 0)
    for second in range(n_seconds):
        time_s = start_s + second
        run_plans(0, time_s, timing, road, now)
        run_stages(time_s, key, stages, road, now)
        insert(time_s, key, road, now)
        scan_lanes(time_s, key, road, now)


@entry
def count_pieces(time_s, pieces, counts, road, now):
    """Fill `counts` (n_piece, 2): vehicles on each stretch of a lane, and those of them that stand."""
    for k in range(len(pieces)):
        count_piece(pieces[k], time_s, counts[k], road, now)


@entry
def time_lost(time_s, road, now):
    """Return what all vehicles have lost so far, those included that wait to enter, seconds."""
    return loss_until(time_s, 0.0, 0.0, road, now)
