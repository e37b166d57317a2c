"""The object database of a virtual controller: what a master reads and sets, with transactions.

::

    1 normal --SET 2--> 2 transaction --SET 3--> 3 verify --by itself--> 6 done --SET 1--> 1 normal, committed
                             `--SET 1--> 1 normal, discarded

In a transaction GET returns the old values. Only the community that opened it, and the administrator, may go on.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from control.drivers.ber import Binding, ErrorStatus, Oid, Value
from control.drivers.objects import ADMINISTRATOR, DONE, NORMAL, TRANSACTION, VERIFY, oid
from control.drivers.tables_layout import Kind, Layout, Slot

Outcome = tuple[ErrorStatus, int]
GOOD: Outcome = (ErrorStatus.NO_ERROR, 0)
WHOLE: Outcome = (ErrorStatus.GEN_ERR, 0)
"""An error that concerns the request as a whole."""
STATE, VERIFY_STATUS, VERIFY_ERROR = oid("dbCreateTransaction"), oid("dbVerifyStatus"), oid("dbVerifyError")
NOT_DONE, DONE_WITH_ERROR, DONE_WITHOUT = 1, 2, 3
REMOTE_CONTROL = oid("unitControl")
_ALLOWED_NEXT: Mapping[int, frozenset[int]] = {
    NORMAL: frozenset({TRANSACTION}),
    TRANSACTION: frozenset({VERIFY, NORMAL}),
    VERIFY: frozenset(),
    DONE: frozenset({NORMAL, TRANSACTION}),
}


@dataclass(slots=True, kw_only=True)
class Tables:
    """Values by OID; fills `control.drivers.snmp.ObjectTable`.

    Attributes
    ----------
    layout
        All instances.
    read
        Returns the value of a status instance (anything read only, and controls, which live in the machine).
    act
        Takes the controls of a request that was accepted.
    check
        Returns what is inconsistent in the values that a commit would bring; empty where nothing is.
    committed
        Called after database values changed.
    is_remote
        Whether masters may set anything now.
    verify_ds
        How long a verification takes, tenths of the street's clock.
    """

    layout: Layout
    read: Callable[[str, tuple[int, ...]], Value]
    act: Callable[[Sequence[tuple[Slot, Value]]], None]
    check: Callable[[Mapping[Oid, Value]], str]
    committed: Callable[[], None]
    is_remote: Callable[[], bool] = lambda: True
    verify_ds: int = 5
    values: dict[Oid, Value] = field(default_factory=dict)
    state: int = NORMAL
    now_ds: int = 0
    _buffer: dict[Oid, Value] = field(default_factory=dict)
    _owner: bytes = b""
    _verify_status: int = NOT_DONE
    _verify_error: bytes = b""
    _verified_at_ds: int = 0
    _checksum: int | None = None

    # -- the agent's side -----------------------------------------------------------------------

    def get(self, oid: Oid) -> Value | None:
        """Return the value of an instance; None where there is none."""
        slot = self.layout.slots.get(oid)
        if slot is None:
            return None
        if oid == STATE:
            return self.state
        if oid == VERIFY_STATUS:
            return self._verify_status
        if oid == VERIFY_ERROR:
            return self._verify_error
        held = self.values.get(oid)
        if held is not None:
            return held
        if slot.kind in (Kind.STATUS, Kind.CONTROL):
            return self.read(slot.item.name, slot.index)
        return slot.default

    def after(self, oid: Oid) -> Binding | None:
        """Return the first instance after `oid`; None at the end."""
        place = bisect_right(self.layout.order, oid)
        if place == len(self.layout.order):
            return None
        following = self.layout.order[place]
        return Binding(following, self.get(following))

    def set(self, bindings: Sequence[Binding], community: bytes) -> Outcome:
        """Set all or none; see `ObjectTable`."""
        slots = []
        for position, (name, value) in enumerate(bindings, start=1):
            slot = self.layout.slots.get(name)
            fault = _fault(slot, value)
            if slot is None or fault is not None:
                return fault or ErrorStatus.NO_CREATION, position
            slots.append((slot, value))
        if not self.is_remote() and not _enables_remote(bindings):
            return WHOLE
        outcome = self._refusal(bindings, slots, community)
        if outcome is not None:
            return outcome
        self._accept(bindings, slots, community)
        return GOOD

    def _refusal(
        self, bindings: Sequence[Binding], slots: Sequence[tuple[Slot, Value]], community: bytes
    ) -> Outcome | None:
        is_stranger = self.state != NORMAL and community not in (self._owner, ADMINISTRATOR)
        state = self.state
        for position, (name, value) in enumerate(bindings, start=1):
            if name == STATE:
                if value not in _ALLOWED_NEXT[state]:
                    return ErrorStatus.INCONSISTENT_VALUE, position
                if is_stranger:
                    return WHOLE
                state = TRANSACTION if value == TRANSACTION else state
        for position, (slot, _) in enumerate(slots, start=1):
            if slot.kind not in (Kind.LOCKED, Kind.SETTING):
                continue
            if state in (VERIFY, DONE) or (state == TRANSACTION and is_stranger):
                return WHOLE
            if state == NORMAL and slot.kind is Kind.LOCKED:
                return ErrorStatus.GEN_ERR, position
        return None

    def _accept(self, bindings: Sequence[Binding], slots: Sequence[tuple[Slot, Value]], community: bytes) -> None:
        commands = [value for name, value in bindings if name == STATE]
        if TRANSACTION in commands:
            self._command(TRANSACTION, community)
        pairs = zip(bindings, slots, strict=True)
        changes = {name: value for (name, value), (slot, _) in pairs if slot.kind in (Kind.LOCKED, Kind.SETTING)}
        if self.state == TRANSACTION:
            self._buffer.update(changes)
        elif changes:
            self._store(changes)
        controls = [(s, v) for s, v in slots if s.kind is Kind.CONTROL and s.item.name != "dbCreateTransaction"]
        if controls:
            self.act(controls)
        for value in commands:
            if isinstance(value, int) and value != TRANSACTION:
                self._command(value, community)

    # -- transactions ---------------------------------------------------------------------------

    def _command(self, value: int, community: bytes) -> None:
        if value == TRANSACTION:
            if self.state == NORMAL:
                self._buffer, self._owner = {}, community
            self.state = TRANSACTION
        elif value == VERIFY:
            self.state, self._verify_status, self._verify_error = VERIFY, NOT_DONE, b""
            self._verified_at_ds = self.now_ds + self.verify_ds
            self.tick(self.now_ds)
        else:
            buffered, self._buffer = self._buffer, {}
            is_sound = self.state == DONE and self._verify_status == DONE_WITHOUT
            self.state, self._owner = NORMAL, b""
            if is_sound:
                self._store(buffered)

    def tick(self, now_ds: int) -> None:
        """Let the street's clock run: a verification ends by itself."""
        self.now_ds = now_ds
        if self.state == VERIFY and now_ds >= self._verified_at_ds:
            fault = self.check({**self.values, **self._buffer})
            self._verify_error = fault.encode()[:255]
            self._verify_status = DONE_WITH_ERROR if fault else DONE_WITHOUT
            self.state = DONE

    def restart(self) -> None:
        """Lose what a power failure loses: a transaction that was not committed, never a value that was."""
        self.state, self._owner, self._buffer = NORMAL, b"", {}
        self._verify_status, self._verify_error = NOT_DONE, b""

    def _store(self, changes: Mapping[Oid, Value]) -> None:
        self.values.update(changes)
        self._checksum = None
        self.committed()

    # -- the machine's side ---------------------------------------------------------------------

    def held(self, name: str, *index: int) -> Value:
        """Return a database value in effect, by name."""
        where = oid(name, *index)
        return self.values.get(where, self.layout.slots[where].default)

    def checksum(self) -> int:
        """Return 16 bits of a checksum over all that was configured; it moves with every edit."""
        if self._checksum is None:
            self._checksum = zlib.crc32(repr(sorted(self.values.items())).encode()) & 0xFFFF
        return self._checksum

    def whole(self, name: str, *index: int) -> int:
        """Return an integer database value in effect, by name."""
        value = self.held(name, *index)
        assert isinstance(value, int)
        return value


def _fault(slot: Slot | None, value: Value) -> ErrorStatus | None:
    if slot is None:
        return None
    if slot.kind is Kind.STATUS:
        return ErrorStatus.NOT_WRITABLE
    if slot.item.name == "unitControl" and isinstance(value, int) and value & 1:
        return ErrorStatus.WRONG_VALUE
    return slot.item.fault(value)


def _enables_remote(bindings: Sequence[Binding]) -> bool:
    """Whether a request only clears the bit of unitControl that disables remote commands."""
    return all(name == REMOTE_CONTROL and isinstance(value, int) and not value & 0b10 for name, value in bindings)
