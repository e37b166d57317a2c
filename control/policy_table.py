"""Junctions as the universal policy knows them: movements, what each stage serves, and where zones lie in the core."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from control.core.arrays import Array, rows_of
from control.core.policy import IN, MOST_STAGES, PIECE, Sight, make_sight
from control.queue_links import Strip
from control.queue_roads import Compiled
from control.queue_stages import StageClock
from traffic.errors import BadScenario
from traffic.ids import JunctionId, LaneId, LinkId
from traffic.network import Movement, Network
from traffic.signals import GREEN_LETTERS
from traffic.snapshot import FloatArray
from traffic.zones import Zones

VEHICLE_M = 7.5
"""Room of a vehicle that stands, metres."""
Flows = Mapping[tuple[LinkId, LinkId], float]


def compile_sight(
    network: Network,
    stages: Mapping[JunctionId, Sequence[str]],
    flows: Flows,
    clock: StageClock,
    zone_length_m: FloatArray,
) -> Sight:
    """Return what the policy knows of every junction, weights zero; its zones are not in a core yet.

    Parameters
    ----------
    flows
        Historic, veh/h.
    zone_length_m
        True length of the zones, by movement.

    Raises
    ------
    BadScenario
        If a junction has more stages than the policy has room for.
    """
    by_junction: dict[JunctionId, list[Movement]] = {name: [] for name in network.crossings}
    for movement in network.movements.values():
        by_junction[movement.junction].append(movement)
    approaches: dict[LinkId, int] = {}
    sites: list[tuple[float, ...]] = []
    moves: list[tuple[float, ...]] = []
    rows: list[tuple[float, ...]] = []
    served: list[tuple[float, ...]] = []
    sharing = _sharing(network)
    for name, own in by_junction.items():
        shown = stages[name]
        if len(shown) > MOST_STAGES:
            raise BadScenario(f"junction {name}: stages", len(shown), f"at most {MOST_STAGES}", "leave it to its plan")
        sites.append((len(moves), len(own), 0, 0, len(rows), len(shown), clock.decision_s))
        for stage, lamps in enumerate(shown):
            found = [
                (len(moves) + k, float(any(lamps[i] == "G" for i in row.link_indices)))
                for k, row in enumerate(own)
                if any(lamps[i] in GREEN_LETTERS for i in row.link_indices)
            ]
            rows.append((len(served), len(found), sum(clock.clearance_s[name][stage])))
            served += found
        for row in own:
            number = approaches.setdefault(row.approach, len(approaches))
            place = network.movement_index[row.id]
            zone_m = float(np.nan_to_num(zone_length_m[place]))
            flow = flows.get((row.approach, row.exit), 0.0) / 3600.0
            known = (sharing[row.id], flow, zone_m, _room_veh(network, row.exit, zone_m))
            moves.append((place, row.connections[0], number, 0, 0, 0, 0, *known))
    return make_sight(sites, moves, rows, served)


def desk_of(sight: Sight) -> Sight:
    """Return the same sight with room of its own to work in, for another thread."""
    return sight._replace(
        readings=np.zeros_like(sight.readings),
        inputs=np.zeros_like(sight.inputs),
        cells=np.zeros_like(sight.cells),
        counts=np.zeros_like(sight.counts),
    )


def with_zones(sight: Sight, network: Network, compiled: Compiled, zones: Zones) -> Sight:
    """Return the sight with the pieces of its zones where they lie in a core."""
    offsets = _offsets(network, compiled)
    arriving = _by_movement(zip(zones.arriving.movement, zones.arriving.piece, zones.arriving.share, strict=True))
    leaving = _by_movement(zip(zones.leaving.movement, zones.leaving.piece, zones.leaving.share, strict=True))
    sites, moves = sight.sites.copy(), sight.moves.copy()
    pieces: list[tuple[float, ...]] = []
    ins: list[tuple[float, ...]] = []
    outs: list[int] = []
    for junction in range(len(sites)):
        known: dict[int, int] = {}
        first = sites[junction]["first_piece"] = len(pieces)
        own = range(sites[junction]["first_move"], sites[junction]["first_move"] + sites[junction]["n_move"])
        for place in own:
            movement = int(moves[place]["place"])
            for rows, way in ((arriving, "in"), (leaving, "out")):
                here = rows.get(movement, [])
                moves[place][f"first_{way}"], moves[place][f"n_{way}"] = len(ins if way == "in" else outs), len(here)
                for piece, share in here:
                    if piece not in known:
                        known[piece] = len(pieces)
                        pieces.append(_piece(zones, piece, network, offsets))
                    if way == "in":
                        ins.append((known[piece], share))
                    else:
                        outs.append(known[piece])
        sites[junction]["n_piece"] = len(pieces) - first
    return sight._replace(
        sites=sites,
        moves=moves,
        ins=rows_of(ins or [(0, 0.0)], IN),
        outs=np.array(outs or [0], np.int32),
        pieces=rows_of(pieces or [(0, 0.0, 0.0)], PIECE),
        counts=np.zeros((max(1, len(pieces)), 2)),
    )


def pieces_of(network: Network, compiled: Compiled, zones: Zones) -> Array:
    """Return where the pieces of all zones lie in a core, PIECE records in their order."""
    offsets = _offsets(network, compiled)
    return rows_of([_piece(zones, k, network, offsets) for k in range(len(zones.pieces))], PIECE)


def _by_movement(rows: Iterable[tuple[int, int, float]]) -> dict[int, list[tuple[int, float]]]:
    found: dict[int, list[tuple[int, float]]] = {}
    for movement, piece, share in rows:
        found.setdefault(int(movement), []).append((int(piece), float(share)))
    return found


def _offsets(network: Network, compiled: Compiled) -> dict[LaneId, tuple[int, float]]:
    """Return by lane of the network its lane in the core, and how far before the end of that it ends, metres."""
    found: dict[LaneId, tuple[int, float]] = {}
    for strips in compiled.links.strips.values():
        for strip in strips:
            found |= _along(strip, network, compiled)
    return found


def _along(strip: Strip, network: Network, compiled: Compiled) -> dict[LaneId, tuple[int, float]]:
    place, end_m, found = compiled.lane_at[strip.lanes[0]], 0.0, {}
    total_m = sum(network.lanes[lane].length_m for lane in strip.lanes)
    way_m = max(0.0, strip.length_m - total_m) / max(1, len(strip.lanes) - 1)
    for lane in reversed(strip.lanes):
        found[lane] = (place, end_m)
        end_m += network.lanes[lane].length_m + way_m
    return found


def _piece(
    zones: Zones, number: int, network: Network, offsets: Mapping[LaneId, tuple[int, float]]
) -> tuple[int, float, float]:
    """Return (lane of the core, near end, far end) of a piece, metres before the end of that lane."""
    piece = zones.pieces[number]
    lane, end_m = offsets[piece.lane]
    length_m = network.lanes[piece.lane].length_m
    from_m = 0.0 if piece.from_m is None else piece.from_m
    to_m = length_m if piece.to_m is None else piece.to_m
    return lane, end_m + length_m - to_m, end_m + length_m - from_m


def _sharing(network: Network) -> dict[str, float]:
    """Return the lanes of each movement; a lane that several movements share is divided among them."""
    users: dict[LaneId, set[str]] = {}
    for row in network.movements.values():
        for k in row.connections:
            users.setdefault(network.connections[k].from_lane, set()).add(row.id)
    return {
        row.id: sum(1.0 / len(users[lane]) for lane in {network.connections[k].from_lane for k in row.connections})
        for row in network.movements.values()
    }


def _room_veh(network: Network, exit_link: LinkId, zone_m: float) -> float:
    link = network.links[exit_link]
    return max(1.0, len(link.lanes) * min(max(zone_m, 1.0), link.length_m) / VEHICLE_M)
