"""What the workers of the ensemble's tests run; a spec is (name, number)."""

from __future__ import annotations

import os
import signal
import time

from traffic.errors import BadScenario

Spec = tuple[str, int]


def run(spec: Spec) -> int:
    """Return the number squared, or do what the name says."""
    name, number = spec
    if name == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "refuse":
        raise BadScenario("a spec", number, "must be mended")
    if name == "wait":
        time.sleep(60.0)
    return os.getpid() if name == "pid" else number * number
