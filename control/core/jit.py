"""How kernels are compiled: one place for the options.

Without Numba's runtime (`_nrt=False`) arrays are not reference-counted: nothing may be allocated in a kernel, and what
remains is nine times as fast (cologne1, 0.79 -> 7.1 million simulated seconds a second). `nogil` lets threads share
the replicas; `parallel=True` takes five times as long to compile, and has lost stores.
"""

from __future__ import annotations

from typing import Any

from numba import njit

_OPTIONS: dict[str, Any] = {"_nrt": False}

inlined = njit(forceinline=True, **_OPTIONS)
"""A part of a kernel."""
compiled = njit(**_OPTIONS)
"""A part that several kernels share, compiled once."""
entry = njit(nogil=True, cache=True, **_OPTIONS)
"""A kernel that is called from Python."""
