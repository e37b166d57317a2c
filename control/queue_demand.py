"""Journeys as the core's vehicles and origins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from control.core.arrays import ANYWHERE, AT_SPEED, ORIGIN, VEHICLE, Array, rows_of
from control.queue_routes import RouteTable
from traffic.demand import Journey
from traffic.ids import LinkId
from traffic.network import VehicleType

Kinds = Mapping[str, tuple[int, VehicleType]]
"""Place and type of every name of a vehicle type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledDemand:
    """Vehicles in order of departure, and who starts where."""

    vehicles: Array
    origins: Array
    origin_vehicles: Array


def kinds_of(journeys: Sequence[Journey], types: Mapping[str, VehicleType]) -> Kinds:
    """Return the types that the journeys have; an unknown name is a car."""
    names = dict.fromkeys(row.vehicle_type for row in journeys) or {"": None}
    return {name: (place, types.get(name, VehicleType(id=name))) for place, name in enumerate(names)}


def compile_demand(journeys: Sequence[Journey], kinds: Kinds, routes: RouteTable, begin_s: float) -> CompiledDemand:
    """Return the vehicles of journeys."""
    rows: list[tuple[float, ...]] = []
    by_origin: dict[LinkId, list[int]] = {}
    for row in sorted(journeys, key=lambda row: row.depart_s):
        number, kind = kinds[row.vehicle_type]
        way = routes.links.route(row.links)
        mode = ANYWHERE * row.depart_pos.startswith("random") + AT_SPEED * (row.depart_speed not in ("0", ""))
        is_kerb = row.depart_lane in ("first", "0", "")
        n_lanes = 1 if is_kerb else len(routes.links.strips[way[0]])
        headway_s = _entry_headway_s(kind, mode) / n_lanes
        by_origin.setdefault(way[0], []).append(len(rows))
        place = routes.route_at(way, kind.vehicle_class, row.id)
        rows.append((place, number, mode, row.depart_s - begin_s, headway_s))
    firsts = np.cumsum([0, *(len(places) for places in by_origin.values())]).tolist()
    origins = [(first, len(places)) for first, places in zip(firsts, by_origin.values(), strict=False)]
    order = [place for places in by_origin.values() for place in places]
    return CompiledDemand(
        vehicles=rows_of(rows, VEHICLE),
        origins=rows_of(origins, ORIGIN),
        origin_vehicles=np.array(order or [0], np.int32),
    )


def _entry_headway_s(kind: VehicleType, mode: int) -> float:
    """Return the whole seconds from one vehicle's start on a link to the next one's, as SUMO's steps have it."""
    spacing_m = kind.length_m + kind.min_gap_m
    if mode & ANYWHERE:
        return 1.0
    if mode & AT_SPEED:
        return float(ceil(kind.tau_s + spacing_m / 13.9))
    return float(ceil(sqrt(2.0 * spacing_m / max(0.1, kind.accel_mps2))))
