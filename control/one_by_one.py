"""A plant that loses one junction's decision, not the whole batch, when the guard refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from traffic.decisions import Decision
from traffic.errors import UnsafeCommand
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.ports import Plant
from traffic.signals import Junction
from traffic.snapshot import Snapshot


class OneByOne:
    """Passes a batch on; if it is refused, each decision as a batch of its own, and what is refused again is left out.

    Controllers whose decisions for different junctions do not depend on one another stand behind it.
    """

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.n_refused = 0

    @property
    def network(self) -> Network:
        """The roads."""
        return self.plant.network

    @property
    def junctions(self) -> Mapping[JunctionId, Junction]:
        """What is installed."""
        return self.plant.junctions

    @property
    def stages(self) -> Mapping[JunctionId, Sequence[str]]:
        """The stages that decisions number."""
        return self.plant.stages

    def snapshot(self) -> Snapshot:
        """Return what the plant says."""
        return self.plant.snapshot()

    def command(self, decisions: Sequence[Decision]) -> None:
        """Pass on what is not refused."""
        try:
            self.plant.command(decisions)
            return
        except UnsafeCommand:
            if len(decisions) == 1:
                self.n_refused += 1
                return
        for decision in decisions:
            try:
                self.plant.command((decision,))
            except UnsafeCommand:
                self.n_refused += 1

    def advance(self, seconds: float) -> None:
        """Move the plant's clock."""
        self.plant.advance(seconds)
