"""An SNMP agent on UDP: one port for each object table, one thread for all of them."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from control.drivers import ber
from control.drivers.ber import Answer, BadDatagram, Binding, ErrorStatus, Message, NoValue, Oid, Pairs, Pdu, Version
from control.drivers.objects import find
from control.drivers.snmp import ObjectTable
from traffic.errors import BadInput, TrafficError

MAX_REPETITIONS = 128
"""Rows that one GETBULK gets at most."""
DATAGRAMS_PER_TURN = 32
"""Datagrams that one port may have answered before the others get their turn."""

_V1_STATUS = {
    ErrorStatus.NO_ACCESS: ErrorStatus.NO_SUCH_NAME,
    ErrorStatus.NOT_WRITABLE: ErrorStatus.NO_SUCH_NAME,
    ErrorStatus.NO_CREATION: ErrorStatus.NO_SUCH_NAME,
    ErrorStatus.INCONSISTENT_NAME: ErrorStatus.NO_SUCH_NAME,
    ErrorStatus.AUTHORIZATION_ERROR: ErrorStatus.NO_SUCH_NAME,
    ErrorStatus.WRONG_TYPE: ErrorStatus.BAD_VALUE,
    ErrorStatus.WRONG_LENGTH: ErrorStatus.BAD_VALUE,
    ErrorStatus.WRONG_ENCODING: ErrorStatus.BAD_VALUE,
    ErrorStatus.WRONG_VALUE: ErrorStatus.BAD_VALUE,
    ErrorStatus.INCONSISTENT_VALUE: ErrorStatus.BAD_VALUE,
    ErrorStatus.RESOURCE_UNAVAILABLE: ErrorStatus.GEN_ERR,
    ErrorStatus.COMMIT_FAILED: ErrorStatus.GEN_ERR,
    ErrorStatus.UNDO_FAILED: ErrorStatus.GEN_ERR,
}
"""RFC 3584, section 4.4."""
_V2_STATUS = {
    ErrorStatus.NO_SUCH_NAME: ErrorStatus.NO_CREATION,
    ErrorStatus.BAD_VALUE: ErrorStatus.WRONG_VALUE,
    ErrorStatus.READ_ONLY: ErrorStatus.NOT_WRITABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may do what: communities that read, communities that also write, octets of the longest answer."""

    read: frozenset[bytes] = frozenset({b"public"})
    write: frozenset[bytes] = frozenset({b"administrator"})
    max_octets: int = 1472


@dataclass(slots=True)
class AgentCounts:
    """What came in so far, and what became of it (the names are those of RFC 3418 where it has one)."""

    in_packets: int = 0
    out_packets: int = 0
    bad_community: int = 0
    malformed: int = 0
    too_big: int = 0
    silent: int = 0


@dataclass(slots=True)
class Responder:
    """What an agent answers; no sockets."""

    access: Access = field(default_factory=Access)
    counts: AgentCounts = field(default_factory=AgentCounts)

    def answer(self, table: ObjectTable, data: bytes) -> bytes | None:
        """Return the answer to a datagram; None where SNMP answers nothing (malformed, unknown community)."""
        self.counts.in_packets += 1
        try:
            request = ber.decode(data)
        except BadDatagram:
            self.counts.malformed += 1
            return None
        if request.community not in self.access.read and request.community not in self.access.write:
            self.counts.bad_community += 1
            return None
        if request.kind is Pdu.RESPONSE:
            self.counts.silent += 1
            return None
        self.counts.out_packets += 1
        return self._fitting(request, self._reply(table, request))

    def _reply(self, table: ObjectTable, request: Message) -> Message:
        try:
            match request.kind:
                case Pdu.GET:
                    return _got(request, [(oid, _value(table, oid)) for oid, _ in request.bindings])
                case Pdu.GET_NEXT:
                    return _got(request, [_following(table, oid) for oid, _ in request.bindings])
                case Pdu.GET_BULK:
                    return _got(request, _bulk(table, request))
                case _:
                    return self._set(table, request)
        except TrafficError:
            return _refusal(request, ErrorStatus.GEN_ERR, 0)

    def _set(self, table: ObjectTable, request: Message) -> Message:
        if request.community not in self.access.write:
            return _refusal(request, ErrorStatus.NO_ACCESS, 1)
        for position, (_, value) in enumerate(request.bindings, start=1):
            if isinstance(value, NoValue) or value is None:
                return _refusal(request, ErrorStatus.WRONG_TYPE, position)
        bindings = [Binding(oid, cast(ber.Value, value)) for oid, value in request.bindings]
        status, position = table.set(bindings, request.community)
        return _refusal(request, status, position) if status else request._replace(kind=Pdu.RESPONSE)

    def _fitting(self, request: Message, reply: Message) -> bytes:
        """Return the octets of a reply, of a shorter one, or of tooBig."""
        try:
            data = ber.encode(reply)
        except BadDatagram:
            # A table's value that fits no SNMP type.
            reply = _refusal(request, ErrorStatus.GEN_ERR, 0)
            data = ber.encode(reply)
        while len(data) > self.access.max_octets and request.kind is Pdu.GET_BULK and len(reply.bindings) > 1:
            kept = max(len(reply.bindings) * self.access.max_octets // len(data) - 1, 1)
            reply = reply._replace(bindings=reply.bindings[:kept])
            data = ber.encode(reply)
        if len(data) > self.access.max_octets:
            self.counts.too_big += 1
            reply = _refusal(request, ErrorStatus.TOO_BIG, 0)
            data = ber.encode(reply)
            # v1 gives the request's bindings back, v2c none (RFC 3416, 4.2.1).
            if request.version is not Version.V1 or len(data) > self.access.max_octets:
                data = ber.encode(reply._replace(bindings=()))
        return data


def _got(request: Message, pairs: Pairs) -> Message:
    """Return the reply to a get; in v1 the first missing value is an error and the rest untold."""
    if request.version is Version.V1:
        for position, (_, value) in enumerate(pairs, start=1):
            if isinstance(value, NoValue):
                return _refusal(request, ErrorStatus.NO_SUCH_NAME, position)
    return request._replace(kind=Pdu.RESPONSE, error_status=0, error_index=0, bindings=pairs)


def _refusal(request: Message, status: ErrorStatus, position: int) -> Message:
    codes = _V1_STATUS if request.version is Version.V1 else _V2_STATUS
    code = codes.get(status, status)
    return request._replace(kind=Pdu.RESPONSE, error_status=int(code), error_index=position)


def _value(table: ObjectTable, oid: Oid) -> Answer:
    value = table.get(oid)
    if value is not None:
        return value
    known = find(oid)
    column = known[0].oid if known else oid[:-1]
    first = table.after(column)
    is_object = first is not None and first.oid[: len(column)] == column
    return NoValue.NO_SUCH_INSTANCE if is_object else NoValue.NO_SUCH_OBJECT


def _following(table: ObjectTable, oid: Oid) -> tuple[Oid, Answer]:
    found = table.after(oid)
    return (oid, NoValue.END_OF_MIB_VIEW) if found is None else found


def _bulk(table: ObjectTable, request: Message) -> list[tuple[Oid, Answer]]:
    """Return what RFC 3416, 4.2.3, asks for, row by row."""
    n_single = min(max(request.error_status, 0), len(request.bindings))
    n_rows = min(max(request.error_index, 0), MAX_REPETITIONS)
    pairs = [_following(table, oid) for oid, _ in request.bindings[:n_single]]
    row: Sequence[Oid] = [oid for oid, _ in request.bindings[n_single:]]
    for _ in range(n_rows):
        found = [_following(table, oid) for oid in row]
        pairs += found
        row = [oid for oid, _ in found]
        is_over = all(isinstance(value, NoValue) for _, value in found)
        if is_over or len(pairs) + len(row) > ber.MAX_BINDINGS:
            break
    return pairs


class SnmpAgent:
    """Serves object tables on UDP; `serve` in a loop of one's own, or `start` for a thread."""

    def __init__(self, access: Access | None = None, host: str = "127.0.0.1") -> None:
        self.host = host
        self.responder = Responder(access or Access())
        self._selector = selectors.DefaultSelector()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def counts(self) -> AgentCounts:
        """What came in so far."""
        return self.responder.counts

    def add(self, table: ObjectTable, port: int = 0) -> int:
        """Serve a table on this port (0 = any free one) and return the port."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            listener.bind((self.host, port))
        except (OSError, OverflowError) as error:
            listener.close()
            where = f"agent on {self.host}:{port}"
            raise BadInput(where, error, "a free UDP port of this machine", "choose another") from error
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, table)
        return int(listener.getsockname()[1])

    def serve(self, timeout_s: float) -> int:
        """Answer what is there, waiting at most `timeout_s` for it; return the number of datagrams taken."""
        n_taken = 0
        for key, _ in self._selector.select(timeout_s):
            n_taken += self._drain(cast(socket.socket, key.fileobj), cast(ObjectTable, key.data))
        return n_taken

    def start(self, turn: Callable[[], object] | None = None) -> None:
        """Serve in a thread until `close`, calling `turn` between datagrams, every 50 ms at least."""

        def loop() -> None:
            while not self._stop.is_set():
                self.serve(0.05)
                if turn is not None:
                    turn()

        self._thread = threading.Thread(target=loop, name="snmp-agent", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and give the ports back; may be repeated."""
        if self._stop.is_set():
            return
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            cast(socket.socket, key.fileobj).close()
        self._selector.close()

    def _drain(self, listener: socket.socket, table: ObjectTable) -> int:
        for n_taken in range(DATAGRAMS_PER_TURN):
            try:
                data, sender = listener.recvfrom(ber.MAX_DATAGRAM)
                answer = self.responder.answer(table, data)
                if answer is not None:
                    listener.sendto(answer, sender)
            except BlockingIOError:
                return n_taken
            except OSError:
                # The sender is gone or cannot be reached: the same as an answer lost.
                self.counts.silent += 1
        return DATAGRAMS_PER_TURN
