"""Detector zones as data: stretches of lanes, and which share of the vehicles on each belongs to which movement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from traffic.ids import LaneId

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a lane, metres from its start; None at an end that is the lane's own."""

    lane: LaneId
    from_m: float | None
    to_m: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Which share of the vehicles on a piece belongs to a movement: three arrays of equal length."""

    movement: IntArray
    piece: IntArray
    share: FloatArray

    def apply(self, vehicles: FloatArray | IntArray, n_movements: int) -> FloatArray:
        """Return vehicles per movement from vehicles per piece."""
        return np.bincount(self.movement, self.share * vehicles[self.piece], n_movements).astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """All zones of a network. `arriving` and `leaving` weigh the pieces; lengths are by movement."""

    pieces: tuple[Piece, ...]
    arriving: Weights
    leaving: Weights
    zone_length_m: FloatArray
