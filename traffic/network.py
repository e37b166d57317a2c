"""The road network in shared words; everything that anyone needs of SUMO's network, as plain data.

::

    lane --connection--> lane          several connections may share one signal link index
    approach = the link that arrives   movement = approach -> exit link
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from traffic.ids import JunctionId, LaneId, LinkId, MovementId

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One strip of a link. `allowed` holds SUMO vehicle classes; empty means everyone."""

    id: LaneId
    link: LinkId
    index: int
    length_m: float
    speed_mps: float
    width_m: float = 3.2
    allowed: frozenset[str] = frozenset()
    shape: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A one-way road; `lanes` from the kerb (index 0) inwards."""

    id: LinkId
    from_node: str
    to_node: str
    lanes: tuple[LaneId, ...]
    length_m: float
    speed_mps: float
    name: str = ""
    shape: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A way from lane to lane over a node.

    `link_index` is its place in the lamp string of `junction` (None where unsignalised).
    `foes` and `response` are places in `Network.connections`: those whose path meets this one,
    and those it yields to. `direction` is SUMO's: s straight, l left, r right, t turn, L R partial.
    `length_m` is the path inside the node, `speed_mps` its speed limit. `waiting_m` is how far inside it a
    vehicle may wait for a gap (a left turn in the middle of the junction), 0 where there is no such place.
    """

    from_lane: LaneId
    to_lane: LaneId
    from_link: LinkId
    to_link: LinkId
    direction: str
    length_m: float
    speed_mps: float
    junction: JunctionId | None = None
    link_index: int | None = None
    foes: frozenset[int] = frozenset()
    response: frozenset[int] = frozenset()
    shape: tuple[Point, ...] = ()
    waiting_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Approach -> exit at one junction; `connections` are places in `Network.connections`."""

    id: MovementId
    junction: JunctionId
    approach: LinkId
    exit: LinkId
    direction: str
    connections: tuple[int, ...]
    link_indices: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """The lanes that arrive at a junction on one link. `bearing_deg`: 0 = heading north, clockwise."""

    junction: JunctionId
    link: LinkId
    lanes: tuple[LaneId, ...]
    movements: tuple[MovementId, ...]
    bearing_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleType:
    """A SUMO vehicle type as far as counting and timing need it.

    `sigma` is how imperfectly it is driven (0-1), `speed_dev` the spread of the speeds that drivers choose, as a
    ratio of the limit.
    """

    id: str
    vehicle_class: str = "passenger"
    length_m: float = 5.0
    width_m: float = 1.8
    min_gap_m: float = 2.5
    tau_s: float = 1.0
    accel_mps2: float = 2.6
    decel_mps2: float = 4.5
    max_speed_mps: float = 55.6
    sigma: float = 0.5
    speed_dev: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The geometry of a signal-controlled node: what `traffic.signals.Junction` times.

    `conflicts` are pairs (i < j) of link indices whose paths cross or merge; `permissive` are
    pairs (yielding, priority) among them, from the network's right of way.
    """

    id: JunctionId
    nodes: tuple[str, ...]
    position: Point
    n_links: int
    approaches: tuple[Approach, ...]
    conflicts: frozenset[tuple[int, int]]
    permissive: frozenset[tuple[int, int]]
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Network:
    """Everything of a road network that is plain data; `origin` is (x offset, y offset, projection) as SUMO has it."""

    links: Mapping[LinkId, Link]
    lanes: Mapping[LaneId, Lane]
    connections: tuple[Connection, ...]
    crossings: Mapping[JunctionId, Crossing]
    movements: Mapping[MovementId, Movement]
    vehicle_types: Mapping[str, VehicleType] = field(default_factory=dict)
    boundary: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    @cached_property
    def movement_index(self) -> Mapping[MovementId, int]:
        """Place of each movement in the arrays of a `traffic.snapshot.Snapshot`."""
        return {movement: index for index, movement in enumerate(self.movements)}

    @cached_property
    def junction_index(self) -> Mapping[JunctionId, int]:
        """Place of each junction in the tuples of a `traffic.snapshot.Snapshot`."""
        return {junction: index for index, junction in enumerate(self.crossings)}


def movement_id(junction: str, approach: str, exit_link: str) -> MovementId:
    """Return the id of a movement.

    Examples
    --------
    >>> movement_id("A0", "top0A0", "A0B0")
    'A0:top0A0>A0B0'
    """
    return MovementId(f"{junction}:{approach}>{exit_link}")
