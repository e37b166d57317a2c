"""From delays to rows: how the core ranks the plans, and what its choice costs on seeds that nobody chose by."""

from __future__ import annotations

from typing import Any

import numpy as np

from ops.bench_core_plans import PlanSet
from ops.bench_core_rides import Lab
from ops.bench_core_statistics import FloatArray, spearman, spearman_interval, truth_ceiling
from ops.bench_core_sumo import Reference
from ops.statistics import paired_difference

FRESH_SEEDS = range(100, 110)
"""Driver seeds on which the core's best plan meets SUMO's best: neither was chosen by them."""
BOOTSTRAP_SEED = 7


def ranking_row(found: Reference, core_s: FloatArray) -> dict[str, Any]:
    """Return how the core's delays rank the plans beside SUMO's means.

    Parameters
    ----------
    core_s
        The core's delay of every plan, shape (n_plan,), s/veh.
    """
    sumo_s = found.delays_s.mean(axis=1)
    near = found.is_near_default
    return {
        "plans": len(found.plans),
        "seeds": found.delays_s.shape[1],
        "dropped": len(found.dropped),
        "rho": spearman(core_s, sumo_s),
        "rho_ci95": list(spearman_interval(core_s, sumo_s, np.random.default_rng(BOOTSTRAP_SEED))),
        "rho_ceiling": found.reliability,
        "rho_truth": truth_ceiling(found.reliability),
        "rho_near_default": spearman(core_s[near], sumo_s[near]),
        "rho_near_default_ci95": list(
            spearman_interval(core_s[near], sumo_s[near], np.random.default_rng(BOOTSTRAP_SEED))
        ),
        "rho_near_default_ceiling": found.reliability_near_default,
    }


def regret_row(lab: Lab, found: Reference, core_s: FloatArray) -> dict[str, Any]:
    """Return how much worse the core's best plan is than SUMO's best on fresh driver seeds, per cent.

    Raises
    ------
    PlantLost
        If a run fails.
    """
    chosen, best = best_plan(found, core_s), best_plan(found, found.delays_s.mean(axis=1))
    rides = lab.rides([best, chosen], FRESH_SEEDS)
    paired = paired_difference(*([ride.delay_s for ride in row] for row in rides))
    return {
        "regret_pct": paired.change_pct,
        "regret_ci95_pct": list(paired.change_ci95_pct),
        "core_best": chosen.name,
        "sumo_best": best.name,
    }


def best_plan(found: Reference, delays_s: FloatArray) -> PlanSet:
    """Return the plan of least delay; of equals the first."""
    return found.plans[int(np.argmin(delays_s))]
