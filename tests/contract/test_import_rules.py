"""The rules of the house on who may import whom."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("traffic", "sim", "control", "vision", "ops")
CORE_MAY_USE = {"numpy", "numba", "control"}


def imported(source: str) -> set[str]:
    """Return the top-level names of all absolute imports in a source text."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            names.add(node.module.partition(".")[0])
    return names


def strangers_in_core(folder: Path) -> set[str]:
    """Return what the modules of a folder import beside the standard library, numpy and numba."""
    found = {name for path in folder.rglob("*.py") for name in imported(path.read_text("utf-8"))}
    return found - CORE_MAY_USE - set(sys.stdlib_module_names)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_every_contract_of_imports_is_kept() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_a_forbidden_import_breaks_a_contract(tmp_path: Path) -> None:
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    assert lint_imports(tmp_path).returncode == 0
    for text in ("import sim", "import libsumo", "import torch", "from vision import x", "import cv2"):
        (tmp_path / "control" / "__init__.py").write_text(text)
        done = lint_imports(tmp_path)
        assert done.returncode == 1 and "BROKEN" in done.stdout, text


def test_learning_libraries_are_allowed_in_control_rl_only(tmp_path: Path) -> None:
    for name in (*PACKAGES, "control/rl", "control/core"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (tmp_path / "control" / "rl" / "__init__.py").write_text("import torch\nfrom stable_baselines3 import PPO")
    assert lint_imports(tmp_path).returncode == 0
    (tmp_path / "control" / "core" / "__init__.py").write_text("import traffic")
    assert lint_imports(tmp_path).returncode == 1


def test_the_numba_core_knows_numpy_and_numba_only(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text("import math\nimport numpy as np\nfrom numba import njit\nimport scipy.stats")
    assert strangers_in_core(tmp_path) == {"scipy"}
    assert strangers_in_core(ROOT / "control" / "core") == set()


def test_importing_any_module_needs_no_sumo_home_and_says_nothing() -> None:
    """Every module but the ones that start as programs is imported in one process."""
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "__init__.py"
    ]
    code = f"import importlib\nfor name in {names!r}: importlib.import_module(name)"
    environment = {name: value for name, value in os.environ.items() if name != "SUMO_HOME"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
