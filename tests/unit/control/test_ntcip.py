"""The NTCIP driver against a controller that is only its tables."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.drivers.agent import Access, Responder
from control.drivers.base import Pair
from control.drivers.ber import Oid, Value
from control.drivers.ntcip import NtcipDriver, is_allowed
from control.drivers.ntcip_plan import controller_offset_s, plan_bindings, plan_from
from control.drivers.objects import NORMAL, TRANSACTION, VERIFY, oid
from control.drivers.snmp import Endpoint, SnmpClient
from control.limits import GuardLimits, legacy_limits
from tests.unit.control.field_fakes import FakeController, LoopWire, Weather, green
from tests.unit.traffic.factories import make_dual_ring, make_plan
from traffic.errors import ControllerFault, PlantLost, TrafficError, UnsafeCommand
from traffic.ids import JunctionId
from traffic.ports import ControllerMode, Driver
from traffic.signals import Correction, Plan, SyncPoint

JUNCTION = make_dual_ring()
SPLITS_S = (20, 30, 20, 30, 20, 30, 20, 30)


class Bench:
    """A driver, its wire and its controller."""

    def __init__(self, weather: Weather | None = None, **changes: object) -> None:
        self.controller = FakeController(JUNCTION, **changes)  # type: ignore[arg-type]
        self.wire = LoopWire(self.controller, weather)
        endpoint = Endpoint(host="loop", community=b"administrator", retries=80)
        self.client = SnmpClient(endpoint, self.wire)
        self.driver = NtcipDriver(self.client, JUNCTION, GuardLimits(), sleep=lambda _: None)

    def push(self, offset_s: int = 10, splits_s: tuple[int, ...] = SPLITS_S) -> Plan:
        read = self.driver.load(make_plan(JUNCTION, splits_s, 100, offset_s))
        self.driver.select(read.pattern.number)
        return read

    def run(self, seconds: int) -> None:
        """Let time pass and poll, refreshing when due."""
        for _ in range(0, seconds, 5):
            self.controller.pass_time(5)
            if self.driver.is_refresh_due(self.driver.status().time_s):
                self.driver.refresh()


def same_timing(one: Plan, other: Plan) -> bool:
    numbers = {"number": one.pattern.number, "split": one.pattern.split}
    return replace(other.pattern, **numbers) == one.pattern and one.split.splits == other.split.splits


def test_it_fills_the_port():
    driver: Driver = Bench().driver
    assert driver.identify().junction == JUNCTION.id


def test_identity_carries_the_junctions_hash_and_times():
    identity = Bench().driver.identify()
    assert identity.config_hash == JUNCTION.config_hash
    assert identity.phases[JUNCTION.phases[0].number] == (5, 30, 20)
    assert (identity.backup_time_s, identity.max_patterns, identity.has_local_plan) == (60, 8, True)


def test_a_plan_is_committed_read_back_selected_and_confirmed():
    bench = Bench()
    read = bench.push(offset_s=35)
    assert same_timing(read, make_plan(JUNCTION, SPLITS_S, 100, 35))
    assert (read.pattern.number, read.pattern.split) == (7, 7)
    assert bench.controller.commits == 1 and bench.controller.see("patternOffsetTime", 7) == 35
    assert bench.driver.selected == 7 and not bench.driver.is_confirmed
    bench.run(20)
    assert bench.driver.is_confirmed
    assert bench.driver.status().mode is ControllerMode.COORDINATED


def test_loading_the_same_plan_again_writes_nothing():
    bench = Bench()
    first = bench.push()
    n_sets = len(bench.controller.sets)
    bench.run(20)
    assert bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100, 10)) == first
    assert bench.controller.commits == 1
    assert [name for name, _ in bench.controller.sets[n_sets:] if name != oid("systemPatternControl")] == []


def test_plans_alternate_between_the_two_reserved_pairs_and_touch_no_other():
    bench = Bench()
    numbers = []
    for offset_s in (10, 20, 30):
        numbers.append(bench.push(offset_s).pattern.number)
        bench.run(30)
        assert bench.driver.is_confirmed
    assert numbers == [7, 8, 7]
    rows = {name[-2:] for name, _ in bench.controller.sets if name[:-2] == oid("splitTime", 1, 1)[:-2]}
    assert {split for split, _ in rows} == {7, 8}
    assert bench.controller.see("patternCycleTime", 1) == 100


def test_the_lease_is_refreshed_every_third_of_it_and_holds():
    bench = Bench(backup_time_s=60)
    bench.push()
    bench.run(600)
    assert bench.driver.is_confirmed and bench.controller.see("coordPatternStatus") == 7
    refreshes = [value for name, value in bench.controller.sets if name == oid("systemPatternControl")]
    assert len(refreshes) == 1 + 600 // 20


def test_a_lease_that_lapsed_is_named():
    bench = Bench(backup_time_s=60)
    bench.push()
    bench.run(20)
    bench.controller.pass_time(61)
    bench.controller.pass_time(20)
    with pytest.raises(ControllerFault, match="its lease lapsed"):
        bench.driver.status()
    assert bench.driver.selected is None


def test_release_hands_back_and_may_be_repeated():
    bench = Bench()
    bench.push()
    bench.driver.release()
    bench.driver.release()
    assert bench.controller.see("systemPatternControl") == 0 and bench.driver.selected is None
    with pytest.raises(UnsafeCommand, match="nothing is selected"):
        bench.driver.refresh()


REFUSED: list[tuple[str, Callable[[FakeController], None], str]] = [
    ("fail-safe off", lambda c: c.put("unitBackupTime", 0), "fail-safe time-out 0 s"),
    ("fail-safe too long", lambda c: c.put("unitBackupTime", 900), "fail-safe time-out 900 s"),
    ("flash", lambda c: c.put("unitFlashStatus", 5), "in flash"),
    ("preempt", lambda c: c.put("shortAlarmStatus", 1), "in preempt"),
    ("manual pattern", lambda c: c.put("coordOperationalMode", 3), "in manual"),
    ("manual panel", lambda c: c.put("unitControlStatus", 10), "in manual"),
    ("transition", lambda c: c.put("unitAlarmStatus2", 32), "in transition"),
    ("remote disabled", lambda c: c.put("unitControl", 2), "remote commands disabled"),
    ("another junction", lambda c: c.put("sysName", b"elsewhere"), "answers as elsewhere"),
    ("another yellow", lambda c: c.put("phaseYellowChange", 35, 2), "phaseYellowChange.2 is 35, not 30"),
    ("another walk", lambda c: c.put("phaseWalk", 7, 4), "phaseWalk.4 is 7, not 0"),
    ("another order", lambda c: c.put("sequenceData", b"\x02\x01\x03\x04", 1, 1), "sequenceData.1.1"),
    ("another overlap", lambda c: c.put("overlapIncludedPhases", b"\x05", 3), "overlapIncludedPhases.3"),
    ("no local plan", lambda c: c.put("timebaseAscPattern", 0, 1), "no local plan"),
]


@pytest.mark.parametrize(("spoil", "told"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_controller_that_may_not_be_commanded_is_refused_in_one_line_and_nothing_is_written(spoil, told):
    bench = Bench()
    spoil(bench.controller)
    with pytest.raises(UnsafeCommand) as caught:
        bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100))
    assert told in str(caught.value) and "\n" not in str(caught.value)
    assert bench.controller.sets == [] and bench.controller.see("dbCreateTransaction") == NORMAL


def test_a_stranger_among_the_phases_is_refused():
    bench = Bench()
    bench.controller.values.update({oid("phaseOptions", 9): 1, oid("phaseRing", 9): 1})
    with pytest.raises(UnsafeCommand, match="phase 9 is enabled"):
        bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100))


def test_a_reserved_pattern_that_the_schedule_uses_is_refused():
    bench = Bench()
    bench.controller.put("timebaseAscPattern", 8, 2)
    with pytest.raises(ControllerFault, match="its own schedule uses it"):
        bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100))
    assert bench.controller.sets == []


def test_a_split_table_that_a_local_pattern_shares_is_renumbered():
    bench = Bench()
    bench.controller.put("patternSplitNumber", 1, 7)
    with pytest.raises(ControllerFault, match=r"patternSplitNumber\.7: no such name"):
        bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100))
    assert bench.controller.see("splitTime", 1, 1) == 25 and bench.controller.see("dbCreateTransaction") == NORMAL


def test_a_plan_that_the_controller_refuses_takes_no_effect():
    bench = Bench()
    bench.controller.refusal = b"phase 2: split below minimum"
    with pytest.raises(UnsafeCommand, match="phase 2: split below minimum"):
        bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100))
    assert bench.controller.commits == 0 and bench.controller.see("dbCreateTransaction") == NORMAL


def test_a_verification_that_never_ends_is_given_up():
    bench = Bench()
    bench.controller.verify_polls = 10**9
    with pytest.raises(ControllerFault, match="does not end"):
        bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100))
    assert bench.controller.commits == 0


def test_a_difference_in_the_read_back_releases():
    bench = Bench()
    bench.push(offset_s=1)
    bench.run(20)
    bench.controller.ignored = frozenset({oid("splitTime", 8, 2)})
    with pytest.raises(ControllerFault, match=r"splitTime\.8\.2 reads back 0, 30 was written"):
        bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100, 2))
    assert bench.controller.see("systemPatternControl") == 0


def test_a_drop_to_free_is_released_and_named_in_words():
    bench = Bench()
    bench.push(splits_s=(50, *SPLITS_S[1:]))
    bench.controller.pass_time(5)
    with pytest.raises(ControllerFault, match="dropped to free: the splits exceed the cycle"):
        bench.driver.status()
    assert bench.controller.see("systemPatternControl") == 0


def test_a_pattern_not_in_effect_within_three_cycles_is_released():
    bench = Bench(backup_time_s=200)
    bench.controller.transition_s = 10**6
    bench.push()
    with pytest.raises(ControllerFault, match="still in transition 3 cycles after pattern 7"):
        bench.run(400)
    assert bench.driver.selected is None and bench.controller.see("globalTime") - 1_790_000_000 in range(300, 311)


def test_conflicting_greens_are_released_at_once():
    bench = Bench()
    bench.push()
    bench.controller.put("phaseStatusGroupGreens", green(2, 4), 1)
    with pytest.raises(ControllerFault, match="phases 2 and 4"):
        bench.driver.status()
    assert bench.controller.see("systemPatternControl") == 0


def test_a_preempt_suspends_the_selection_and_is_not_written_to():
    bench = Bench()
    bench.push()
    bench.run(20)
    bench.controller.put("shortAlarmStatus", 1)
    n_sets = len(bench.controller.sets)
    bench.driver.refresh()
    assert bench.driver.status().mode is ControllerMode.PREEMPT
    assert len(bench.controller.sets) == n_sets and bench.driver.selected == 7


@pytest.mark.parametrize(
    ("name", "value", "told"), [("unitFlashStatus", 6, "flash"), ("coordOperationalMode", 2, "manual")]
)
def test_flash_and_manual_end_the_selection(name: str, value: Value, told: str):
    bench = Bench()
    bench.push()
    bench.run(20)
    bench.controller.put(name, value)
    with pytest.raises(ControllerFault, match=f"went to {told}"):
        bench.driver.refresh()
    assert bench.driver.selected is None


def test_another_masters_pattern_is_left_alone():
    bench = Bench()
    bench.push()
    bench.controller.put("systemPatternControl", 3)
    with pytest.raises(ControllerFault, match="another master"):
        bench.driver.status()
    assert bench.controller.see("systemPatternControl") == 3 and bench.driver.selected is None


def test_another_masters_transaction_is_left_alone():
    bench = Bench()
    bench.controller.put("dbCreateTransaction", TRANSACTION)
    bench.controller.master = b"somebody"
    with pytest.raises(ControllerFault, match="a transaction is open"):
        bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100))
    assert bench.controller.see("dbCreateTransaction") == TRANSACTION and bench.controller.sets == []


@pytest.mark.parametrize("state", [TRANSACTION, VERIFY])
def test_what_a_dead_master_of_ours_left_behind_is_discarded_not_committed(state: int):
    bench = Bench()
    bench.controller.put("dbCreateTransaction", state)
    bench.controller.master = b"administrator"
    bench.controller.buffer = {oid("splitTime", 1, 1): 99}
    bench.push()
    assert bench.controller.see("splitTime", 1, 1) == 25


def test_a_pattern_that_was_changed_since_it_was_loaded_is_not_selected():
    bench = Bench()
    read = bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100))
    bench.controller.put("splitTime", 12, 7, 3)
    with pytest.raises(UnsafeCommand, match="was changed since"):
        bench.driver.select(read.pattern.number)


@pytest.mark.parametrize("pattern", [1, 8, 254, 255, 0])
def test_only_a_loaded_pattern_of_ours_is_selected(pattern: int):
    bench = Bench()
    bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100))
    with pytest.raises(UnsafeCommand, match="ours are 7 and 8"):
        bench.driver.select(pattern)


def test_nobody_there_is_plant_lost_in_one_line():
    bench = Bench()
    bench.wire.is_dead = True
    with pytest.raises(PlantLost, match="no answer to 81 requests"):
        bench.driver.identify()


def test_lost_polls_keep_the_selection():
    bench = Bench()
    bench.push()
    bench.wire.is_dead = True
    with pytest.raises(PlantLost):
        bench.driver.status()
    bench.wire.is_dead = False
    bench.run(20)
    assert bench.driver.is_confirmed


@pytest.mark.parametrize("loss", [0.2, 0.5], ids=["20 % lost", "50 % lost"])
@pytest.mark.parametrize("seed", range(6))
def test_pushes_survive_loss_doubling_and_reordering(loss: float, seed: int):
    weather = Weather(loss=loss, doubling=0.2, reordering=0.3)
    weather.rng.seed(seed)
    bench = Bench(weather)
    for offset_s in (10, 20):
        read = bench.push(offset_s)
        bench.run(30)
        assert bench.driver.is_confirmed and bench.controller.see("coordPatternStatus") == read.pattern.number
        assert bench.controller.see("patternOffsetTime", read.pattern.number) == offset_s


@pytest.mark.parametrize("at_request", range(1, 60, 3))
def test_a_restart_anywhere_in_a_push_ends_in_the_local_plan_or_ours_whole(at_request: int):
    bench = Bench()

    def restart_at(request: int) -> None:
        if request == at_request:
            bench.controller.restart()

    bench.wire.on_request = restart_at
    with suppress(ControllerFault, UnsafeCommand):
        bench.push(offset_s=42)
    called = bench.controller.see("systemPatternControl")
    assert called in (0, 7)
    if called:
        assert bench.controller.see("patternOffsetTime", 7) == 42
    bench.wire.on_request = lambda _: None
    bench.controller.pass_time(60)
    read = bench.push(offset_s=43)
    bench.run(30)
    assert bench.driver.is_confirmed and read.pattern.offset_s == 43


def test_a_fence_stops_every_set():
    bench = Bench()

    def shut() -> None:
        raise UnsafeCommand("lease of junction d", "held by another", "one writer", "wait")

    driver = NtcipDriver(bench.client, JUNCTION, GuardLimits(), fence=shut)
    with pytest.raises(UnsafeCommand, match="held by another"):
        driver.load(make_plan(JUNCTION, SPLITS_S, 100))
    assert bench.controller.sets == [] and bench.controller.see("dbCreateTransaction") == NORMAL


def test_limits_of_a_benchmark_are_refused():
    with pytest.raises(UnsafeCommand, match="street"):
        NtcipDriver(Bench().client, JUNCTION, legacy_limits())


def test_a_plan_for_another_junction_and_unit_wide_modes_are_refused():
    bench = Bench()
    plan = make_plan(JUNCTION, SPLITS_S, 100)
    with pytest.raises(UnsafeCommand, match="plan for: x"):
        bench.driver.load(replace(plan, junction=JunctionId("x")))
    with pytest.raises(UnsafeCommand, match="coordCorrectionMode is shortway"):
        bench.driver.load(replace(plan, pattern=replace(plan.pattern, correction=Correction.DWELL)))
    assert bench.controller.sets == []


@pytest.mark.parametrize(
    ("name", "index", "value", "allowed"),
    [
        ("splitTime", (7, 1), 30, True),
        ("splitTime", (1, 1), 30, False),
        ("splitTime", (7, 1), 256, False),
        ("patternCycleTime", (8,), 90, True),
        ("patternCycleTime", (2,), 90, False),
        ("systemPatternControl", (), 7, True),
        ("systemPatternControl", (), 0, True),
        ("systemPatternControl", (), 254, False),
        ("systemPatternControl", (), 255, False),
        ("systemSyncControl", (), 10, False),
        ("phaseMinimumGreen", (2,), 5, False),
        ("phaseYellowChange", (2,), 30, False),
        ("unitBackupTime", (), 0, False),
        ("unitControl", (), 0, False),
        ("timebaseAscPattern", (1,), 7, False),
        ("preemptControlState", (1,), 1, False),
    ],
)
def test_the_allow_list_holds_the_centres_own_rows_only(name, index, value, allowed):
    assert is_allowed(oid(name, *index), value, (Pair(7, 7), Pair(8, 8))) is allowed


def test_offsets_are_converted_to_the_controllers_sync_point_and_back():
    plan = make_plan(JUNCTION, SPLITS_S, 100, 90)
    late = replace(plan, pattern=replace(plan.pattern, sync_point=SyncPoint.BEGIN_YELLOW))
    assert controller_offset_s(JUNCTION, plan) == 90
    # phase 2: split 30 s - 5 s of clearance = 25 s of green; 90 + 25 = 115 = 15 modulo 100
    assert controller_offset_s(JUNCTION, late) == 15
    pair = Pair(7, 7)
    values = dict(plan_bindings(JUNCTION, late, pair, has_sync_point=True))
    assert values[oid("patternCoordSyncPoint", 7)] == 5
    back = plan_from(JUNCTION, late, pair, values)
    assert same_timing(back, late)


def test_a_user_defined_fail_safe_must_be_refreshed_by_the_object_that_we_write():
    bench = Bench()
    rows = {oid("maxUserDefinedBackupTimeContent"): 2, oid("unitUserDefinedBackupTimeContentOID", 1): (1, 3, 6)}
    bench.controller.values.update({oid("unitUserDefinedBackupTime"): 120, **rows})
    with pytest.raises(UnsafeCommand, match="systemPatternControl does not refresh it"):
        bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100))
    bench.controller.put("unitUserDefinedBackupTimeContentOID", oid("systemPatternControl"), 2)
    bench.push()
    assert bench.driver.status().backup_time_s == 120
    assert not bench.driver.is_refresh_due(bench.driver.status().time_s + 39)
    assert bench.driver.is_refresh_due(bench.driver.status().time_s + 40)


@pytest.mark.parametrize("community", [b"administrator", b"second"], ids=["same community", "its own community"])
@pytest.mark.parametrize("at_request", range(1, 75, 2))
def test_of_two_masters_no_mixture_of_plans_survives_a_poll(at_request: int, community: bytes):
    """Another master pushes between two datagrams of ours; what stays in effect is one plan, whole."""
    bench = Bench()
    plans = {10: SPLITS_S, 70: (25, 25, 25, 25, 25, 25, 25, 25)}
    access = Access(write=frozenset({b"administrator", b"second"}))
    bench.wire.responder = Responder(access)
    other_wire = LoopWire(bench.controller)
    other_wire.responder = Responder(access)
    end = Endpoint(host="other", community=community)
    other = NtcipDriver(SnmpClient(end, other_wire), JUNCTION, GuardLimits(), sleep=lambda _: None)

    def intrude(request: int) -> None:
        if request == at_request:
            with suppress(ControllerFault, UnsafeCommand):
                read = other.load(make_plan(JUNCTION, plans[70], 100, 70))
                other.select(read.pattern.number)

    bench.wire.on_request = intrude
    with suppress(ControllerFault, UnsafeCommand):
        bench.push(10)
    for driver in (bench.driver, other):
        with suppress(ControllerFault):
            if driver.selected:
                driver.refresh()
    called = bench.controller.see("systemPatternControl")
    if called:
        offset_s = bench.controller.see("patternOffsetTime", called)
        splits = tuple(bench.controller.see("splitTime", called, n) for n in range(1, 9))
        assert splits == plans[offset_s]
    assert bench.controller.see("dbCreateTransaction") == NORMAL


@pytest.mark.parametrize(("drift_s", "is_set"), [(0, False), (1, False), (2, True), (-30, True), (60, True)])
def test_the_clock_is_set_for_small_drifts_only(drift_s: int, is_set: bool):
    bench = Bench()
    true = datetime.fromtimestamp(bench.controller.see("globalTime") - drift_s, UTC)
    assert bench.driver.keep_time(true) == drift_s
    assert bench.controller.see("globalTime") == round(true.timestamp()) + (0 if is_set else drift_s)


def test_a_clock_far_off_or_in_transition_is_not_touched():
    bench = Bench()
    now_s = bench.controller.see("globalTime")
    with pytest.raises(ControllerFault, match="globalTime is off by: -3600 s"):
        bench.driver.keep_time(datetime.fromtimestamp(now_s + 3600, UTC))
    bench.controller.put("unitAlarmStatus2", 32)
    assert bench.driver.keep_time(datetime.fromtimestamp(now_s - 10, UTC)) == 10
    assert bench.controller.see("globalTime") == now_s


def test_a_technicians_edit_of_what_is_installed_is_noticed_and_released():
    bench = Bench()
    bench.push()
    bench.run(20)
    bench.controller.put("phaseMinimumGreen", 3, 6)
    with pytest.raises(ControllerFault, match=r"was edited: phaseMinimumGreen\.6 is 3, not 5"):
        bench.driver.refresh()
    assert bench.controller.see("systemPatternControl") == 0


def test_a_technicians_edit_of_our_pattern_in_effect_is_noticed_and_released():
    bench = Bench()
    bench.push()
    bench.run(20)
    bench.controller.put("splitTime", 12, 7, 3)
    with pytest.raises(ControllerFault, match="pattern 7 was edited"):
        bench.driver.refresh()
    assert bench.controller.see("systemPatternControl") == 0


def test_an_edit_that_touches_nothing_of_ours_is_no_fault():
    bench = Bench()
    bench.push()
    bench.run(20)
    bench.controller.put("splitTime", 12, 3, 3)
    bench.driver.refresh()
    assert bench.driver.status().mode is ControllerMode.COORDINATED and bench.driver.is_confirmed


def test_a_controller_swapped_for_another_is_noticed_and_not_written_to():
    bench = Bench()
    bench.push()
    bench.run(20)
    n_sets = len(bench.controller.sets)
    bench.controller.put("sysName", b"elsewhere")
    with pytest.raises(ControllerFault, match="answers as: elsewhere"):
        bench.driver.refresh()
    assert len(bench.controller.sets) == n_sets and bench.driver.selected is None


class Liar(FakeController):
    """Answers some questions with values of its own."""

    def __init__(self, lies: list[tuple[int, Value]]) -> None:
        super().__init__(JUNCTION)
        self.lies, self.asked = dict(lies), 0

    def get(self, name: Oid) -> Value | None:
        self.asked += 1
        value = super().get(name)
        return self.lies.get(self.asked, value) if value is not None else None


LIES = st.one_of(st.integers(-(2**31), 2**31 - 1), st.integers(0, 10), st.binary(max_size=20), st.just((1, 3, 6)))


@given(st.lists(st.tuples(st.integers(1, 700), LIES), max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_controller_that_answers_nonsense_is_refused_in_one_line_or_obeys(lies: list[tuple[int, Value]]):
    controller = Liar(lies)
    client = SnmpClient(Endpoint(host="liar", community=b"administrator"), LoopWire(controller))
    driver = NtcipDriver(client, JUNCTION, GuardLimits(), sleep=lambda _: None)
    try:
        read = driver.load(make_plan(JUNCTION, SPLITS_S, 100, 10))
        driver.select(read.pattern.number)
        driver.status()
    except TrafficError as error:
        told = error.line
    else:
        told = "obeyed"
    assert told and "\n" not in told
    controller.lies = {}
    assert {name[-1] for name, _ in controller.sets if name[:-1] == oid("patternCycleTime", 1)[:-1]} <= {7, 8}
