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
    """Return the commit that runs, None outside a clone.

    `+` stands behind it if files were changed since, `?` if there is no git to tell.
    """
    try:
        name = _git("rev-parse", "HEAD")
        return f"{name}+" if _git("status", "--porcelain", "--untracked-files=no") else name
    except (OSError, subprocess.SubprocessError):
        name_without_git = read_head(_ROOT / ".git")
        return None if name_without_git is None else f"{name_without_git}?"


def read_head(folder: Path) -> str | None:
    """Return the commit that a `.git` folder has checked out, read from its files; None if they do not tell."""
    try:
        head = (folder / "HEAD").read_text("utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        loose = folder / name
        if loose.is_file():
            return loose.read_text("utf-8").strip()
        packed = (folder / "packed-refs").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)


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
