"""The folder of a training: who is at work there, with which settings, and the policy that came of it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ops.console import plain
from ops.provenance import command_line, commit, versions
from traffic.errors import BadInput
from traffic.files import write_whole

SETTINGS, CHECKPOINT, MODEL = "settings.json", "checkpoint.npz", "model"
PACKAGES = ("numba", "numpy", "scipy", "eclipse-sumo")
_LOCK = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from training in a folder, and clear away what a killed one left half-written.

    Raises
    ------
    BadInput
        If one does already.
    """
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadInput(str(folder), "another process trains there", next_move="wait for it") from error
        for draft in folder.rglob(".*.part"):
            draft.unlink()
        yield
    finally:
        os.close(lock)


@contextmanager
def room_in(folder: Path) -> Iterator[None]:
    """Say in one line that a disk does not take what is written inside.

    Raises
    ------
    BadInput
        If it does not.
    """
    try:
        yield
    except OSError as error:
        next_move = f"make room, then go on with --resume {folder}"
        raise BadInput(str(folder), error.strerror or error, "must take files", next_move) from error


def write_settings(folder: Path, source: str, settings: Mapping[str, Any]) -> None:
    """Write what a training is to do, before it begins.

    Raises
    ------
    BadInput
        If a training is there already, or the disk does not take it.
    """
    if (folder / SETTINGS).exists():
        raise BadInput("--out", folder, "a training is there", f"go on with --resume {folder}, or name another")
    record = {"source": source, "settings": settings, **made_by()}
    try:
        write_whole(folder / SETTINGS, (json.dumps(plain(record), indent=1) + "\n").encode("utf-8"))
    except OSError as error:
        raise BadInput("--out", folder, error.strerror or "takes no files", "name another folder") from error


def read_settings(folder: Path) -> tuple[str, dict[str, Any]]:
    """Return (source, settings) of a training that is to go on.

    Raises
    ------
    BadInput
        If there is none, or it cannot be read.
    """
    path = folder / SETTINGS
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return str(record["source"]), dict(record["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        value = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"--resume {path}", value, "the folder of a training", "name one, or train anew") from error


def made_by() -> dict[str, Any]:
    """Return commit, command and versions."""
    return {"commit": commit(), "command": command_line(), "versions": versions(PACKAGES)}
