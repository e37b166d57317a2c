"""Nothing reaches a street without it: a Plant that wraps a Plant, refuses what is unsafe, and reads back.

::

    controller --decisions--> GUARD --decisions--> plant (twin, queue model, driver)
               <--snapshot--        <--snapshot--

Refused: the whole batch, with one line; the running plan stays. Forced: the oldest call, before
its red reaches the limit. Released at once: a junction whose lamps read back show a conflict or a
clearance cut short.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil, floor, inf
from typing import Protocol, runtime_checkable

from control.audit import MemoryAudit
from control.authority import authority_faults, identity_faults, status_faults
from control.charge import Charge, GuardCounts, Timing
from control.clearance import clearance_audit
from control.decision_rules import extend_fault, stage_fault, stage_index_fault
from control.lamp_rules import Foes, lamp_faults, without_merges
from control.limits import GuardLimits, Profile, legacy_limits, require_street, street_limits
from control.longest_red import SAMPLING_S, CallWatch, require_bounded_reds
from control.plan_rules import order_faults, pedestrian_faults, plan_faults
from control.readback import StageReadback
from control.shape_rules import decision_fault, snapshot_fault
from control.stage_table import StageTable, stage_table
from traffic.decisions import Decision, Extend, Release, SelectPattern, Stage
from traffic.errors import PlantLost, UnsafeCommand
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.ports import AuditLog, ControllerStatus, Identity, Plant
from traffic.signals import Junction
from traffic.snapshot import Snapshot

__all__ = [
    "Guard",
    "GuardLimits",
    "Profile",
    "authority_faults",
    "clearance_audit",
    "identity_faults",
    "lamp_faults",
    "legacy_limits",
    "order_faults",
    "plan_faults",
    "require_street",
    "status_faults",
    "street_limits",
]

Authority = Callable[[JunctionId], tuple[Identity, ControllerStatus]]
"""Polls the controller of a junction; raises PlantLost if it does not answer."""

HOUR_S = 3600.0
RELEASES_TO_LOCK = 2
EPSILON_S = 1e-6
CLOCK_START = datetime(1970, 1, 1, tzinfo=UTC)


@runtime_checkable
class SelfReleasing(Protocol):
    """A plant that hands junctions back by itself where a controller fails, and says which."""

    on_release: Callable[[JunctionId, str], None]


class Guard:
    """A guarded plant.

    Parameters
    ----------
    plant
        What obeys.
    limits
        Profile and limits of the site.
    audit
        Where refusals, forced calls and releases are recorded.
    now
        The street's clock for the validity of orders; by default the plant's seconds after 1970-01-01 UTC.
    authority
        Polls a controller before it is commanded; None where there is none (a twin).

    Raises
    ------
    BadScenario
        If at a junction commanded by stages the longest red cannot be kept.
    UnsafeCommand
        If the plant is a street and the limits are not those of one.
    """

    def __init__(
        self,
        plant: Plant,
        limits: GuardLimits,
        *,
        audit: AuditLog | None = None,
        now: Callable[[], datetime] | None = None,
        authority: Authority | None = None,
    ) -> None:
        self.plant, self.limits, self.counts = plant, limits, GuardCounts()
        self._audit: AuditLog = MemoryAudit() if audit is None else audit
        self._now, self._authority = now, authority
        network = plant.network
        junctions = {name: without_merges(junction, network) for name, junction in plant.junctions.items()}
        self._judged = junctions
        self._tables: dict[JunctionId, StageTable] = {
            junction: stage_table(junctions[junction], network, plant.stages[junction], limits)
            for junction in junctions
        }
        self._legal = {n: frozenset(range(len(t.lamps))) - t.conflicting for n, t in self._tables.items()}
        self._foes = {name: Foes(junction) for name, junction in junctions.items()}
        self._readbacks = {n: StageReadback(junctions[n], table, self._foes[n]) for n, table in self._tables.items()}
        for table in self._tables.values() if limits.is_street else ():
            if limits.opens_to_stages(table.junction):
                require_bounded_reds(table, limits)
        self._charges = {junction: Charge(junction, place) for place, junction in enumerate(junctions)}
        self._blocked = {j: push_faults(junctions[j], network, limits) for j in junctions} if limits.is_push else {}
        self._watch = CallWatch(tuple(self._tables.values()), len(network.movements), limits)
        self._shown_faults: dict[JunctionId, dict[str, list[str]]] = {name: {} for name in junctions}
        self._snapshot: Snapshot | None = None
        self._time_s = 0.0
        self._is_fresh = self._is_now = False
        self._staged: list[Charge] = []
        self._n_stages = tuple(len(table.lamps) for table in self._tables.values())
        self._is_told = isinstance(plant, SelfReleasing)
        if isinstance(plant, SelfReleasing):
            require_street(limits)
            plant.on_release = self._note_release

    @property
    def network(self) -> Network:
        """The roads."""
        return self.plant.network

    @property
    def junctions(self) -> Mapping[JunctionId, Junction]:
        """What is installed."""
        return self.plant.junctions

    @property
    def stages(self) -> Mapping[JunctionId, Sequence[str]]:
        """The stages that `Stage` decisions number."""
        return self.plant.stages

    def snapshot(self) -> Snapshot:
        """Return what the plant says, after its lamps were checked; a conflict read back releases the junction."""
        if self._snapshot is None or not self._is_fresh:
            self._look()
        assert self._snapshot is not None
        return self._snapshot

    def command(self, decisions: Sequence[Decision]) -> None:
        """Pass a batch on, whole, or refuse it, whole.

        Raises
        ------
        UnsafeCommand
            With every fault in one line; nothing was passed on.
        """
        decisions = tuple(decisions)
        snapshot = self._snapshot if self._is_now and self._snapshot is not None else self.snapshot()
        if self._is_plain(decisions):
            self._send(decisions)
            for decision in decisions:
                self._take(self._charges[decision.junction], Timing.STAGES)
            self._is_fresh = self._is_fresh and not decisions
            return
        faults = self._batch_faults(decisions, snapshot)
        if faults:
            self.counts.refused += 1
            line = "; ".join(faults)
            self._audit.append("refused", None, {"time_s": snapshot.time_s, "faults": faults})
            raise UnsafeCommand("guard refused", line, next_move="the running plan stays")
        if decisions:
            self._send(decisions)
            for decision in decisions:
                self._note(decision, snapshot)
            self._is_fresh = False

    def faults(self, decision: Decision) -> list[str]:
        """Return why a decision would be refused now; nothing is passed on, counted or recorded."""
        snapshot = self._snapshot if self._is_now and self._snapshot is not None else self.snapshot()
        return self._batch_faults((decision,), snapshot)

    def advance(self, seconds: float) -> None:
        """Move the plant's clock; on the way the oldest calls are served before their red reaches the limit."""
        if not self._staged or not self.limits.is_street:
            self._move(seconds)
            return
        snapshot = self._snapshot if self._is_now and self._snapshot is not None else self.snapshot()
        end_s = snapshot.time_s + seconds
        while True:
            wake_s = self._serve_due(snapshot, min(end_s, snapshot.time_s + SAMPLING_S))
            self._move(wake_s - snapshot.time_s)
            if wake_s >= end_s - EPSILON_S:
                return
            before_s, snapshot = snapshot.time_s, self.snapshot()
            if snapshot.time_s <= before_s:
                raise PlantLost("plant", f"its clock stands at {before_s:g} s", "time must go on", "restart the plant")

    def suspend(self, junction: JunctionId, reason: str) -> None:
        """Stop forcing calls at a junction (preempt), and log why."""
        self._charges[junction].is_suspended = True
        self._audit.append("longest_red_suspended", junction, {"reason": reason})

    def resume(self, junction: JunctionId) -> None:
        """Force calls again after a preempt."""
        self._charges[junction].is_suspended = False
        self._audit.append("longest_red_resumed", junction, {})

    def unlock(self, junction: JunctionId, person: str) -> None:
        """Let a person allow commands again after repeated releases."""
        charge = self._charges[junction]
        charge.is_locked, charge.held_until_s = False, -inf
        charge.release_times_s.clear()
        self._audit.append("unlocked", junction, {"person": person})

    def release(self, junction: JunctionId, reason: str) -> None:
        """Hand a junction back to its own plan because of a fault; twice in an hour needs a person."""
        self._send([Release(junction)])
        self._note_release(junction, reason)

    def _send(self, decisions: Sequence[Decision]) -> None:
        """Pass decisions on; where that fails, what they were for counts as released."""
        try:
            self.plant.command(decisions)
        except BaseException as error:
            self._is_fresh = self._is_now = False
            for decision in () if self._is_told else decisions:
                self._note_release(decision.junction, f"a command failed: {error}")
            raise

    def _note_release(self, junction: JunctionId, reason: str) -> None:
        """Note that a junction was handed back because of a fault; hold commands, or lock it."""
        now, charge = self._time_s, self._charges[junction]
        cycle_s = self.limits.max_cycle_s if charge.plan is None else charge.plan.pattern.cycle_s
        charge.release_times_s = [t for t in charge.release_times_s if now - t < HOUR_S] + [now]
        charge.is_locked = charge.is_locked or len(charge.release_times_s) >= RELEASES_TO_LOCK
        self.counts.released += 1
        self._audit.append("released", junction, {"time_s": now, "reason": reason, "is_locked": charge.is_locked})
        self._hand_back(charge, now)
        charge.held_until_s = now + self.limits.cycles_between_plans * cycle_s

    # ---- reading back -------------------------------------------------------------------------

    def _look(self) -> None:
        """Take a new snapshot, check what is shown, and note who waits."""
        self._is_fresh = self._is_now = False
        snapshot = self.plant.snapshot()
        fault = snapshot_fault(snapshot, self.network, self._n_stages)
        if fault is not None:
            raise PlantLost("snapshot", fault, next_move="nothing was commanded; look at the plant")
        is_later = self._snapshot is None or snapshot.time_s != self._snapshot.time_s
        self._snapshot, self._time_s = snapshot, snapshot.time_s
        self._judge(snapshot, is_later=is_later)
        self._is_fresh = self._is_now = True

    def _judge(self, snapshot: Snapshot, *, is_later: bool) -> None:
        """Check what is shown, and note who waits."""
        if not self.limits.is_street:
            for charge, shown, known in zip(
                self._charges.values(), snapshot.lamps, self._shown_faults.values(), strict=True
            ):
                if known.get(shown, ("not judged yet",)):
                    self._check_shown(charge, shown, snapshot)
            return
        if is_later:
            self._watch.update(snapshot)
            for charge in self._charges.values():
                charge.is_switching = False
        for charge, shown, stage in zip(self._charges.values(), snapshot.lamps, snapshot.stage, strict=True):
            if shown != charge.lamps or 0 <= stage != charge.expected:
                self._check_shown(charge, shown, snapshot)
            if stage >= 0:
                charge.stage, charge.seen_green_s = stage, snapshot.time_s
                charge.green_since_s = snapshot.green_since_s[charge.place]
                if charge.pending is not None and charge.pending[1] == stage:
                    charge.pending = None

    def _check_shown(self, charge: Charge, shown: str, snapshot: Snapshot) -> None:
        """Check lamps that changed: conflicts always, clearances where the guard's own commands time them."""
        known = self._shown_faults[charge.junction]
        if shown not in known:
            known[shown] = lamp_faults(self._judged[charge.junction], shown, self._foes[charge.junction])
        faults = list(known[shown]) if shown != charge.lamps else []
        if charge.timing is Timing.STAGES and self.limits.is_street:
            faults += self._readbacks[charge.junction].faults(charge, snapshot)
        charge.lamps = shown
        if not faults:
            return
        if charge.timing is Timing.INSTALLED:
            self.counts.installed_conflicts += 1
            return
        self.counts.readback_faults += 1
        self._audit.append("readback_fault", charge.junction, {"time_s": snapshot.time_s, "faults": faults})
        self.release(charge.junction, "; ".join(faults))

    # ---- checking commands --------------------------------------------------------------------

    def _batch_faults(self, decisions: Sequence[Decision], snapshot: Snapshot) -> list[str]:
        faults: list[str] = []
        seen: set[JunctionId] = set()
        for decision in decisions:
            fault = decision_fault(decision)
            if fault is not None:
                faults.append(fault)
                continue
            junction = decision.junction
            charge = self._charges.get(junction)
            if charge is None:
                faults.append(f"junction {junction}: not one of this plant's {len(self._charges)}")
            elif junction in seen:
                faults.append(f"junction {junction}: two decisions in one batch (one)")
            elif not isinstance(decision, Release):
                faults += self._decision_faults(decision, charge, snapshot)
            seen.add(junction)
        return faults

    def _is_plain(self, decisions: Sequence[Decision]) -> bool:
        """Whether a batch is all that the legacy profile asks: one known stage a junction, now, free of conflicts."""
        legal = self._legal
        return (
            not self.limits.is_street
            and all(
                type(d) is Stage
                and type(d.stage) is int
                and d.not_before_s == 0.0
                and d.stage in legal.get(d.junction, ())
                for d in decisions
            )
            and len({d.junction for d in decisions}) == len(decisions)
        )

    def _decision_faults(
        self, decision: SelectPattern | Stage | Extend, charge: Charge, snapshot: Snapshot
    ) -> list[str]:
        """Return what one decision breaks; the legacy profile asks for conflict, identity and order only."""
        table = self._tables[charge.junction]
        if isinstance(decision, Stage):
            fault = stage_index_fault(decision, table)
            if fault is not None or not self.limits.is_street:
                return [] if fault is None else [fault]
        elif isinstance(decision, SelectPattern):
            faults = self._pattern_faults(decision, charge, snapshot)
            if faults or not self.limits.is_street:
                return faults
        elif not self.limits.is_street:
            return []
        if charge.is_locked or snapshot.time_s < charge.held_until_s or self._blocked or self._authority is not None:
            faults = self._standing_faults(charge, snapshot)
            if faults:
                return faults
        if isinstance(decision, SelectPattern):
            return []
        if not self.limits.opens_to_stages(charge.junction):
            return [f"junction {charge.junction}: not opened to stages (plans only)"]
        if isinstance(decision, Stage):
            fault = stage_fault(decision, charge, table, snapshot, self._watch, self.limits)
        else:
            fault = extend_fault(decision, charge, snapshot, self._watch, self.limits)
        return [] if fault is None else [fault]

    def _pattern_faults(self, decision: SelectPattern, charge: Charge, snapshot: Snapshot) -> list[str]:
        """Return what a plan and its order break, and whether it comes too soon after the last one."""
        junction, order = self.junctions[charge.junction], decision.order
        now = self._now() if self._now is not None else CLOCK_START + timedelta(seconds=snapshot.time_s)
        faults = order_faults(junction, order, now, charge.last_sequence)
        faults += plan_faults(self._judged[charge.junction], order.plan, self.limits)
        if self.limits.is_street and charge.plan is not None and order.plan != charge.plan:
            ready_s = charge.plan_since_s + self.limits.cycles_between_plans * charge.plan.pattern.cycle_s
            if snapshot.time_s < ready_s:
                apart = f"{self.limits.cycles_between_plans} cycles apart"
                faults.append(f"junction {junction.id}: second plan change before {ready_s:g} s ({apart})")
        return faults

    def _standing_faults(self, charge: Charge, snapshot: Snapshot) -> list[str]:
        """Return why a junction may not be commanded at all now."""
        where, faults = f"junction {charge.junction}", list(self._blocked.get(charge.junction, ()))
        if charge.is_locked:
            faults.append(f"{where}: released twice within an hour (a person must unlock it)")
        if snapshot.time_s < charge.held_until_s:
            faults.append(f"{where}: released, no command before {charge.held_until_s:g} s")
        if self._authority is not None:
            identity, status = self._authority(charge.junction)
            faults += authority_faults(self.junctions[charge.junction], identity, status, self.limits)
        return faults

    def _note(self, decision: Decision, snapshot: Snapshot) -> None:
        """Remember a decision that was passed on."""
        charge, now = self._charges[decision.junction], snapshot.time_s
        if isinstance(decision, Stage):
            self._take(charge, Timing.STAGES)
            charge.pending, charge.expected = (max(now, decision.not_before_s), decision.stage), decision.stage
            charge.is_switching = decision.not_before_s <= now and decision.stage != snapshot.stage[charge.place]
        elif isinstance(decision, Extend):
            self._take(charge, Timing.STAGES)
            charge.pending, charge.expected = None, snapshot.stage[charge.place]
        elif isinstance(decision, SelectPattern):
            self._take(charge, Timing.PLAN)
            charge.last_sequence = decision.order.sequence_number
            if decision.order.plan != charge.plan:
                charge.plan, charge.plan_since_s = decision.order.plan, now
            self._audit.append("plan", charge.junction, {"time_s": now, "sequence": decision.order.sequence_number})
        else:
            self._audit.append("handed_back", charge.junction, {"time_s": now})
            self._hand_back(charge, now)

    def _take(self, charge: Charge, timing: Timing) -> None:
        if charge.timing is not timing:
            charge.timing = timing
            charge.pending, charge.expected = None, -1
            self._staged = [c for c in self._charges.values() if c.timing is Timing.STAGES]

    def _hand_back(self, charge: Charge, now: float) -> None:
        """Note that a junction times itself again; commands are held for some cycles."""
        was_commanded = charge.timing is not Timing.INSTALLED
        self._take(charge, Timing.INSTALLED)
        if was_commanded:
            cycle_s = self.limits.max_cycle_s if charge.plan is None else charge.plan.pattern.cycle_s
            charge.held_until_s = now + self.limits.cycles_between_plans * cycle_s
        charge.plan, charge.plan_since_s = None, -inf

    # ---- the longest red ----------------------------------------------------------------------

    def _move(self, seconds: float) -> None:
        self._is_fresh = self._is_now = False
        # What the plant hands back on the way is noted with the end of the way: a hold is rather too long.
        self._time_s += seconds
        self.plant.advance(seconds)

    def _serve_due(self, snapshot: Snapshot, end_s: float) -> float:
        """Force the calls that are due now; return until when the plant may run unwatched."""
        wake_s, now, step_s = end_s, snapshot.time_s, self.limits.step_s
        for charge in self._staged:
            if self._watch.is_quiet_until(charge.place, end_s):
                continue
            latest_s, stage = self._watch.latest_start(charge.place)
            if charge.is_suspended or stage < 0:
                continue
            running = snapshot.stage[charge.place]
            if running < 0 or charge.is_switching:
                wake_s = min(wake_s, now + step_s) if latest_s <= end_s else wake_s
                continue
            self._drop_pending(charge, running, latest_s)
            least_s = self._tables[charge.junction].least_s[running]
            earliest_s = snapshot.green_since_s[charge.place] + least_s
            due_s = max(
                now + floor((latest_s - now) / step_s) * step_s, now + ceil((earliest_s - now) / step_s) * step_s
            )
            if due_s <= now + EPSILON_S:
                self._force(charge, stage, now)
            else:
                wake_s = min(wake_s, due_s)
        return wake_s

    def _drop_pending(self, charge: Charge, running: int, latest_s: float) -> None:
        """Withdraw a switch that still lies ahead where the calls that came since no longer allow it."""
        if charge.pending is None or charge.pending[1] == running:
            return
        start_s, stage = charge.pending
        table = self._tables[charge.junction]
        if start_s + table.change_s + table.least_s[stage] > latest_s:
            self._send([Stage(charge.junction, running)])
            charge.pending, charge.expected = None, running
            self._audit.append("withdrawn", charge.junction, {"stage": stage, "not_before_s": start_s})

    def _force(self, charge: Charge, stage: int, now: float) -> None:
        wait_s = self._watch.longest_wait_s(charge.place, now)
        self._send([Stage(charge.junction, stage)])
        charge.pending, charge.expected, charge.is_switching = (now, stage), stage, True
        self.counts.forced += 1
        self._audit.append("forced", charge.junction, {"time_s": now, "stage": stage, "oldest_call_s": wait_s})


def push_faults(junction: Junction, network: Network, limits: GuardLimits) -> list[str]:
    """Return what keeps a junction from any command on a real street: unknown pedestrians, short clearances."""
    faults = pedestrian_faults(junction)
    if not limits.is_clearance_accepted:
        faults += clearance_audit(junction, network, limits.clearance)
    return faults
