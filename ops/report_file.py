"""The saved form of a demo's result (`result.json`), so that its report can be made again.

Plans travel in the form of `traffic.saved`, the network as a path and its sha256; NaN is "NaN".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ops.report_data import (
    ApproachRow,
    CandidateRow,
    CountRow,
    DemoResult,
    FitRow,
    JunctionTiming,
    LogRow,
    Measure,
    PushRow,
    RunFacts,
)
from traffic.errors import BadInput
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.saved import signals_as_json, signals_from_json
from traffic.scenario import describe_faults
from traffic.signals import Plan

ROOT = Path(__file__).resolve().parent.parent
PLAIN = ("facts", "measures", "approaches", "candidates", "choice_reason", "counts", "fit", "pushes", "log")
PLAIN_LATE = ("corridor", "speed_mps", "is_complete", "notes")


class SavedResult(BaseModel):
    """The whole file; see `ops.report_data` for its parts."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings", allow_inf_nan=True)

    version: Literal[1]
    network_sha256: str
    signals: dict[str, Any]
    new_signals: dict[str, Any]
    facts: RunFacts
    measures: tuple[Measure, ...]
    approaches: tuple[ApproachRow, ...]
    candidates: tuple[CandidateRow, ...]
    choice_reason: str
    counts: tuple[CountRow, ...]
    fit: tuple[FitRow, ...]
    pushes: tuple[PushRow, ...]
    log: tuple[LogRow, ...]
    corridor: tuple[JunctionId, ...]
    speed_mps: float
    is_complete: bool
    notes: tuple[str, ...]

    @model_validator(mode="after")
    def _check_seeds(self) -> SavedResult:
        wrong = [m.key for m in self.measures if len(m.before) != len(self.facts.seeds)]
        if wrong:
            raise ValueError(f"measures {wrong} do not have one value for each of {len(self.facts.seeds)} seeds")
        return self


def write_result(path: Path, result: DemoResult) -> None:
    """Write a result; its network has to lie where `facts.network_file` says."""
    old = [timing.old for timing in result.timings]
    new = [timing.new for timing in result.timings if timing.new]
    junctions = [timing.junction for timing in result.timings]
    made_by = result.facts.command
    facts = replace(result.facts, network_file=from_root(result.facts.network_file))
    saved = SavedResult(
        version=1,
        network_sha256=_sha256(result.facts.network_file),
        signals=signals_as_json(junctions, old, made_by),
        new_signals=signals_as_json(junctions, new, made_by),
        **{name: getattr(result, name) for name in (*PLAIN, *PLAIN_LATE)} | {"facts": facts},
    )
    path.write_text(saved.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_result(path: Path, read_network: Callable[[Path], Network]) -> DemoResult:
    """Read a result and the network that it names.

    Raises
    ------
    BadInput
        With every fault at once; also if the network is gone or is no longer the one that ran.
    """
    try:
        saved = SavedResult.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(str(path), error, "must be a result.json of a demo", "name another file") from error
    except ValidationError as error:
        raise BadInput(str(path), describe_faults(error), next_move="run the demo again") from error
    network_file = ROOT / saved.facts.network_file
    if not network_file.is_file():
        raise BadInput(str(path), network_file, "the network it names is not there", "put the scenario back")
    if _sha256(network_file) != saved.network_sha256:
        raise BadInput(str(network_file), "changed since the run", "sha256 differs", "run the demo again")
    network = read_network(network_file)
    return DemoResult(
        network=network,
        timings=_timings(saved, network, str(path)),
        **{name: getattr(saved, name) for name in (*PLAIN, *PLAIN_LATE)},
    )


def _timings(saved: SavedResult, network: Network, where: str) -> tuple[JunctionTiming, ...]:
    named = {JunctionId(row.get("id", "")) for row in saved.signals.get("junctions", []) if isinstance(row, dict)}
    crossings = {identity: crossing for identity, crossing in network.crossings.items() if identity in named}
    junctions, old = signals_from_json(saved.signals, crossings, f"{where}: signals")
    _, new = signals_from_json(saved.new_signals, crossings, f"{where}: new_signals")
    old_of = _by_junction(old)
    without = sorted(set(junctions) - set(old_of))
    if without:
        raise BadInput(f"{where}: signals", f"no old plan for {without}", next_move="run the demo again")
    new_of = _by_junction(new)
    return tuple(
        JunctionTiming(junction=junction, old=old_of[identity], new=new_of.get(identity))
        for identity, junction in junctions.items()
    )


def _by_junction(plans: list[Plan]) -> dict[JunctionId, Plan]:
    return {plan.junction: plan for plan in plans}


def from_root(path: Path) -> Path:
    """Return a path as named from the root of the clone; absolute where it lies outside."""
    file = path.resolve()
    return file.relative_to(ROOT) if file.is_relative_to(ROOT) else file


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
