"""What a controller sees: readings of detector zones and the lamps, nothing else.

Arrays are by movement, in the order of `Network.movements`; tuples by junction, in the order
of `Network.crossings`. NaN is unknown: a zone whose sensor failed. A vehicle on a lane that
several movements share is divided among them by historic turning share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Zone readings and signal states at one instant.

    Attributes
    ----------
    time_s
        The plant's clock, seconds.
    arriving_veh
        Vehicles in the zone upstream of the stop line, shape (n_movement,).
    queued_veh
        Those of them below 5 km/h, shape (n_movement,).
    leaving_veh
        Vehicles in the first stretch of the exit link, shape (n_movement,).
    zone_length_m
        True length of the upstream zone, shape (n_movement,).
    lamps
        Lamp string per junction.
    stage
        Index into `stages` of the running stage, -1 in a change or where no stage runs, per junction.
    green_since_s
        When the running stage turned green, per junction (of no meaning where stage is -1).
    """

    time_s: float
    arriving_veh: FloatArray
    queued_veh: FloatArray
    leaving_veh: FloatArray
    zone_length_m: FloatArray
    lamps: tuple[str, ...]
    stage: tuple[int, ...]
    green_since_s: tuple[float, ...]
