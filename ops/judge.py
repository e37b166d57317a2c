"""Which plan to push: the best candidate that the twin has settled to be better, else keep the old one.

Keeping is always a candidate and a legal result; a candidate has to earn its push.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

from ops.statistics import Paired, paired_difference
from traffic.ids import JunctionId
from traffic.signals import Plan

KEEP = "keep"
MIN_GAIN_PCT = 2.0
"""A predicted gain below this share of the delay is not worth a transition on the street (our assumption)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Plans of all junctions that would be pushed together; `why` says how they were made."""

    name: str
    plans: Mapping[JunctionId, Plan]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the twin said of every candidate, and which one goes to the street; NaN where one was not run."""

    chosen: str
    reason: str
    delays_s: Mapping[str, tuple[float, ...]]
    against_keep: Mapping[str, Paired]


def judge(
    delays_s: Mapping[str, Sequence[float]],
    min_gain_pct: float = MIN_GAIN_PCT,
    *,
    others: Mapping[str, Sequence[float]] | None = None,
) -> Verdict:
    """Choose among candidates by their delays on the same seeds.

    Parameters
    ----------
    delays_s
        Seconds per vehicle, one value a seed, by name; must hold "keep".
    min_gain_pct
        Least predicted gain, in per cent of the delay under the old plan.
    others
        Delays of candidates that were dropped on the way, to be shown; they are not judged.

    Examples
    --------
    >>> judge({"keep": [50.0, 52.0, 51.0], "new": [40.0, 41.5, 41.0]}).chosen
    'new'
    >>> judge({"keep": [50.0, 52.0, 51.0], "new": [49.0, 53.0, 50.0]}).chosen
    'keep'
    """
    keep = tuple(delays_s[KEEP])
    against = {name: paired_difference(keep, tuple(row)) for name, row in delays_s.items() if name != KEEP}
    earned = {
        name: paired
        for name, paired in against.items()
        if paired.is_settled and paired.n_unknown == 0 and -paired.change_pct >= min_gain_pct
    }
    if not earned:
        chosen, reason = KEEP, "no candidate was settled to be better by the least gain: the old plan stays"
    else:
        chosen = min(earned, key=lambda name: earned[name].after)
        low, high = earned[chosen].change_ci95_pct
        reason = f"predicted change of delay {earned[chosen].change_pct:.1f} % (95 % interval {low:.1f} to {high:.1f})"
    everyone = {**(others or {}), **delays_s}
    rows = {name: (*row, *[nan] * (len(keep) - len(row))) for name, row in everyone.items()}
    return Verdict(chosen=chosen, reason=reason, delays_s=rows, against_keep=against)
