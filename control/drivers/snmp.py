"""SNMP v1 and v2c over UDP: what an agent serves, and the manager that asks.

::

    client                                agent
      | ---- request 17 ------------------> |
      |            (lost)                   |
      | ---- request 17, again -----------> |
      | <------------------- answer 17 ---- |
      | <------------------- answer 17 ---- |   late or doubled: not asked for any more, ignored
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Protocol, Self, cast

from control.drivers import ber
from control.drivers.ber import (
    Answer,
    BadDatagram,
    Binding,
    Counter32,
    ErrorStatus,
    Gauge32,
    IpAddress,
    Message,
    NoValue,
    Oid,
    Pdu,
    TimeTicks,
    Value,
    Version,
)
from control.drivers.objects import describe
from traffic.errors import BadInput, ControllerFault, PlantLost

__all__ = [
    "Binding",
    "Counter32",
    "Endpoint",
    "ErrorStatus",
    "Gauge32",
    "IpAddress",
    "ObjectTable",
    "Oid",
    "Refused",
    "SnmpClient",
    "TimeTicks",
    "UdpWire",
    "Value",
    "Version",
    "Wire",
]


REFUSED_PAUSE_S = 0.05
_STATUS_WORDS = {int(status): status.name.lower().replace("_", " ") for status in ErrorStatus}


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


class Refused(ControllerFault):
    """The controller answered with an error status. `status` is its code, `instance` the object at fault."""

    status: int = ErrorStatus.GEN_ERR
    instance: Oid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a controller listens and how it is spoken to; `timeout_s` is wall time, per try."""

    host: str
    port: int = 161
    community: bytes = b"public"
    version: Version = Version.V1
    timeout_s: float = 0.5
    retries: int = 3
    max_bindings: int = 16


@dataclass(slots=True)
class ExchangeCounts:
    """What went over the wire so far. `stray` are datagrams that answered nothing we still ask."""

    sent: int = 0
    received: int = 0
    repeated: int = 0
    stray: int = 0
    malformed: int = 0
    octets: int = 0


class Wire(Protocol):
    """Carries datagrams to one controller and back; may lose, double, delay and reorder them."""

    def send(self, data: bytes) -> None:
        """Send a datagram; one that cannot be sent is one that was lost."""

    def receive(self, deadline_s: float) -> bytes | None:
        """Return the next datagram; None when `deadline_s` of the monotonic clock passes."""

    def close(self) -> None:
        """Give it back."""


class UdpWire:
    """A connected UDP socket: what others send is not seen."""

    def __init__(self, endpoint: Endpoint) -> None:
        where = f"controller at {endpoint.host}:{endpoint.port}"
        if not 0 < endpoint.port < 2**16:
            raise BadInput(where, endpoint.port, "a UDP port, 1-65535", "mend the address")
        try:
            found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, address = found[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.connect(address)
        except (OSError, OverflowError, UnicodeError) as error:
            raise BadInput(where, error, "a host and a UDP port", "mend the address") from error

    def send(self, data: bytes) -> None:
        """Send a datagram."""
        try:
            self._socket.send(data)
        except OSError:
            # No route, or a refusal that came by ICMP: the same as a datagram lost.
            return

    def receive(self, deadline_s: float) -> bytes | None:
        """Return the next datagram; None when the deadline passes."""
        while (left_s := deadline_s - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            try:
                return self._socket.recv(ber.MAX_DATAGRAM)
            except TimeoutError:
                return None
            except ConnectionError:
                # Nobody listens on that port now; somebody may before the deadline.
                time.sleep(max(min(REFUSED_PAUSE_S, deadline_s - time.monotonic()), 0.0))
        return None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class SnmpClient:
    """A manager's end of the wire to one controller; one thread at a time may use it."""

    def __init__(self, endpoint: Endpoint, wire: Wire | None = None) -> None:
        self.endpoint = endpoint
        self.counts = ExchangeCounts()
        self._max_bindings = endpoint.max_bindings
        self._request_id = int.from_bytes(os.urandom(3), "big") + 2**24
        self._wire: Wire = UdpWire(endpoint) if wire is None else wire

    def get(self, oid: Oid) -> Value:
        """Return the value of one instance; raises Refused where there is none."""
        return self.get_many((oid,))[0]

    def get_many(self, oids: Sequence[Oid]) -> list[Value]:
        """Return the values of these instances, in their order.

        Raises
        ------
        Refused
            If the controller has no such object or answers with another error.
        PlantLost
            If nobody answers.
        """
        values: list[Value] = []
        while len(values) < len(oids):
            chunk = tuple(oids[len(values) : len(values) + self._max_bindings])
            try:
                values += self._get_chunk(chunk)
            except Refused as refusal:
                self._halve(refusal, len(chunk))
        return values

    def find_many(self, oids: Sequence[Oid]) -> list[Value | None]:
        """Return values like `get_many`, with None for instances that the controller does not have."""
        found: dict[Oid, Value] = {}
        left = list(oids)
        while left:
            try:
                chunk = left[: self._max_bindings]
                found.update(zip(chunk, self.get_many(chunk), strict=True))
                del left[: len(chunk)]
            except Refused as refusal:
                if refusal.status != ErrorStatus.NO_SUCH_NAME or refusal.instance not in left:
                    raise
                left.remove(refusal.instance)
        return [found.get(oid) for oid in oids]

    def set(self, bindings: Sequence[tuple[Oid, Value]]) -> None:
        """Set all of these instances in one request, or none.

        A lost answer is asked for by sending the request again, so that it may be applied twice.
        """
        message = self._exchange(Pdu.SET, ber.encode_bindings(bindings))
        self._check([oid for oid, _ in bindings], message)

    def set_many(self, bindings: Sequence[tuple[Oid, Value]]) -> None:
        """Set these instances in as many requests as the controller's datagrams need."""
        done = 0
        while done < len(bindings):
            chunk = bindings[done : done + self._max_bindings]
            try:
                self.set(chunk)
                done += len(chunk)
            except Refused as refusal:
                self._halve(refusal, len(chunk))

    def walk(self, root: Oid, *, limit: int = 100_000) -> Iterator[Binding]:
        """Yield all instances under `root`, in order.

        Raises
        ------
        ControllerFault
            If the controller goes back or round in circles, or has more than `limit` instances.
        """
        last = root
        for _ in range(limit):
            step = self._next(last)
            if step is None or step.oid[: len(root)] != root:
                return
            if step.oid <= last:
                raise self._fault("walk", f"{describe(step.oid)} after {describe(last)}", "instances must rise")
            yield step
            last = step.oid
        raise self._fault("walk", f"over {limit} instances", "at most that many")

    def close(self) -> None:
        """Give the wire back."""
        self._wire.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Close."""
        self.close()

    def _next(self, oid: Oid) -> Binding | None:
        message = self._exchange(Pdu.GET_NEXT, _null_bindings((oid,)))
        if message.error_status == ErrorStatus.NO_SUCH_NAME:
            return None
        self._check(None, message)
        if len(message.bindings) != 1:
            raise self._fault("answer", f"{len(message.bindings)} bindings", "one was asked for")
        name, value = message.bindings[0]
        return None if isinstance(value, NoValue) else Binding(name, value)

    def _get_chunk(self, oids: tuple[Oid, ...]) -> list[Value]:
        message = self._exchange(Pdu.GET, _null_bindings(oids))
        self._check(oids, message)
        for name, value in message.bindings:
            if isinstance(value, NoValue):
                raise self._refusal(ErrorStatus.NO_SUCH_NAME, name)
        return [cast(Value, value) for _, value in message.bindings]

    def _check(self, oids: Sequence[Oid] | None, message: Message) -> None:
        """Raise unless the answer says no error and names what was asked for."""
        if message.error_status:
            position = message.error_index - 1
            names = list(oids) if oids is not None else [name for name, _ in message.bindings]
            raise self._refusal(message.error_status, names[position] if 0 <= position < len(names) else None)
        if oids is not None and [name for name, _ in message.bindings] != list(oids):
            raise self._fault("answer", "other objects than those asked for", "the same, in the same order")

    def _halve(self, refusal: Refused, n_bindings: int) -> None:
        """Ask for less at a time where the controller's answer did not fit a datagram."""
        if refusal.status != ErrorStatus.TOO_BIG or n_bindings < 2:
            raise refusal
        self._max_bindings = n_bindings // 2

    def _exchange(self, kind: Pdu, bindings: bytes) -> Message:
        end = self.endpoint
        self._request_id = self._request_id + 1 if self._request_id < 2**31 - 1 else 2**24
        head = Message(end.version, end.community, kind, self._request_id, 0, 0, ())
        data = ber.encode_pdu(head, bindings)
        for attempt in range(end.retries + 1):
            self.counts.repeated += attempt > 0
            self.counts.sent += 1
            self.counts.octets += len(data)
            self._wire.send(data)
            answer = self._receive(time.monotonic() + end.timeout_s)
            if answer is not None:
                return answer
        raise PlantLost(
            f"controller at {end.host}:{end.port}",
            f"no answer to {end.retries + 1} requests",
            f"{end.timeout_s} s each",
            "check that it runs, its address and its community",
        )

    def _receive(self, deadline_s: float) -> Message | None:
        """Return the answer to the last request; None when the deadline passes."""
        while (data := self._wire.receive(deadline_s)) is not None:
            self.counts.octets += len(data)
            try:
                message = ber.decode(data)
            except BadDatagram:
                self.counts.malformed += 1
                continue
            if message.kind is Pdu.RESPONSE and message.request_id == self._request_id:
                self.counts.received += 1
                return message
            self.counts.stray += 1
        return None

    def _refusal(self, status: int, instance: Oid | None) -> Refused:
        where = f"controller at {self.endpoint.host}:{self.endpoint.port}"
        what = where if instance is None else f"{where}, {describe(instance)}"
        word = _STATUS_WORDS.get(status, f"error {status}")
        error = Refused(what, word, "SNMP error status", "read its state, mend the request")
        error.status, error.instance = status, instance
        return error

    def _fault(self, what: str, value: str, limit: str) -> ControllerFault:
        where = f"controller at {self.endpoint.host}:{self.endpoint.port}, {what}"
        return ControllerFault(where, value, limit, "it does not speak SNMP properly; release it")


@lru_cache(maxsize=4096)
def _null_bindings(oids: tuple[Oid, ...]) -> bytes:
    """Return the encoded bindings of a question, kept because the same polls come again and again."""
    pairs: list[tuple[Oid, Answer]] = [(oid, None) for oid in oids]
    return ber.encode_bindings(pairs)
