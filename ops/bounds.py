"""Options that are numbers or folders: refused before anything runs, in one line."""

from __future__ import annotations

from math import inf
from pathlib import Path

from traffic.errors import BadInput


def check_number(option: str, value: float, low: float, high: float = inf) -> None:
    """Refuse a number outside [low, high], and one that is no finite number.

    Raises
    ------
    BadInput
        Naming the option and its bounds.
    """
    if not (low <= value <= high and abs(value) < inf):
        limit = f"at least {low:g}" if high == inf else f"{low:g} to {high:g}"
        raise BadInput(option, f"{value:g}", limit, "give another number")


def make_folder(option: str, folder: Path) -> None:
    """Make the folder for results where it is not there yet.

    Raises
    ------
    BadInput
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(option, folder, error.strerror or "cannot be made", "name another folder") from error
