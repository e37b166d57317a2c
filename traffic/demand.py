"""Flows that are expected, per movement and quarter of an hour: history, not a route file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite, nan

from traffic.counts import TurnCount
from traffic.ids import LinkId, MovementId
from traffic.network import Network, VehicleType


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """One vehicle to come: when it wants to depart, over which links, as which type.

    `depart_lane`, `depart_pos` and `depart_speed` are SUMO's words for how it enters: `first` waits for the kerb
    lane, `free` and `best` take another one; `base` starts at the beginning of the link, `random_free` anywhere.
    """

    id: str
    depart_s: float
    links: tuple[LinkId, ...]
    vehicle_type: str = ""
    depart_lane: str = "first"
    depart_pos: str = "base"
    depart_speed: str = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journeys:
    """All vehicles of a period, and their types by name; an unknown name is a car.

    `has_lane_sharing` says that two-wheelers do not keep to one file (SUMO's sublane model).
    """

    rows: tuple[Journey, ...]
    types: Mapping[str, VehicleType]
    begin_s: float
    end_s: float
    has_lane_sharing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowProfile:
    """Historic flows, a `DemandForecast`: veh/h per movement and period; NaN where unknown."""

    begin_s: float
    period_s: float
    flows_vph: Mapping[MovementId, tuple[float, ...]]
    approach_of: Mapping[MovementId, str]

    def flow_vph(self, movement: MovementId, time_s: float) -> float:
        """Return the flow of the period in which `time_s` lies; NaN outside or unknown."""
        row = self.flows_vph.get(movement)
        index = int((time_s - self.begin_s) // self.period_s)
        return row[index] if row is not None and 0 <= index < len(row) else nan

    def mean_vph(self, movement: MovementId) -> float:
        """Return the mean flow over all periods; NaN if one is unknown."""
        row = self.flows_vph.get(movement)
        return sum(row) / len(row) if row else nan

    def turning_share(self, movement: MovementId, time_s: float) -> float:
        """Return the movement's share of the known flow of its approach; NaN where nothing is known."""
        approach = self.approach_of.get(movement)
        flows = {m: self.flow_vph(m, time_s) for m, a in self.approach_of.items() if a == approach}
        total = sum(flow for flow in flows.values() if isfinite(flow))
        return flows.get(movement, nan) / total if total > 0 else nan


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkHistory:
    """Historic flows from link to link, veh/h, of the vehicles that depart within each period.

    `flows_vph` has one mapping a period; before the first and after the last period theirs hold. `vehicle` is the
    commonest type.
    """

    begin_s: float
    period_s: float
    flows_vph: tuple[Mapping[tuple[LinkId, LinkId], float], ...]
    vehicle: VehicleType


def profile_from_counts(network: Network, counts: Iterable[TurnCount]) -> FlowProfile:
    """Return flows per movement from counts of all classes; a movement with an unknown count is NaN there."""
    rows = [row for row in counts if MovementId(row.movement) in network.movements]
    begin = min((row.start_s for row in rows), default=0.0)
    period = min((row.period_s for row in rows), default=900.0)
    n_periods = 1 + max((int((row.start_s - begin) // period) for row in rows), default=0)
    flows: dict[MovementId, list[float]] = {}
    for row in rows:
        series = flows.setdefault(MovementId(row.movement), [0.0] * n_periods)
        flow = row.flow_vph
        series[int((row.start_s - begin) // period)] += nan if flow is None else flow
    return FlowProfile(
        begin_s=begin,
        period_s=period,
        flows_vph={movement: tuple(series) for movement, series in flows.items()},
        approach_of={m.id: f"{m.junction}:{m.approach}" for m in network.movements.values()},
    )
