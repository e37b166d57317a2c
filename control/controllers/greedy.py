"""Serve the stage with most vehicles in the zones of its movements."""

from __future__ import annotations

from collections.abc import Sequence

from control.controllers.base import LastGreen, decide_by_score, start_last_green
from traffic.decisions import Decision
from traffic.ports import Plant
from traffic.snapshot import Snapshot


class Greedy:
    """The stage whose green movements have most vehicles arriving."""

    def start(self, plant: Plant) -> LastGreen:
        """Return the stages, none seen green."""
        return start_last_green(plant)

    def decide(self, snapshot: Snapshot, state: LastGreen) -> tuple[Sequence[Decision], LastGreen]:
        """Return the switches that serve most vehicles."""
        return decide_by_score(snapshot, state, snapshot.arriving_veh)
