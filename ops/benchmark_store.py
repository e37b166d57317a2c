"""Every finished run of a benchmark in a file of its own: what was ended, even by kill -9, goes on where it stopped.

A file is named by a digest of all that a run depends on; a run whose file is there is not done again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from control.policy_files import weights_sha256
from ops.benchmark_code import code_digest, scenario_digest
from ops.core_policy import UNIVERSAL
from ops.evaluate_runs import EvaluateRun, EvaluateSpec, evaluate_one
from ops.provenance import commit
from traffic.errors import BadInput
from traffic.files import write_whole

ELSEWHERE = frozenset({"scenario", "folder", "model"})
"""Fields of a spec whose contents count, not their names; the folder is where a run writes."""
_RUN = TypeAdapter(EvaluateRun)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkRun:
    """One run to do, the file that it is kept in, and the commit that does it; picklable, for the ensemble."""

    spec: EvaluateSpec
    path: Path
    commit: str | None


def with_places(specs: Sequence[EvaluateSpec], folder: Path) -> list[BenchmarkRun]:
    """Return the runs with their files in a folder."""
    code, now = code_digest(), commit()
    scenarios = {spec.scenario.folder: spec.scenario for spec in specs}
    given = {place: scenario_digest(scenario) for place, scenario in scenarios.items()}
    return [
        BenchmarkRun(spec=spec, path=folder / _name(spec, [code, given[spec.scenario.folder]]), commit=now)
        for spec in specs
    ]


def weights_digest(spec: EvaluateSpec) -> str | None:
    """Return the sha256 of the weights that a run's card names, None where it has none."""
    return weights_sha256(spec.model) if spec.control == UNIVERSAL else None


def _name(spec: EvaluateSpec, behind: list[str]) -> str:
    of_spec = [repr(getattr(spec, field.name)) for field in fields(spec) if field.name not in ELSEWHERE]
    digest = hashlib.sha256(json.dumps([*behind, weights_digest(spec), *of_spec]).encode()).hexdigest()[:16]
    return f"{spec.scenario.name}-{spec.protocol.name}-{spec.control}-{spec.seed.driver}-{digest}.json"


def kept_run(path: Path) -> EvaluateRun | None:
    """Return a run that was done before; None where it was not, or its file is damaged."""
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return _RUN.validate_python(record["run"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None


def run_and_keep(todo: BenchmarkRun) -> EvaluateRun:
    """Do one run and keep it; its other files are removed.

    Raises
    ------
    TrafficError
        If the control cannot run the scenario, SUMO fails, or the disk does not take the file.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        run = evaluate_one(replace(todo.spec, folder=Path(folder) / "run"))
    keep_run(todo, run)
    return run


def keep_run(todo: BenchmarkRun, run: EvaluateRun) -> None:
    """Write a run's file, whole or not at all.

    Raises
    ------
    BadInput
        If the disk does not take it.
    """
    about = {"scenario": todo.spec.scenario.name, "protocol": todo.spec.protocol.name, "commit": todo.commit}
    write_text(todo.path, json.dumps({**about, "run": asdict(run)}, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    BadInput
        If the disk does not take it.
    """
    try:
        write_whole(path, text.encode())
    except OSError as error:
        next_move = "make room, or name another --out"
        raise BadInput(str(path), error.strerror or error, "must take the file", next_move) from error
