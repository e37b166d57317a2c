"""A camera of the demo: it is told what crossed the stop line and sees it through a noise model.

::

    Passage --missed? --> nothing
            --else ----> read as some class --doubled? --> counted twice

Its figures are assumptions about a camera, not measurements of one; each has its source below.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from traffic.counts import Health, Passage, TurnCount, VehicleClass
from traffic.errors import BadInput
from vision.health import Outage

MISS_RATE: Mapping[VehicleClass, float] = {
    VehicleClass.CAR: 0.02,
    VehicleClass.BUS: 0.03,
    VehicleClass.TRUCK: 0.03,
    VehicleClass.MOTORCYCLE: 0.10,
    VehicleClass.BICYCLE: 0.20,
    VehicleClass.PEDESTRIAN: 0.20,
}
"""Share missed. Cars and heavy vehicles: hand counts of three real clips gave 2-3 % error. Motorcycles:
assumed for a finder that was trained for them (a stock COCO network misses about two in three)."""

DOUBLE_RATE: Mapping[VehicleClass, float] = {
    VehicleClass.CAR: 0.005,
    VehicleClass.BUS: 0.01,
    VehicleClass.TRUCK: 0.01,
    VehicleClass.MOTORCYCLE: 0.01,
    VehicleClass.BICYCLE: 0.01,
    VehicleClass.PEDESTRIAN: 0.01,
}
"""Share of those seen that are counted twice, by a track that breaks and is found again (assumed)."""

CONFUSION: Mapping[VehicleClass, Mapping[VehicleClass, float]] = {
    VehicleClass.CAR: {VehicleClass.TRUCK: 0.005},
    VehicleClass.BUS: {VehicleClass.TRUCK: 0.02},
    VehicleClass.TRUCK: {VehicleClass.BUS: 0.02, VehicleClass.CAR: 0.02},
    VehicleClass.MOTORCYCLE: {VehicleClass.BICYCLE: 0.01},
    VehicleClass.BICYCLE: {VehicleClass.MOTORCYCLE: 0.02},
}
"""Share of those seen that are read as another class (assumed; one lorry of six in the real clips came out as a bus
before the vote over the track)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraNoise:
    """What a virtual camera gets wrong; every rate is a share, 0-1. A class that is not named is seen perfectly."""

    miss_rate: Mapping[VehicleClass, float] = field(default_factory=lambda: dict(MISS_RATE))
    double_rate: Mapping[VehicleClass, float] = field(default_factory=lambda: dict(DOUBLE_RATE))
    confusion: Mapping[VehicleClass, Mapping[VehicleClass, float]] = field(default_factory=lambda: dict(CONFUSION))

    def __post_init__(self) -> None:
        rates = [*self.miss_rate.values(), *self.double_rate.values()]
        rates += [rate for row in self.confusion.values() for rate in row.values()]
        rates += [sum(row.values()) for row in self.confusion.values()]
        wrong = [rate for rate in rates if not 0.0 <= rate <= 1.0]
        if wrong:
            raise BadInput("camera noise", wrong[0], "rates and sums of a row of confusion are shares, 0-1")

    @property
    def detection_rate(self) -> dict[VehicleClass, float]:
        """Records the camera makes on average for each road user of a class, whatever class it reads.

        (1 - missed) (1 + doubled). Dividing a count by it removes the bias of missing and doubling;
        what remains is confusion, which moves road users between classes and leaves their sum.

        Examples
        --------
        >>> noise = CameraNoise(miss_rate={VehicleClass.CAR: 0.1}, double_rate={VehicleClass.CAR: 0.1})
        >>> round(noise.detection_rate[VehicleClass.CAR], 3)
        0.99
        """
        return {
            name: (1.0 - self.miss_rate.get(name, 0.0)) * (1.0 + self.double_rate.get(name, 0.0))
            for name in VehicleClass
        }

    def expected_reads(self, true_class: VehicleClass) -> dict[VehicleClass, float]:
        """Return the records expected for one road user of `true_class`, by the class that is read."""
        others = self.confusion.get(true_class, {})
        shares = {name: others.get(name, 0.0) for name in VehicleClass}
        shares[true_class] += 1.0 - sum(others.values())
        rate = self.detection_rate[true_class]
        return {name: share * rate for name, share in shares.items()}


PERFECT = CameraNoise(miss_rate={}, double_rate={}, confusion={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """How a camera divides its day: periods of `period_s` from `begin_s` on, and the classes it reports."""

    begin_s: float = 0.0
    period_s: float = 900.0
    classes: tuple[VehicleClass, ...] = (
        VehicleClass.MOTORCYCLE,
        VehicleClass.BICYCLE,
        VehicleClass.CAR,
        VehicleClass.BUS,
        VehicleClass.TRUCK,
    )

    def index(self, time_s: float) -> int:
        """Return the number of the period that holds this instant."""
        return int((time_s - self.begin_s) // self.period_s)

    def start_s(self, index: int) -> float:
        """Return when a period starts."""
        return self.begin_s + index * self.period_s


class VirtualCamera:
    """Counts the movements it looks at, with the errors of `noise`; fills `traffic.ports.CountSource`.

    Parameters
    ----------
    movements
        Ids of the movements in its view; passages of others are not seen.
    noise
        What it gets wrong.
    rng
        Source of its errors: the same generator state and passages give the same counts.
    periods
        Length and origin of its periods, and the classes it reports.
    outages
        Spans in which it counts unknown.
    """

    def __init__(
        self,
        movements: Iterable[str],
        noise: CameraNoise,
        rng: np.random.Generator,
        periods: Periods | None = None,
        outages: Sequence[Outage] = (),
    ) -> None:
        self.movements = tuple(movements)
        self.noise = noise
        self.periods = periods or Periods()
        self.outages = tuple(outages)
        self._watched = frozenset(self.movements)
        self._rng = rng
        self._seen_until_s = self.periods.begin_s
        self._records: Counter[tuple[str, VehicleClass, int]] = Counter()

    def see(self, passages: Iterable[Passage], until_s: float | None = None) -> None:
        """Watch these passages go by, each of them once and in order of time.

        Parameters
        ----------
        passages
            What crossed since the last call.
        until_s
            The camera has watched up to this instant; without it, up to the last passage. A period
            that is not over is not counted yet.
        """
        for passage in passages:
            self._seen_until_s = max(self._seen_until_s, passage.time_s)
            if passage.movement in self._watched:
                self._record(passage)
        if until_s is not None:
            self._seen_until_s = max(self._seen_until_s, until_s)

    def counts(self, start_s: float, end_s: float) -> list[TurnCount]:
        """Return the counts of all periods within [start_s, end_s) that are over, per movement and class."""
        end_s = min(end_s, self._seen_until_s)
        periods = self.periods
        index = max(0, -int((periods.begin_s - start_s) // periods.period_s))
        rows: list[TurnCount] = []
        while periods.start_s(index + 1) <= end_s:
            rows += self._period(index)
            index += 1
        return rows

    def _record(self, passage: Passage) -> None:
        """Draw what becomes of one passage; always three draws, so that one error does not shift the next."""
        missed, doubled, read = self._rng.random(3)
        true_class = passage.vehicle_class
        if missed < self.noise.miss_rate.get(true_class, 0.0):
            return
        as_class = true_class
        for name, share in self.noise.confusion.get(true_class, {}).items():
            if read < share:
                as_class = name
                break
            read -= share
        times = 2 if doubled < self.noise.double_rate.get(true_class, 0.0) else 1
        self._records[passage.movement, as_class, self.periods.index(passage.time_s)] += times

    def _period(self, index: int) -> list[TurnCount]:
        start_s, end_s = self.periods.start_s(index), self.periods.start_s(index + 1)
        outage = next((o for o in self.outages if o.start_s < end_s and o.end_s > start_s), None)
        health = outage.health if outage else Health.OK
        return [
            TurnCount(
                movement=movement,
                vehicle_class=name,
                start_s=start_s,
                period_s=self.periods.period_s,
                count=self._records[movement, name, index] if health is Health.OK else None,
                health=health,
            )
            for movement in self.movements
            for name in self.periods.classes
        ]
