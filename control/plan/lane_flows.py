"""How demand loads lanes: flow ratios per lane, and which phases serve it.

::

    movement flows  ->  spread over the lanes each may use, so that lanes load alike
    lane flow ratio  y = sum over its movements of v / (s f)      f: left, right, permissive
"""

from __future__ import annotations

from collections.abc import Mapping
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
    phases = {m.id: _phases_of(junction, m) for m in movements}
    lanes = {m.id: sorted({network.connections[c].from_lane for c in m.connections}) for m in movements}
    load: dict[LaneId, float] = {lane: 0.0 for rows in lanes.values() for lane in rows}
    served: dict[LaneId, list[frozenset[PhaseNumber]]] = {}
    for movement in sorted(movements, key=lambda m: (len(lanes[m.id]), m.id)):
        ratio = flows_vph[movement.id] / _saturation_vphpl(movement, junction, network, flows_vph, saturation)
        for _ in range(N_PARTS):
            emptiest = min(lanes[movement.id], key=lambda lane: (load[lane], lane))
            load[emptiest] += ratio / N_PARTS
        if flows_vph[movement.id] > 0.0 and phases[movement.id]:
            for lane in lanes[movement.id]:
                served.setdefault(lane, []).append(phases[movement.id])
    return [
        LaneLoad(lane=lane, flow_ratio=load[lane], phases=frozenset.intersection(*rows) or frozenset.union(*rows))
        for lane, rows in sorted(served.items())
    ]


def _phases_of(junction: Junction, movement: Movement) -> frozenset[PhaseNumber]:
    links = set(movement.link_indices)
    return frozenset(p for overlap in junction.overlaps if links & set(overlap.link_indices) for p in overlap.parents)


def _saturation_vphpl(
    movement: Movement,
    junction: Junction,
    network: Network,
    flows_vph: Mapping[MovementId, float],
    saturation: SaturationFlow,
) -> float:
    """Return the saturation flow of a movement in one lane, veh/h."""
    turn = movement.direction.lower()
    links = set(movement.link_indices)
    overlaps = [overlap for overlap in junction.overlaps if links & set(overlap.link_indices)]
    if turn in "lt" and overlaps and not any(overlap.protected for overlap in overlaps):
        before = {j for i, j in junction.permissive if i in links}
        opposing = (m for m in network.movements.values() if m.junction == junction.id and before & set(m.link_indices))
        opposed_vph = sum(flows_vph.get(m.id, 0.0) for m in opposing)
        return saturation.base_vphpl / float(
            np.interp(opposed_vph, saturation.opposed_vph, saturation.left_equivalents)
        )
    factors = {"l": saturation.left_factor, "t": saturation.left_factor, "r": saturation.right_factor}
    return saturation.base_vphpl * factors.get(turn, 1.0)
