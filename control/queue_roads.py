"""Network and demand compiled to the core's flat arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from control.core.arrays import FOE, GROUP, JUNCTION, LANE, N_LAUNCH, OPTION, PHYSICS, TYPE, Array, Roads, rows_of
from control.queue_demand import compile_demand, kinds_of
from control.queue_lanes import LaneTable
from control.queue_links import Links, join_links
from control.queue_physics import Physics
from control.queue_routes import RouteTable
from traffic.demand import Journey, Journeys
from traffic.errors import BadScenario
from traffic.ids import JunctionId, LinkId
from traffic.network import Network, VehicleType

PCU = {"motorcycle": 0.3, "moped": 0.3, "scooter": 0.3, "bicycle": 0.25}
"""Share of a lane and of a headway that a class takes where it does not keep to one file (Vietnam: 0.25-0.35)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The arrays, and what their places are.

    Attributes
    ----------
    lanes
        Name of each lane: the first of the network's lanes in it, or `from>to` of the connection of a box.
    lane_at
        Place of each of the network's lanes.
    lane_links
        By lane, the last link in it; of a box, the link before it.
    joined
        By link, the last link of those that it is joined to.
    signal_links
        By junction, the link index of each of its connections.
    """

    roads: Roads
    lanes: tuple[str, ...]
    lane_at: Mapping[str, int]
    lane_links: tuple[LinkId, ...]
    joined: dict[LinkId, LinkId]
    junctions: tuple[JunctionId, ...]
    signal_links: tuple[tuple[int, ...], ...]
    links: Links


def compile_roads(network: Network, demand: Journeys, physics: Physics) -> Compiled:
    """Return the core's arrays for a network and its journeys; times are seconds after the begin of the period.

    Raises
    ------
    BadScenario
        If a journey uses a link that is not there, or a route that no lane connects.
    """
    journeys = demand.rows
    _check(network, journeys)
    kinds = kinds_of(journeys, demand.types)
    links = join_links(network, [row.links[0] for row in journeys], [row.links[-1] for row in journeys])
    type_rows = _type_rows([kind for _, kind in kinds.values()], demand.has_lane_sharing)
    used = np.array([kinds[row.vehicle_type][0] for row in journeys], dtype=np.intp)
    spacing_m = float(np.mean((type_rows["spacing"] * type_rows["pcu"])[used])) if len(journeys) else 7.5
    lanes = LaneTable(network, links, spacing_m=spacing_m, accel=float(np.mean(type_rows["accel"])))
    routes = RouteTable(network, links, lanes)
    entering = compile_demand(journeys, kinds, routes, demand.begin_s)
    junctions, signal_conns, signal_links = _signals(network)
    heads = list(links.strips)
    lane_links = tuple(links.last[heads[int(row[2])]] for row in lanes.lanes)
    roads = Roads(
        lanes=with_factors(rows_of(lanes.lanes, LANE), lane_links, physics.headway_factor),
        conns=lanes.conn_rows(),
        foes=rows_of([foe for row in lanes.foes for foe in row], FOE),
        groups=rows_of(routes.groups, GROUP),
        options=rows_of(routes.options, OPTION),
        route=np.array(routes.route or [0], np.int32),
        vehicles=entering.vehicles,
        types=type_rows,
        launch=_launch(type_rows),
        origins=entering.origins,
        origin_vehicles=entering.origin_vehicles,
        junctions=junctions,
        signal_conns=signal_conns,
        physics=physics_row(physics),
    )
    return Compiled(
        roads=roads,
        lanes=tuple(lanes.names),
        lane_at=lanes.lane_at,
        lane_links=lane_links,
        joined={link: links.last[head] for link, head in links.head.items()},
        junctions=tuple(network.crossings),
        signal_links=signal_links,
        links=links,
    )


def _check(network: Network, journeys: Sequence[Journey]) -> None:
    for row in journeys:
        if not row.links:
            raise BadScenario(f"journey {row.id}", "no route", "needs at least one link", "mend the demand")
        missing = next((link for link in row.links if link not in network.links), None)
        if missing is not None:
            raise BadScenario(f"journey {row.id}", f"link {missing}", "not in the network", "mend the routes")
        if not isfinite(row.depart_s):
            raise BadScenario(f"journey {row.id}: departure", row.depart_s, "must be a time", "mend the demand")


def _type_rows(kinds: Sequence[VehicleType], has_lane_sharing: bool) -> Array:
    return rows_of(
        [
            (
                max(0.5, kind.length_m + kind.min_gap_m),
                kind.tau_s,
                max(0.1, kind.accel_mps2),
                0.5 * kind.sigma * kind.accel_mps2,
                kind.max_speed_mps,
                kind.speed_dev,
                PCU.get(kind.vehicle_class, 1.0) if has_lane_sharing else 1.0,
            )
            for kind in kinds
        ],
        TYPE,
    )


def _launch(rows: Array) -> Array:
    """Return the speed over the stop line of the k-th vehicle of a queue, v = sqrt(2 a (k + 0.3) s), by type."""
    k = np.arange(N_LAUNCH)
    speed: Array = np.sqrt(2.0 * rows["accel"][:, None] * (k + 0.3) * rows["spacing"][:, None])
    return speed


def physics_row(physics: Physics) -> Array:
    """Return the parameters as the core has them."""
    row = np.zeros(1, PHYSICS)
    row["reaction"], row["first_gap"], row["start_up"] = physics.reaction_s, physics.first_gap_s, physics.start_up_s
    row["patience"], row["rolling"], row["yellow"] = physics.patience_s, physics.rolling_gap, physics.yellow_s
    row["loss"], row["side_step"] = physics.acceleration_loss, physics.side_step_veh
    row["noise"], row["merge"] = physics.noise, physics.merge_s
    row["minor"], row["jam"] = physics.minor_mps, physics.jam_s
    row["gap"], row["wrong_lane"], row["insertion"] = physics.gap_scale, physics.wrong_lane_veh, physics.insertion
    row["crossing"] = physics.crossing
    return row


def with_factors(lanes: Array, lane_links: Sequence[LinkId], factors: Mapping[str, float]) -> Array:
    """Return the lanes with factors on the headways of links."""
    scaled = lanes.copy()
    scaled["factor"] = [factors.get(link, 1.0) for link in lane_links]
    return scaled


def _signals(network: Network) -> tuple[Array, Array, tuple[tuple[int, ...], ...]]:
    """Return the places of every junction's connections, and the link index of each."""
    rows: list[tuple[int, int]] = []
    conns: list[int] = []
    links: list[tuple[int, ...]] = []
    for name in network.crossings:
        own = [
            (place, row.link_index)
            for place, row in enumerate(network.connections)
            if row.junction == name and row.link_index is not None
        ]
        rows.append((len(conns), len(own)))
        conns += [place for place, _ in own]
        links.append(tuple(index for _, index in own))
    return rows_of(rows, JUNCTION), np.array(conns or [0], np.int32), tuple(links)
