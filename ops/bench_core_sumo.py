"""What SUMO says about the plans: delays on driver seeds, as many as its own ranking needs to be sure of itself.

::

    3 seeds -> who gridlocks on more than a third is dropped, a spare steps in -> is the ranking reliable to 0.95,
    over all plans and over those near the default? -> if not, 3 seeds more, 20 at most
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ops.bench_core_plans import N_PLANS, Kind, PlanSet, ranking_plans
from ops.bench_core_rides import Lab
from ops.bench_core_statistics import FloatArray, split_half_reliability
from ops.bench_core_store import Ride

SEEDS_A_ROUND, MAX_SEEDS = 3, 20
RELIABLE = 0.95
GRIDLOCKED_SHARE = 1 / 3
SPLIT_SEED = 5
"""Seed of the random halves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """SUMO's delays of the ranking plans.

    Attributes
    ----------
    plans, dropped
        The plans; names of those that gridlocked too often.
    delays_s
        Delay of every plan on driver seeds 0, 1, ..., shape (n_plan, n_seed), s/veh.
    reliability, reliability_near_default
        Split-half reliability of the mean over all seeds, 0-1, over all plans and those near the default.
    """

    plans: tuple[PlanSet, ...]
    dropped: tuple[str, ...]
    delays_s: FloatArray
    reliability: float
    reliability_near_default: float

    @property
    def is_near_default(self) -> npt.NDArray[np.bool_]:
        """Which plans are near the default, shape (n_plan,)."""
        return np.array([row.kind is Kind.NEAR_DEFAULT for row in self.plans])

    @property
    def is_reliable(self) -> bool:
        """Whether more seeds would hardly change the ranking."""
        return self.reliability >= RELIABLE and self.reliability_near_default >= RELIABLE


def reference(lab: Lab, *, n_plans: int = N_PLANS, max_seeds: int = MAX_SEEDS) -> Reference:
    """Return SUMO's delays of the ranking plans, on as many seeds as it takes.

    Raises
    ------
    BadScenario
        If not enough plans are found, or SUMO refuses the scenario.
    PlantLost
        If a run fails.
    """
    dropped: set[str] = set()
    found = _settled(lab, n_plans, range(min(SEEDS_A_ROUND, max_seeds)), dropped)
    while not found.is_reliable and found.delays_s.shape[1] < max_seeds:
        n_seeds = min(found.delays_s.shape[1] + SEEDS_A_ROUND, max_seeds)
        found = _settled(lab, n_plans, range(n_seeds), dropped)
    return found


def _settled(lab: Lab, n_plans: int, seeds: Sequence[int], dropped: set[str]) -> Reference:
    """Return the delays of plans none of which gridlocks too often; who does is added to `dropped`."""
    while True:
        plans = ranking_plans(lab.design, n_plans, dropped=dropped)
        rides = lab.rides(plans, seeds)
        stuck = stuck_plans(plans, rides)
        if not stuck:
            return reference_of(plans, rides, dropped)
        dropped |= stuck


def stuck_plans(plans: Sequence[PlanSet], rides: Sequence[Sequence[Ride]]) -> set[str]:
    """Return the names of plans that gridlocked on more than a third of their seeds."""
    return {
        plan.name
        for plan, row in zip(plans, rides, strict=True)
        if sum(one.is_gridlocked for one in row) > GRIDLOCKED_SHARE * len(row)
    }


def reference_of(plans: Sequence[PlanSet], rides: Sequence[Sequence[Ride]], dropped: Collection[str] = ()) -> Reference:
    """Return the delays of rides and how reliably they rank the plans."""
    delays_s = np.array([[one.delay_s for one in row] for row in rides], dtype=np.float64)
    is_near = np.array([row.kind is Kind.NEAR_DEFAULT for row in plans])
    return Reference(
        plans=tuple(plans),
        dropped=tuple(sorted(dropped)),
        delays_s=delays_s,
        reliability=split_half_reliability(delays_s, np.random.default_rng(SPLIT_SEED)),
        reliability_near_default=split_half_reliability(delays_s[is_near], np.random.default_rng(SPLIT_SEED)),
    )
