"""Small towns for the queue model, link by link; no simulator.

::

    town = TownMaker()
    town.road("in"), town.road("out")              in ---o--- out
    town.way("in", "out", signal=("a", 0))
    town.signal("a", (20, "r"), (600, "G"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from control.queue_model import QueueModel
from control.queue_physics import Physics
from traffic.demand import Journey, Journeys
from traffic.ids import JunctionId, LaneId, LinkId, PhaseNumber
from traffic.network import Connection, Crossing, Lane, Link, Network, VehicleType
from traffic.signals import Junction, Overlap, Pattern, Phase, Plan, Split, SplitPlan

STEADY = VehicleType(id="steady", sigma=0.0, speed_dev=0.0)
"""A car without chance: 7.5 m from front to front, tau 1 s, 2.6 m/s2, at the limit."""
BY_HAND = Physics(
    **{"reaction_s": 0.35, "first_gap_s": 0.6, "start_up_s": 0.7, "jam_s": 1.35, "yellow_s": 1.0, "merge_s": 1.3},
    **{"gap_scale": 1.0, "rolling_gap": 1.0, "minor_mps": 5.0, "noise": 0.0},
)
"""The numbers that tests by hand reckon with, whatever the defaults are."""
YELLOW_S, ALL_RED_S = 3, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallTown:
    """A network with its signals and their plans."""

    network: Network
    junctions: Mapping[JunctionId, Junction]
    plans: Mapping[JunctionId, Plan]

    def model(
        self, journeys: Sequence[Journey], end_s: float, *, physics: Physics = BY_HAND, shares_lanes: bool = False
    ) -> QueueModel:
        rows = Journeys(
            rows=tuple(journeys),
            types={"steady": STEADY, **self.network.vehicle_types},
            begin_s=0.0,
            end_s=end_s,
            has_lane_sharing=shares_lanes,
        )
        return QueueModel(self.network, self.junctions, rows, physics)


class TownMaker:
    """Collects roads, ways over nodes and signals."""

    def __init__(self) -> None:
        self.links: dict[LinkId, Link] = {}
        self.lanes: dict[LaneId, Lane] = {}
        self.ways: list[Connection] = []
        self.stages: dict[JunctionId, tuple[tuple[int, str], ...]] = {}
        self.offsets: dict[JunctionId, int] = {}

    def road(
        self,
        name: str,
        length_m: float = 300.0,
        *,
        lanes: int = 1,
        speed_mps: float = 13.9,
        allowed: frozenset[str] = frozenset(),
    ) -> None:
        names = tuple(LaneId(f"{name}_{index}") for index in range(lanes))
        self.links[LinkId(name)] = Link(
            **{"id": LinkId(name), "from_node": "", "to_node": "", "lanes": names},  # type: ignore[arg-type]
            length_m=length_m,
            speed_mps=speed_mps,
        )
        for index, lane in enumerate(names):
            self.lanes[lane] = Lane(
                id=lane, link=LinkId(name), index=index, length_m=length_m, speed_mps=speed_mps, allowed=allowed
            )

    def way(
        self,
        start: str,
        end: str,
        *,
        lanes: tuple[int, int] = (0, 0),
        length_m: float = 10.0,
        signal: tuple[str, int] | None = None,
        waiting_m: float = 0.0,
        yields_to: Sequence[int] = (),
    ) -> int:
        """Add a connection from lane to lane, and return its place; it has the speed of where it comes from."""
        from_lane = self.links[LinkId(start)].lanes[lanes[0]]
        self.ways.append(
            Connection(
                from_lane=from_lane,
                to_lane=self.links[LinkId(end)].lanes[lanes[1]],
                from_link=LinkId(start),
                to_link=LinkId(end),
                direction="s",
                length_m=length_m,
                speed_mps=self.lanes[from_lane].speed_mps,
                junction=None if signal is None else JunctionId(signal[0]),
                link_index=None if signal is None else signal[1],
                foes=frozenset(yields_to),
                response=frozenset(yields_to),
                waiting_m=waiting_m,
            )
        )
        return len(self.ways) - 1

    def yield_to(self, way: int, others: Sequence[int]) -> None:
        self.ways[way] = replace(self.ways[way], foes=frozenset(others), response=frozenset(others))

    def signal(self, name: str, *stages: tuple[int, str], offset_s: int = 0) -> None:
        """Add a signal: green seconds and lamps of each stage, 3 s of yellow and 2 s of red behind each."""
        self.stages[JunctionId(name)], self.offsets[JunctionId(name)] = stages, offset_s

    def build(self) -> SmallTown:
        junctions = {name: make_junction(name, [lamps for _, lamps in rows]) for name, rows in self.stages.items()}
        network = Network(
            links=self.links,
            lanes=self.lanes,
            connections=tuple(self.ways),
            crossings={name: _crossing(row) for name, row in junctions.items()},
            movements={},
        )
        plans = {
            name: make_plan(junctions[name], [green_s for green_s, _ in rows], self.offsets[name])
            for name, rows in self.stages.items()
        }
        return SmallTown(network=network, junctions=junctions, plans=plans)


def make_junction(name: JunctionId, stages: Sequence[str]) -> Junction:
    """Return a junction of one ring, a phase a stage, an overlap a link."""
    numbers = tuple(PhaseNumber(k + 1) for k in range(len(stages)))

    def showing(letter: str, link: int) -> frozenset[PhaseNumber]:
        return frozenset(n for n, lamps in zip(numbers, stages, strict=True) if lamps[link] == letter)

    return Junction(
        id=name,
        n_links=len(stages[0]),
        phases=tuple(Phase(number=n, yellow_ds=10 * YELLOW_S, red_clear_ds=10 * ALL_RED_S) for n in numbers),
        rings=(numbers,),
        barriers=(frozenset(numbers),),
        overlaps=tuple(
            Overlap(
                number=k + 1,
                link_indices=(k,),
                protected=showing("G", k),
                permissive=showing("g", k),
                turn_on_red=showing("s", k),
            )
            for k in range(len(stages[0]))
        ),
    )


def make_plan(junction: Junction, greens_s: Sequence[int], offset_s: int = 0) -> Plan:
    """Return the plan with these greens, each with its intergreen behind it."""
    splits_s = [green_s + YELLOW_S + ALL_RED_S for green_s in greens_s]
    splits = [Split(phase=p.number, split_s=s) for p, s in zip(junction.phases, splits_s, strict=True)]
    pattern = Pattern(number=1, cycle_s=sum(splits_s), offset_s=offset_s % sum(splits_s), split=1)
    return Plan(junction=junction.id, pattern=pattern, split=SplitPlan(number=1, splits=tuple(splits)))


def _crossing(junction: Junction) -> Crossing:
    return Crossing(
        id=junction.id,
        nodes=(str(junction.id),),
        position=(0.0, 0.0),
        n_links=junction.n_links,
        approaches=(),
        conflicts=frozenset(),
        permissive=frozenset(),
    )


def trips(way: Sequence[str], departs_s: Sequence[float], name: str = "", **changes: str) -> list[Journey]:
    """Return a journey a departure, all over the same links."""
    fields = {"vehicle_type": "steady", **changes}
    links = tuple(LinkId(link) for link in way)
    return [
        Journey(id=f"{name or way[0]}.{k}", depart_s=time_s, links=links, **fields)
        for k, time_s in enumerate(departs_s)
    ]
