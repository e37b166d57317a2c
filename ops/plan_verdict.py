"""Which plan a search ends with: SUMO's choice among the best few, on the same demand seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

from ops.statistics import Paired, mean_interval, paired_difference
from traffic.ids import JunctionId
from traffic.signals import Junction, Plan

INSTALLED, WEBSTER = "installed", "webster"
INTERRUPTED = "broken off: the best one by the queue model so far, not verified in SUMO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Plans of all junctions, and the junctions that they are made for; the queue model's delay s/veh where known."""

    name: str
    junctions: Mapping[JunctionId, Junction]
    plans: Mapping[JunctionId, Plan]
    core_delay_s: float = nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The chosen candidate's name, why, and its paired difference to the installed plan where both were run."""

    chosen: str
    why: str
    against_installed: Paired | None = None


def choose(candidates: Sequence[Candidate], delays_s: Mapping[str, Sequence[float]]) -> Verdict:
    """Return the candidate of least delay in SUMO; the installed one stays unless another is settled to be better.

    Parameters
    ----------
    candidates
        At least one, the one to take without SUMO first.
    delays_s
        Delays by name on the same seeds, NaN where not run: such a one is out. Empty leaves SUMO out.
    """
    means = {row.name: mean_interval(delays_s.get(row.name, ()))[0] for row in candidates}
    whole = {name for name, row in delays_s.items() if all(map(isfinite, row))}
    known = {name: mean_s for name, mean_s in means.items() if name in whole and isfinite(mean_s)}
    if not known:
        return Verdict(chosen=candidates[0].name, why="not verified in SUMO")
    best = min(known, key=lambda name: known[name])
    if INSTALLED not in known:
        return Verdict(chosen=best, why=f"least delay in SUMO of {len(candidates)} candidates")
    paired = paired_difference(delays_s[INSTALLED], delays_s[best])
    if best == INSTALLED or not paired.high < 0.0:
        why = "nothing is settled to be better than the installed plan, which stays"
        return Verdict(chosen=INSTALLED, why=why, against_installed=None)
    why = f"least delay in SUMO of {len(candidates)} candidates, better than the installed plan"
    return Verdict(chosen=best, why=why, against_installed=paired)


def candidate_rows(candidates: Sequence[Candidate], delays_s: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    """Return one row a candidate: delays by queue model and SUMO, SUMO's paired difference to the installed plan."""
    rows = []
    for row in candidates:
        own = delays_s.get(row.name, ())
        mean_s, low_s, high_s = mean_interval(own)
        paired = paired_difference(delays_s.get(INSTALLED, [nan] * len(own)), own)
        rows.append(
            {
                "name": row.name,
                "cycles_s": sorted({plan.pattern.cycle_s for plan in row.plans.values()}),
                "core_delay_s": row.core_delay_s,
                "delay_s": mean_s,
                "delay_ci95_s": [low_s, high_s],
                "delay_worst_s": max(own, default=nan),
                "difference_s": paired.difference,
                "difference_ci95_s": [paired.low, paired.high],
            }
        )
    return rows
