"""The whole chain to the street: guard, drivers, UDP, one virtual controller a junction of the schematic corridor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from control.drivers.ber import Binding
from control.drivers.ntcip import NtcipDriver
from control.drivers.objects import oid
from control.drivers.snmp import ObjectTable, SnmpClient
from control.plan.transition import moved_together
from ops.candidates import flows_mcu_h, make_candidates
from ops.plan_runs import open_signals
from tests.e2e.corridor import STEP_DS, Corridor
from traffic.count_files import read_counts
from traffic.decisions import Decision, Extend, Release, SelectPattern, Stage
from traffic.errors import ControllerFault, PlantLost, TrafficError, UnsafeCommand
from traffic.ids import JunctionId, PhaseNumber
from traffic.lamps import coordinated_start_ds, cycle_intervals
from traffic.scenario import read_scenario
from traffic.signals import Junction, Plan, Split, SplitMode

SCENARIO = read_scenario(Path(__file__).resolve().parents[2] / "scenarios" / "thanh_hoa")
BAD = JunctionId("giua")
LOCAL = 1


@pytest.fixture
def corridor() -> Iterator[Corridor]:
    street = Corridor(SCENARIO)
    yield street
    street.close()


@pytest.fixture(scope="module")
def idle() -> Iterator[Corridor]:
    """Return a corridor for tests in which nothing may be sent, so that it stays as it is."""
    street = Corridor(SCENARIO)
    yield street
    street.close()


def made_for(quarter: int, name: str = "webster") -> dict[JunctionId, Plan]:
    """Return a candidate for a quarter of the historic hour: 0 has a cycle of 80 s, 1 the old 85 s, 3 has 75 s."""
    town, installed = open_signals(SCENARIO)
    assert SCENARIO.counts is not None
    from_s = SCENARIO.begin_s + 900.0 * quarter
    counts = [row for row in read_counts(SCENARIO.counts) if row.start_s == from_s]
    candidates, _ = make_candidates(SCENARIO, town, installed, flows_mcu_h(counts, SCENARIO.mcu))
    return dict(next(row for row in candidates if row.name == name).plans)


def lamps_at(junction: Junction, plan: Plan, time_ds: int) -> str:
    """Return what a plan shows at a tenth of the day: its coordinated green starts at the offset after midnight."""
    intervals = cycle_intervals(junction, plan)
    start_ds = coordinated_start_ds(junction, plan)
    place_ds = (time_ds - plan.pattern.offset_s * 10 + start_ds) % (plan.pattern.cycle_s * 10)
    for interval in intervals:
        place_ds -= interval.duration_ds
        if place_ds < 0:
            return interval.lamps
    raise AssertionError("beyond the cycle")


def assert_lamps(corridor: Corridor, plans: list[Plan], seconds: float) -> None:
    """Check that the street shows these plans, step by step."""
    for _ in range(round(seconds * 10 / STEP_DS)):
        corridor.wait(STEP_DS / 10)
        for plan in plans:
            junction = corridor.junctions[plan.junction]
            assert corridor.shown[plan.junction] == lamps_at(junction, plan, corridor.now_ds), corridor.now_ds


def test_new_plans_are_read_back_confirmed_within_three_cycles_and_shown_step_by_step(corridor: Corridor) -> None:
    assert_lamps(corridor, list(corridor.installed.values()), 85.0)
    plans = list(moved_together(made_for(0), corridor.installed, corridor.now_ds / 10).values())
    assert plans[0].pattern.cycle_s != corridor.installed[plans[0].junction].pattern.cycle_s
    corridor.push(plans)
    assert corridor.plant.read_back == {plan.junction: True for plan in plans}
    corridor.guard.advance(3 * 85.0)
    assert corridor.plant.is_confirmed
    assert_lamps(corridor, plans, 2.0 * plans[0].pattern.cycle_s)


@pytest.mark.parametrize(
    ("quarter", "name", "wait_s"),
    [(0, "webster", 668), (1, "webster", 13), (1, "splits", 1061), (3, "webster", 406), (3, "webster", 1192)],
)
def test_offsets_moved_together_are_in_effect_within_three_cycles_where_alone_they_were_not(
    corridor: Corridor, quarter: int, name: str, wait_s: int
) -> None:
    corridor.wait(float(wait_s))
    corridor.push(list(moved_together(made_for(quarter, name), corridor.installed, corridor.now_ds / 10).values()))
    corridor.guard.advance(3 * 75.0)
    assert corridor.plant.is_confirmed and not corridor.audit.of_kind("release")


def test_the_lease_is_renewed_for_an_hour_and_a_release_hands_back(corridor: Corridor) -> None:
    corridor.push(corridor.shifted())
    corridor.guard.advance(3600.0)
    assert corridor.plant.is_confirmed and not corridor.audit.of_kind("lost_poll")
    assert corridor.held("coordPatternStatus") == corridor.asked()
    assert LOCAL not in corridor.asked().values()
    corridor.plant.release_all("end")
    assert set(corridor.asked().values()) == {0}
    corridor.wait(450.0)
    assert set(corridor.held("coordPatternStatus").values()) == {LOCAL}
    assert_lamps(corridor, list(corridor.installed.values()), 85.0)


def test_a_centre_that_is_gone_leaves_the_local_plans_running(corridor: Corridor) -> None:
    corridor.push(corridor.shifted())
    corridor.wait(750.0)
    assert set(corridor.held("coordPatternStatus").values()) == {LOCAL}
    assert_lamps(corridor, list(corridor.installed.values()), 85.0)


def mute(corridor: Corridor, name: JunctionId) -> None:
    """Lose every answer of one controller; the centre does not wait for it for long."""
    table: ObjectTable = corridor.server.controllers[name].tables
    corridor.responder.is_mute = lambda asked: asked is table
    client = corridor.clients[name]
    client.endpoint = replace(client.endpoint, timeout_s=0.2, retries=0)


def test_lost_polls_hold_on_until_the_lease_lapses_then_the_local_plan_runs(corridor: Corridor) -> None:
    corridor.push(corridor.shifted())
    corridor.guard.advance(300.0)
    mute(corridor, BAD)
    corridor.guard.advance(200.0)
    assert corridor.asked()[BAD] == corridor.held("coordPatternStatus")[BAD] != LOCAL
    assert not corridor.audit.of_kind("release") and corridor.audit.of_kind("lost_poll")
    with pytest.raises(ControllerFault, match=r"giua: unheard for 300 s, its lease of 300 s lapsed"):
        corridor.guard.advance(200.0)
    running = corridor.held("coordPatternStatus")
    assert running.pop(BAD) == LOCAL and LOCAL not in running.values()


def test_polls_lost_for_less_than_the_lease_cost_nothing(corridor: Corridor) -> None:
    corridor.push(corridor.shifted())
    corridor.guard.advance(300.0)
    mute(corridor, BAD)
    corridor.guard.advance(100.0)
    corridor.responder.is_mute = lambda _: False
    corridor.clients[BAD].endpoint = replace(corridor.clients[BAD].endpoint, timeout_s=1.0, retries=2)
    corridor.guard.advance(600.0)
    assert corridor.plant.is_confirmed and not corridor.audit.of_kind("release")
    assert LOCAL not in corridor.held("coordPatternStatus").values()


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (lambda cabinet: setattr(cabinet.inputs, "is_free", True), "dropped to free"),
        (lambda cabinet: setattr(cabinet.inputs, "is_local_flash", True), "went to flash"),
        (lambda cabinet: cabinet.tables.set([Binding(oid("coordOperationalMode"), 1)], b"technician"), "manual"),
        (lambda cabinet: cabinet.restart(), "restarted"),
    ],
    ids=["free", "flash", "manual", "power failure"],
)
def test_what_ends_a_plan_releases_one_controller_by_name_and_the_others_go_on(
    corridor: Corridor, happens: Callable[..., object], said: str
) -> None:
    corridor.push(corridor.shifted())
    corridor.guard.advance(300.0)
    with corridor.lock:
        happens(corridor.server.controllers[BAD])
    with pytest.raises(ControllerFault, match="giua") as caught:
        corridor.guard.advance(200.0)
    assert said in caught.value.line and "\n" not in caught.value.line
    asked = corridor.asked()
    assert asked.pop(BAD) == 0
    assert 0 not in asked.values() and corridor.held("coordPatternStatus").items() >= asked.items()
    with pytest.raises(UnsafeCommand, match="giua: released, no command before"):
        corridor.push(corridor.shifted(20), sequence_number=2)


def test_a_controller_that_takes_no_commands_any_more_keeps_our_plan_until_its_lease_lapses(corridor: Corridor) -> None:
    corridor.push(corridor.shifted())
    corridor.guard.advance(300.0)
    with corridor.lock:
        corridor.server.controllers[BAD].inputs.is_remote_disabled = True
    with pytest.raises(ControllerFault, match="remote commands disabled"):
        corridor.guard.advance(100.0)
    assert corridor.asked()[BAD] != 0
    corridor.guard.advance(300.0)
    running = corridor.held("coordPatternStatus")
    assert running.pop(BAD) == LOCAL and LOCAL not in running.values()


def make_bad(corridor: Corridor, fault: str) -> None:
    """Put one controller into a state in which it may not be commanded."""
    cabinet = corridor.server.controllers[BAD]
    with corridor.lock:
        match fault:
            case "flash":
                cabinet.inputs.is_local_flash = True
            case "preempt":
                cabinet.inputs.preempt = 1
            case "remote disabled":
                cabinet.inputs.is_remote_disabled = True
            case "manual":
                assert cabinet.tables.set([Binding(oid("coordOperationalMode"), 1)], b"technician")[0] == 0
            case "fail-safe off":
                assert cabinet.tables.set([Binding(oid("unitBackupTime"), 0)], b"technician")[0] == 0
            case "fail-safe too long":
                assert cabinet.tables.set([Binding(oid("unitBackupTime"), 9000)], b"technician")[0] == 0
            case "another junction":
                assert cabinet.tables.set([Binding(oid("sysName"), b"elsewhere")], b"technician")[0] == 0
    if fault == "silent":
        dead = SnmpClient(replace(corridor.clients[BAD].endpoint, port=9, timeout_s=0.2, retries=0))
        corridor.clients[BAD].close()
        corridor.clients[BAD] = dead
        corridor.plant._posts[BAD].driver = NtcipDriver(dead, corridor.junctions[BAD], corridor.guard.limits)
    corridor.wait(5.0)


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("flash", UnsafeCommand, "in flash"),
        ("preempt", UnsafeCommand, "in preempt"),
        ("remote disabled", UnsafeCommand, "remote commands disabled"),
        ("manual", UnsafeCommand, "in manual"),
        ("fail-safe off", UnsafeCommand, "fail-safe time-out 0 s"),
        ("fail-safe too long", UnsafeCommand, "fail-safe time-out 9000 s"),
        ("another junction", UnsafeCommand, "answers as elsewhere"),
        ("silent", PlantLost, "127.0.0.1:9"),
    ],
)
def test_one_bad_controller_and_nothing_is_sent_anywhere(
    corridor: Corridor, fault: str, kind: type[TrafficError], said: str
) -> None:
    make_bad(corridor, fault)
    with pytest.raises(kind) as caught:
        corridor.push(corridor.shifted())
    assert "\n" not in caught.value.line and said in caught.value.line
    assert corridor.responder.n_sets == 0 and set(corridor.asked().values()) == {0}
    assert not corridor.audit.of_kind("push") and not corridor.plant.read_back


def test_a_controller_that_falls_silent_in_the_middle_of_a_push_takes_the_others_back(corridor: Corridor) -> None:
    table: ObjectTable = corridor.server.controllers[BAD].tables
    corridor.clients[BAD].endpoint = replace(corridor.clients[BAD].endpoint, timeout_s=0.2, retries=1)
    corridor.responder.is_mute = lambda asked: asked is table and corridor.responder.n_sets > 0
    with pytest.raises(PlantLost):
        corridor.push(corridor.shifted())
    assert corridor.responder.n_sets > 0 and set(corridor.asked().values()) == {0}
    assert corridor.audit.of_kind("push")
    corridor.wait(300.0)
    assert set(corridor.held("coordPatternStatus").values()) == {LOCAL}


def test_another_masters_transaction_in_the_middle_of_a_push_takes_the_others_back(corridor: Corridor) -> None:
    with corridor.lock:
        status, _ = corridor.server.controllers[BAD].tables.set([Binding(oid("dbCreateTransaction"), 2)], b"technician")
    assert status == 0
    with pytest.raises(TrafficError, match="giua") as caught:
        corridor.push(corridor.shifted())
    assert "\n" not in caught.value.line
    assert set(corridor.asked().values()) == {0}


def with_splits(plan: Plan, change_s: dict[int, int]) -> Plan:
    """Return a plan some of whose splits, by place, differ by so many seconds."""
    rows = tuple(replace(row, split_s=row.split_s + change_s.get(k, 0)) for k, row in enumerate(plan.split.splits))
    return replace(plan, split=replace(plan.split, splits=rows))


def with_pattern(**changes: int) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, pattern=replace(plan.pattern, **changes))  # type: ignore[arg-type]


def scaled(cycle_s: int) -> Callable[[Plan], Plan]:
    """Return a change to another cycle; the first phase takes the difference."""

    def change(plan: Plan) -> Plan:
        longer = with_splits(plan, {0: cycle_s - plan.pattern.cycle_s})
        return replace(longer, pattern=replace(longer.pattern, cycle_s=cycle_s, offset_s=0))

    return change


def with_rows(change: Callable[[tuple[Split, ...]], tuple[Split, ...]]) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, split=replace(plan.split, splits=change(plan.split.splits)))


PLANS: dict[str, tuple[Callable[[Plan], Plan], str]] = {
    "green below the least": (lambda plan: with_splits(plan, {0: 3 - plan.split.splits[0].split_s}), "split 3 s"),
    "walk and clearance cut": (lambda plan: with_splits(plan, {0: 20, 2: -20}), "min green or walk and clearance"),
    "ring longer than its cycle": (lambda plan: with_splits(plan, {0: 1}), "sum to"),
    "offset beyond the cycle": (lambda plan: with_pattern(offset_s=plan.pattern.cycle_s)(plan), "offset"),
    "offset below 0": (with_pattern(offset_s=-1), "offset -1 s"),
    "cycle shorter than the site's": (scaled(55), "cycle 55 s (site limits 60-120 s)"),
    "cycle longer than the site's": (scaled(121), "cycle 121 s (site limits 60-120 s)"),
    "cycle that NTCIP cannot hold": (scaled(300), "cycle 300 s"),
    "phase left out": (with_rows(lambda rows: rows[1:]), "has no split"),
    "phase twice": (with_rows(lambda rows: (*rows, rows[0])), "has 2 splits"),
    "phase not installed": (with_rows(lambda rows: (*rows, replace(rows[0], phase=PhaseNumber(16)))), "not installed"),
    "phase omitted": (with_rows(lambda rows: (replace(rows[0], mode=SplitMode.OMITTED), *rows[1:])), "is omitted"),
    "half a second": (with_rows(lambda rows: (replace(rows[0], split_s=20.5), *rows[1:])), "split 20.5"),  # type: ignore[arg-type]
    "sequence": (with_pattern(sequence=2), "sequence 2"),
    "free by its number": (with_pattern(number=254), "pattern number 254"),
    "another split table": (with_pattern(split=9), "names split table 9"),
    "another junction's plan": (lambda plan: replace(plan, junction=JunctionId("bac")), "two decisions"),
}


@pytest.mark.parametrize(("spoil", "said"), PLANS.values(), ids=PLANS.keys())
def test_one_illegal_plan_and_nothing_is_sent(idle: Corridor, spoil: Callable[[Plan], Plan], said: str) -> None:
    plans = [spoil(plan) if plan.junction == BAD else plan for plan in idle.shifted()]
    with pytest.raises(UnsafeCommand, match="guard refused") as caught:
        idle.push(plans)
    assert said in caught.value.line and "\n" not in caught.value.line
    assert idle.responder.n_sets == 0 and set(idle.asked().values()) == {0}


def test_barriers_that_the_rings_do_not_reach_together_are_refused(idle: Corridor) -> None:
    dual = next(plan for plan in idle.shifted() if len(idle.junctions[plan.junction].rings) == 2)
    first, second = idle.junctions[dual.junction].rings[0][0], idle.junctions[dual.junction].rings[0][-1]
    places = {row.phase: place for place, row in enumerate(dual.split.splits)}
    with pytest.raises(UnsafeCommand, match="rings reach barrier"):
        idle.push([with_splits(dual, {places[first]: 1, places[second]: -1})])
    assert idle.responder.n_sets == 0


ORDERS: dict[str, tuple[dict[str, object], str]] = {
    "another configuration": ({"config_hash": "0" * 16}, "made for configuration"),
    "no sequence number": ({"sequence_number": 0}, "sequence number 0"),
    "nobody's": ({"issuer": ""}, "no issuer"),
    "expired": ({"expires": timedelta(seconds=-10)}, "expired"),
    "not valid yet": ({"valid_from": timedelta(seconds=60)}, "valid from"),
}


@pytest.mark.parametrize(("changes", "said"), ORDERS.values(), ids=ORDERS.keys())
def test_one_bad_order_and_nothing_is_sent(idle: Corridor, changes: dict[str, object], said: str) -> None:
    decisions: list[Decision] = list(idle.orders(idle.shifted()))
    good = decisions[2]
    assert isinstance(good, SelectPattern)
    order = good.order
    moved = {
        name: order.valid_from + change if isinstance(change, timedelta) else change for name, change in changes.items()
    }
    if "expires" in moved:
        moved["valid_from"] = order.valid_from - timedelta(seconds=60)
    decisions[2] = SelectPattern(replace(order, **moved))  # type: ignore[arg-type]
    with pytest.raises(UnsafeCommand, match="guard refused") as caught:
        idle.guard.command(decisions)
    assert said in caught.value.line
    assert idle.responder.n_sets == 0


@pytest.mark.parametrize("decision", [Stage(BAD, 0), Extend(BAD, 25_300.0)], ids=["stage", "extend"])
def test_a_decision_by_stages_is_not_for_this_street(idle: Corridor, decision: Decision) -> None:
    with pytest.raises(UnsafeCommand):
        idle.guard.command([*idle.orders(idle.shifted()[:1]), decision])
    assert idle.responder.n_sets == 0 and set(idle.asked().values()) == {0}


def test_a_second_plan_too_soon_or_in_transition_is_refused_and_the_first_stays(corridor: Corridor) -> None:
    corridor.push(corridor.shifted())
    first, n_sets = corridor.asked(), corridor.responder.n_sets
    corridor.wait(20.0)
    with pytest.raises(UnsafeCommand) as caught:
        corridor.push(corridor.shifted(30), sequence_number=2)
    assert "second plan change" in caught.value.line
    assert corridor.asked() == first and corridor.responder.n_sets == n_sets
    corridor.guard.advance(3 * 85.0)
    corridor.push(corridor.shifted(30), sequence_number=3)
    corridor.guard.advance(3 * 85.0)
    assert corridor.plant.is_confirmed
    assert all(corridor.asked()[name] != first[name] for name in first)
    assert_lamps(corridor, corridor.shifted(30), 85.0)


def test_an_order_sent_twice_is_refused(corridor: Corridor) -> None:
    corridor.push(corridor.shifted())
    n_sets = corridor.responder.n_sets
    with pytest.raises(UnsafeCommand, match="sequence number 1"):
        corridor.push(corridor.shifted())
    assert corridor.responder.n_sets == n_sets


def test_a_commanded_release_hands_one_back_and_commands_are_held_for_three_cycles(corridor: Corridor) -> None:
    corridor.push(corridor.shifted())
    corridor.guard.advance(300.0)
    corridor.guard.command([Release(BAD)])
    asked = corridor.asked()
    assert asked.pop(BAD) == 0 and 0 not in asked.values()
    with pytest.raises(UnsafeCommand, match="no command before"):
        corridor.push([plan for plan in corridor.shifted(30) if plan.junction == BAD], sequence_number=2)
