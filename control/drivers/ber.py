"""BER for SNMP v1 and v2c: values, messages, strict limits.

::

    30 len                                   message
       02 01 version | 04 len community
       A0 len                                PDU: A0 get, A1 next, A2 response, A3 set, A5 bulk
          02 len request id | 02 len status | 02 len index
          30 len                             bindings
             30 len  06 len OID  tag len value
             ...

References
----------
ITU-T X.690 (BER); RFC 1157 (SNMPv1); RFC 3416 and RFC 2578 (PDUs and types of SNMPv2c).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, IntEnum
from functools import lru_cache
from typing import NamedTuple

from traffic.errors import TrafficError

Oid = tuple[int, ...]


class Counter32(int):
    """An integer that travels as Counter (0 to 2^32 - 1, wraps)."""


class Gauge32(int):
    """An integer that travels as Gauge (0 to 2^32 - 1, latches)."""


class TimeTicks(int):
    """An integer that travels as TimeTicks (hundredths of a second)."""


class Counter64(int):
    """An integer that travels as Counter64 (0 to 2^64 - 1, v2c only)."""


class IpAddress(bytes):
    """Four octets that travel as IpAddress."""


class Opaque(bytes):
    """Octets that travel as Opaque."""


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


class NoValue(Enum):
    """What SNMPv2c puts in a binding where an object has no value (RFC 3416, 2.1); the number is its tag."""

    NO_SUCH_OBJECT = 0x80
    NO_SUCH_INSTANCE = 0x81
    END_OF_MIB_VIEW = 0x82


Answer = Value | NoValue
Pairs = Sequence[tuple[Oid, Answer]]


class Version(IntEnum):
    """Message version, as on the wire."""

    V1 = 0
    V2C = 1


class Pdu(IntEnum):
    """PDU tags that we speak; traps are not among them."""

    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    GET_BULK = 0xA5


class BadDatagram(TrafficError):
    """Bytes that are no SNMP message of ours, or a message that cannot be encoded; drop it."""


class Message(NamedTuple):
    """One SNMP message. In a GET_BULK, `error_status` is non-repeaters and `error_index` max-repetitions."""

    version: Version
    community: bytes
    kind: Pdu
    request_id: int
    error_status: int
    error_index: int
    bindings: Pairs


MAX_DATAGRAM = 65_507
"""Octets of the largest UDP payload over IPv4."""
MAX_COMMUNITY, MAX_BINDINGS, MAX_SUB_IDS = 255, 1_024, 128
MAX_SUB_ID = 2**32 - 1
_INTEGER, _OCTETS, _NULL, _OID, _SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
_UNSIGNED: Mapping[int, type[int]] = {0x41: Counter32, 0x42: Gauge32, 0x43: TimeTicks}
_UNSIGNED_TAG = {kind: tag for tag, kind in _UNSIGNED.items()}
_COUNTER64, _IP_ADDRESS, _OPAQUE = 0x46, 0x40, 0x44
_VERSIONS = {int(version): version for version in Version}
_PDUS = {int(kind): kind for kind in Pdu}
_NO_VALUES = {kind.value: kind for kind in NoValue}


def decode(data: bytes) -> Message:
    """Return the message in a datagram.

    Lengths are definite, nested exactly and bounded; integers fit their 32 bits (Counter64 its 64);
    nothing follows the message.

    Raises
    ------
    BadDatagram
        On any input that is not such a message, and on traps.
    """
    if len(data) > MAX_DATAGRAM:
        raise _bad("length of a datagram", f"{len(data)} octets", f"at most {MAX_DATAGRAM}")
    at, end = _enter(data, 0, len(data), _SEQUENCE)
    if end != len(data):
        raise _bad("after the message", f"{len(data) - end} octets", "nothing may follow")
    number, at = _integer(data, at, end)
    version = _VERSIONS.get(number)
    if version is None:
        raise _bad("version", number, "0 (v1) or 1 (v2c)")
    start, at = _enter(data, at, end, _OCTETS)
    if at - start > MAX_COMMUNITY:
        raise _bad("community", f"{at - start} octets", f"at most {MAX_COMMUNITY}")
    community = data[start:at]
    tag, at, pdu_end = _header(data, at, end)
    kind = _PDUS.get(tag)
    if kind is None or pdu_end != end or (kind is Pdu.GET_BULK and version is Version.V1):
        raise _bad("PDU", f"tag {tag:#x}", "get, next, response, set, or bulk in v2c, to the end of the message")
    request_id, at = _integer(data, at, end)
    status, at = _integer(data, at, end)
    index, at = _integer(data, at, end)
    return Message(version, community, kind, request_id, status, index, _bindings(data, at, end))


def _bindings(data: bytes, at: int, end: int) -> Pairs:
    at, stop = _enter(data, at, end, _SEQUENCE)
    if stop != end:
        raise _bad("after the bindings", f"{end - stop} octets", "nothing may follow")
    pairs: list[tuple[Oid, Answer]] = []
    while at < end:
        at, pair_end = _enter(data, at, end, _SEQUENCE)
        at, oid_end = _enter(data, at, pair_end, _OID)
        name = decode_oid(data[at:oid_end])
        tag, at, value_end = _header(data, oid_end, pair_end)
        if value_end != pair_end:
            raise _bad("after a value", f"{pair_end - value_end} octets", "nothing may follow")
        value: Answer
        if tag == _INTEGER and 0 < value_end - at < 5:
            value = int.from_bytes(data[at:value_end], "big", signed=True)
        elif tag == _OCTETS:
            value = data[at:value_end]
        else:
            value = _other_value(tag, data[at:value_end])
        pairs.append((name, value))
        at = pair_end
        if len(pairs) > MAX_BINDINGS:
            raise _bad("bindings", "too many", f"at most {MAX_BINDINGS}")
    return pairs


def _other_value(tag: int, content: bytes) -> Answer:
    """Return a value that is neither a short integer nor octets."""
    if tag == _INTEGER:
        return _long_integer(content)
    if tag in _UNSIGNED:
        return _UNSIGNED[tag](_unsigned(content, 4))
    if tag == _COUNTER64:
        return Counter64(_unsigned(content, 8))
    if tag == _OID:
        return decode_oid(content)
    if tag == _IP_ADDRESS and len(content) == 4:
        return IpAddress(content)
    if tag == _OPAQUE:
        return Opaque(content)
    if not content and tag == _NULL:
        return None
    if not content and tag in _NO_VALUES:
        return _NO_VALUES[tag]
    raise _bad("value", f"tag {tag:#x}, {len(content)} octets", "a type of SNMP v1 or v2c")


def _long_integer(content: bytes) -> int:
    """Return an INTEGER of five octets: NTCIP has some that reach 2^32 - 1 (timeBaseScheduleDate)."""
    value = int.from_bytes(content, "big", signed=True)
    if len(content) != 5 or not 0 <= value < 2**32:
        raise _bad("integer", f"{len(content)} octets", "1 to 4, or 5 below 2^32")
    return value


def _unsigned(content: bytes, n_octets: int) -> int:
    """Return an unsigned value; a leading zero octet is allowed, a set sign bit is forgiven (old agents)."""
    if not content or len(content) > n_octets + 1 or (len(content) == n_octets + 1 and content[0]):
        raise _bad("unsigned integer", f"{len(content)} octets", f"1 to {n_octets}, and a leading zero")
    return int.from_bytes(content, "big")


def _header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return tag, start and end of the content of the value at `at`, which must end by `end`."""
    if at + 2 > end:
        raise _bad("value", f"{end - at} octets", "tag and length need 2")
    length, start = data[at + 1], at + 2
    if length > 0x7F:
        n_octets = length & 0x7F
        start += n_octets
        if not 0 < n_octets < 5 or start > end:
            raise _bad("length", f"{n_octets} octets", "definite, 1 to 4 octets, within the datagram")
        length = int.from_bytes(data[at + 2 : start], "big")
    stop = start + length
    if stop > end:
        raise _bad("length", f"{length} octets", f"{end - start} are left")
    return data[at], start, stop


def _enter(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Return start and end of the content of the value at `at`, which must have this tag."""
    found, start, stop = _header(data, at, end)
    if found != tag:
        raise _bad("tag", f"{found:#x}", f"{tag:#x} belongs here")
    return start, stop


def _integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the INTEGER at `at` and where it ends."""
    start, stop = _enter(data, at, end, _INTEGER)
    if not 0 < stop - start < 5:
        raise _bad("integer", f"{stop - start} octets", "1 to 4")
    return int.from_bytes(data[start:stop], "big", signed=True), stop


@lru_cache(maxsize=65_536)
def decode_oid(content: bytes) -> Oid:
    """Return the OID in the content octets of an OBJECT IDENTIFIER (X.690, 8.19)."""
    if not content or content[-1] > 0x7F:
        raise _bad("OID", content.hex(), "a last octet below 0x80")
    numbers: list[int] = []
    number, is_first = 0, True
    for octet in content:
        if is_first and octet == 0x80:
            raise _bad("OID", content.hex(), "no sub-identifier starts with 0x80")
        number = number << 7 | octet & 0x7F
        if number > MAX_SUB_ID + 80:
            raise _bad("OID", content.hex(), f"sub-identifiers up to {MAX_SUB_ID}")
        is_first = octet < 0x80
        if is_first:
            numbers.append(number)
            number = 0
    root = min(numbers[0] // 40, 2)
    name = (root, numbers[0] - 40 * root, *numbers[1:])
    if len(name) > MAX_SUB_IDS or max(name) > MAX_SUB_ID:
        raise _bad("OID", f"{len(name)} sub-identifiers", f"at most {MAX_SUB_IDS}, up to {MAX_SUB_ID} each")
    return name


@lru_cache(maxsize=65_536)
def encode_oid(name: Oid) -> bytes:
    """Return an OBJECT IDENTIFIER with tag and length."""
    is_rooted = 2 <= len(name) <= MAX_SUB_IDS and 0 <= name[0] <= 2 and (name[0] == 2 or 0 <= name[1] < 40)
    if not is_rooted or min(name) < 0 or max(name) > MAX_SUB_ID:
        raise _bad("OID", ".".join(map(str, name[:20])), f"2 to {MAX_SUB_IDS} sub-identifiers up to {MAX_SUB_ID}")
    octets = bytearray()
    for number in (40 * name[0] + name[1], *name[2:]):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        octets += bytes(reversed(groups))
    return wrap(_OID, bytes(octets))


def wrap(tag: int, content: bytes) -> bytes:
    """Return content with tag and the shortest length."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def encode_integer(value: int) -> bytes:
    """Return an INTEGER with tag and length, in as few octets as hold it."""
    if -128 <= value < 128:
        return bytes((_INTEGER, 1, value & 0xFF))
    if not -(2**31) <= value < 2**32:
        raise _bad("integer", value, "-2^31 to 2^32 - 1")
    return wrap(_INTEGER, _octets_of(value))


def _octets_of(value: int) -> bytes:
    n_bits = (value if value >= 0 else ~value).bit_length() + 1
    return value.to_bytes((n_bits + 7) // 8, "big", signed=True)


def encode_value(value: Answer) -> bytes:
    """Return a value with tag and length; its Python type says which SNMP type it is."""
    if type(value) is int:
        return encode_integer(value)
    if type(value) is bytes:
        return wrap(_OCTETS, value)
    if value is None:
        return b"\x05\x00"
    if isinstance(value, tuple):
        return encode_oid(value)
    if isinstance(value, NoValue):
        return bytes((value.value, 0))
    if isinstance(value, IpAddress | Opaque):
        return _tagged_octets(value)
    if isinstance(value, int) and type(value) in (*_UNSIGNED_TAG, Counter64):
        return _tagged_unsigned(value)
    return encode_integer(int(value)) if isinstance(value, int) else wrap(_OCTETS, bytes(value))


def _tagged_octets(value: IpAddress | Opaque) -> bytes:
    if isinstance(value, Opaque):
        return wrap(_OPAQUE, value)
    if len(value) != 4:
        raise _bad("IpAddress", f"{len(value)} octets", "4")
    return wrap(_IP_ADDRESS, value)


def _tagged_unsigned(value: int) -> bytes:
    tag, n_bits = (_COUNTER64, 64) if isinstance(value, Counter64) else (_UNSIGNED_TAG[type(value)], 32)
    if not 0 <= value < 1 << n_bits:
        raise _bad("unsigned integer", value, f"0 to 2^{n_bits} - 1")
    return wrap(tag, _octets_of(value))


def encode_bindings(pairs: Pairs) -> bytes:
    """Return the list of variable bindings, with tag and length."""
    return wrap(_SEQUENCE, b"".join([wrap(_SEQUENCE, encode_oid(name) + encode_value(value)) for name, value in pairs]))


def encode_pdu(message: Message, bindings: bytes) -> bytes:
    """Return a whole message around bindings that are encoded already."""
    numbers = b"".join(map(encode_integer, (message.request_id, message.error_status, message.error_index)))
    head = encode_integer(message.version) + wrap(_OCTETS, message.community)
    return wrap(_SEQUENCE, head + wrap(message.kind, numbers + bindings))


def encode(message: Message) -> bytes:
    """Return a message as a datagram.

    Raises
    ------
    BadDatagram
        If a value does not fit its SNMP type, or the whole does not fit a datagram.

    Examples
    --------
    >>> message = Message(Version.V1, b"public", Pdu.GET, 7, 0, 0, [((1, 3, 6, 1), None)])
    >>> decode(encode(message)) == message
    True
    """
    if len(message.bindings) > MAX_BINDINGS or len(message.community) > MAX_COMMUNITY:
        raise _bad("message", f"{len(message.bindings)} bindings", f"at most {MAX_BINDINGS}, community {MAX_COMMUNITY}")
    data = encode_pdu(message, encode_bindings(message.bindings))
    if len(data) > MAX_DATAGRAM:
        raise _bad("length of a datagram", f"{len(data)} octets", f"at most {MAX_DATAGRAM}")
    return data


def _bad(what: str, value: object, limit: str) -> BadDatagram:
    return BadDatagram(f"SNMP message: {what}", value, limit, "drop it")
