"""Calls, gaps, maxima, pedestrians, controls; and what no sequence of commands can break."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from control.drivers.tables_rows import LocalProgram, all_day
from tests.unit.control.cabinet_factories import Bench, ListSink, make_cross, make_plan
from traffic.events import EventCode
from traffic.ids import DetectorId
from traffic.signals import Recall

OFF = {DetectorId(f"d{n}"): False for n in range(1, 9)}


def on(*numbers: int) -> dict[DetectorId, bool]:
    return OFF | {DetectorId(f"d{n}"): True for n in numbers}


def free(recall: Recall = Recall.NONE, **more: object) -> Bench:
    """A bench that runs free all day."""
    program = all_day([make_plan(1)])
    local = LocalProgram(plans=program.plans, actions=(), day_plans=(), schedules=())
    return Bench(junction=make_cross(recall=recall, has_detectors=True), program=local, **more)


def greens(bench: Bench) -> set[int]:
    octet = bench.get("phaseStatusGroupGreens", 1)
    assert isinstance(octet, int)
    return {n for n in range(1, 9) if octet >> (n - 1) & 1}


def test_free_without_calls_rests_in_green() -> None:
    bench = free()
    bench.run_s(120, OFF)
    resting = greens(bench)
    bench.run_s(120, OFF)
    assert greens(bench) == resting


def test_a_call_across_the_barrier_is_served_and_its_ring_mate_enters_too() -> None:
    bench = free()
    bench.run_s(60, on(2))
    bench.run_s(30, OFF)
    bench.run_s(1, on(4))
    bench.run_s(12, OFF)
    assert greens(bench) == {4, 8}


def test_a_green_gaps_out_when_its_detector_falls_silent() -> None:
    sink = ListSink()
    bench = free(sink=sink)
    bench.run_s(30, on(2))
    bench.run_s(0.5, on(2, 4))
    bench.run_s(30, OFF)
    ends = [(event.code, event.parameter) for event in sink.events if event.parameter == 2]
    assert (EventCode.GAP_OUT, 2) in ends


def test_a_green_with_endless_traffic_maxes_out() -> None:
    sink = ListSink()
    bench = free(sink=sink)
    bench.run_s(60, on(2))
    began_ds = bench.time_ds
    bench.run_s(60, on(2, 4))
    ended = [e for e in sink.events if e.code is EventCode.MAX_OUT and e.parameter == 2]
    assert 200 <= ended[0].time_ds - began_ds <= 205


def test_a_failed_detector_is_a_standing_call_and_no_count() -> None:
    bench = free()
    bench.set("volumeOccupancyPeriod", 10)
    silent = {name: state for name, state in OFF.items() if name != "d4"}
    bench.run_s(60, silent)
    assert 4 in {n for n in range(1, 9) if int(str(bench.get("phaseStatusGroupVehCalls", 1))) >> (n - 1) & 1}
    assert (bench.get("detectorOccupancy", 4), bench.get("detectorOccupancy", 2)) == (216, 0)
    assert bench.get("vehicleDetectorStatusGroupAlarms", 1) == 1 << 3


def test_volume_and_occupancy_are_those_of_the_last_whole_period() -> None:
    bench = free()
    bench.set("volumeOccupancyPeriod", 10)
    for _ in range(3):
        bench.run_s(1, on(2))
        bench.run_s(1, OFF)
    bench.run_s(4, OFF)
    assert (bench.get("detectorVolume", 2), bench.get("detectorOccupancy", 2)) == (3, 60)
    assert bench.get("volumeOccupancySequence") == 1


def test_coordinated_an_uncalled_phase_is_left_out_and_the_coordinated_one_gains() -> None:
    bench = Bench(junction=make_cross(recall=Recall.NONE, has_detectors=True), program=all_day([make_plan(1)]))
    bench.run_s(400, OFF)
    lit = bench.run_s(200, OFF)
    assert {shown[1] for shown in lit} == {"G"}
    lit = bench.run_s(300, on(4))
    assert {shown[1] for shown in lit} == {"G", "y", "r"}
    assert {shown[2] for shown in lit} == {"r"}


def test_a_coordinated_phase_never_leaves_before_its_yield_point() -> None:
    bench = Bench(junction=make_cross(recall=Recall.NONE, has_detectors=True), program=all_day([make_plan(1)]))
    bench.run_s(400, OFF)
    ends = []
    for _ in range(600):
        before = bench.shown[-1][1]
        bench.run_s(0.5, on(3, 4, 7, 8))
        if before == "G" and bench.shown[-1][1] == "y":
            ends.append(bench.time_ds % 1000)
    # Phase 2 turns green at 0 by the offset, its split is 30 s, its clearance 5 s.
    assert len(ends) == 3
    assert set(ends) == {250}


def test_a_call_too_late_for_its_split_waits_for_the_next_yield_point() -> None:
    bench = Bench(junction=make_cross(recall=Recall.NONE, has_detectors=True), program=all_day([make_plan(1)]))
    bench.run_s(475, OFF)
    # Phase 4 ends its split 80 s after phase 2 turned green: 5 s of clearance before it, 5 s green, 5 s after.
    bench.run_s(1, on(4))
    assert {shown[1] for shown in bench.run_s(48.5, OFF)} == {"G"}
    assert bench.run_s(1, OFF)[-1][1] == "y"


def test_a_call_after_the_yield_point_but_in_time_is_served_at_once() -> None:
    bench = Bench(junction=make_cross(recall=Recall.NONE, has_detectors=True), program=all_day([make_plan(1)]))
    bench.run_s(440, OFF)
    assert bench.run_s(1, on(4))[-1][1] == "y"


def test_pedestrians_called_are_served_in_full() -> None:
    bench = Bench(
        junction=make_cross(recall=Recall.MINIMUM, has_detectors=True, walk_s=4),
        program=LocalProgram(plans=(make_plan(1),), actions=(), day_plans=(), schedules=()),
        backup_time_s=0,
    )
    bench.set("phaseControlGroupPedCall", 1, 0b10)
    bench.run_s(100, OFF)
    spans, since = [], None
    for _ in range(400):
        bench.run_s(0.5, OFF)
        lit = bench.shown[-1][1] == "G"
        if lit and since is None:
            since = bench.time_ds
        elif not lit and since is not None:
            spans.append(bench.time_ds - since)
            since = None
    assert len(spans) > 2
    assert min(spans[1:]) >= 120


def test_the_log_tells_walk_clearance_and_the_end_of_both() -> None:
    sink = ListSink()
    bench = Bench(junction=make_cross(walk_s=4), sink=sink)
    bench.run_s(200)
    codes = (EventCode.BEGIN_WALK, EventCode.BEGIN_PED_CLEAR, EventCode.BEGIN_DONT_WALK)
    walks = [(e.code, e.time_ds) for e in sink.events if e.parameter == 4 and e.code in codes][:3]
    began = walks[0][1]
    assert walks == [(codes[0], began), (codes[1], began + 40), (codes[2], began + 120)]


def test_the_log_tells_every_part_of_a_phase_in_order() -> None:
    sink = ListSink()
    bench = Bench(sink=sink)
    bench.run_s(250)
    parts = [e for e in sink.events if e.parameter == 4 and e.code <= EventCode.END_RED_CLEAR][:8]
    assert [int(e.code) for e in parts] == [0, 1, 6, 7, 8, 9, 10, 11]
    assert [e.time_ds - parts[0].time_ds for e in parts] == [0, 0, 250, 250, 250, 280, 280, 300]


def test_force_off_clears_itself_and_omit_skips() -> None:
    bench = free(Recall.MAXIMUM, backup_time_s=0)
    bench.set("phaseControlGroupPhaseOmit", 1, 0b100)
    bench.run_s(150, OFF)
    assert {shown[2] for shown in bench.run_s(150, OFF)} == {"r"}
    while 2 not in greens(bench):
        bench.run_s(0.5, OFF)
    bench.set("phaseControlGroupForceOff", 1, 0b10)
    bench.run_s(40, OFF)
    assert bench.get("phaseControlGroupForceOff", 1) == 0


def test_hold_keeps_a_green() -> None:
    bench = free(Recall.MAXIMUM, backup_time_s=0)
    while 2 not in greens(bench):
        bench.run_s(0.5, OFF)
    bench.set("phaseControlGroupHold", 1, 0b10)
    assert {shown[1] for shown in bench.run_s(200, OFF)} == {"G"}
    bench.set("phaseControlGroupHold", 1, 0)
    assert "r" in {shown[1] for shown in bench.run_s(60, OFF)}


COMMANDS = st.one_of(
    st.tuples(st.just("systemPatternControl"), st.sampled_from([0, 1, 2, 3, 30, 254, 255])),
    st.tuples(st.just("phaseControlGroupForceOff"), st.integers(0, 255)),
    st.tuples(st.just("phaseControlGroupHold"), st.integers(0, 255)),
    st.tuples(st.just("phaseControlGroupPhaseOmit"), st.sampled_from([0, 1, 0b100, 0b11])),
    st.tuples(st.just("phaseControlGroupPedCall"), st.integers(0, 255)),
    st.tuples(st.just("coordCorrectionMode"), st.integers(2, 5)),
    st.tuples(st.just("systemSyncControl"), st.integers(0, 255)),
    st.tuples(st.just("preempt"), st.integers(0, 1)),
    st.tuples(st.just("detectors"), st.integers(0, 255)),
    st.tuples(st.just("restart"), st.just(0)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(COMMANDS, st.integers(1, 60)), min_size=3, max_size=14), st.sampled_from(list(Recall)))
def test_no_command_cuts_a_minimum_a_clearance_or_lets_foes_meet(
    steps: list[tuple[tuple[str, int], int]], recall: Recall
) -> None:
    bench = Bench(junction=make_cross(recall=recall, has_detectors=True, walk_s=3), backup_time_s=40)
    detectors = OFF
    for (name, value), seconds in steps:
        if name == "preempt":
            bench.cabinet.inputs.preempt = value
        elif name == "detectors":
            detectors = on(*(n for n in range(1, 9) if value >> (n - 1) & 1))
        elif name == "restart":
            bench.cabinet.restart()
        elif name.startswith("phase"):
            bench.set(name, 1, value)
        else:
            bench.set(name, value)
        bench.run_s(seconds, detectors)
    assert bench.get("unitFlashStatus") != 6
    for link in range(8):
        assert_spans(bench.shown, link)
    assert_no_foes(bench.shown)


def assert_spans(shown: list[str], link: int) -> None:
    """Every whole green lasts 5 s, every whole yellow 3 s, unless flash cut it; red clearance is 2 s."""
    runs: list[tuple[str, int]] = []
    for lamps in shown:
        if runs and runs[-1][0] == lamps[link]:
            runs[-1] = (lamps[link], runs[-1][1] + 1)
        else:
            runs.append((lamps[link], 1))
    for (before, _), (letter, count), (after, _) in zip(runs, runs[1:], runs[2:], strict=False):
        if "s" in (before, after) or letter == "s" or before == "G" == letter:
            continue
        if letter == "G" and after != "r":
            assert count >= 10, (link, runs)
        if letter == "y":
            assert (before, after) == ("G", "r")
            assert count == 6, (link, runs)


def assert_no_foes(shown: list[str]) -> None:
    foes = make_cross().conflicts
    for lamps in dict.fromkeys(shown):
        assert not [(i, j) for i, j in foes if lamps[i] in "Gy" and lamps[j] in "Gy"], lamps
