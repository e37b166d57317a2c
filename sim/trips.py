"""SUMO's trip records as arrays: one entry a vehicle, those never inserted and never arrived included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import numpy as np
import numpy.typing as npt

from traffic.errors import PlantLost

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_ROW = re.compile(
    r'<tripinfo id="(?P<id>[^"]*)" depart="(?P<depart>[^"]*)".*? departDelay="(?P<delay>[^"]*)"'
    r' arrival="(?P<arrival>[^"]*)".*? duration="(?P<duration>[^"]*)".*? waitingTime="(?P<wait>[^"]*)"'
    r' waitingCount="(?P<stops>[^"]*)".*? timeLoss="(?P<loss>[^"]*)".*? vType="(?P<type>[^"]*)"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trips:
    """Trip records, arrays of shape (n_vehicle,).

    Attributes
    ----------
    ids, vehicle_types
        Per vehicle.
    scheduled_s
        When it wanted to depart.
    depart_delay_s
        How long it waited to be inserted; until the end of the run where it never was.
    duration_s
        Time in the network, so far where it has not arrived, 0 where it never departed.
    wait_s, stops
        SUMO's waitingTime (below 0.1 m/s) and how often that began.
    time_loss_s
        SUMO's timeLoss: time lost by driving slower than wanted.
    has_departed, has_arrived
        Whether it was inserted, whether it got there.
    """

    ids: tuple[str, ...]
    vehicle_types: tuple[str, ...]
    scheduled_s: FloatArray
    depart_delay_s: FloatArray
    duration_s: FloatArray
    wait_s: FloatArray
    stops: FloatArray
    time_loss_s: FloatArray
    has_departed: BoolArray
    has_arrived: BoolArray

    def __len__(self) -> int:
        return len(self.ids)


def read_trips(path: Path, end_s: float) -> Trips:
    """Read the trip records of a run that ended at `end_s`.

    Raises
    ------
    PlantLost
        If there are none: the run did not end as it should.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PlantLost(str(path), "no trip records", "the run did not end", "start it again") from None
    if not text.rstrip().endswith("</tripinfos>"):
        raise PlantLost(str(path), "trip records are not whole", next_move="close the simulation first")
    rows = _ROW.findall(text)
    columns: list[tuple[str, ...]] = list(zip(*rows, strict=True)) if rows else [()] * 9
    ids, depart, delay, arrival, duration, wait, stops, loss, kinds = columns
    depart_s, delay_s = np.array(depart, dtype=np.float64), np.array(delay, dtype=np.float64)
    has_departed = depart_s >= 0
    return Trips(
        ids=tuple(map(unescape, ids)),
        vehicle_types=tuple(map(unescape, kinds)),
        scheduled_s=np.where(has_departed, depart_s, end_s) - delay_s,
        depart_delay_s=delay_s,
        duration_s=np.array(duration, dtype=np.float64),
        wait_s=np.array(wait, dtype=np.float64),
        stops=np.array(stops, dtype=np.float64),
        time_loss_s=np.array(loss, dtype=np.float64),
        has_departed=has_departed,
        has_arrived=np.array(arrival, dtype=np.float64) >= 0,
    )
