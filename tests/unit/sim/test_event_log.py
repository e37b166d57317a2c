"""The event log of a cycle, by hand."""

from __future__ import annotations

from sim.event_log import events_of_run, lamp_events
from sim.netfile import NativeInterval, Program
from sim.ring_of_program import ring_of_program
from tests.unit.sim.random_programs import make_crossing
from traffic.events import EventCode as Code
from traffic.ids import JunctionId
from traffic.signals import Junction

ROWS = ((20.0, "Gr"), (3.0, "yr"), (2.0, "rr"), (30.0, "rG"), (3.0, "ry"), (2.0, "rr"))


def make_junction() -> Junction:
    intervals = tuple(NativeInterval(duration_s=span, lamps=lamps) for span, lamps in ROWS)
    return ring_of_program(Program(junction="J", offset_s=0.0, intervals=intervals), make_crossing(2))[0]


def test_a_phase_begins_and_ends_its_parts_at_tenths_of_a_second() -> None:
    history = [(100.0, "Gr"), (120.5, "yr"), (123.5, "rr"), (125.5, "rG")]
    rows = [(e.time_ds, e.code, e.parameter) for e in lamp_events(make_junction(), history) if e.code < Code.BEGIN_WALK]
    assert rows == [
        (1000, Code.PHASE_ON, 1),
        (1000, Code.BEGIN_GREEN, 1),
        (1205, Code.END_GREEN, 1),
        (1205, Code.BEGIN_YELLOW, 1),
        (1235, Code.END_YELLOW, 1),
        (1235, Code.BEGIN_RED_CLEAR, 1),
        (1255, Code.END_RED_CLEAR, 1),
        (1255, Code.PHASE_ON, 2),
        (1255, Code.BEGIN_GREEN, 2),
    ]


def test_overlaps_are_logged_beside_the_phases_and_all_is_in_order_of_time() -> None:
    history = [(0.0, "Gr"), (20.0, "yr"), (23.0, "rr"), (25.0, "rG")]
    events = events_of_run({JunctionId("J"): make_junction()}, {JunctionId("J"): history})
    assert [e.time_ds for e in events] == sorted(e.time_ds for e in events)
    overlaps = [(e.time_ds, e.code, e.parameter) for e in events if e.code >= Code.OVERLAP_BEGIN_GREEN]
    assert overlaps == [
        (0, Code.OVERLAP_BEGIN_GREEN, 1),
        (200, Code.OVERLAP_BEGIN_YELLOW, 1),
        (230, Code.OVERLAP_BEGIN_RED_CLEAR, 1),
        (250, Code.OVERLAP_BEGIN_GREEN, 2),
    ]


def test_lamps_that_two_phases_share_are_read_as_the_phase_that_ends() -> None:
    history = [(0.0, "rG"), (20.0, "ry"), (23.0, "rr"), (25.0, "Gr")]
    events = list(lamp_events(make_junction(), history))
    assert [e.parameter for e in events if e.code is Code.BEGIN_RED_CLEAR] == [2]
