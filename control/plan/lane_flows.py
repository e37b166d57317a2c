"""How demand loads lanes: flow ratios per lane, and which phases serve it.

::

    movement flows  ->  spread over the lanes each may use, so that lanes load alike
    lane flow ratio  y = sum over its movements of v / (s f)      f: left, right, permissive
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from traffic.errors import BadScenario
from traffic.ids import LaneId, MovementId, PhaseNumber
from traffic.network import Movement, Network
from traffic.signals import Junction

N_PARTS = 20
"""Each movement is laid on its lanes in so many equal parts, the emptiest lane next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaturationFlow:
    """Saturation flow per lane and its adjustments (HCM 2000, chapter 16; exhibit C16-3 for permissive lefts).

    `opposed_vph` and `left_equivalents` tabulate through-car equivalents of a permissive left turn against
    opposing flow.
    """

    base_vphpl: float = 1800.0
    left_factor: float = 0.95
    right_factor: float = 0.85
    opposed_vph: tuple[float, ...] = (0.0, 200.0, 400.0, 600.0, 800.0, 1000.0, 1200.0)
    left_equivalents: tuple[float, ...] = (1.4, 1.7, 2.1, 2.5, 3.1, 3.7, 4.5)

    def vphpl(self, turn: str, *, is_protected: bool = True, opposing_vph: float = 0.0) -> float:
        """Return the saturation flow of one lane of a movement that turns `l`, `t`, `r` or goes `s`, veh/h.

        Examples
        --------
        >>> SaturationFlow().vphpl("l"), round(SaturationFlow().vphpl("l", is_protected=False, opposing_vph=200.0))
        (1710.0, 1059)
        """
        if turn in "lt" and not is_protected:
            return self.base_vphpl / float(np.interp(opposing_vph, self.opposed_vph, self.left_equivalents))
        return self.base_vphpl * {"l": self.left_factor, "t": self.left_factor, "r": self.right_factor}.get(turn, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLoad:
    """One arrival lane: its flow ratio y = v / s, and the phases in which it discharges."""

    lane: LaneId
    flow_ratio: float
    phases: frozenset[PhaseNumber]


def lane_loads(
    junction: Junction, network: Network, flows_vph: Mapping[MovementId, float], saturation: SaturationFlow
) -> list[LaneLoad]:
    """Return the load of every arrival lane of a junction.

    Raises
    ------
    BadScenario
        If the flow of a movement is missing or unknown: a plan for an unknown flow would be a guess.
    """
    movements = [m for m in network.movements.values() if m.junction == junction.id]
    unknown = [m.id for m in movements if not flows_vph.get(m.id, float("nan")) >= 0.0]
    if unknown:
        fault = f"flow of {', '.join(unknown[:3])}{' ...' if len(unknown) > 3 else ''} unknown"
        raise BadScenario(f"plan of junction {junction.id}", fault, "veh/h of every movement", "give counts for it")
    lanes = {m.id: sorted({network.connections[c].from_lane for c in m.connections}) for m in movements}
    served = _served(junction, movements, lanes, flows_vph)
    load: dict[LaneId, float] = {lane: 0.0 for rows in lanes.values() for lane in rows}
    for movement in sorted(movements, key=lambda m: (len(lanes[m.id]), m.id)):
        common = frozenset[PhaseNumber]().union(*(served.get(lane, frozenset()) for lane in lanes[movement.id]))
        is_protected = bool(common & _phases_of(junction, movement, is_protected=True))
        opposing_vph = 0.0 if is_protected else _opposing_vph(movement, junction, movements, flows_vph)
        vphpl = saturation.vphpl(movement.direction.lower(), is_protected=is_protected, opposing_vph=opposing_vph)
        for _ in range(N_PARTS):
            emptiest = min(lanes[movement.id], key=lambda lane: (load[lane], lane))
            load[emptiest] += flows_vph[movement.id] / vphpl / N_PARTS
    return [LaneLoad(lane=lane, flow_ratio=load[lane], phases=phases) for lane, phases in sorted(served.items())]


def _served(
    junction: Junction,
    movements: Sequence[Movement],
    lanes: Mapping[MovementId, Sequence[LaneId]],
    flows_vph: Mapping[MovementId, float],
) -> dict[LaneId, frozenset[PhaseNumber]]:
    """Return the phases in which each lane discharges: those that serve all its movements, else any of them."""
    rows: dict[LaneId, list[frozenset[PhaseNumber]]] = {}
    for movement in movements:
        phases = _phases_of(junction, movement)
        if flows_vph[movement.id] > 0.0 and phases:
            for lane in lanes[movement.id]:
                rows.setdefault(lane, []).append(phases)
    return {lane: frozenset.intersection(*found) or frozenset.union(*found) for lane, found in rows.items()}


def _phases_of(junction: Junction, movement: Movement, *, is_protected: bool = False) -> frozenset[PhaseNumber]:
    """Return the phases in which a movement is green, or only those in which it need not yield."""
    links = set(movement.link_indices)
    overlaps = [overlap for overlap in junction.overlaps if links & set(overlap.link_indices)]
    return frozenset(p for overlap in overlaps for p in (overlap.protected if is_protected else overlap.parents))


def _opposing_vph(
    movement: Movement, junction: Junction, movements: Sequence[Movement], flows_vph: Mapping[MovementId, float]
) -> float:
    """Return the flow of the movements that a movement yields to."""
    links = set(movement.link_indices)
    before = {j for i, j in junction.permissive if i in links}
    return sum(flows_vph[m.id] for m in movements if before & set(m.link_indices))
