"""The commit dialogue of NTCIP 1201: all of a plan takes effect, or none of it.

::

    1 normal --SET 2--> 2 transaction --SETs, SET 3--> 3 verify --by itself--> 6 done --SET 1--> 1 normal
                             |                                                   |
                             +--SET 1: discard                                   +--SET 2, SET 1: discard

A request whose answer was lost is sent again, so a command can meet the state that it made itself;
then the agent says badValue, and reading the state tells that it was done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from control.drivers.ber import ErrorStatus, Oid, Value
from control.drivers.objects import DONE, NORMAL, TRANSACTION, VERIFY, oid, word
from control.drivers.snmp import Refused, SnmpClient
from traffic.errors import ControllerFault, TrafficError, UnsafeCommand

STATE, STATUS, ERROR = oid("dbCreateTransaction"), oid("dbVerifyStatus"), oid("dbVerifyError")
NO_ERROR_FOUND = 3
_BAD_VALUES = {ErrorStatus.BAD_VALUE, ErrorStatus.WRONG_VALUE, ErrorStatus.INCONSISTENT_VALUE}


@dataclass(slots=True, kw_only=True)
class Transaction:
    """One commit at one controller. Times are wall time: they wait for its processor, not for the street."""

    client: SnmpClient
    where: str
    verify_s: float = 10.0
    poll_s: float = 0.02
    stale_s: float = 5.0
    sleep: Callable[[float], None] = time.sleep

    def commit(self, bindings: Sequence[tuple[Oid, Value]]) -> None:
        """Write these objects, have them verified, and put them into effect.

        Raises
        ------
        UnsafeCommand
            If the controller's own verification refuses them; nothing took effect.
        ControllerFault
            If another master has a transaction open, verification never ends, or it restarted meanwhile.
        PlantLost
            If it stops answering; what was not committed takes no effect.
        """
        self._begin()
        try:
            self.client.set_many(bindings)
            self._command(VERIFY, {VERIFY, DONE})
            self._await_done()
            self._require_verified()
        except TrafficError:
            self.discard()
            raise
        self._command(NORMAL, {NORMAL})

    def discard(self) -> None:
        """Throw away what is buffered, as well as can be; never commits it."""
        try:
            state = self._state()
            if state == DONE:
                self._command(TRANSACTION, {TRANSACTION})
            if state in (TRANSACTION, DONE):
                self._command(NORMAL, {NORMAL})
        except TrafficError:
            # It does not answer, or the transaction is another's: what is buffered has no effect.
            return

    def _begin(self) -> None:
        """Open a transaction; one that stands open longer than any master needs is a dead one's, and discarded."""
        self._await_normal()
        repeated = self.client.counts.repeated
        try:
            self.client.set([(STATE, TRANSACTION)])
        except Refused as refusal:
            if refusal.status not in _BAD_VALUES:
                raise
            if self.client.counts.repeated > repeated and self._state() == TRANSACTION:
                return
            # Another master was faster, or the network doubled our request: whoever it was, let it end first.
            self._await_normal()
            self.client.set([(STATE, TRANSACTION)])

    def _await_normal(self) -> None:
        state = self._state()
        waited_s = 0.0
        while state != NORMAL and waited_s < self.stale_s:
            self.sleep(self.poll_s)
            waited_s += self.poll_s
            state = self._state()
        if state in (TRANSACTION, DONE):
            self.discard()
            state = self._state()
        if state != NORMAL:
            raise self._fault("a transaction is open", word("dbCreateTransaction", state), "normal before ours begins")

    def _await_done(self) -> None:
        waited_s = 0.0
        while (state := self._state()) != DONE:
            if state != VERIFY:
                raise self._fault("it left its verification", word("dbCreateTransaction", state), "verify, then done")
            if waited_s >= self.verify_s:
                raise self._fault("its verification does not end", f"{waited_s:g} s", f"at most {self.verify_s:g} s")
            self.sleep(self.poll_s)
            waited_s += self.poll_s

    def _require_verified(self) -> None:
        status, text = self.client.get_many((STATUS, ERROR))
        if status != NO_ERROR_FOUND:
            said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
            raise UnsafeCommand(f"{self.where}: it refused the plan", said or status, "", "the running plan stays")

    def _command(self, value: int, reached: Collection[int]) -> None:
        """Set the state of a transaction of ours; a repetition may meet its own effect: then the state tells."""
        try:
            self.client.set([(STATE, value)])
        except Refused as refusal:
            if refusal.status not in _BAD_VALUES or self._state() not in reached:
                raise

    def _state(self) -> int:
        state = self.client.get(STATE)
        return state if isinstance(state, int) else 0

    def _fault(self, what: str, value: str, limit: str) -> ControllerFault:
        return ControllerFault(f"{self.where}: {what}", value, limit, "nothing took effect; look who else writes")
