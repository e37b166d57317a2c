"""Says nothing: every junction runs its own program or plan."""

from __future__ import annotations

from collections.abc import Sequence

from traffic.decisions import Decision
from traffic.ports import Plant
from traffic.snapshot import Snapshot


class FixedTime:
    """The plan in force stays in force."""

    def start(self, plant: Plant) -> None:
        """Return no state."""

    def decide(self, _snapshot: Snapshot, state: None, /) -> tuple[Sequence[Decision], None]:
        """Return no decision."""
        return (), state
