"""Webster's timing: the cycle of least delay, greens in proportion to the critical flow ratios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog

from control.limits import GuardLimits
from control.plan.lane_flows import LaneLoad, SaturationFlow, lane_loads
from control.plan.splits import make_plan, project_splits, shortest_cycle_s
from traffic.errors import Oversaturated
from traffic.ids import MovementId, PhaseNumber
from traffic.network import Network
from traffic.signals import Junction, Plan


def cycle_length(flow_ratio: ArrayLike, lost_time_s: float, *, min_s: float = 30.0, max_s: float = 150.0) -> float:
    """Return Webster's minimum-delay cycle length, C = (1.5 L + 5) / (1 - Y).

    Parameters
    ----------
    flow_ratio
        Critical flow ratio y = v / s of each phase, shape (n_phase,), unitless.
    lost_time_s
        Lost time per cycle L, all phases together, seconds.
    min_s, max_s
        Bounds on the answer, seconds.

    Returns
    -------
    float
        Cycle length in seconds, within [min_s, max_s].

    Raises
    ------
    Oversaturated
        If Y = sum(y) >= 1.

    References
    ----------
    F. V. Webster, Traffic Signal Settings, Road Research Technical Paper 39, 1958.

    Examples
    --------
    >>> cycle_length([0.25, 0.25], lost_time_s=10.0)
    40.0
    """
    total = float(np.sum(np.asarray(flow_ratio, dtype=np.float64)))
    if not total < 1.0:
        raise Oversaturated("sum of critical flow ratios", f"{total:.3f}", "below 1", "choose another policy")
    return float(min(max_s, max(min_s, (1.5 * lost_time_s + 5.0) / (1.0 - total))))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebsterSettings:
    """Settings of the design.

    Attributes
    ----------
    saturation
        Saturation flows and their adjustments.
    start_loss_s, end_gain_s
        Start-up lost time, and green and yellow used after the end of green, per phase, seconds.
    max_cycle_s
        Practical upper bound of the cycle, seconds.
    is_capped
        Whether demand beyond capacity gets the longest cycle; otherwise it raises Oversaturated.
    """

    saturation: SaturationFlow = field(default_factory=SaturationFlow)
    start_loss_s: float = 2.0
    end_gain_s: float = 2.0
    max_cycle_s: int = 120
    is_capped: bool = False


def webster_plan(
    junction: Junction,
    network: Network,
    flows_vph: Mapping[MovementId, float],
    settings: WebsterSettings,
    limits: GuardLimits,
) -> Plan:
    """Return Webster's plan of one junction for flows in veh/h per movement, offset 0.

    Raises
    ------
    Oversaturated
        If the critical flow ratios sum to 1 or more and `settings.is_capped` is not set.
    BadScenario
        If a flow is unknown.
    """
    ratios = critical_flow_ratios(junction, lane_loads(junction, network, flows_vph, settings.saturation))
    lost_s = {p.number: settings.start_loss_s + p.clearance_ds / 10.0 - settings.end_gain_s for p in junction.phases}
    path = critical_path(junction, ratios, lost_s)
    shortest_s = max(shortest_cycle_s(junction, limits.min_green_s), limits.min_cycle_s)
    longest_s = max(shortest_s, min(settings.max_cycle_s, limits.max_cycle_s, int(limits.max_red_s)))
    total_lost_s = sum(lost_s[n] for n in path)
    try:
        cycle_s = cycle_length([ratios[n] for n in path], total_lost_s, min_s=shortest_s, max_s=longest_s)
    except Oversaturated as error:
        if not settings.is_capped:
            where = f"junction {junction.id}: sum of critical flow ratios"
            raise Oversaturated(where, error.value, "below 1", "choose another policy") from error
        cycle_s = longest_s
    whole_s = min(ceil(cycle_s - 1e-3), longest_s)
    total = sum(ratios[n] for n in path)
    green_s = max(0.0, whole_s - total_lost_s)
    wish_s = {n: lost_s[n] + green_s * (y / total if total > 0.0 else 1.0 / len(path)) for n, y in ratios.items()}
    return make_plan(junction, project_splits(junction, wish_s, whole_s, min_green_s=limits.min_green_s))


def critical_flow_ratios(junction: Junction, loads: list[LaneLoad]) -> dict[PhaseNumber, float]:
    """Return the least flow ratio per phase that serves every lane, the sum over the barriers smallest.

    A linear programme: the phases of a lane together hold its flow ratio; a group between two barriers
    is as long as its longest ring. With one phase a lane this is the maximum over the phase's lanes.
    """
    numbers = [phase.number for phase in junction.phases]
    n_phases, n_groups = len(numbers), len(junction.barriers)
    rows, bounds = [], []
    for load in loads:
        rows.append([-float(n in load.phases) for n in numbers] + [0.0] * n_groups)
        bounds.append(-load.flow_ratio)
    for place, group in enumerate(junction.barriers):
        for ring in junction.rings:
            span = [-float(place == n) for n in range(n_groups)]
            rows.append([float(n in group and n in ring) for n in numbers] + span)
            bounds.append(0.0)
    cost = [1e-6] * n_phases + [1.0] * n_groups
    answer = linprog(cost, A_ub=np.array(rows), b_ub=np.array(bounds), bounds=(0.0, None), method="highs")
    return {n: max(0.0, float(y)) for n, y in zip(numbers, answer.x, strict=False)}


def critical_path(
    junction: Junction, ratios: Mapping[PhaseNumber, float], lost_s: Mapping[PhaseNumber, float]
) -> list[PhaseNumber]:
    """Return the phases, ring by ring between barriers, whose flow ratios sum highest; of equals the most lost time."""
    path: list[PhaseNumber] = []
    for group in junction.barriers:
        rings = [[n for n in ring if n in group] for ring in junction.rings]
        sums = [(round(sum(ratios[n] for n in ring), 9), sum(lost_s[n] for n in ring), len(ring)) for ring in rings]
        path += rings[sums.index(max(sums))]
    return path
