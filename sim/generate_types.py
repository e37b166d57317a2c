"""Vehicle types of a generated town: how drivers follow and start there, which is what makes its saturation flow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from traffic.network import VehicleType

_LANE_SHARING = (
    'minGapLat="0.25" latAlignment="arbitrary" lcSublane="2.0" lcPushy="0.5" lcAssertive="1.5" lcSpeedGain="3.0" '
    'lcKeepRight="0.0" maxSpeedLat="1.2"'
)
"""How motorcycles take their place between others, as in scenarios/thanh_hoa."""
_REACTION_S, _LAUNCH_MPS, _SHARED = 0.35, 8.0, 0.3
"""Of a saturation flow: added to tau, speed at the line, and the part of a lane of a motorcycle that shares it."""


def draw_types(rng: np.random.Generator) -> tuple[VehicleType, ...]:
    """Return car, motorcycle, truck and bus; tau is 1 s or more, a step of SUMO's."""
    tau_s, gap_m = float(rng.uniform(1.0, 1.5)), float(rng.uniform(1.5, 3.0))
    accel, sigma = float(rng.uniform(1.8, 2.9)), float(rng.uniform(0.2, 0.6))
    #      name, class, length, width, gap, tau, acceleration, greatest speed
    rows = (
        ("car", "passenger", 4.6, 1.8, gap_m, tau_s, accel, 40.0),
        ("motorcycle", "motorcycle", 1.9, 0.75, 0.5 * gap_m, 1.0, accel * 1.1, 16.0),
        ("truck", "truck", float(rng.uniform(7.0, 11.0)), 2.4, gap_m, tau_s * 1.2, 0.5 * accel, 22.0),
        ("bus", "bus", float(rng.uniform(9.0, 13.0)), 2.5, gap_m, tau_s * 1.2, 0.5 * accel, 20.0),
    )
    return tuple(
        VehicleType(
            id=name,
            vehicle_class=vehicle_class,
            length_m=round(length_m, 2),
            width_m=width_m,
            min_gap_m=round(min_gap_m, 2),
            tau_s=round(headway_s, 2),
            accel_mps2=round(acceleration, 2),
            decel_mps2=4.0,
            max_speed_mps=fastest,
            sigma=round(sigma, 2),
        )
        for name, vehicle_class, length_m, width_m, min_gap_m, headway_s, acceleration, fastest in rows
    )


def types_xml(types: tuple[VehicleType, ...], *, has_lane_sharing: bool) -> str:
    """Return SUMO's additional file of types; motorcycles share lanes where the scenario does."""
    lines = []
    for row in types:
        extra = f" {_LANE_SHARING}" if has_lane_sharing and row.id == "motorcycle" else ""
        lines.append(
            f'  <vType id="{row.id}" vClass="{row.vehicle_class}" length="{row.length_m:g}" width="{row.width_m:g}" '
            f'minGap="{row.min_gap_m:g}" tau="{row.tau_s:g}" accel="{row.accel_mps2:g}" decel="{row.decel_mps2:g}" '
            f'maxSpeed="{row.max_speed_mps:g}" sigma="{row.sigma:g}" speedDev="{row.speed_dev:g}"{extra}/>\n'
        )
    return "<additional>\n" + "".join(lines) + "</additional>\n"


def lane_flow_vph(types: Mapping[str, VehicleType], shares: Mapping[str, float], has_lane_sharing: bool) -> float:
    """Return the saturation flow of a lane, vehicles of the mix per hour of green."""
    headway_s = 0.0
    for name, share in shares.items():
        row = types[name]
        part = _SHARED if has_lane_sharing and row.vehicle_class == "motorcycle" else 1.0
        headway_s += share * part * (_REACTION_S + row.tau_s + (row.length_m + row.min_gap_m) / _LAUNCH_MPS)
    return 3600.0 / headway_s
