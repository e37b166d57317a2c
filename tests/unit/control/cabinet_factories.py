"""A crossroads with a dual ring, its plans, and a street that ticks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from control.drivers.ber import Binding, ErrorStatus
from control.drivers.cabinet import CabinetSettings, VirtualController
from control.drivers.objects import oid
from control.drivers.tables_rows import LocalProgram, all_day
from traffic.events import Event
from traffic.ids import DetectorId, JunctionId, PhaseNumber
from traffic.ports import EventSink
from traffic.signals import (
    Correction,
    Detector,
    Junction,
    Overlap,
    Pattern,
    Phase,
    Plan,
    Recall,
    Split,
    SplitPlan,
)

ORDER = ((1, 2, 3, 4), (5, 6, 7, 8))
MASTER = b"administrator"


def phases(numbers: tuple[int, ...]) -> tuple[PhaseNumber, ...]:
    return tuple(PhaseNumber(n) for n in numbers)


def make_cross(*, recall: Recall = Recall.MAXIMUM, has_detectors: bool = False, walk_s: int = 0) -> Junction:
    """Eight phases, one link each; 1 5 | 2 6 and 3 7 | 4 8 in two rings; phase n moves link n - 1."""
    sides = (frozenset(phases((1, 2, 5, 6))), frozenset(phases((3, 4, 7, 8))))
    made = []
    for ring, order in enumerate(ORDER):
        for n in order:
            side = sides[0] if n in sides[0] else sides[1]
            made.append(
                Phase(
                    number=PhaseNumber(n),
                    ring=ring + 1,
                    concurrency=side & frozenset(phases(ORDER[1 - ring])),
                    min_green_s=5,
                    walk_s=walk_s if n % 2 == 0 else 0,
                    ped_clear_s=2 * walk_s if n % 2 == 0 else 0,
                    max1_s=20,
                    recall=recall,
                )
            )
    detectors = tuple(Detector(number=n, id=DetectorId(f"d{n}"), call_phase=PhaseNumber(n)) for n in range(1, 9))
    by_phase = {p.number: p for p in made}
    conflicts = frozenset(
        (i - 1, j - 1)
        for i in range(1, 9)
        for j in range(i + 1, 9)
        if PhaseNumber(j) not in by_phase[PhaseNumber(i)].concurrency
    )
    return Junction(
        id=JunctionId("cross"),
        n_links=8,
        phases=tuple(made),
        rings=(phases(ORDER[0]), phases(ORDER[1])),
        barriers=sides,
        overlaps=tuple(
            Overlap(number=n, link_indices=(n - 1,), protected=frozenset({PhaseNumber(n)})) for n in range(1, 9)
        ),
        detectors=detectors if has_detectors else (),
        conflicts=conflicts,
        coordinated=PhaseNumber(2),
    )


def make_plan(
    number: int, *, cycle_s: int = 100, offset_s: int = 0, correction: Correction = Correction.SHORTWAY
) -> Plan:
    """Lefts a fifth, throughs three tenths of the cycle."""
    left, through = cycle_s // 5, cycle_s // 2 - cycle_s // 5
    splits = tuple(
        Split(phase=PhaseNumber(n), split_s=left if n % 2 else through, is_coordinated=n in (2, 6)) for n in range(1, 9)
    )
    pattern = Pattern(number=number, cycle_s=cycle_s, offset_s=offset_s, split=number, correction=correction)
    return Plan(junction=JunctionId("cross"), pattern=pattern, split=SplitPlan(number=number, splits=splits))


class ListSink:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, events: object) -> None:
        self.events.extend(events)  # type: ignore[arg-type]


class Bench:
    """A controller on a bench: ticks of half a second, SETs by name, lamps on record."""

    def __init__(
        self,
        *,
        junction: Junction | None = None,
        program: LocalProgram | None = None,
        sink: EventSink | None = None,
        **settings: object,
    ) -> None:
        chosen = replace(CabinetSettings(start_ds=288_000, step_ds=5), **settings)  # type: ignore[arg-type]
        plans = [make_plan(1), make_plan(2, cycle_s=80, offset_s=7), make_plan(3, offset_s=40)]
        self.cabinet = VirtualController(junction or make_cross(), program or all_day(plans), chosen, sink)
        self.time_ds = chosen.start_ds
        self.shown: list[str] = []

    def run_s(self, seconds: float, detectors: Mapping[DetectorId, bool] | None = None) -> list[str]:
        """Tick, and return the lamps of every half second."""
        shown = []
        for _ in range(round(seconds * 2)):
            self.time_ds += 5
            shown.append(self.cabinet.tick(self.time_ds, detectors or {}))
        self.shown += shown
        return shown

    def get(self, name: str, *index: int) -> object:
        return self.cabinet.tables.get(oid(name, *index))

    def set(self, name: str, *rest: int, community: bytes = MASTER) -> tuple[ErrorStatus, int]:
        *index, value = rest
        return self.cabinet.tables.set([Binding(oid(name, *index), value)], community)

    def commit(self, *changes: tuple[str, int, int]) -> None:
        """Write (name, index, value) rows by a transaction."""
        self.set("dbCreateTransaction", 2)
        for name, index, value in changes:
            assert self.set(name, index, value) == (ErrorStatus.NO_ERROR, 0)
        self.set("dbCreateTransaction", 3)
        self.run_s(1)
        self.set("dbCreateTransaction", 1)
