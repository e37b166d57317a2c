"""BER for SNMP v1 and v2c: values, messages, strict limits."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

Oid = tuple[int, ...]


class Counter32(int):
    """An integer that travels as Counter (0 to 2^32 - 1, wraps)."""


class Gauge32(int):
    """An integer that travels as Gauge (0 to 2^32 - 1, latches)."""


class TimeTicks(int):
    """An integer that travels as TimeTicks (hundredths of a second)."""


class IpAddress(bytes):
    """Four octets that travel as IpAddress."""


Value = int | bytes | Oid | None
"""A plain int is INTEGER, bytes OCTET STRING, a tuple OBJECT IDENTIFIER, None NULL; the subclasses mark the rest."""


class Binding(NamedTuple):
    """A variable binding: the object instance and its value."""

    oid: Oid
    value: Value


class ErrorStatus(IntEnum):
    """error-status of RFC 1157 (0-5) and RFC 3416 (6-18)."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GEN_ERR = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_LENGTH = 8
    WRONG_ENCODING = 9
    WRONG_VALUE = 10
    NO_CREATION = 11
    INCONSISTENT_VALUE = 12
    RESOURCE_UNAVAILABLE = 13
    COMMIT_FAILED = 14
    UNDO_FAILED = 15
    AUTHORIZATION_ERROR = 16
    NOT_WRITABLE = 17
    INCONSISTENT_NAME = 18
