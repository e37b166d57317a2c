"""A controller that is only its tables, and a wire that loses, doubles and reorders; both without sockets."""

from __future__ import annotations

import bisect
import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from control.drivers.agent import Access, Responder
from control.drivers.ber import Binding, ErrorStatus, Oid, Value
from control.drivers.objects import DONE, NORMAL, TRANSACTION, VERIFY, find, number, octet_of, oid
from traffic.ids import PhaseNumber
from traffic.signals import Junction

DATABASE = ("phase", "split", "pattern", "timebase", "sequence", "overlap", "unitBackupTime")
START_S = 1_790_000_000
LOCAL_PATTERN, LOCAL_CYCLE_S = 1, 100


class FakeTable:
    """Objects in a dict; `writable` may be set to anything of the same type within its bounds."""

    def __init__(self, values: dict[Oid, Value]) -> None:
        self.values = values
        self._order = sorted(values)

    def get(self, name: Oid) -> Value | None:
        return self.values.get(name)

    def after(self, name: Oid) -> Binding | None:
        place = bisect.bisect_right(self._order, name)
        return Binding(self._order[place], self.values[self._order[place]]) if place < len(self._order) else None

    def set(self, bindings: Sequence[Binding], community: bytes) -> tuple[ErrorStatus, int]:
        for position, (name, value) in enumerate(bindings, start=1):
            found = find(name)
            if found is None or name not in self.values:
                return ErrorStatus.NO_CREATION, position
            if not found[0].is_writable:
                return ErrorStatus.NOT_WRITABLE, position
            fault = found[0].fault(value)
            if fault is not None:
                return fault, position
        return self.store(bindings, community)

    def store(self, bindings: Sequence[Binding], community: bytes) -> tuple[ErrorStatus, int]:
        self.values.update(dict(bindings))
        return ErrorStatus.NO_ERROR, 0


class FakeController(FakeTable):
    """An NTCIP 1202 controller without signals: transactions, lease, transition, drops to free.

    `verify_polls` is how many reads of the state a verification lasts; `refusal` what it finds.
    `ignored` are objects whose writes are accepted and not stored.
    """

    def __init__(self, junction: Junction, *, n_patterns: int = 8, backup_time_s: int = 60) -> None:
        super().__init__(_tables(junction, n_patterns, backup_time_s))
        self.junction = junction
        self.verify_polls, self.refusal, self.ignored = 1, b"", frozenset[Oid]()
        self.transition_s, self.lease_s = 10, 0.0
        self.buffer: dict[Oid, Value] = {}
        self.master, self.verifying, self.commits = b"", 0, 0
        self.sets: list[Binding] = []
        self.asked_s = float(START_S)

    def see(self, name: str, *index: int) -> int:
        value = self.values[oid(name, *index)]
        assert isinstance(value, int)
        return value

    def put(self, name: str, value: Value, *index: int) -> None:
        self.values[oid(name, *index)] = value

    def get(self, name: Oid) -> Value | None:
        if name == oid("dbCreateTransaction") and self.see("dbCreateTransaction") == VERIFY:
            self.verifying += 1
            if self.verifying > self.verify_polls:
                self.put("dbCreateTransaction", DONE)
                self.put("dbVerifyStatus", 2 if self.refusal else 3)
                self.put("dbVerifyError", self.refusal)
        if name == oid("globalSetIDParameter"):
            held = sorted((key, value) for key, value in self.values.items() if _is_database(key))
            return zlib.crc32(repr(held).encode()) & 0xFFFF
        value = super().get(name)
        if name == oid("unitAlarmStatus2") and isinstance(value, int):
            self.values[name] = value & ~1
        return value

    def store(self, bindings: Sequence[Binding], community: bytes) -> tuple[ErrorStatus, int]:
        state_oid = oid("dbCreateTransaction")
        for position, (name, value) in enumerate(bindings, start=1):
            if name == state_oid:
                status = self._command(value, community)
                if status:
                    return status, 0 if status is ErrorStatus.GEN_ERR else position
        stored = {name: value for name, value in bindings if name != state_oid}
        held = {name: value for name, value in stored.items() if _is_database(name)}
        state = self.see("dbCreateTransaction")
        if held and (state in (VERIFY, DONE) or (state == TRANSACTION and community != self.master)):
            return ErrorStatus.GEN_ERR, 0
        self.sets += [Binding(name, value) for name, value in stored.items()]
        if state == TRANSACTION:
            self.buffer.update(held)
            stored = {name: value for name, value in stored.items() if name not in held}
        self.values.update({name: value for name, value in stored.items() if name not in self.ignored})
        if oid("systemPatternControl") in stored:
            self._called()
        return ErrorStatus.NO_ERROR, 0

    def _command(self, value: Value, community: bytes) -> ErrorStatus:
        state = self.see("dbCreateTransaction")
        legal = {NORMAL: {TRANSACTION}, TRANSACTION: {VERIFY, NORMAL}, VERIFY: set(), DONE: {NORMAL, TRANSACTION}}
        if state != NORMAL and community != self.master:
            return ErrorStatus.GEN_ERR
        if value not in legal[state]:
            return ErrorStatus.WRONG_VALUE
        if value == TRANSACTION and state == NORMAL:
            self.buffer, self.master = {}, community
        if value == VERIFY:
            self.verifying = 0
            self.put("dbVerifyStatus", 1)
        if value == NORMAL:
            if state == DONE and self.see("dbVerifyStatus") == 3:
                self.commits += 1
                self.values.update({name: held for name, held in self.buffer.items() if name not in self.ignored})
            self.buffer = {}
        self.put("dbCreateTransaction", value)
        return ErrorStatus.NO_ERROR

    def _called(self) -> None:
        self.lease_s = float(self.see("globalTime"))
        pattern = self.see("systemPatternControl")
        if self.see("coordPatternStatus") != (pattern or LOCAL_PATTERN):
            self.asked_s = self.lease_s
            self.put("unitAlarmStatus2", self.see("unitAlarmStatus2") | 1 << 5)
        self.put("unitControlStatus", number("unitControlStatus", "systemControl" if pattern else "timebase"))

    def pass_time(self, seconds: int) -> None:
        """Let the street's clock run: leases lapse, transitions end, patterns that cannot run drop to free."""
        now_s = self.see("globalTime") + seconds
        self.put("globalTime", now_s)
        called, backup_s = self.see("systemPatternControl"), self.see("unitBackupTime")
        if called and backup_s and now_s - self.lease_s > backup_s:
            self.put("systemPatternControl", 0)
            self.put("unitControlStatus", number("unitControlStatus", "backupMode"))
            called = 0
        pattern = called or LOCAL_PATTERN
        reason = self._free_reason(pattern)
        self.put("localFreeStatus", number("localFreeStatus", reason))
        self.put("coordPatternStatus", pattern if reason == "notFree" else 254)
        if now_s - self.asked_s >= self.transition_s:
            self.put("unitAlarmStatus2", self.see("unitAlarmStatus2") & ~(1 << 5))

    def _free_reason(self, pattern: int) -> str:
        cycle_s = self.see("patternCycleTime", pattern)
        split = self.see("patternSplitNumber", pattern)
        sums = [sum(self.see("splitTime", split, p) for p in ring) for ring in self.junction.rings]
        if max(sums) > cycle_s:
            return "splitOverrun"
        return "invalidOffset" if self.see("patternOffsetTime", pattern) >= cycle_s else "notFree"

    def restart(self) -> None:
        """Come back from a power failure: buffers and control objects are lost, tables are not."""
        self.buffer, self.master = {}, b""
        self.put("dbCreateTransaction", NORMAL)
        self.put("systemPatternControl", 0)
        self.put("unitControlStatus", number("unitControlStatus", "timebase"))
        self.put("coordPatternStatus", LOCAL_PATTERN)
        self.put("unitAlarmStatus2", 1)


def _is_database(name: Oid) -> bool:
    found = find(name)
    return found is not None and found[0].name.startswith(DATABASE) and not found[0].name.startswith("phaseControl")


def _tables(junction: Junction, n_patterns: int, backup_time_s: int) -> dict[Oid, Value]:
    scalars: dict[str, Value] = {
        "sysName": junction.id.encode(),
        "maxPhases": 16,
        "maxPatterns": n_patterns,
        "maxSplits": n_patterns,
        "maxRings": 4,
        "maxTimebaseAscActions": 4,
        "maxOverlaps": 16,
        "unitBackupTime": backup_time_s,
        "unitControlStatus": number("unitControlStatus", "timebase"),
        "unitFlashStatus": number("unitFlashStatus", "notFlash"),
        "unitAlarmStatus1": 0,
        "unitAlarmStatus2": 0,
        "shortAlarmStatus": 0,
        "unitControl": 0,
        "coordOperationalMode": 0,
        "coordCorrectionMode": 3,
        "coordForceMode": 2,
        "coordPatternStatus": LOCAL_PATTERN,
        "localFreeStatus": number("localFreeStatus", "notFree"),
        "coordCycleStatus": 0,
        "systemPatternControl": 0,
        "systemSyncControl": 0,
        "globalTime": START_S,
        "globalSetIDParameter": 7,
        "dbCreateTransaction": NORMAL,
        "dbVerifyStatus": 1,
        "dbVerifyError": b"",
    }
    values = {oid(name): value for name, value in scalars.items()}
    greens = frozenset(ring[0] for ring in junction.rings)
    for group in (1, 2):
        values[oid("phaseStatusGroupGreens", group)] = octet_of(greens, group)
        values[oid("phaseStatusGroupYellows", group)] = 0
    values.update(_installed(junction))
    for pattern in range(1, n_patterns + 1):
        values[oid("patternCycleTime", pattern)] = LOCAL_CYCLE_S if pattern == LOCAL_PATTERN else 0
        values[oid("patternOffsetTime", pattern)] = 0
        values[oid("patternSplitNumber", pattern)] = pattern
        values[oid("patternSequenceNumber", pattern)] = 1
        values[oid("patternCoordSyncPoint", pattern)] = 3
        for phase in junction.phases:
            share = LOCAL_CYCLE_S // len(junction.rings[phase.ring - 1]) if pattern == LOCAL_PATTERN else 0
            values[oid("splitTime", pattern, int(phase.number))] = share
            values[oid("splitMode", pattern, int(phase.number))] = 2
            values[oid("splitCoordPhase", pattern, int(phase.number))] = 0
    for action in range(1, 5):
        values[oid("timebaseAscPattern", action)] = LOCAL_PATTERN if action == 1 else 0
    return values


def _installed(junction: Junction) -> dict[Oid, Value]:
    values: dict[Oid, Value] = {}
    for phase in junction.phases:
        times = {
            "phaseMinimumGreen": phase.min_green_s,
            "phaseWalk": phase.walk_s or 0,
            "phasePedestrianClear": phase.ped_clear_s or 0,
            "phasePassage": phase.passage_ds,
            "phaseMaximum1": phase.max1_s,
            "phaseMaximum2": phase.max2_s,
            "phaseYellowChange": phase.yellow_ds,
            "phaseRedClear": phase.red_clear_ds,
            "phaseRing": phase.ring,
            "phaseOptions": 1,
        }
        values.update({oid(name, int(phase.number)): value for name, value in times.items()})
    for ring in range(1, 5):
        values[oid("sequenceData", 1, ring)] = bytes(junction.rings[ring - 1]) if ring <= len(junction.rings) else b""
    for overlap in junction.overlaps:
        values[oid("overlapIncludedPhases", overlap.number)] = bytes(sorted(overlap.parents))
    return values


@dataclass(slots=True)
class Weather:
    """What a wire does to datagrams: chances of loss each way, of doubling and of reordering."""

    loss: float = 0.0
    doubling: float = 0.0
    reordering: float = 0.0
    rng: random.Random = field(default_factory=lambda: random.Random(7))

    def happens(self, chance: float) -> bool:
        return chance > 0 and self.rng.random() < chance


class LoopWire:
    """Answers from a table in the same process. `before_answer` runs after a request was applied."""

    def __init__(self, table: FakeTable, weather: Weather | None = None) -> None:
        self.table, self.weather = table, weather or Weather()
        self.responder = Responder(Access())
        self.is_dead = False
        self.requests = 0
        self.on_request: Callable[[int], None] = lambda _: None
        self._waiting: list[bytes] = []

    def send(self, data: bytes) -> None:
        copies = 1 + self.weather.happens(self.weather.doubling)
        for _ in range(copies):
            self.requests += 1
            self.on_request(self.requests)
            if self.is_dead or self.weather.happens(self.weather.loss):
                continue
            answer = self.responder.answer(self.table, data)
            if answer is None or self.weather.happens(self.weather.loss):
                continue
            self._waiting += [answer] * (1 + self.weather.happens(self.weather.doubling))
        if self.weather.happens(self.weather.reordering):
            self.weather.rng.shuffle(self._waiting)

    def receive(self, deadline_s: float) -> bytes | None:
        return self._waiting.pop(0) if self._waiting else None

    def close(self) -> None:
        self._waiting.clear()


def green(*phases: int) -> int:
    """Return the octet of group 1 with these phases lit."""
    return octet_of(frozenset(map(PhaseNumber, phases)), 1)
