"""Highway Capacity Manual: capacity, degree of saturation, control delay, level of service of a lane group.

Levels of service are indicative: the manual's thresholds were not calibrated for motorcycle traffic.

References
----------
Transportation Research Board, Highway Capacity Manual, 2000, chapter 16: capacity (16-6), uniform delay
(16-11), incremental delay (16-12), thresholds (exhibit 16-2; unchanged in the 6th edition, exhibit 19-8).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan, nan, sqrt

THRESHOLDS_S = ((10.0, "A"), (20.0, "B"), (35.0, "C"), (55.0, "D"), (80.0, "E"), (inf, "F"))
INDICATIVE = "indicative, not calibrated for motorcycles"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneGroup:
    """Flow and timing of a lane group.

    Attributes
    ----------
    flow_vph, sat_flow_vph
        Demand and saturation flow of the whole group, veh/h.
    green_s, cycle_s
        Effective green and cycle, seconds.
    analysis_h
        Length of the analysis period T, hours.
    control_factor
        k of the incremental delay: 0.5 for fixed time.
    upstream_factor
        I of the incremental delay: 1 for an isolated junction.
    progression_factor
        PF on the uniform delay: 1 for random arrivals.
    """

    flow_vph: float
    sat_flow_vph: float
    green_s: float
    cycle_s: float
    analysis_h: float = 0.25
    control_factor: float = 0.5
    upstream_factor: float = 1.0
    progression_factor: float = 1.0

    @property
    def capacity_vph(self) -> float:
        """Capacity, c = s g / C, veh/h."""
        return self.sat_flow_vph * self.green_s / self.cycle_s

    @property
    def degree_of_saturation(self) -> float:
        """Degree of saturation, X = v / c; infinite with demand but no capacity, NaN with neither."""
        if self.capacity_vph > 0.0:
            return self.flow_vph / self.capacity_vph
        return inf if self.flow_vph > 0.0 else nan


def control_delay_s(group: LaneGroup) -> float:
    """Return control delay d = d1 PF + d2, seconds per vehicle, no initial queue.

    Examples
    --------
    >>> group = LaneGroup(flow_vph=720.0, sat_flow_vph=1800.0, green_s=30.0, cycle_s=60.0)
    >>> round(uniform_delay_s(group), 2), round(incremental_delay_s(group), 2), round(control_delay_s(group), 2)
    (12.5, 7.39, 19.89)
    """
    return uniform_delay_s(group) * group.progression_factor + incremental_delay_s(group)


def uniform_delay_s(group: LaneGroup) -> float:
    """Return d1 = 0.5 C (1 - g/C)^2 / (1 - min(1, X) g/C), seconds."""
    share = group.green_s / group.cycle_s
    if share >= 1.0:
        return 0.0
    return 0.5 * group.cycle_s * (1.0 - share) ** 2 / (1.0 - min(1.0, group.degree_of_saturation) * share)


def incremental_delay_s(group: LaneGroup) -> float:
    """Return d2 = 900 T [(X - 1) + sqrt((X - 1)^2 + 8 k I X / (c T))], seconds."""
    x, period_h = group.degree_of_saturation, group.analysis_h
    if x == inf or isnan(x):
        return x
    noise = 8.0 * group.control_factor * group.upstream_factor * x / (group.capacity_vph * period_h)
    return 900.0 * period_h * ((x - 1.0) + sqrt((x - 1.0) ** 2 + noise))


def level_of_service(delay_s: float) -> str | None:
    """Return A to F for a control delay; None where it is unknown. `INDICATIVE` stands beside it wherever it is shown.

    Examples
    --------
    >>> level_of_service(10.0), level_of_service(10.1), level_of_service(81.0)
    ('A', 'B', 'F')
    """
    return None if isnan(delay_s) else next(letter for limit_s, letter in THRESHOLDS_S if delay_s <= limit_s)
