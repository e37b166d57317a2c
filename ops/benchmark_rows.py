"""What a benchmark found: a row a scenario, protocol and control, and a statement a scenario and protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.benchmark_set import in_protocol
from ops.evaluate import control_row, delays_of
from ops.evaluate_runs import EvaluateRun
from ops.keys import keys_of
from ops.statistics import Paired, paired_difference
from traffic.errors import TrafficError

LEAST_GAIN = 0.10
"""By how much a policy has to be better than the two rivals, as a share of their delay."""
RIVALS = ("actuated", "max_pressure")
ROW_KEYS = tuple(key.name.removeprefix("rows[].") for key in keys_of("benchmark") if key.name.startswith("rows[]."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The runs of one scenario under one protocol, and the errors of those that failed, by control in order."""

    scenario: str
    protocol: str
    runs: dict[str, list[EvaluateRun]]
    errors: dict[str, list[TrafficError]] = field(default_factory=dict)


def rows_of(cells: Iterable[Cell]) -> list[dict[str, Any]]:
    """Return a row a control of which a run was done or failed; the difference is to the cell's first control."""
    rows = []
    for cell in cells:
        first = next(iter(cell.runs.values()))
        for control, runs in cell.runs.items():
            errors = cell.errors.get(control, [])
            if runs or errors:
                found = control_row(control, runs, first) if runs else {"control": control, "seeds": 0}
                found |= {"scenario": cell.scenario, "protocol": cell.protocol, "failed": len(errors)}
                found["error"] = errors[0].line if errors else None
                rows.append({name: found.get(name) for name in ROW_KEYS})
    return rows


def statements_of(cells: Iterable[Cell], subject: str) -> list[dict[str, Any]]:
    """Return for each cell with a run which control is best, and how far the subject is ahead of its rivals."""
    return [_statement(cell, in_protocol(subject, cell.protocol)) for cell in cells if any(cell.runs.values())]


def _statement(cell: Cell, subject: str) -> dict[str, Any]:
    whole = _whole(cell.runs)
    best = min(whole, key=lambda control: _mean(whole[control]))
    statement: dict[str, Any] = {
        "scenario": cell.scenario,
        "protocol": cell.protocol,
        "best": best,
        "best_delay_s": _mean(whole[best]),
        "as_good": [
            name for name, runs in whole.items() if name != best and not _compared(whole[best], runs).low > 0.0
        ],
        "subject": subject,
        "subject_delay_s": _mean(cell.runs[subject]) if cell.runs.get(subject) else None,
    }
    verdicts = []
    for rival in RIVALS:
        theirs, ours = cell.runs.get(in_protocol(rival, cell.protocol)), cell.runs.get(subject)
        is_rival = bool(theirs and ours) and in_protocol(rival, cell.protocol) != subject
        paired = _compared(theirs, ours) if is_rival and theirs and ours else None
        statement[f"{rival}_change_pct"] = paired.change_pct if paired else None
        statement[f"{rival}_change_ci95_pct"] = list(paired.change_ci95_pct) if paired else None
        if is_rival and theirs and ours:
            least = _compared(theirs, ours, share=1.0 - LEAST_GAIN)
            verdicts.append((least.difference <= 0.0, least.high < 0.0))
    statement["reached"] = all(mean for mean, _ in verdicts) if verdicts else None
    statement["sure"] = all(sure for _, sure in verdicts) if verdicts else None
    return statement


def _whole(runs: Mapping[str, Sequence[EvaluateRun]]) -> dict[str, Sequence[EvaluateRun]]:
    """Return the controls with as many seeds as any has: a mean over fewer is not to be compared."""
    most = max(len(row) for row in runs.values())
    return {control: row for control, row in runs.items() if len(row) == most}


def _mean(runs: Sequence[EvaluateRun]) -> float:
    delays = list(delays_of(runs).values())
    return sum(delays) / len(delays)


def _compared(before: Sequence[EvaluateRun], after: Sequence[EvaluateRun], *, share: float = 1.0) -> Paired:
    """Return after less `share` of before, paired over the seeds that both have."""
    first, second = delays_of(before), delays_of(after)
    shared = [seed for seed in first if seed in second]
    return paired_difference([share * first[seed] for seed in shared], [second[seed] for seed in shared])
