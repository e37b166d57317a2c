"""Plans as files: signals.json, SUMO's programs, and the result with all that it takes to make it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.console import plain
from ops.plan_verdict import Candidate
from ops.provenance import command_line, commit, versions
from sim.programs import program_additional
from traffic.errors import BadInput
from traffic.ids import JunctionId
from traffic.saved import write_signals
from traffic.signals import Plan

SIGNALS, PROGRAMS, RESULT = "signals.json", "plans.add.xml", "plan.json"
PACKAGES = ("eclipse-sumo", "numba", "numpy", "scipy")


def write_plan(out: Path, candidate: Candidate, made_by: str) -> tuple[Path, Path]:
    """Write plans as signals.json and as SUMO programs; return both paths.

    Raises
    ------
    BadInput
        If they cannot be written.
    """
    plans = list(candidate.plans.values())
    try:
        write_signals(out / SIGNALS, candidate.junctions.values(), plans, made_by)
        return out / SIGNALS, program_additional(out / PROGRAMS, candidate.junctions, plans)
    except OSError as error:
        raise BadInput("--out", error.filename, error.strerror or "cannot be written", "name another folder") from error


def write_result(out: Path, result: Mapping[str, Any], **more: Any) -> Path:
    """Write the result with command, commit, versions and `more`; return its path.

    Raises
    ------
    BadInput
        If it cannot be written.
    """
    record = {**result, **more, "command": command_line(), "commit": commit(), "versions": versions(PACKAGES)}
    try:
        (out / RESULT).write_text(json.dumps(plain(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput("--out", error.filename, error.strerror or "cannot be written", "name another folder") from error
    return out / RESULT


def plan_rows(candidate: Candidate, installed: Mapping[JunctionId, Plan]) -> list[dict[str, Any]]:
    """Return one row a junction: cycle, offset, splits and the order of phases, and the cycle before."""
    return [
        {
            "junction": name,
            "cycle_s": plan.pattern.cycle_s,
            "offset_s": plan.pattern.offset_s,
            "splits_s": [row.split_s for row in plan.split.splits],
            "phases": [row.phase for row in plan.split.splits],
            "rings": [" ".join(map(str, ring)) for ring in candidate.junctions[name].rings],
            "cycle_before_s": installed[name].pattern.cycle_s,
        }
        for name, plan in candidate.plans.items()
    ]
