from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from math import inf, nan

import pytest

from control.audit import MemoryAudit
from control.guard import CLOCK_START, Guard
from control.limits import GuardLimits, legacy_limits
from tests.unit.control.fakes import FakePlant, make_crossroads, make_plan
from traffic.decisions import Decision, Extend, Release, SelectPattern, Stage
from traffic.errors import BadScenario, PlantLost, UnsafeCommand
from traffic.ids import JunctionId, PhaseNumber
from traffic.ports import ControllerMode, ControllerStatus, Identity, Plant
from traffic.signals import Junction, Order, Plan, Recall

A = JunctionId("a")
LIMITS = GuardLimits(is_push=False)


def make_guard(plant: FakePlant | None = None, limits: GuardLimits = LIMITS, **wiring: object) -> Guard:
    return Guard(FakePlant() if plant is None else plant, limits, **wiring)  # type: ignore[arg-type]


def fake_of(guard: Guard) -> FakePlant:
    assert isinstance(guard.plant, FakePlant)
    return guard.plant


def select(junction: Junction, plan: Plan | None = None, sequence: int = 1, life_s: float = 1e6) -> SelectPattern:
    return SelectPattern(
        Order(
            plan=make_plan(junction) if plan is None else plan,
            config_hash=junction.config_hash,
            sequence_number=sequence,
            valid_from=CLOCK_START,
            expires=CLOCK_START + timedelta(seconds=life_s),
            issuer="test",
        )
    )


def refuse(guard: Guard, *decisions: object) -> str:
    before = len(fake_of(guard).commands)
    with pytest.raises(UnsafeCommand) as caught:
        guard.command(decisions)  # type: ignore[arg-type]
    assert len(fake_of(guard).commands) == before, "nothing of a refused batch is passed on"
    assert "\n" not in caught.value.line
    return caught.value.line


def test_a_legal_switch_passes_with_full_clearances() -> None:
    guard = make_guard()
    guard.advance(6)
    guard.command([Stage(A, 2)])
    guard.advance(6)
    shown = [row[1][0] for row in fake_of(guard).history[6:12]]
    assert shown == ["yyrryyrr", "yyrryyrr", "yyrryyrr", "rrrrrrrr", "rrrrrrrr", "rrGgrrGg"]
    assert guard.snapshot().stage == (2,)
    assert guard.snapshot().green_since_s == (11.0,)


NONSENSE: dict[str, tuple[Callable[[], object], str]] = {
    "unknown junction": (lambda: Stage(JunctionId("z"), 0), "junction z: not one of this plant's 1"),
    "stage above": (lambda: Stage(A, 4), "stage 4 (0-3)"),
    "stage below": (lambda: Stage(A, -1), "stage -1 (0-3)"),
    "stage no integer": (lambda: Stage(A, 1.0), "stage 1.0 (0-3)"),  # type: ignore[arg-type]
    "stage True": (lambda: Stage(A, True), "stage True (0-3)"),
    "stage NaN": (lambda: Stage(A, nan), "stage nan (0-3)"),  # type: ignore[arg-type]
    "not before NaN": (lambda: Stage(A, 1, nan), "not before nan s"),
    "not before the past": (lambda: Stage(A, 1, 3.0), "not before 3 s is past"),
    "not before far off": (lambda: Stage(A, 1, 131.0), "not before 131 s (within 120 s)"),
    "not before infinity": (lambda: Stage(A, 1, inf), "not before inf s"),
    "extend NaN": (lambda: Extend(A, nan), "extend until nan s"),
    "extend the past": (lambda: Extend(A, 1.0), "extend until 1.0 s"),
    "extend beyond the longest red": (lambda: Extend(A, 131.0), "the longest red is 120 s"),
    "no decision": (lambda: "go", "no decision"),
}


@pytest.mark.parametrize(("make", "says"), NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_is_refused_in_one_line(make: Callable[[], object], says: str) -> None:
    guard = make_guard()
    guard.advance(10)
    assert says in refuse(guard, make())
    assert guard.counts.refused == 1


def test_nothing_of_a_refused_batch_is_passed_on() -> None:
    guard = make_guard(FakePlant([make_crossroads("a"), make_crossroads("b")]))
    guard.advance(10)
    line = refuse(guard, Stage(A, 2), Stage(JunctionId("b"), 9), Stage(JunctionId("c"), 0))
    assert "stage 9" in line and "junction c" in line, "all faults of a batch are named"
    guard.advance(5)
    assert fake_of(guard).commands == []


def test_two_decisions_for_one_junction_are_refused() -> None:
    guard = make_guard()
    guard.advance(10)
    assert "two decisions in one batch" in refuse(guard, Stage(A, 1), Stage(A, 2))


def test_refusals_are_recorded() -> None:
    audit = MemoryAudit()
    guard = make_guard(audit=audit)
    refuse(guard, Stage(A, 7))
    assert audit.of_kind("refused")[0].detail["faults"] == ["junction a: stage 7 (0-3)"]


@pytest.mark.parametrize(("green_s", "passes"), [(4, False), (5, True)])
def test_minimum_green_is_served(green_s: int, passes: bool) -> None:
    guard = make_guard()
    guard.command([Stage(A, 0)])
    guard.advance(green_s)
    if passes:
        guard.command([Stage(A, 1)])
    else:
        assert "least service of stage 0 is 5 s" in refuse(guard, Stage(A, 1))


def test_walk_and_pedestrian_clearance_are_served() -> None:
    junction = make_crossroads(walk_s=7, ped_clear_s=5)
    guard = make_guard(FakePlant([junction], plan_splits_s=(20, 17, 20, 17)))
    guard.command([Stage(A, 0)])
    guard.advance(11)
    assert "least service of stage 0 is 12 s" in refuse(guard, Stage(A, 1))
    guard.advance(1)
    guard.command([Stage(A, 1)])


def test_no_switch_is_taken_in_a_change() -> None:
    guard = make_guard()
    guard.advance(6)
    guard.command([Stage(A, 2)])
    assert "asked in a change" in refuse(guard, Stage(A, 1))
    guard.advance(2)
    assert "asked in a change" in refuse(guard, Stage(A, 1))
    assert "extend in a change" in refuse(guard, Extend(A, 20.0))


def test_a_conflicting_stage_is_never_commanded() -> None:
    junction = make_crossroads()
    overlaps = (replace(junction.overlaps[0], link_indices=(0, 2, 4)), *junction.overlaps[1:])
    plant = FakePlant([replace(junction, overlaps=overlaps)])
    for limits in (LIMITS, legacy_limits()):
        assert "foes never move together" in refuse(make_guard(plant, limits), Stage(A, 0))


def test_the_legacy_profile_keeps_no_timing_rule() -> None:
    guard = make_guard(limits=legacy_limits())
    guard.command([Stage(A, 1)])
    guard.advance(400)
    assert guard.snapshot().stage == (1,)
    assert guard.counts.forced == 0


def test_a_conflict_read_back_releases_at_once_and_holds_commands() -> None:
    guard = make_guard()
    guard.command([Stage(A, 0)])
    guard.advance(3)
    fake_of(guard).heads[A].shown = "GrGrGrrr"
    guard.snapshot()
    assert fake_of(guard).commands[-1] == (Release(A),)
    assert (guard.counts.released, guard.counts.readback_faults) == (1, 1)
    assert "released, no command before 543 s" in refuse(guard, Stage(A, 1))


def test_a_conflict_of_the_installed_program_is_counted_only() -> None:
    guard = make_guard()
    fake_of(guard).heads[A].shown = "GrGrGrrr"
    guard.snapshot()
    assert (guard.counts.released, guard.counts.installed_conflicts) == (0, 1)
    assert fake_of(guard).commands == []


def test_two_releases_within_an_hour_need_a_person() -> None:
    guard = make_guard()
    for _ in range(2):
        guard.command([Stage(A, guard.snapshot().stage[0])])
        guard.release(A, "test")
        guard.advance(700)
        while guard.snapshot().stage[0] < 0:
            guard.advance(1)
    assert "a person must unlock it" in refuse(guard, Stage(A, 0))
    guard.unlock(A, "Lan")
    guard.command([Stage(A, guard.snapshot().stage[0])])


@pytest.mark.parametrize(
    ("cut", "says"), [("early green", "intergreen of"), ("other stage", "was commanded"), ("lamps", "read back as")]
)
def test_a_plant_that_does_something_else_is_released(cut: str, says: str) -> None:
    audit = MemoryAudit()
    guard = make_guard(audit=audit)
    guard.advance(6)
    guard.command([Stage(A, 2)])
    head = fake_of(guard).heads[A]
    if cut == "early green":
        head.script = [(8.0, head.stages[2])]
        guard.advance(1)
    elif cut == "other stage":
        head.script[-1] = (11.0, head.stages[1])
    else:
        head.script[-1] = (11.0, head.stages[2])
    guard.snapshot()
    guard.advance(5)
    if cut == "lamps":
        guard.snapshot()
        head.shown = "rrrrrrGg"
    guard.snapshot()
    guard.advance(4)
    guard.snapshot()
    assert says in str(audit.of_kind("readback_fault")[0].detail["faults"])
    assert guard.counts.released == 1


# ---- plans ------------------------------------------------------------------------------------


def test_a_plan_passes_and_its_sequence_must_rise() -> None:
    guard = make_guard()
    junction = guard.junctions[A]
    guard.command([select(junction, sequence=3)])
    assert "above 3, the last one" in refuse(guard, select(junction, sequence=3))
    guard.command([select(junction, sequence=4)])


def test_no_second_plan_within_three_cycles() -> None:
    guard = make_guard()
    junction = guard.junctions[A]
    other = make_plan(junction, (16, 16, 16, 16))
    guard.command([select(junction)])
    guard.advance(191)
    assert "second plan change before 192 s" in refuse(guard, select(junction, other, sequence=2))
    guard.advance(1)
    guard.command([select(junction, other, sequence=2)])


def test_an_expired_order_is_refused_by_the_streets_clock() -> None:
    guard = make_guard()
    guard.advance(50)
    assert "expired" in refuse(guard, select(guard.junctions[A], life_s=50.0))


def test_an_unsafe_plan_is_refused_with_every_fault() -> None:
    guard = make_guard()
    line = refuse(guard, select(guard.junctions[A], make_plan(guard.junctions[A], (7, 9, 7, 6))))
    assert "cycle 29 s" in line and "split 7 s of phase 3" in line


def test_a_junction_with_short_clearances_is_not_pushed_unless_accepted() -> None:
    slow = make_crossroads(red_clear_ds=0)
    line = refuse(make_guard(FakePlant([slow]), GuardLimits()), select(slow))
    assert "red clearance 0.0 s (formula" in line
    make_guard(FakePlant([slow]), GuardLimits(is_clearance_accepted=True)).command([select(slow)])
    make_guard(FakePlant([slow]), LIMITS).command([select(slow)])


def test_a_junction_opened_to_plans_only_takes_no_stage() -> None:
    guard = make_guard(limits=replace(LIMITS, stage_level=frozenset()))
    guard.advance(6)
    assert "plans only" in refuse(guard, Stage(A, 1))
    guard.command([select(guard.junctions[A])])


def test_after_a_release_no_command_for_three_cycles() -> None:
    guard = make_guard()
    guard.command([select(guard.junctions[A])])
    guard.command([Release(A)])
    assert "no command before 192 s" in refuse(guard, select(guard.junctions[A], sequence=2))
    guard.command([Release(A)])
    guard.advance(192)
    guard.command([select(guard.junctions[A], sequence=2)])


# ---- authority --------------------------------------------------------------------------------


def make_identity(installed: Junction, **changes: object) -> Identity:
    fields: dict[str, object] = {
        "junction": installed.id,
        "config_hash": installed.config_hash,
        "phases": {p.number: (p.min_green_s, p.yellow_ds, p.red_clear_ds) for p in installed.phases},
        "backup_time_s": 90,
        "max_patterns": 16,
        "has_local_plan": True,
        **changes,
    }
    return Identity(**fields)  # type: ignore[arg-type]


def make_status(**changes: object) -> ControllerStatus:
    fields: dict[str, object] = {
        "time_s": 0.0,
        "mode": ControllerMode.COORDINATED,
        "pattern": 1,
        "cycle_position_s": 0,
        "free_reason": None,
        "is_remote_enabled": True,
        "backup_time_s": 90,
        "greens": frozenset(),
        "yellows": frozenset(),
        "alarms": frozenset(),
        **changes,
    }
    return ControllerStatus(**fields)  # type: ignore[arg-type]


NO_AUTHORITY = {
    "flash": ({}, {"mode": ControllerMode.FLASH}, "in flash"),
    "preempt": ({}, {"mode": ControllerMode.PREEMPT}, "in preempt"),
    "manual": ({}, {"mode": ControllerMode.MANUAL}, "in manual"),
    "transition": ({}, {"mode": ControllerMode.TRANSITION}, "in transition"),
    "remote disabled": ({}, {"is_remote_enabled": False}, "remote commands disabled"),
    "fail-safe off": ({}, {"backup_time_s": 0}, "fail-safe time-out 0 s"),
    "fail-safe off by table": ({"backup_time_s": 0}, {}, "fail-safe time-out 0 s"),
    "fail-safe too long": ({}, {"backup_time_s": 301}, "fail-safe time-out 301 s"),
    "no local plan": ({"has_local_plan": False}, {}, "no local plan"),
    "no patterns": ({"max_patterns": 0}, {}, "no local plan"),
    "other junction": ({"junction": JunctionId("b")}, {}, "answers as b"),
    "other configuration": ({"config_hash": "f" * 16}, {}, "configuration ffff"),
    "other clearance": ({"phases": {PhaseNumber(1): (5, 30, 10)}}, {}, "phase 1 times (5, 30, 10)"),
}


@pytest.mark.parametrize(("identity", "status", "says"), NO_AUTHORITY.values(), ids=NO_AUTHORITY.keys())
def test_no_command_without_authority(identity: dict[str, object], status: dict[str, object], says: str) -> None:
    junction = make_crossroads()
    answer = (make_identity(junction, **identity), make_status(**status))
    guard = make_guard(FakePlant([junction]), authority=lambda _: answer)
    guard.advance(6)
    assert says in refuse(guard, select(junction))
    assert says in refuse(guard, Stage(A, 1))
    guard.command([Release(A)])


def test_a_controller_in_order_is_commanded() -> None:
    junction = make_crossroads()
    guard = make_guard(FakePlant([junction]), authority=lambda _: (make_identity(junction), make_status()))
    guard.command([select(junction)])
    assert fake_of(guard).commands == [(select(junction),)]


def test_a_controller_that_does_not_answer_gets_nothing() -> None:
    def nobody(junction: JunctionId) -> tuple[Identity, ControllerStatus]:
        raise PlantLost(f"controller {junction}")

    guard = make_guard(authority=nobody)
    with pytest.raises(PlantLost):
        guard.command([select(guard.junctions[A])])
    assert fake_of(guard).commands == []


# ---- the longest red --------------------------------------------------------------------------


def longest_wait_s(plant: FakePlant) -> float:
    """Independent of the guard: the longest span in which a call stood at red, second by second."""
    waits = [0.0] * len(plant.readings)
    worst = 0.0
    links = [m.link_indices[0] for m in plant.network.movements.values()]
    for _, shown, _, readings in plant.history:
        for n, link in enumerate(links):
            is_waiting = shown[0][link] not in "Gg" and readings[n] != 0.0
            waits[n] = waits[n] + 1.0 if is_waiting else 0.0
            worst = max(worst, waits[n])
    return worst


@pytest.mark.parametrize("reading", [1.0, nan, -3.0, 0.2])
def test_a_standing_call_is_served_before_the_longest_red(reading: float) -> None:
    guard = make_guard()
    fake_of(guard).readings[:] = reading
    guard.command([Stage(A, 0)])
    for _ in range(60):
        guard.advance(10)
        guard.snapshot()
    assert guard.counts.forced > 0
    assert 100.0 < longest_wait_s(fake_of(guard)) <= 120.0


def test_without_a_call_nothing_is_forced() -> None:
    guard = make_guard()
    guard.command([Stage(A, 0)])
    guard.advance(500)
    assert (guard.snapshot().stage, guard.counts.forced) == ((0,), 0)


def test_a_recall_that_somebody_installed_is_a_standing_call() -> None:
    for limits, is_forced in ((LIMITS, True), (replace(LIMITS, knows_recall=False), False)):
        guard = make_guard(FakePlant([make_crossroads(recall=Recall.MINIMUM)]), limits)
        guard.command([Stage(A, 0)])
        guard.advance(500)
        assert (guard.counts.forced > 0) is is_forced


def test_a_suspended_junction_is_not_forced() -> None:
    guard = make_guard()
    fake_of(guard).readings[:] = 1.0
    guard.command([Stage(A, 0)])
    guard.suspend(A, "preempt 1")
    guard.advance(300)
    assert guard.counts.forced == 0
    guard.resume(A)
    guard.advance(10)
    assert guard.counts.forced == 1


def test_a_switch_that_would_starve_the_oldest_call_is_refused() -> None:
    guard = make_guard()
    plant = fake_of(guard)
    plant.readings[3] = 1.0
    guard.command([Stage(A, 0)])
    guard.advance(106)
    assert "keep calls red too long (stage 2" in refuse(guard, Stage(A, 1))
    guard.command([Stage(A, 2)])


def test_an_extension_past_the_oldest_call_is_refused() -> None:
    guard = make_guard()
    fake_of(guard).readings[2] = 1.0
    guard.command([Stage(A, 0)])
    guard.command([Extend(A, 100.0)])
    assert "the oldest call needs the change at 115 s" in refuse(guard, Extend(A, 116.0))


def test_a_deferred_switch_is_withdrawn_when_calls_come_that_it_would_starve() -> None:
    audit = MemoryAudit()
    guard = make_guard(audit=audit)
    guard.command([Stage(A, 1, 119.0)])
    guard.advance(5)
    fake_of(guard).readings[2] = 1.0
    guard.advance(300)
    assert len(audit.of_kind("withdrawn")) == 1
    assert longest_wait_s(fake_of(guard)) <= 120.0


def test_a_longest_red_that_cannot_be_kept_is_found_at_load() -> None:
    junction = make_crossroads(walk_s=20, ped_clear_s=20)
    plant = FakePlant([junction], plan_splits_s=(45, 45, 45, 45))
    with pytest.raises(BadScenario, match="must fit into the longest red"):
        make_guard(plant, replace(LIMITS, max_red_s=50.0))
    make_guard(plant, legacy_limits())
    make_guard(plant, replace(LIMITS, max_red_s=50.0, stage_level=frozenset()))


def test_a_plant_whose_clock_stands_is_lost() -> None:
    guard = make_guard()
    guard.command([Stage(A, 0)])
    fake_of(guard).advance = lambda seconds: None  # type: ignore[method-assign,misc]
    with pytest.raises(PlantLost, match="its clock stands"):
        guard.advance(20)


def test_the_guard_has_the_plants_own_interface() -> None:
    guard: Plant = make_guard()
    assert isinstance(guard, Plant)
    batch: list[Decision] = []
    guard.command(batch)
    assert list(guard.stages[A]) == list(FakePlant().stages[A])
