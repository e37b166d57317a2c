"""A plant whose detector zones are partly dead or count wrong: what becomes of a control when cameras fail.

Which zones, and how wrong, follows from the seed of the run; it stays so for the whole run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ops.bounds import check_number
from traffic.decisions import Decision
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.ports import Plant
from traffic.signals import Junction
from traffic.snapshot import FloatArray, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFaults:
    """Share of the approaches whose zone is dead (its readings are NaN), and how wrong the others count at most.

    `count_error` 0.3 lets every zone count by a factor of its own between 0.7 and 1.3.
    """

    dead_zones: float = 0.0
    count_error: float = 0.0

    @property
    def is_none(self) -> bool:
        """Whether all zones are well."""
        return self.dead_zones == 0.0 and self.count_error == 0.0

    def check(self) -> None:
        """Raise BadInput if a share is not one."""
        check_number("--dead-zones", self.dead_zones, 0.0, 1.0)
        check_number("--count-error", self.count_error, 0.0, 1.0)


class FaultyZones:
    """Another plant, seen through faulty zones; commands go through."""

    def __init__(self, plant: Plant, faults: ZoneFaults, seed: int) -> None:
        self._plant = plant
        self._factor = factors(plant.network, faults, seed)

    @property
    def network(self) -> Network:
        """The roads."""
        return self._plant.network

    @property
    def junctions(self) -> Mapping[JunctionId, Junction]:
        """What is installed."""
        return self._plant.junctions

    @property
    def stages(self) -> Mapping[JunctionId, Sequence[str]]:
        """The stages that decisions number."""
        return self._plant.stages

    def snapshot(self) -> Snapshot:
        """Return what the faulty zones read."""
        seen = self._plant.snapshot()
        return replace(seen, arriving_veh=seen.arriving_veh * self._factor, queued_veh=seen.queued_veh * self._factor)

    def command(self, decisions: Sequence[Decision]) -> None:
        """Obey."""
        self._plant.command(decisions)

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self._plant.advance(seconds)


def factors(network: Network, faults: ZoneFaults, seed: int) -> FloatArray:
    """Return by movement what its zone's counts are multiplied by, the same for an approach; NaN where it is dead."""
    chance = np.random.default_rng([seed, 11])
    approaches = list(dict.fromkeys(row.approach for row in network.movements.values()))
    wrong = 1.0 + faults.count_error * chance.uniform(-1.0, 1.0, len(approaches))
    wrong[chance.random(len(approaches)) < faults.dead_zones] = np.nan
    of_approach = dict(zip(approaches, wrong.tolist(), strict=True))
    return np.array([of_approach[row.approach] for row in network.movements.values()])
