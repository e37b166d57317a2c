"""The driver of an NTCIP 1202 controller: identify, load, select, refresh, status, release.

::

    load     who is it? may it be commanded? -> the pair not in effect -> transaction -> read everything back
    select   SET systemPatternControl (takes the lease) -> read back -> polls confirm within 3 cycles
    refresh  poll, judge, SET again: due every unitBackupTime / 3 of the street's clock
    release  SET systemPatternControl 0: the local plan

A plan that its tables cannot run is no SNMP error: the controller drops to free. So every poll is judged, and
what is lost is released at once and named.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from control.authority import authority_faults
from control.drivers.base import Pair, Selection, Verdict, green_conflicts, judge
from control.drivers.ber import Oid, Value
from control.drivers.ntcip_identity import Portrait, portray
from control.drivers.ntcip_plan import Bindings, plan_bindings, plan_from, unit_modes
from control.drivers.ntcip_status import poll_oids, status_from
from control.drivers.objects import STANDBY, describe, find, oid, word
from control.drivers.snmp import SnmpClient
from control.drivers.transaction import Transaction
from control.limits import GuardLimits, require_street
from traffic.errors import ControllerFault, PlantLost, TrafficError, UnsafeCommand
from traffic.ports import ControllerMode, ControllerStatus, Identity
from traffic.signals import Junction, Plan

PATTERN_CONTROL, SYNC_CONTROL, GLOBAL_TIME = oid("systemPatternControl"), oid("systemSyncControl"), oid("globalTime")
MIN_DRIFT_S, MAX_DRIFT_S = 2.0, 60.0
"""Drift of globalTime below which it is left alone, and above which it is not trusted."""
LOCAL_TIME_BASE = 255
"""systemSyncControl: offsets count from the local time base."""
LEASE_SHARE = 3
"""A lease is renewed this many times before it would lapse."""
PHASES_PER_GROUP = 8
EVERY_POLL = ("sysName",)
"""Scalar that tells, in every poll, whether it is still this controller."""
MARKS = (*EVERY_POLL, "globalSetIDParameter")
"""... and with this configuration: with every renewal of the lease, and before a command."""
ROW_OBJECTS = {"splitTime", "splitMode", "splitCoordPhase"}
PATTERN_OBJECTS = {
    "patternCycleTime",
    "patternOffsetTime",
    "patternSplitNumber",
    "patternSequenceNumber",
    "patternCoordSyncPoint",
}


class NtcipDriver:
    """Speaks to one controller.

    Parameters
    ----------
    client
        The wire, with a community that may write.
    junction
        What should be installed there.
    limits
        Of the street; others are refused.
    patterns
        Numbers of the centre's own two patterns; None takes the controller's two highest.
    fence
        Called before every SET; raises UnsafeCommand if somebody else may write now.
    sleep
        Waits, wall time.

    Raises
    ------
    UnsafeCommand
        If the limits are not those of a street.
    """

    def __init__(
        self,
        client: SnmpClient,
        junction: Junction,
        limits: GuardLimits,
        *,
        patterns: tuple[int, int] | None = None,
        fence: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        require_street(limits)
        self.client, self.junction, self.limits = client, junction, limits
        self._patterns, self._fence = patterns, fence
        self._where = f"controller of junction {junction.id} at {client.endpoint.host}:{client.endpoint.port}"
        self._transaction = Transaction(client=client, where=self._where, sleep=sleep)
        self._n_groups = -(-max(phase.number for phase in junction.phases) // PHASES_PER_GROUP)
        self._portrait: Portrait | None = None
        self._selection: Selection | None = None
        self._loaded: dict[int, Plan] = {}
        self._mark: dict[Oid, Value | None] = {}

    @property
    def is_confirmed(self) -> bool:
        """Whether the selected pattern was seen in effect."""
        return self._selection is not None and self._selection.is_confirmed

    @property
    def selected(self) -> int | None:
        """The pattern that was asked for; None after a release."""
        return None if self._selection is None else self._selection.pattern

    def is_refresh_due(self, time_s: float) -> bool:
        """Whether the lease should be renewed at this time of the street's clock."""
        if self._selection is None or self._portrait is None:
            return False
        return time_s - self._selection.refreshed_s >= self._portrait.identity.backup_time_s / LEASE_SHARE

    def identify(self) -> Identity:
        """Read who is there and what is installed; raises PlantLost if nobody answers."""
        self._portrait = portray(self.client, self.junction, self._patterns)
        self._mark = {oid(name): self._portrait.scalars[name] for name in MARKS if self._portrait.has(name)}
        return self._portrait.identity

    def status(self) -> ControllerStatus:
        """Poll, and judge the selection by it.

        Whether the configuration was edited is asked with every renewal of the lease, not here: many controllers
        compute the checksum when they are asked.

        Raises
        ------
        ControllerFault
            If the selected pattern is lost, with the controller's reason; it was released.
        PlantLost
            If nobody answers; the selection stands until its lease lapses.
        """
        return self._judged(EVERY_POLL)

    def _judged(self, marks: Sequence[str]) -> ControllerStatus:
        status, values = self._poll(marks)
        self._require_no_conflict(status)
        self._require_unchanged(values)
        if self._selection is None:
            return status
        asked = values[PATTERN_CONTROL]
        if asked not in (self._selection.pattern, STANDBY):
            ours, self._selection = self._selection.pattern, None
            what = f"{self._where}: systemPatternControl is {asked!r}"
            raise ControllerFault(what, None, f"{ours} was set", "another master writes; ours is given up")
        if asked == STANDBY:
            self._give_up("restarted" if "power restart" in status.alarms else "its lease lapsed, or it was released")
        verdict, reason = judge(self._selection, status)
        if verdict is Verdict.LOST:
            self._give_up(reason)
        self._selection.is_confirmed |= verdict is Verdict.CONFIRMED
        return status

    def load(self, plan: Plan) -> Plan:
        """Write a plan into the pair not in effect and return what was read back, under the pair's numbers.

        A pair that holds the plan already is left as it is.

        Raises
        ------
        UnsafeCommand
            If the controller may not be commanded now, or refuses the plan; nothing took effect.
        ControllerFault
            If what is read back differs; the controller was released.
        """
        portrait, status = self._require_authority()
        if plan.junction != self.junction.id:
            raise UnsafeCommand(f"{self._where}: plan for", plan.junction, "this junction's own", "send it there")
        self._require_unit_modes(plan, portrait)
        holding = next((pair for pair in portrait.pairs if self._holds(plan, pair, portrait)), None)
        pair = holding or self._free_pair(portrait, status)
        bindings = self._allowed(plan_objects(self.junction, plan, pair, portrait), portrait)
        if holding is None:
            self._loaded.pop(pair.pattern, None)
            self._fence()
            self._transaction.commit(bindings)
        self._loaded[pair.pattern] = plan_from(self.junction, plan, pair, self._compare(bindings))
        self._learn_mark()
        return self._loaded[pair.pattern]

    def select(self, pattern: int) -> None:
        """Ask for a pattern that was loaded and take the lease; polls confirm it.

        Raises
        ------
        UnsafeCommand
            If the pattern is none of the centre's, was not loaded or was changed since, or the controller may not
            be commanded now.
        """
        portrait, status = self._require_authority(is_known=bool(self._loaded))
        plan, pair = self._loaded.get(pattern), next((p for p in portrait.pairs if p.pattern == pattern), None)
        if plan is None or pair is None:
            own = " and ".join(str(p.pattern) for p in portrait.pairs)
            raise UnsafeCommand(f"{self._where}: pattern", pattern, f"ours are {own}, once loaded", "load a plan first")
        if not self._holds(plan, pair, portrait):
            del self._loaded[pattern]
            raise UnsafeCommand(f"{self._where}: pattern", pattern, "was changed since it was loaded", "load it again")
        bindings: Bindings = [(PATTERN_CONTROL, pattern)]
        if portrait.has("systemSyncControl"):
            bindings.append((SYNC_CONTROL, LOCAL_TIME_BASE))
        was = self._selection
        self._set(self._allowed(bindings, portrait))
        if was is None or was.pattern != pattern:
            longest_s = max([plan.pattern.cycle_s, *(p.pattern.cycle_s for p in self._loaded.values())])
            was = Selection(pattern=pattern, cycle_s=longest_s, since_s=status.time_s, refreshed_s=status.time_s)
        was.refreshed_s = status.time_s
        self._selection = was
        self._compare(bindings[:1])

    def refresh(self) -> None:
        """Poll, judge, and renew the lease; in a preempt only poll, the controller comes back by itself.

        Raises
        ------
        UnsafeCommand
            If nothing is selected, or remote commands are disabled.
        ControllerFault
            If the selection is lost; it was released.
        """
        status = self._judged(MARKS)
        if self._selection is None or self._portrait is None:
            raise UnsafeCommand(f"{self._where}: refresh", "nothing is selected", "", "select a pattern first")
        if status.mode is ControllerMode.PREEMPT:
            return
        if not status.is_remote_enabled:
            raise UnsafeCommand(f"{self._where}: unitControl", "remote commands disabled", "", "its lease will lapse")
        if not 0 < status.backup_time_s <= self.limits.max_backup_time_s:
            held = f"its fail-safe time-out is now {status.backup_time_s} s"
            self._give_up(f"{held} (1-{self.limits.max_backup_time_s} s)")
        bindings: Bindings = [(PATTERN_CONTROL, self._selection.pattern)]
        self._set(self._allowed(bindings, self._portrait))
        self._selection.refreshed_s = status.time_s
        self._compare(bindings)

    def release(self) -> None:
        """Hand back to the local plan, and read back that it was; raises PlantLost if nobody answers."""
        self._selection = None
        if self.client.get(PATTERN_CONTROL) != STANDBY:
            self._set([(PATTERN_CONTROL, STANDBY)])
        left = self.client.get(PATTERN_CONTROL)
        if left != STANDBY:
            where = f"{self._where}: after release"
            raise ControllerFault(where, left, "0, standby", "its lease will lapse; a person looks")

    def keep_time(self, now: datetime) -> float:
        """Return how far the controller's clock is ahead, seconds; set it where that is 2 to 60 s.

        `now` is the true time of the street. Nothing is set in transition, or in a mode that forbids commands.

        Raises
        ------
        ControllerFault
            If the clock is off by more than a minute: a person looks before it is trusted or moved.
        """
        status = self.status()
        drift_s = status.time_s - now.timestamp()
        if abs(drift_s) > MAX_DRIFT_S:
            what = f"{self._where}: globalTime is off by"
            limit = f"set for {MIN_DRIFT_S:g} to {MAX_DRIFT_S:g} s only"
            raise ControllerFault(what, f"{drift_s:.0f} s", limit, "find out why, set it by hand")
        is_settled = status.mode in (ControllerMode.COORDINATED, ControllerMode.FREE) and status.is_remote_enabled
        if abs(drift_s) >= MIN_DRIFT_S and is_settled:
            self._set([(GLOBAL_TIME, round(now.timestamp()))])
        return drift_s

    # -- authority ----------------------------------------------------------------------------

    def _require_authority(self, *, is_known: bool = False) -> tuple[Portrait, ControllerStatus]:
        """Read status, and identity unless its checksum stands for it; raise UnsafeCommand with every reason not to."""
        if not is_known or oid("globalSetIDParameter") not in self._mark:
            self.identify()
        status = self._judged(MARKS)
        held = self.client.get(PATTERN_CONTROL) if self._selection is None else STANDBY
        if held != STANDBY:
            what = f"{self._where}: systemPatternControl"
            raise UnsafeCommand(what, held, "another master's lease stands", "release it, or wait until it lapses")
        assert self._portrait is not None
        identity = self._portrait.identity
        # The hash fault is named by what differs.
        differences = "; ".join(self._portrait.differences[:4])
        named = replace(identity, config_hash=f"{identity.config_hash}: {differences}") if differences else identity
        faults = authority_faults(self.junction, named, status, self.limits)
        if faults:
            raise UnsafeCommand(self._where, "; ".join(faults), next_move="nothing was written, its own plan runs")
        return self._portrait, status

    def _require_unit_modes(self, plan: Plan, portrait: Portrait) -> None:
        for name, wanted in unit_modes(plan).items():
            held = portrait.scalars[name]
            if isinstance(held, int) and held != wanted:
                what = f"{self._where}: {name} is {word(name, held)}"
                limit = f"the plan wants {word(name, wanted)}; it holds for local plans too and is not written"
                raise UnsafeCommand(what, None, limit, "plan with the installed one")

    def _allowed(self, bindings: Bindings, portrait: Portrait) -> Bindings:
        """Return bindings if each is an object and value that we may write; raise UnsafeCommand otherwise."""
        for name, value in bindings:
            if not is_allowed(name, value, portrait.pairs):
                told = f"{describe(name)} = {value!r}"
                raise UnsafeCommand(f"{self._where}: SET", told, "outside the allow-list", "mend the plan")
        return bindings

    # -- the wire -----------------------------------------------------------------------------

    def _poll(self, marks: Sequence[str]) -> tuple[ControllerStatus, Mapping[Oid, Value]]:
        if self._portrait is None:
            self.identify()
        assert self._portrait is not None
        known = [oid(name) for name in marks if oid(name) in self._mark]
        oids = (*poll_oids(self._portrait.optional, self._n_groups), *known)
        values = dict(zip(oids, self.client.get_many(oids), strict=True))
        return status_from(values, self._n_groups), values

    def _set(self, bindings: Bindings) -> None:
        self._fence()
        self.client.set(bindings)

    def _holds(self, plan: Plan, pair: Pair, portrait: Portrait) -> bool:
        """Whether a pair holds exactly this plan."""
        wanted = dict(plan_objects(self.junction, plan, pair, portrait))
        return self.client.get_many(list(wanted)) == list(wanted.values())

    def _free_pair(self, portrait: Portrait, status: ControllerStatus) -> Pair:
        """Return the reserved pair that is neither running nor asked for."""
        busy = {status.pattern, self.client.get(PATTERN_CONTROL), self.selected}
        free = [pair for pair in portrait.pairs if pair.pattern not in busy]
        if not free:
            raise UnsafeCommand(f"{self._where}: both reserved patterns", "in use", "one must be free", "wait")
        return free[0]

    def _compare(self, bindings: Sequence[tuple[Oid, Value]]) -> Mapping[Oid, Value]:
        """Read back what was written and return it; release and raise where it differs."""
        read = self.client.get_many([name for name, _ in bindings])
        for (name, wrote), held in zip(bindings, read, strict=True):
            if held != wrote:
                self._give_up(f"{describe(name)} reads back {held!r}, {wrote!r} was written")
        return dict(bindings)

    def _require_no_conflict(self, status: ControllerStatus) -> None:
        if status.mode is ControllerMode.FLASH:
            return
        conflicts = green_conflicts(self.junction, status)
        if conflicts:
            self._give_up("; ".join(conflicts))

    def _learn_mark(self) -> None:
        """Remember the configuration's checksum after a change of our own."""
        self._mark = dict(zip(self._mark, self.client.get_many(list(self._mark)), strict=True))

    def _require_unchanged(self, values: Mapping[Oid, Value]) -> None:
        """Look closer where a poll says that it is another controller, or that its configuration was edited."""
        if all(values.get(name, known) == known for name, known in self._mark.items()):
            return
        identity = self.identify()
        if identity.junction != self.junction.id:
            self._selection = None
            what, limit = f"{self._where}: answers as", f"not {self.junction.id}"
            raise ControllerFault(what, identity.junction, limit, "nothing was written; check the addresses")
        assert self._portrait is not None
        if self._selection is not None and self._portrait.differences:
            self._give_up(f"its configuration was edited: {'; '.join(self._portrait.differences[:4])}")
        pair = next((pair for pair in self._portrait.pairs if pair.pattern == self.selected), None)
        if pair is not None and not self._holds(self._loaded[pair.pattern], pair, self._portrait):
            self._give_up(f"pattern {pair.pattern} was edited while it was in effect")

    def _give_up(self, reason: str) -> None:
        """Release and raise ControllerFault with the reason."""
        outcome = "released, its own plan runs; a person looks"
        try:
            self.release()
        except PlantLost:
            outcome = "it does not answer the release; its lease will lapse"
        except TrafficError as error:
            outcome = f"the release failed ({error.where}: {error.value}); its lease will lapse"
        raise ControllerFault(self._where, reason, next_move=outcome)


def plan_objects(junction: Junction, plan: Plan, pair: Pair, portrait: Portrait) -> Bindings:
    """Return all that a pair must hold for a plan at this controller."""
    bindings = plan_bindings(junction, plan, pair, has_sync_point=portrait.has_sync_point)
    if pair.pattern in portrait.renumbered:
        bindings.append((oid("patternSplitNumber", pair.pattern), pair.split))
    return bindings


def is_allowed(name: Oid, value: Value, pairs: Sequence[Pair]) -> bool:
    """Whether we may set this instance to this value: control objects, and rows of the centre's own pairs."""
    found = find(name)
    if found is None or found[0].fault(value) is not None:
        return False
    item, index = found
    if item.name in ROW_OBJECTS:
        return index[0] in {pair.split for pair in pairs}
    if item.name in PATTERN_OBJECTS:
        return index[0] in {pair.pattern for pair in pairs}
    if item.name == "systemPatternControl":
        return value == STANDBY or value in {pair.pattern for pair in pairs}
    return item.name == "systemSyncControl" and value == LOCAL_TIME_BASE
