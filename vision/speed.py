"""Speed on the road, from where a road user was at some instants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

MIN_LOOKS = 3
_MIN_SPAN_S = 0.3


def fit_speed_kph(times_s: Sequence[float], road: npt.ArrayLike) -> float | None:
    """Return the speed along a way of road points, shape (n, 2) metres, by least squares; None below 0.3 s of it.

    Examples
    --------
    >>> fit_speed_kph([0.0, 0.5, 1.0], [[0, 0], [3, 4], [6, 8]])
    36.0
    """
    times, points = np.asarray(times_s, np.float64), np.asarray(road, np.float64)
    if len(times) < MIN_LOOKS or times[-1] - times[0] < _MIN_SPAN_S or not np.isfinite(points).all():
        return None
    centred = times - times.mean()
    slope = centred @ (points - points.mean(axis=0)) / (centred @ centred)
    return float(3.6 * np.hypot(*slope))
