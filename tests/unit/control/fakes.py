"""A street of crossroads in memory: real lamps, no traffic but the readings that a test gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from traffic.decisions import Decision, Extend, Release, SelectPattern, Stage
from traffic.ids import JunctionId, LaneId, LinkId, MovementId, PhaseNumber
from traffic.lamps import Interval, change, cycle_intervals, stages
from traffic.network import Approach, Connection, Crossing, Lane, Link, Movement, Network, movement_id
from traffic.signals import GREEN_LETTERS, Junction, Overlap, Pattern, Phase, Plan, Recall, Split, SplitPlan
from traffic.snapshot import Snapshot

SIDES = "nesw"
CONFLICTS = frozenset(
    {(0, 2), (0, 6), (2, 4), (4, 6), (0, 5), (1, 4), (2, 7), (3, 6), (1, 2), (1, 6)}
    | {(3, 4), (0, 3), (2, 5), (4, 7), (5, 6), (0, 7), (1, 3), (1, 7), (3, 5), (5, 7)}
)


def phase(number: int, **changes: object) -> Phase:
    fields: dict[str, object] = {"recall": Recall.NONE, **changes}
    return Phase(number=PhaseNumber(number), ring=1, **fields)  # type: ignore[arg-type]


def make_crossroads(name: str = "a", **changes: object) -> Junction:
    """Four approaches, through (even link) and left (odd link) each; phases n-s, n-s left, e-w, e-w left.

    Left turns may also go in gaps of the opposing through traffic (permissive).
    """
    numbers = tuple(PhaseNumber(n) for n in (1, 2, 3, 4))
    links = {1: (0, 4), 2: (1, 5), 3: (2, 6), 4: (3, 7)}
    overlaps = [
        Overlap(
            number=n,
            link_indices=links[n],
            protected=frozenset({PhaseNumber(n)}),
            permissive=frozenset({PhaseNumber(n - 1)}) if n in (2, 4) else frozenset(),
        )
        for n in (1, 2, 3, 4)
    ]
    return Junction(
        id=JunctionId(name),
        n_links=8,
        phases=tuple(phase(n, **changes) for n in numbers),
        rings=(numbers,),
        barriers=(frozenset(numbers),),
        overlaps=tuple(overlaps),
        conflicts=CONFLICTS,
        permissive=frozenset({(1, 4), (5, 0), (3, 6), (7, 2)}),
    )


def make_plan(junction: Junction, splits_s: Sequence[int] = (20, 12, 20, 12), **pattern: int) -> Plan:
    splits = tuple(
        Split(phase=p.number, split_s=s, is_coordinated=p.number == junction.coordinated)
        for p, s in zip(junction.phases, splits_s, strict=True)
    )
    fields = {"number": 1, "cycle_s": sum(splits_s), "offset_s": 0, "split": 1, **pattern}
    return Plan(
        junction=junction.id,
        pattern=Pattern(**fields),  # type: ignore[arg-type]
        split=SplitPlan(number=fields["split"], splits=splits),
    )


def make_network(names: Sequence[str] = ("a",), speed_mps: float = 13.89) -> Network:
    """Crossroads beside one another; each approach has a lane for through and one for left."""
    lanes: dict[LaneId, Lane] = {}
    links: dict[LinkId, Link] = {}
    connections: list[Connection] = []
    movements: dict[MovementId, Movement] = {}
    crossings: dict[JunctionId, Crossing] = {}
    for name in names:
        approaches = []
        for letter in SIDES:
            approach, out = LinkId(f"{name}_{letter}_in"), LinkId(f"{name}_{letter}_out")
            for link, ends in ((approach, (letter, name)), (out, (name, letter))):
                row = tuple(LaneId(f"{link}_{n}") for n in (0, 1))
                links[link] = Link(
                    id=link, from_node=ends[0], to_node=ends[1], lanes=row, length_m=300.0, speed_mps=speed_mps
                )
                lanes |= {
                    lane: Lane(id=lane, link=link, index=n, length_m=300.0, speed_mps=speed_mps)
                    for n, lane in enumerate(row)
                }
        for side, letter in enumerate(SIDES):
            approach = LinkId(f"{name}_{letter}_in")
            made = []
            for kind, turn in ((0, 2), (1, 3)):
                exit_link = LinkId(f"{name}_{SIDES[(side + turn) % 4]}_out")
                index = 2 * side + kind
                connections.append(
                    Connection(
                        from_lane=links[approach].lanes[kind],
                        to_lane=links[exit_link].lanes[kind],
                        from_link=approach,
                        to_link=exit_link,
                        direction="sl"[kind],
                        length_m=14.0 if kind == 0 else 12.0,
                        speed_mps=speed_mps if kind == 0 else 7.0,
                        junction=JunctionId(name),
                        link_index=index,
                    )
                )
                movement = Movement(
                    id=movement_id(name, approach, exit_link),
                    junction=JunctionId(name),
                    approach=approach,
                    exit=exit_link,
                    direction="sl"[kind],
                    connections=(len(connections) - 1,),
                    link_indices=(index,),
                )
                movements[movement.id] = movement
                made.append(movement.id)
            approaches.append(
                Approach(
                    junction=JunctionId(name),
                    link=approach,
                    lanes=links[approach].lanes,
                    movements=tuple(made),
                    bearing_deg=90.0 * side,
                )
            )
        crossings[JunctionId(name)] = Crossing(
            id=JunctionId(name),
            nodes=(name,),
            position=(0.0, 0.0),
            n_links=8,
            approaches=tuple(approaches),
            conflicts=CONFLICTS,
            permissive=frozenset(),
        )
    return Network(links=links, lanes=lanes, connections=tuple(connections), crossings=crossings, movements=movements)


@dataclass(slots=True)
class Head:
    """The signals of one junction of the fake street."""

    junction: Junction
    stages: tuple[str, ...]
    cycle: tuple[Interval, ...]
    position_ds: int = 0
    is_staged: bool = False
    stage: int = -1
    shown: str = ""
    green_since_s: float = 0.0
    script: list[tuple[float, str]] = field(default_factory=list)
    wish: tuple[float, int] | None = None
    then_cycle: tuple[Interval, ...] | None = None


class FakePlant:
    """A Plant that times real lamps at a step of 1 s; its detectors say what `readings` says."""

    def __init__(self, junctions: Sequence[Junction] | None = None, *, plan_splits_s: Sequence[int] = (20, 12, 20, 12)):
        rows = [make_crossroads()] if junctions is None else list(junctions)
        self.network = make_network([str(j.id) for j in rows])
        self.junctions: Mapping[JunctionId, Junction] = {j.id: j for j in rows}
        self.stages: Mapping[JunctionId, Sequence[str]] = {j.id: stages(j) for j in rows}
        self.time_s = 0.0
        self.readings = np.zeros(len(self.network.movements))
        self.commands: list[Sequence[Decision]] = []
        self.history: list[tuple[float, tuple[str, ...], tuple[bool, ...], tuple[float, ...]]] = []
        self.local = {j.id: cycle_intervals(j, make_plan(j, plan_splits_s)) for j in rows}
        self.heads = {j.id: Head(j, tuple(stages(j)), self.local[j.id]) for j in rows}
        for head in self.heads.values():
            self._show(head, head.cycle[0].lamps)
        self._record()

    def snapshot(self) -> Snapshot:
        heads = list(self.heads.values())
        zeros = np.zeros(len(self.readings))
        return Snapshot(
            time_s=self.time_s,
            arriving_veh=self.readings.copy(),
            queued_veh=self.readings.copy(),
            leaving_veh=zeros,
            zone_length_m=zeros + 100.0,
            lamps=tuple(head.shown for head in heads),
            stage=tuple(head.stage for head in heads),
            green_since_s=tuple(head.green_since_s for head in heads),
        )

    def command(self, decisions: Sequence[Decision]) -> None:
        self.commands.append(tuple(decisions))
        for decision in decisions:
            head = self.heads[decision.junction]
            if isinstance(decision, Stage):
                head.is_staged, head.then_cycle = True, None
                head.wish = (max(self.time_s, decision.not_before_s), decision.stage)
            elif isinstance(decision, Extend):
                head.is_staged, head.wish, head.then_cycle = True, None, None
            elif isinstance(decision, SelectPattern):
                self._join(head, cycle_intervals(head.junction, decision.order.plan))
            elif isinstance(decision, Release):
                self._join(head, self.local[decision.junction])
        for head in self.heads.values():
            self._start_wish(head)
        self.history.pop()
        self._record()

    def advance(self, seconds: float) -> None:
        for _ in range(round(seconds)):
            self.time_s += 1.0
            for head in self.heads.values():
                self._tick(head)
            self._record()

    def _record(self) -> None:
        heads = self.heads.values()
        self.history.append(
            (self.time_s, tuple(h.shown for h in heads), tuple(h.is_staged for h in heads), tuple(self.readings))
        )

    def _show(self, head: Head, lamps: str) -> None:
        if lamps != head.shown:
            head.shown = lamps
            stage = head.stages.index(lamps) if lamps in head.stages else -1
            if stage != head.stage and stage >= 0:
                head.green_since_s = self.time_s
            head.stage = stage

    def _join(self, head: Head, cycle: tuple[Interval, ...]) -> None:
        """Go to a cycle: at the end of the running one, or by a change from a stage that is held."""
        head.wish = None
        head.then_cycle = cycle
        if head.is_staged and not head.script and head.stage >= 0:
            least_s = max(p.min_service_s for p in head.junction.phases)
            head.wish = (max(self.time_s, head.green_since_s + least_s), head.stages.index(cycle[0].lamps))

    def _start_wish(self, head: Head) -> None:
        if head.wish is None or head.script or head.stage < 0 or head.wish[0] > self.time_s:
            return
        target = head.wish[1]
        head.wish = None
        if target == head.stage:
            return
        first = head.junction.phases[0]
        clock = self.time_s
        for span, lamps in change(head.shown, head.stages[target], first.yellow_ds / 10, first.red_clear_ds / 10):
            head.script.append((clock, lamps))
            clock += span
        head.script.append((clock, head.stages[target]))
        self._play(head)

    def _play(self, head: Head) -> None:
        while head.script and head.script[0][0] <= self.time_s:
            self._show(head, head.script.pop(0)[1])

    def _tick(self, head: Head) -> None:
        if head.is_staged:
            self._play(head)
            self._start_wish(head)
            if head.then_cycle is not None and not head.script and head.shown == head.then_cycle[0].lamps:
                head.is_staged, head.cycle, head.then_cycle, head.position_ds = False, head.then_cycle, None, 0
            elif head.then_cycle is not None and not head.script and head.wish is None:
                self._join(head, head.then_cycle)
            return
        length = sum(interval.duration_ds for interval in head.cycle)
        head.position_ds += 10
        if head.position_ds >= length:
            head.position_ds -= length
            if head.then_cycle is not None:
                head.cycle, head.then_cycle = head.then_cycle, None
        clock = 0
        for interval in head.cycle:
            clock += interval.duration_ds
            if head.position_ds < clock:
                self._show(head, interval.lamps)
                return


def without_recall(junction: Junction) -> Junction:
    return replace(junction, phases=tuple(replace(p, recall=Recall.NONE) for p in junction.phases))


def greens(lamps: str) -> frozenset[int]:
    return frozenset(index for index, letter in enumerate(lamps) if letter in GREEN_LETTERS)
