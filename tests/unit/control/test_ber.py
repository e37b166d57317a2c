"""The SNMP codec: known octets, round trips, and no other exception on any input."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.drivers.ber import (
    MAX_BINDINGS,
    MAX_DATAGRAM,
    BadDatagram,
    Counter32,
    Counter64,
    Gauge32,
    IpAddress,
    Message,
    NoValue,
    Opaque,
    Pdu,
    TimeTicks,
    Version,
    decode,
    decode_oid,
    encode,
    encode_integer,
    encode_oid,
    encode_value,
    wrap,
)

SYS_DESCR = (1, 3, 6, 1, 2, 1, 1, 1, 0)
GET_SYS_DESCR = bytes.fromhex("302902010004067075626c6963a01c02041de0ab7a020100020100300e300c06082b060102010101000500")


def make_message(bindings: list[tuple[tuple[int, ...], object]] | None = None, **changes: object) -> Message:
    fields: dict[str, object] = {
        "version": Version.V1,
        "community": b"public",
        "kind": Pdu.RESPONSE,
        "request_id": 0x1DE0AB7A,
        "error_status": 0,
        "error_index": 0,
        "bindings": [(SYS_DESCR, None)] if bindings is None else bindings,
    }
    return Message(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_get_has_the_octets_that_net_snmp_sends():
    message = make_message(kind=Pdu.GET)
    assert encode(message) == GET_SYS_DESCR
    assert decode(GET_SYS_DESCR) == message


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (-128, "020180"),
        (-129, "0202ff7f"),
        (2**31 - 1, "02047fffffff"),
        (-(2**31), "020480000000"),
        (2**32 - 1, "020500ffffffff"),
        (b"", "0400"),
        (b"\x02\x06", "04020206"),
        (None, "0500"),
        ((0, 0), "060100"),
        ((1, 3, 6, 1, 4, 1, 1206), "06072b060104018936"),
        ((2, 999, 3), "0603883703"),
        (Counter32(2**32 - 1), "410500ffffffff"),
        (Gauge32(5), "420105"),
        (TimeTicks(256), "43020100"),
        (Counter64(2**64 - 1), "460900ffffffffffffffff"),
        (IpAddress(b"\x7f\x00\x00\x01"), "40047f000001"),
        (Opaque(b"\x9f"), "44019f"),
        (NoValue.NO_SUCH_INSTANCE, "8100"),
    ],
)
def test_values_have_their_octets_and_come_back_with_their_type(value, octets):
    assert encode_value(value).hex() == octets
    back = decode(encode(make_message([(SYS_DESCR, value)]))).bindings[0][1]
    assert back == value and type(back) is type(value)


@pytest.mark.parametrize("n_octets", [127, 128, 255, 256, 65_000])
def test_lengths_grow_with_the_content(n_octets):
    value = b"x" * n_octets
    assert decode(encode(make_message([(SYS_DESCR, value)]))).bindings[0][1] == value


OIDS = st.builds(
    lambda head, rest: (*head, *rest),
    st.one_of(st.tuples(st.integers(0, 1), st.integers(0, 39)), st.tuples(st.just(2), st.integers(0, 2**32 - 1))),
    st.lists(st.integers(0, 2**32 - 1), max_size=20),
)
VALUES = st.one_of(
    st.integers(-(2**31), 2**32 - 1),
    st.binary(max_size=300),
    st.none(),
    OIDS,
    st.sampled_from(NoValue),
    st.integers(0, 2**32 - 1).map(Counter32),
    st.integers(0, 2**64 - 1).map(Counter64),
)
MESSAGES = st.builds(
    Message,
    st.sampled_from(Version),
    st.binary(max_size=255),
    st.sampled_from([Pdu.GET, Pdu.GET_NEXT, Pdu.RESPONSE, Pdu.SET]),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(0, 255),
    st.integers(0, 255),
    st.lists(st.tuples(OIDS, VALUES), max_size=12),
)


@given(MESSAGES)
@settings(deadline=None)
def test_what_is_encoded_decodes_to_the_same(message):
    assert decode(encode(message)) == message


@given(st.binary(max_size=400))
@settings(max_examples=400, deadline=None)
def test_random_octets_give_a_message_or_bad_datagram(data):
    try:
        message = decode(data)
    except BadDatagram:
        return
    assert isinstance(message.kind, Pdu)


@given(MESSAGES, st.data())
@settings(max_examples=400, deadline=None)
def test_a_damaged_message_gives_a_message_or_bad_datagram(message, data):
    octets = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, len(octets) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "double", "insert"])):
            case "flip":
                octets[where] = data.draw(st.integers(0, 255))
            case "cut":
                del octets[max(where, 1) :]
            case "double":
                octets[where:where] = octets[where : where + 8]
            case _:
                octets[where:where] = data.draw(st.binary(max_size=6))
    try:
        damaged = decode(bytes(octets))
    except BadDatagram:
        return
    assert decode(encode(damaged)) == damaged


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x30", id="a tag alone"),
        pytest.param(b"\x30\x80\x00\x00", id="indefinite length"),
        pytest.param(b"\x30\x85\x01\x00\x00\x00\x00", id="length of five octets"),
        pytest.param(b"\x30\x84\xff\xff\xff\xff", id="length beyond the datagram"),
        pytest.param(GET_SYS_DESCR[:-1], id="cut off"),
        pytest.param(GET_SYS_DESCR + b"\x00", id="an octet too many"),
        pytest.param(GET_SYS_DESCR.replace(b"\x02\x01\x00\x04", b"\x02\x01\x03\x04"), id="version 3"),
        pytest.param(GET_SYS_DESCR.replace(b"\xa0", b"\xa4"), id="a trap"),
        pytest.param(GET_SYS_DESCR.replace(b"\xa0", b"\xa5"), id="bulk in v1"),
        pytest.param(GET_SYS_DESCR.replace(b"\x05\x00", b"\x0a\x00"), id="unknown type"),
        pytest.param(GET_SYS_DESCR.replace(b"\x01\x00\x05", b"\x01\x80\x05"), id="an OID that never ends"),
        pytest.param(b"\x00" * (MAX_DATAGRAM + 1), id="too long"),
    ],
)
def test_malformed_messages_are_bad_datagrams_in_one_line(data):
    with pytest.raises(BadDatagram) as caught:
        decode(data)
    assert "\n" not in str(caught.value) and "drop it" in str(caught.value)


def test_more_bindings_than_the_limit_are_refused_both_ways():
    bindings = [((1, 3, 6, 1), None)] * (MAX_BINDINGS + 1)
    with pytest.raises(BadDatagram):
        encode(make_message(bindings))
    one = wrap(0x30, encode_oid((1, 3, 6, 1)) + b"\x05\x00")
    pdu = encode_integer(1) + encode_integer(0) + encode_integer(0) + wrap(0x30, one * (MAX_BINDINGS + 1))
    data = wrap(0x30, encode_integer(0) + wrap(0x04, b"public") + wrap(0xA0, pdu))
    with pytest.raises(BadDatagram, match="bindings"):
        decode(data)


@pytest.mark.parametrize(
    "value",
    [2**32, -(2**31) - 1, Counter32(-1), Counter64(2**64), IpAddress(b"abc"), (1,), (3, 1), (1, 40), (1, 3, -1), ()],
    ids=repr,
)
def test_values_that_fit_no_snmp_type_cannot_be_encoded(value):
    with pytest.raises(BadDatagram):
        encode_value(value)


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x2b\x80\x01", b"\x2b\x9f\xff\xff\xff\xff\x7f", b"\x00" * 200])
def test_malformed_oids_are_refused(content):
    with pytest.raises(BadDatagram):
        decode_oid(content)


def test_lengths_in_a_long_form_that_net_snmp_uses_are_read():
    long = b"\x30\x82\x00" + bytes([len(GET_SYS_DESCR) - 2]) + GET_SYS_DESCR[2:]
    assert decode(long) == decode(GET_SYS_DESCR)
