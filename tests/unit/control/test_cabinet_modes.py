"""What the virtual controller does when it is commanded, left alone, disturbed or broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from control.drivers.ber import ErrorStatus
from control.drivers.tables_rows import LocalProgram, all_day
from tests.unit.control.cabinet_factories import Bench, ListSink, make_cross, make_plan
from traffic.errors import BadScenario
from traffic.events import EventCode
from traffic.signals import Action, Correction, DayPlan, DayPlanEvent, Overlap, Schedule

GOOD = (ErrorStatus.NO_ERROR, 0)
WHOLE = (ErrorStatus.GEN_ERR, 0)


def test_backup_zeroes_every_control_and_runs_the_local_plan() -> None:
    bench = Bench(backup_time_s=30)
    bench.set("systemPatternControl", 3)
    bench.set("phaseControlGroupVehCall", 1, 0b10)
    bench.run_s(29)
    assert (bench.get("unitControlStatus"), bench.get("coordPatternStatus")) == (2, 3)
    bench.run_s(2)
    assert (bench.get("unitControlStatus"), bench.get("coordPatternStatus")) == (4, 1)
    assert bench.get("systemPatternControl") == bench.get("phaseControlGroupVehCall", 1) == 0


def test_a_get_does_not_renew_the_lease_and_any_control_of_any_master_does() -> None:
    bench = Bench(backup_time_s=30)
    bench.set("systemPatternControl", 3)
    for _ in range(5):
        bench.run_s(20)
        assert bench.set("phaseControlGroupHold", 1, 0, community=b"centre") == GOOD
    assert bench.get("unitControlStatus") == 2
    for _ in range(4):
        bench.run_s(10)
        bench.get("systemPatternControl")
    assert bench.get("unitControlStatus") == 4


def test_with_the_fail_safe_off_a_lease_never_lapses() -> None:
    bench = Bench(backup_time_s=0)
    bench.set("systemPatternControl", 3)
    bench.run_s(500)
    assert (bench.get("unitControlStatus"), bench.get("coordPatternStatus")) == (2, 3)


def test_standby_is_the_local_plan_at_a_masters_wish() -> None:
    bench = Bench()
    bench.set("systemPatternControl", 3)
    bench.run_s(5)
    bench.set("systemPatternControl", 0)
    bench.run_s(1)
    assert (bench.get("unitControlStatus"), bench.get("coordPatternStatus")) == (3, 1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([("patternOffsetTime", 2, 80)], 10),
        ([("patternCycleTime", 2, 29)], 8),
        ([("patternCycleTime", 2, 70)], 9),
        ([("patternCycleTime", 2, 90)], 7),
        ([("patternCycleTime", 2, 0)], 7),
        ([("phaseMinimumGreen", 1, 12)], 9),
        ([("phaseMinimumGreen", 1, 60)], 8),
    ],
    ids=["offset", "cycle", "splits above", "splits below", "empty", "split below minimum", "minima above cycle"],
)
def test_a_plan_that_cannot_run_makes_it_free_and_never_an_error(
    changes: list[tuple[str, int, int]], reason: int
) -> None:
    bench = Bench()
    bench.commit(*changes)
    assert bench.set("systemPatternControl", 2) == GOOD
    bench.run_s(30)
    assert (bench.get("coordPatternStatus"), bench.get("localFreeStatus")) == (254, reason)
    assert bench.get("unitAlarmStatus1") == 1 << 6


@pytest.mark.parametrize("missing", ["coordinated phase", "pattern"])
def test_a_plan_without_what_it_needs_is_bad(missing: str) -> None:
    bench = Bench()
    bench.set("dbCreateTransaction", 2)
    bench.set("splitCoordPhase", 2, 2, 0)
    bench.set("splitCoordPhase", 2, 6, 0)
    bench.set("dbCreateTransaction", 3)
    bench.run_s(1)
    bench.set("dbCreateTransaction", 1)
    bench.set("systemPatternControl", 2 if missing == "coordinated phase" else 30)
    bench.run_s(1)
    assert bench.get("localFreeStatus") == 7


@pytest.mark.parametrize("correction", list(Correction))
def test_the_transition_bit_stands_until_the_offset_is_reached(correction: Correction) -> None:
    plans = [make_plan(1), make_plan(3, offset_s=40, correction=correction)]
    bench = Bench(program=all_day(plans), backup_time_s=0)
    bench.commit()
    code = {Correction.DWELL: 2, Correction.SHORTWAY: 3, Correction.ADD_ONLY: 4, Correction.SUBTRACT_ONLY: 5}
    bench.set("coordCorrectionMode", code[correction])
    bench.run_s(30)
    bench.set("systemPatternControl", 3)
    bench.run_s(1)
    assert bench.get("unitAlarmStatus2") == 1 << 5
    seconds = 0
    while bench.get("unitAlarmStatus2"):
        bench.run_s(1)
        seconds += 1
    assert 0 < seconds <= 500
    reference = Bench(program=all_day([plans[1]]))
    reference.run_s((bench.time_ds - reference.time_ds) / 10)
    reference.run_s(100)
    bench.run_s(100)
    assert bench.run_s(200) == reference.run_s(200)


def test_local_flash_is_at_once_and_comes_back_through_all_red() -> None:
    bench = Bench()
    bench.run_s(10)
    bench.cabinet.inputs.is_local_flash = True
    assert bench.run_s(0.5) == ["ssssssss"]
    assert (bench.get("unitFlashStatus"), bench.get("coordPatternStatus")) == (4, 255)
    bench.cabinet.inputs.is_local_flash = False
    after = bench.run_s(200)
    assert after[:6] == ["rrrrrrrr"] * 6
    assert (bench.get("unitFlashStatus"), bench.get("coordPatternStatus")) == (2, 1)


def test_automatic_flash_is_entered_through_yellow_and_all_red() -> None:
    bench = Bench()
    bench.run_s(8)
    bench.set("systemPatternControl", 255)
    shown = bench.run_s(40)
    assert shown[-1] == "ssssssss"
    first = shown.index("ssssssss")
    assert set(shown[first - 1]) == {"r"}
    assert bench.get("unitFlashStatus") == 3


def test_a_preempt_holds_the_coordinated_phases_and_coordination_comes_back() -> None:
    sink = ListSink()
    bench = Bench(sink=sink)
    bench.run_s(60)
    bench.cabinet.inputs.preempt = 1
    bench.run_s(60)
    assert (bench.get("preemptStatus"), bench.get("shortAlarmStatus")) == (1, 0b1001)
    assert bench.get("phaseStatusGroupGreens", 1) == 0b100010
    assert (bench.get("coordPatternStatus"), bench.get("localFreeStatus")) == (254, 5)
    bench.cabinet.inputs.preempt = 0
    bench.run_s(300)
    assert (bench.get("coordPatternStatus"), bench.get("localFreeStatus"), bench.get("preemptStatus")) == (1, 2, 0)
    codes = [event.code for event in sink.events]
    assert codes.index(EventCode.PREEMPT_CALL_ON) < codes.index(EventCode.PREEMPT_CALL_OFF)


def test_a_manual_pattern_overrides_the_master() -> None:
    bench = Bench()
    bench.set("systemPatternControl", 3)
    bench.set("coordOperationalMode", 2)
    bench.run_s(1)
    assert (bench.get("unitControlStatus"), bench.get("coordPatternStatus")) == (5, 2)


def test_disabled_remote_ignores_every_set_but_its_own_release() -> None:
    bench = Bench()
    bench.set("unitControl", 0b10)
    assert bench.set("systemPatternControl", 3) == WHOLE
    assert bench.set("unitControl", 0) == GOOD
    assert bench.set("systemPatternControl", 3) == GOOD
    bench.cabinet.inputs.is_remote_disabled = True
    assert bench.set("systemPatternControl", 2) == WHOLE
    assert bench.get("unitControl") == 0b10


def test_the_input_free_drops_to_free_and_back() -> None:
    bench = Bench()
    bench.cabinet.inputs.is_free = True
    bench.run_s(1)
    assert (bench.get("coordPatternStatus"), bench.get("localFreeStatus")) == (254, 5)
    bench.cabinet.inputs.is_free = False
    bench.run_s(1)
    assert (bench.get("coordPatternStatus"), bench.get("localFreeStatus")) == (1, 2)


def test_the_monitor_latches_on_conflicting_greens() -> None:
    junction = make_cross()
    both = junction.overlaps[1].protected | junction.overlaps[2].protected
    wrong = Overlap(number=3, link_indices=(2,), protected=both)
    overlaps = (*junction.overlaps[:2], wrong, *junction.overlaps[3:])
    bench = Bench(junction=replace(junction, overlaps=overlaps))
    bench.run_s(60)
    assert (bench.get("unitFlashStatus"), bench.shown[-1]) == (6, "ssssssss")
    assert bench.get("unitAlarmStatus1") == 1 << 4
    bench.run_s(200)
    assert bench.shown[-1] == "ssssssss"


def test_reading_clears_the_power_restart_bit() -> None:
    bench = Bench()
    bench.cabinet.restart()
    bench.run_s(1)
    assert bench.get("unitAlarmStatus2") == 1
    assert bench.get("unitAlarmStatus2") == 0


@pytest.mark.parametrize("state", [1, 2, 3, 6])
def test_a_restart_in_any_state_keeps_what_was_committed_and_nothing_else(state: int) -> None:
    bench = Bench(verify_ds=20)
    bench.commit(("patternOffsetTime", 2, 11))
    bench.run_s(3)
    bench.set("dbCreateTransaction", 1)
    if state != 1:
        bench.set("dbCreateTransaction", 2)
        bench.set("patternOffsetTime", 2, 22)
    if state in (3, 6):
        bench.set("dbCreateTransaction", 3)
    if state == 6:
        bench.run_s(3)
    assert bench.get("dbCreateTransaction") == state
    bench.cabinet.restart()
    bench.run_s(5)
    assert (bench.get("dbCreateTransaction"), bench.get("patternOffsetTime", 2)) == (1, 11)


def test_verification_refuses_what_contradicts_the_wiring() -> None:
    bench = Bench()
    bench.commit(("phaseYellowChange", 2, 20))
    assert bench.get("phaseYellowChange", 2) == 30
    assert bench.get("dbVerifyStatus") == 2
    assert b"phaseYellowChange.2" in bytes(bench.get("dbVerifyError"))  # type: ignore[call-overload]


def test_the_clock_can_be_set_and_the_offset_follows() -> None:
    bench = Bench(backup_time_s=0)
    bench.run_s(1)
    now_s = bench.get("globalTime")
    assert isinstance(now_s, int)
    bench.set("globalTime", now_s + 10)
    bench.run_s(1)
    assert bench.get("globalTime") == now_s + 11
    assert bench.get("unitAlarmStatus2") == 1 << 5


def test_a_step_that_does_not_divide_a_second_is_refused() -> None:
    with pytest.raises(BadScenario, match="must divide 1 s"):
        Bench(step_ds=3)


def test_a_clock_that_goes_back_changes_nothing() -> None:
    bench = Bench()
    bench.run_s(20)
    shown = bench.shown[-1]
    assert bench.cabinet.tick(bench.time_ds - 300, {}) == shown
    assert bench.get("globalTime") == bench.time_ds // 10


def test_the_schedule_changes_the_local_plan_at_its_time_of_day() -> None:
    program = LocalProgram(
        plans=(make_plan(1), make_plan(2, cycle_s=80)),
        actions=(Action(number=1, pattern=1), Action(number=2, pattern=2)),
        day_plans=(
            DayPlan(
                number=1,
                events=(DayPlanEvent(hour=6, minute=30, action=1), DayPlanEvent(hour=8, minute=5, action=2)),
            ),
        ),
        schedules=(Schedule(number=1),),
    )
    bench = Bench(program=program)
    assert bench.get("coordPatternStatus") == 1
    bench.run_s(299)
    assert (bench.get("coordPatternStatus"), bench.get("timebaseAscActionStatus")) == (1, 1)
    bench.run_s(2)
    assert (bench.get("coordPatternStatus"), bench.get("timebaseAscActionStatus")) == (2, 2)


def test_before_its_first_event_a_day_plan_runs_what_the_last_one_began() -> None:
    program = LocalProgram(
        plans=(make_plan(1), make_plan(2, cycle_s=80)),
        actions=(Action(number=1, pattern=1), Action(number=2, pattern=2)),
        day_plans=(
            DayPlan(
                number=1,
                events=(DayPlanEvent(hour=9, minute=0, action=1), DayPlanEvent(hour=22, minute=0, action=2)),
            ),
        ),
        schedules=(Schedule(number=1),),
    )
    assert Bench(program=program).get("coordPatternStatus") == 2


def test_a_sync_command_moves_master_zero() -> None:
    bench = Bench(backup_time_s=0)
    bench.run_s(35)
    bench.set("systemSyncControl", 0)
    bench.run_s(1)
    assert bench.get("coordSyncStatus") == 1
    assert bench.get("unitAlarmStatus2") == 1 << 5
    bench.run_s(500)
    assert bench.get("unitAlarmStatus2") == 0
    bench.set("systemSyncControl", 255)
    bench.run_s(1)
    assert bench.get("coordSyncStatus") == bench.time_ds // 10 % 100
