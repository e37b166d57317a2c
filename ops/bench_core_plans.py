"""The fixed-time plans that core and SUMO are asked to rank, drawn before the core was tuned.

::

    near_default   1/2   installed cycle, every green within 10 %, every offset within 5 s; the first is the installed
    webster        1/4   Webster for flows that are off, one common cycle, offsets installed, random or along the roads
    random         1/4   one common cycle, splits and offsets at random

Every plan is drawn from (seed, kind, number) alone: to drop one changes no other, and the next of its kind steps in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import numpy as np

from control.guard import plan_faults
from ops.bench_core_draws import Design, near_default, random, webster
from traffic.errors import BadScenario
from traffic.ids import JunctionId
from traffic.signals import Plan

RANKING_SEED = 20_260_301
"""Seed of the plans on which the core is judged; nothing is tuned on them."""
CALIBRATION_SEED = 20_260_302
"""Seed of the plans on which the core may be tuned."""
N_PLANS = 40
LAST_NUMBER = 999
"""So many plans of a kind are looked through for new ones."""


class Kind(StrEnum):
    """Where a plan comes from."""

    NEAR_DEFAULT = "near_default"
    WEBSTER = "webster"
    RANDOM = "random"


DRAWS = {Kind.NEAR_DEFAULT: near_default, Kind.WEBSTER: webster, Kind.RANDOM: random}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSet:
    """One candidate: a plan for every junction. `name` is its kind and number, such as `webster-03`."""

    name: str
    kind: Kind
    plans: Mapping[JunctionId, Plan]

    @property
    def timing(self) -> tuple[tuple[int, ...], ...]:
        """Cycle, offset and splits of every junction, seconds: what tells plans apart."""
        return tuple(
            (plan.pattern.cycle_s, plan.pattern.offset_s, *(split.split_s for split in plan.split.splits))
            for _, plan in sorted(self.plans.items())
        )


def installed_faults(design: Design) -> list[str]:
    """Return the rules of the guard that the installed plans break; plans near them may break as many."""
    rows = (plan_faults(design.junctions[name], plan, design.limits) for name, plan in design.installed.items())
    return [fault for row in rows for fault in row]


def ranking_plans(design: Design, n: int = N_PLANS, *, dropped: Collection[str] = ()) -> list[PlanSet]:
    """Return the `n` plans on which the core is judged, the installed one first, no two alike.

    Parameters
    ----------
    n
        Number of plans, at least 1: half near the default, a quarter Webster's, a quarter random.
    dropped
        Names that are left out, since they gridlock, say; the next of their kind stand in.

    Raises
    ------
    BadScenario
        If not enough legal plans of a kind are found.
    """
    return _plans(design, n, RANKING_SEED, dropped, taken=())


def calibration_plans(design: Design, n: int, *, n_ranking: int = N_PLANS) -> list[PlanSet]:
    """Return `n` plans for tuning, none of them in the ranking of `n_ranking` plans or among as many spares.

    Raises
    ------
    BadScenario
        If not enough legal plans of a kind are found.
    """
    return _plans(design, n, CALIBRATION_SEED, (), taken=ranking_plans(design, 2 * n_ranking))


def _plans(design: Design, n: int, seed: int, dropped: Collection[str], *, taken: Iterable[PlanSet]) -> list[PlanSet]:
    n_webster = n_random = n // 4
    numbers = {Kind.NEAR_DEFAULT: n - n_webster - n_random, Kind.WEBSTER: n_webster, Kind.RANDOM: n_random}
    seen = {row.timing for row in taken}
    plans: list[PlanSet] = []
    for kind, wanted in numbers.items():
        unlike = _unlike(design, kind, seed, seen)
        found = list(islice((row for row in unlike if row.name not in dropped), wanted))
        if len(found) < wanted:
            where = f"{kind} plans for {len(design.junctions)} junctions"
            raise BadScenario(where, f"{len(found)} that differ", f"{wanted} wanted", "ask for fewer plans")
        plans += found
    return plans


def _unlike(design: Design, kind: Kind, seed: int, seen: set[tuple[tuple[int, ...], ...]]) -> Iterator[PlanSet]:
    """Yield the plans of a kind that are like none before."""
    for number in range(LAST_NUMBER + 1):
        row = plan_set(design, kind, number, seed)
        if row.timing not in seen:
            seen.add(row.timing)
            yield row


def plan_set(design: Design, kind: Kind, number: int, seed: int) -> PlanSet:
    """Return one plan set, the same for the same arguments; number 0 near the default is the installed one.

    Raises
    ------
    BadScenario
        If no legal one is found.
    """
    name = f"{kind}-{number:02d}"
    if kind is Kind.NEAR_DEFAULT and number == 0:
        return PlanSet(name=name, kind=kind, plans=dict(design.installed))
    rng = np.random.default_rng([seed, list(Kind).index(kind), number])
    return PlanSet(name=name, kind=kind, plans=DRAWS[kind](design, rng, name))
