"""What the guard has to know of the stages of one junction: least service, changes, who is served.

::

    least service of a stage  = longest (min green, walk + pedestrian clearance) of its phases
    cover                     = few stages that serve every movement between them
    designated stage          = the stage of the cover that serves a movement
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from control.lamp_rules import Foes
from control.limits import GuardLimits
from traffic.ids import JunctionId
from traffic.lamps import Part, RingState, lamps
from traffic.network import Network
from traffic.signals import GREEN_LETTERS, Junction, Recall


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTable:
    """The stages of one junction; movements are numbered within the junction.

    Attributes
    ----------
    lamps
        Lamp string per stage.
    least_s
        Least service per stage, seconds.
    change_s
        Longest change between two stages, seconds.
    members
        Place in the snapshot's arrays of each movement of the junction.
    served
        Movements that hold green, per stage.
    designated
        The stage that is forced for a movement; -1 where no stage serves it.
    cover
        The designated stages.
    has_recall
        Movements whose call always stands.
    conflicting
        Stages that would show two foes moving.
    """

    junction: JunctionId
    lamps: tuple[str, ...]
    least_s: tuple[float, ...]
    change_s: float
    members: npt.NDArray[np.intp]
    links: tuple[tuple[int, ...], ...]
    served: tuple[frozenset[int], ...]
    designated: tuple[int, ...]
    cover: tuple[int, ...]
    has_recall: tuple[bool, ...]
    conflicting: frozenset[int]

    @property
    def round_s(self) -> float:
        """Time to serve the whole cover once from a standing start, seconds."""
        return self.change_s + sum(self.least_s[stage] + self.change_s for stage in self.cover)

    @property
    def horizon_s(self) -> float:
        """Time to serve the whole cover behind one more stage, seconds: nothing older than the rest is due yet."""
        return self.round_s + self.change_s + max(self.least_s, default=0.0)

    def red(self, shown: str) -> npt.NDArray[np.bool_]:
        """Return which movements some stage serves and these lamps do not."""
        return np.array(
            [
                self.designated[m] >= 0 and not any(shown[link] in GREEN_LETTERS for link in links)
                for m, links in enumerate(self.links)
            ],
            dtype=np.bool_,
        )


def stage_table(junction: Junction, network: Network, stages: Sequence[str], limits: GuardLimits) -> StageTable:
    """Return the table of one junction; `stages` are the plant's own."""
    movements = [m for m in network.movements.values() if m.junction == junction.id]
    served = tuple(
        frozenset(n for n, m in enumerate(movements) if any(shown[link] in GREEN_LETTERS for link in m.link_indices))
        for shown in stages
    )
    cover, foes = _cover(served), Foes(junction)
    return StageTable(
        junction=junction.id,
        lamps=tuple(stages),
        least_s=_least_service_s(junction, stages, limits),
        change_s=max(limits.change_s, max((p.clearance_ds for p in junction.phases), default=0) / 10.0),
        members=np.array([network.movement_index[m.id] for m in movements], dtype=np.intp),
        links=tuple(m.link_indices for m in movements),
        served=served,
        designated=tuple(next((s for s in cover if n in served[s]), -1) for n in range(len(movements))),
        cover=cover,
        has_recall=tuple(limits.knows_recall and _has_recall(junction, m.link_indices) for m in movements),
        conflicting=frozenset(n for n, shown in enumerate(stages) if foes.pairs(shown)),
    )


def _cover(served: Sequence[frozenset[int]]) -> tuple[int, ...]:
    """Return few stages that serve every movement that any stage serves: the largest gain first, then the lowest."""
    missing = frozenset().union(*served)
    chosen: list[int] = []
    while missing:
        best = max(range(len(served)), key=lambda stage: (len(served[stage] & missing), -stage))
        chosen.append(best)
        missing -= served[best]
    return tuple(chosen)


def _least_service_s(junction: Junction, stages: Sequence[str], limits: GuardLimits) -> tuple[float, ...]:
    """Return the least service of each stage: that of the longest of the phases that can show it."""
    by_lamps: dict[str, float] = {}
    for group in junction.barriers:
        members = [[p for p in ring if p in group] for ring in junction.rings]
        for combination in product(*(ring for ring in members if ring)):
            shown = lamps(junction, [RingState(number, Part.GREEN, number) for number in combination])
            least = max(junction.phase(number).min_service_s for number in combination)
            by_lamps[shown] = max(by_lamps.get(shown, 0.0), float(least))
    longest = max((float(phase.min_service_s) for phase in junction.phases), default=0.0)
    floor = limits.min_green_s
    return tuple(max(by_lamps.get(shown, longest), floor) for shown in stages)


def _has_recall(junction: Junction, links: tuple[int, ...]) -> bool:
    parents = {p for overlap in junction.overlaps if set(links) & set(overlap.link_indices) for p in overlap.parents}
    return any(junction.phase(number).recall is not Recall.NONE for number in parents)
