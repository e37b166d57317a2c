"""What is read back after a command by stages, against what the guard let through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from control.charge import Charge
from control.lamp_rules import Foes, clearance_ds
from control.stage_table import StageTable
from traffic.signals import GREEN_LETTERS, Junction
from traffic.snapshot import Snapshot

SLACK_S = 2.0
EPSILON_S = 1e-6


@dataclass(frozen=True, slots=True)
class Change:
    """What a change between two stages needs: the longest intergreen towards a foe, the shortest yellow.

    `is_lost` is whether some link loses its green at all.
    """

    intergreen_s: float
    yellow_s: float
    is_lost: bool


def change_needs(installed: Sequence[tuple[int, int]], foes: Foes, before: str, after: str) -> Change:
    """Return what installed (yellow, red clearance) per link ask of a change from one lamp string to another."""
    was = {i for i, letter in enumerate(before) if letter in GREEN_LETTERS}
    now = {i for i, letter in enumerate(after) if letter in GREEN_LETTERS}
    lost, gained = was - now, now - was
    return Change(
        intergreen_s=max((sum(installed[i]) / 10.0 for i in lost if gained & foes.of[i]), default=0.0),
        yellow_s=min((installed[i][0] / 10.0 for i in lost), default=0.0),
        is_lost=bool(lost),
    )


class StageReadback:
    """Judges the stages read back at one junction; what each change needs is worked out once."""

    def __init__(self, junction: Junction, table: StageTable, foes: Foes) -> None:
        self._table, self._foes, self._installed = table, foes, clearance_ds(junction)
        self._needs: dict[tuple[int, int], Change] = {}

    def faults(self, charge: Charge, snapshot: Snapshot) -> list[str]:
        """Return how the stage now shown differs from what was commanded; nothing while lamps change.

        Greens are sampled: a stage held green at least until it was last seen, so a clearance or a
        minimum green is only called short where it was short for certain.
        """
        stage, table = snapshot.stage[charge.place], self._table
        if stage < 0:
            return []
        if not 0 <= stage < len(table.lamps) or snapshot.lamps[charge.place] != table.lamps[stage]:
            where = f"junction {table.junction}"
            return [f"{where}: stage {stage} read back as {snapshot.lamps[charge.place]} (the lamps of that stage)"]
        faults = []
        started = charge.pending is None or snapshot.time_s > charge.pending[0] + table.change_s + SLACK_S
        if started and charge.expected >= 0 and stage != charge.expected:
            expected = f"stage {charge.expected} was commanded"
            faults.append(f"junction {table.junction}: stage {stage} read back ({expected})")
        if 0 <= charge.stage != stage:
            faults += self._short_times(charge, stage, snapshot.green_since_s[charge.place])
        return faults

    def _short_times(self, charge: Charge, stage: int, since_s: float) -> list[str]:
        """Return clearances and greens that were cut short between the last stage seen and this one."""
        table = self._table
        pair = (charge.stage, stage)
        if pair not in self._needs:
            self._needs[pair] = change_needs(self._installed, self._foes, table.lamps[charge.stage], table.lamps[stage])
        needs, faults = self._needs[pair], []
        gap_s = since_s - charge.seen_green_s
        if gap_s < needs.intergreen_s - EPSILON_S:
            faults.append(f"junction {table.junction}: intergreen of {gap_s:g} s (installed {needs.intergreen_s:g} s)")
        green_s, least_s = since_s - needs.yellow_s - charge.green_since_s, table.least_s[charge.stage]
        if needs.is_lost and green_s < least_s - EPSILON_S:
            least = f"least service of stage {charge.stage} is {least_s:g} s"
            faults.append(f"junction {table.junction}: green of {green_s:g} s ({least})")
        return faults
