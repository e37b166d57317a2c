"""What a run is made of, as a digest: its modules, the packages they stand on, and what a scenario gives them.

The commit alone would not do: it changes with every page of docs, and does not with an edit that is not committed.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from ops.core_runs import physics_paths
from ops.provenance import versions
from traffic.scenario import Scenario

_ROOT = Path(__file__).resolve().parent.parent
_START = _ROOT / "ops" / "evaluate_runs.py"
_PACKAGES = ("eclipse-sumo", "libsumo", "numba", "numpy", "scipy")
_NOT_GIVEN = frozenset({"folder", "title"})


def code_digest() -> str:
    """Return the sha256 of the modules behind a run, and of the packages' versions."""
    digest = hashlib.sha256(json.dumps(versions(_PACKAGES)).encode())
    for path in sorted(code_files(_START)):
        digest.update(f"{path.relative_to(_ROOT)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def code_files(start: Path) -> set[Path]:
    """Return a module of this repository and all that it imports, directly or not, from this repository."""
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imported(path))
    return found


def _imported(path: Path) -> Iterator[Path]:
    for name in _imported_names(path.read_text(encoding="utf-8")):
        place = _ROOT.joinpath(*name.split("."))
        yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())


@lru_cache(maxsize=1024)
def _imported_names(source: str) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def scenario_digest(scenario: Scenario) -> str:
    """Return the sha256 of the contents of a scenario's files, its settings, and its queue model's parameters."""
    given = {field.name: _content(getattr(scenario, field.name)) for field in fields(scenario)}
    given = {name: value for name, value in given.items() if name not in _NOT_GIVEN}
    fitted = [_content(path) for path in physics_paths(scenario) if path.is_file()]
    return hashlib.sha256(json.dumps([given, fitted], sort_keys=True).encode()).hexdigest()


def _content(value: Any) -> Any:
    """Return a file as its sha256, files as theirs, and anything else as it prints."""
    if isinstance(value, Path):
        return hashlib.sha256(value.read_bytes()).hexdigest() if value.is_file() else str(value)
    if isinstance(value, tuple):
        return [_content(item) for item in value]
    return repr(value)
