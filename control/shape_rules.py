"""Whether what is judged is what it seems: exact types only, so that nothing can change its answer after the check."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import isfinite

from traffic.decisions import Extend, Release, SelectPattern, Stage
from traffic.network import Network
from traffic.signals import Correction, ForceMode, Order, Pattern, Plan, Split, SplitMode, SplitPlan, SyncPoint
from traffic.snapshot import Snapshot

EPSILON_S = 1e-6
DECISIONS = (Stage, SelectPattern, Extend, Release)
FORMS: Mapping[type, Mapping[str, type]] = {
    Stage: {"junction": str},
    Extend: {"junction": str},
    Release: {"junction": str},
    SelectPattern: {"order": Order},
    Order: {"plan": Plan, "config_hash": str, "issuer": str, "valid_from": datetime, "expires": datetime},
    Plan: {"junction": str, "pattern": Pattern, "split": SplitPlan},
    Pattern: {"correction": Correction, "force_mode": ForceMode, "sync_point": SyncPoint},
    SplitPlan: {"number": int, "splits": tuple},
    Split: {"phase": int, "mode": SplitMode, "is_coordinated": bool},
}
"""Fields whose type is asked here; whole numbers within bounds are asked where the bounds are."""


def decision_fault(decision: object) -> str | None:
    """Return what is not of the exact type that it should be, or None; subclasses may lie and are none."""
    if type(decision) not in DECISIONS:
        return f"{decision!r}: no decision (SelectPattern, Stage, Extend or Release)"
    return _form_fault(decision, type(decision).__name__)


def _form_fault(value: object, where: str) -> str | None:
    for name, wanted in FORMS[type(value)].items():
        held = getattr(value, name)
        if type(held) is not wanted:
            return f"{where}.{name}: {held!r} (exactly a {wanted.__name__})"
        fault = _form_fault(held, f"{where}.{name}") if wanted in FORMS else None
        if fault is not None:
            return fault
    if isinstance(value, SplitPlan):
        for split in value.splits:
            fault = _form_fault(split, f"{where}.splits") if type(split) is Split else f"{where}.splits: {split!r}"
            if fault is not None:
                return fault
    return None


def snapshot_fault(snapshot: Snapshot, network: Network, n_stages: tuple[int, ...]) -> str | None:
    """Return why a snapshot cannot be true, or None: its clock, its lengths, stages and greens that cannot be."""
    n_junctions, n_movements = len(n_stages), len(network.movements)
    if not isfinite(snapshot.time_s):
        return f"its clock says {snapshot.time_s} s (a time)"
    lengths = (len(snapshot.lamps), len(snapshot.stage), len(snapshot.green_since_s))
    if lengths != (n_junctions,) * 3:
        return f"lamps, stages and greens of {lengths} junctions ({n_junctions})"
    if snapshot.arriving_veh.shape != (n_movements,):
        return f"readings of shape {snapshot.arriving_veh.shape} ({n_movements} movements)"
    for stage, since_s, known in zip(snapshot.stage, snapshot.green_since_s, n_stages, strict=True):
        if stage >= known:
            return f"stage {stage} runs (0-{known - 1}, or -1 in a change)"
        if stage >= 0 and not -float("inf") < since_s <= snapshot.time_s + EPSILON_S:
            return f"stage {stage} is green since {since_s} s (no later than now, {snapshot.time_s} s)"
    return None
