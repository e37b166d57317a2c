"""Turning movement counts: what did pass, with the health of whoever counted.

Unknown is `None`, never 0: a dead camera is not an empty road.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class VehicleClass(StrEnum):
    """Road users as they are counted."""

    MOTORCYCLE = "motorcycle"
    BICYCLE = "bicycle"
    CAR = "car"
    BUS = "bus"
    TRUCK = "truck"
    PEDESTRIAN = "pedestrian"


CLASS_OF_SUMO = {
    "motorcycle": VehicleClass.MOTORCYCLE,
    "moped": VehicleClass.MOTORCYCLE,
    "bicycle": VehicleClass.BICYCLE,
    "bus": VehicleClass.BUS,
    "coach": VehicleClass.BUS,
    "truck": VehicleClass.TRUCK,
    "trailer": VehicleClass.TRUCK,
    "delivery": VehicleClass.TRUCK,
    "pedestrian": VehicleClass.PEDESTRIAN,
}
"""What SUMO's vehicle classes are counted as; those not named are cars."""


def counted_as(sumo_class: str) -> VehicleClass:
    """Return what a SUMO vehicle class is counted as.

    Examples
    --------
    >>> counted_as("moped").value, counted_as("taxi").value
    ('motorcycle', 'car')
    """
    return CLASS_OF_SUMO.get(sumo_class, VehicleClass.CAR)


class Health(StrEnum):
    """State of a count source during a period; everything but OK makes its count unknown."""

    OK = "ok"
    LOST = "lost"
    FROZEN = "frozen"
    DARK = "dark"
    BLURRED = "blurred"
    MOVED = "moved"
    COVERED = "covered"
    LOW_FRAME_RATE = "low_frame_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCount:
    """Vehicles of one class that made one movement (or crossed one line) in one period.

    `movement` is a `traffic.ids.MovementId`, or `<camera>:<line>:<direction>` where a camera
    knows lines only. `count` is None where the source was not healthy. `is_censored` marks a
    lower bound: the approach was saturated or its queue filled the detector zone.
    """

    movement: str
    vehicle_class: VehicleClass
    start_s: float
    period_s: float
    count: int | None
    health: Health = Health.OK
    is_censored: bool = False

    def __post_init__(self) -> None:
        if self.health is not Health.OK and self.count is not None:
            raise ValueError(f"{self.movement}: a {self.health} source counts unknown, not {self.count}")
        if self.count is not None and self.count < 0:
            raise ValueError(f"{self.movement}: count {self.count} is below 0")

    @property
    def flow_vph(self) -> float | None:
        """Flow in vehicles per hour, None where unknown."""
        return None if self.count is None else self.count * 3600.0 / self.period_s


def total_by_movement(counts: Iterable[TurnCount]) -> dict[str, int | None]:
    """Return vehicles per movement over all classes and periods; one unknown part makes the sum unknown.

    Examples
    --------
    >>> c = TurnCount(movement="a", vehicle_class=VehicleClass.CAR, start_s=0.0, period_s=900.0, count=3)
    >>> total_by_movement([c, c])
    {'a': 6}
    """
    totals: dict[str, int | None] = {}
    for row in counts:
        before = totals.get(row.movement, 0)
        totals[row.movement] = None if before is None or row.count is None else before + row.count
    return totals


def geh(model_vph: float, counted_vph: float) -> float:
    """Return the GEH statistic of two hourly flows, sqrt(2 (m - c)^2 / (m + c)).

    References
    ----------
    UK Design Manual for Roads and Bridges, volume 12, section 2, part 1 (HA, 1996).

    Examples
    --------
    >>> round(geh(1100.0, 1000.0), 2)
    3.09
    """
    total = model_vph + counted_vph
    return 0.0 if total == 0.0 else float((2.0 * (model_vph - counted_vph) ** 2 / total) ** 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One road user that crossed a junction's stop line and left by an exit: what a perfect camera sees.

    `time_s` is when the front crossed the stop line; `vehicle` is the track's id.
    """

    time_s: float
    vehicle: str
    vehicle_class: VehicleClass
    movement: str
