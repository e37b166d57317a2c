"""SNMP v1 and v2c over UDP: what an agent serves, and the manager that asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from control.drivers.ber import Binding, Counter32, ErrorStatus, Gauge32, IpAddress, Oid, TimeTicks, Value

__all__ = [
    "Binding",
    "Counter32",
    "ErrorStatus",
    "Gauge32",
    "IpAddress",
    "ObjectTable",
    "Oid",
    "TimeTicks",
    "Value",
]


class ObjectTable(Protocol):
    """The objects of one agent. OIDs are whole instances: scalars end in 0, columns in their index."""

    def get(self, oid: Oid) -> Value | None:
        """Return the value of this instance; None where there is none (no object of ours is NULL)."""

    def after(self, oid: Oid) -> Binding | None:
        """Return the first instance that comes after `oid` in lexicographic order; None at the end."""

    def set(self, bindings: Sequence[Binding], community: bytes) -> tuple[ErrorStatus, int]:
        """Set all or none; return (NO_ERROR, 0), or the v2c status and the 1-based index of the first fault.

        The index is 0 for a GEN_ERR that concerns the request as a whole (NTCIP 1201: database
        objects while another master's transaction is open). The agent translates to v1 codes.
        `community` tells masters apart.
        """
