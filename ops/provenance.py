"""What made a result: commit, versions, command; written beside every result."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def commit() -> str | None:
    """Return the commit that runs, `+` behind it if files were changed since, None outside a clone."""
    try:
        name = _git("rev-parse", "HEAD")
        return f"{name}+" if _git("status", "--porcelain", "--untracked-files=no") else name
    except (OSError, subprocess.SubprocessError):
        return None


def versions(packages: Sequence[str]) -> dict[str, str | None]:
    """Return the versions of Python and of installed packages, None for one that is not there."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def command_line() -> list[str]:
    """Return the command as it was typed."""
    return list(sys.argv)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
