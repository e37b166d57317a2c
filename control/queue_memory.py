"""How many replicas fit into memory, asked before they are made."""

from __future__ import annotations

import os
from pathlib import Path

from control.core.arrays import Roads, bytes_per_replica, make_state
from traffic.errors import BadInput

_SHARE = 0.8
"""Of what is free, this much may be taken."""


def check_memory(roads: Roads, n_rows: int) -> None:
    """Refuse more replicas than fit.

    Raises
    ------
    BadInput
        If they need more than four fifths of the free memory; it says how many fit.
    """
    each, free = bytes_per_replica(make_state(roads, 1)), free_bytes()
    fitting = int(_SHARE * free / each)
    if n_rows > fitting:
        value = f"{n_rows} of {each / 1024:.0f} KB each"
        limit = f"{fitting} fit into the {free / 2**30:.1f} GB that are free"
        raise BadInput("queue model: replicas of all plans", value, limit, "run fewer at a time")


def free_bytes() -> int:
    """Return the memory that is available without swapping, bytes; Linux knows it best."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
