"""What is read back after a command by stages, against what the guard let through."""

from __future__ import annotations

from control.charge import Charge
from control.lamp_rules import clearance_ds, foes
from control.stage_table import StageTable
from traffic.signals import GREEN_LETTERS, Junction
from traffic.snapshot import Snapshot

SLACK_S = 2.0
EPSILON_S = 1e-6


def stage_readback(junction: Junction, table: StageTable, charge: Charge, snapshot: Snapshot) -> list[str]:
    """Return how the stage now shown differs from what was commanded; nothing while lamps change.

    Greens are sampled: a stage held green at least until it was last seen, so a clearance or a
    minimum green is only called short where it was short for certain.
    """
    stage = snapshot.stage[charge.place]
    if stage < 0:
        return []
    where = f"junction {junction.id}"
    if not 0 <= stage < len(table.lamps) or snapshot.lamps[charge.place] != table.lamps[stage]:
        return [f"{where}: stage {stage} read back as {snapshot.lamps[charge.place]} (the lamps of that stage)"]
    faults = []
    started = charge.pending is None or snapshot.time_s > charge.pending[0] + table.change_s + SLACK_S
    if started and charge.expected >= 0 and stage != charge.expected:
        faults.append(f"{where}: stage {stage} read back (stage {charge.expected} was commanded)")
    if 0 <= charge.stage != stage:
        faults += _short_times(junction, table, charge, snapshot)
    return faults


def _short_times(junction: Junction, table: StageTable, charge: Charge, snapshot: Snapshot) -> list[str]:
    """Return clearances and greens that were cut short between the last stage seen and this one."""
    where = f"junction {junction.id}"
    before, after = table.lamps[charge.stage], snapshot.lamps[charge.place]
    since_s = snapshot.green_since_s[charge.place]
    installed = clearance_ds(junction)
    was = {i for i, letter in enumerate(before) if letter in GREEN_LETTERS}
    now = {i for i, letter in enumerate(after) if letter in GREEN_LETTERS}
    lost, gained = was - now, now - was
    needed_s = max((sum(installed[i]) / 10.0 for i in lost if gained & set(foes(junction, i))), default=0.0)
    yellow_s = min((installed[i][0] / 10.0 for i in lost), default=0.0)
    faults = []
    if since_s - charge.seen_green_s < needed_s - EPSILON_S:
        faults.append(f"{where}: intergreen of {since_s - charge.seen_green_s:g} s (installed {needed_s:g} s)")
    green_s, least_s = since_s - yellow_s - charge.green_since_s, table.least_s[charge.stage]
    if lost and green_s < least_s - EPSILON_S:
        faults.append(f"{where}: green of {green_s:g} s (least service of stage {charge.stage} is {least_s:g} s)")
    return faults
