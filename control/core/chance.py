"""Counter-based randomness: what a vehicle is like depends on (seed, replica, vehicle) alone, not on the order of work.

References
----------
G. Steele, D. Lea, C. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014 (splitmix64's finaliser).
"""

from __future__ import annotations

import numpy as np

from control.core.jit import inlined

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_S16, _LOW = np.uint64(16), np.uint64(0xFFFF)


@inlined
def bits(key, counter):
    """Return 64 random bits of a counter under a key."""
    z = key + np.uint64(counter) * _STEP
    z = (z ^ (z >> _S30)) * _FIRST
    z = (z ^ (z >> _S27)) * _SECOND
    return z ^ (z >> _S31)


@inlined
def key_of(seed, replica):
    """Return the key of a replica of a seed."""
    return bits(bits(np.uint64(0x5EED), seed), replica)


@inlined
def step_of(vehicle, step):
    """Return the counter of a vehicle at a step of its route; plain Python would multiply in 32 bits."""
    return np.int64(step) * 0x100000 + vehicle


@inlined
def uniform(word):
    """Return a number in [0, 1) from 64 bits."""
    return float(word >> _S11) * (1.0 / 9007199254740992.0)


@inlined
def bell(word):
    """Return a number of mean 0 and standard deviation 1 within +-3.4: the sum of four uniform ones."""
    total = float(word & _LOW) + float((word >> _S16) & _LOW)
    word = word >> np.uint64(32)
    total += float(word & _LOW) + float((word >> _S16) & _LOW)
    return (total * (1.0 / 65536.0) - 2.0) * 1.7320508075688772
