"""Delay from the event log: cases worked by hand, and what missed and doubled pulses do to it."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.log_delay import (
    DetectorChannel,
    LoggedApproach,
    LoggedDelay,
    Place,
    approaches_of,
    log_delay,
    total_delay_s,
)
from traffic.events import Event, EventCode
from traffic.ids import JunctionId, LinkId

A, WEST = JunctionId("a"), LinkId("west")
ADVANCE, STOP, PHASE = 1, 2, 4


def make_approach(storage_veh: float = 99.0, phases: tuple[int, ...] = (PHASE,)) -> LoggedApproach:
    return LoggedApproach(
        junction=A, approach=WEST, advance=(ADVANCE,), stop=(STOP,), free_flow_s=10.0, phases=phases,
        storage_veh=storage_veh,
    )  # fmt: skip


def pulses(channel: int, *times_s: float) -> list[Event]:
    return [Event(round(time * 10), A, EventCode.DETECTOR_ON, channel) for time in times_s]


def green(begin_s: float, end_s: float, phase: int = PHASE) -> list[Event]:
    stamps = ((begin_s, EventCode.BEGIN_GREEN), (end_s, EventCode.END_GREEN))
    return [Event(round(time * 10), A, code, phase) for time, code in stamps]


def delay_of(events: list[Event], approach: LoggedApproach | None = None, end_s: float = 300.0) -> LoggedDelay:
    return log_delay(events, [approach or make_approach()], (0.0, end_s))[A, WEST]


def test_three_vehicles_wait_ten_seconds_each() -> None:
    # Free flow 10 s: due at 210, 212, 214; they leave at 220, 222, 224.
    row = delay_of(pulses(ADVANCE, 200, 202, 204) + pulses(STOP, 220, 222, 224))
    assert (row.delay_veh_s, row.vehicles, row.delay_s) == (pytest.approx(30.0), 3, pytest.approx(10.0))
    assert row.queue_max_veh == 3.0
    assert row.queue_mean_veh == pytest.approx(30.0 / 300.0)
    assert (row.drift_veh, row.doubts) == (0.0, ())


def test_a_vehicle_still_waiting_counts_until_the_end_of_the_window() -> None:
    row = delay_of(pulses(ADVANCE, 200, 285) + pulses(STOP, 215))
    assert row.delay_veh_s == pytest.approx(5.0 + 5.0)


def test_what_happened_before_the_window_sets_its_queue() -> None:
    events = pulses(ADVANCE, 80, 130) + pulses(STOP, 120, 145)
    row = log_delay(events, [make_approach()], (100.0, 300.0))[A, WEST]
    # The first was due at 90 and waits from 100 to 120 inside the window, the second from 140 to 145.
    assert row.delay_veh_s == pytest.approx(20.0 + 5.0)


def test_somebody_faster_than_the_mean_is_not_drift() -> None:
    # Due at 210, leaves at 208; due at 230, leaves at 232.
    row = delay_of(pulses(ADVANCE, 200, 220) + pulses(STOP, 208, 232))
    assert (row.delay_veh_s, row.drift_veh) == (pytest.approx(0.0), 0.0)


def test_a_missed_arrival_is_put_back() -> None:
    # 202 was missed. The queue would be -1 from 224 on: drift of -0.2 a pulse over the five pulses,
    # area = 1.2*4 + 2.4*6 + 1.6*2 + 0.8*2 = 24 where the truth is 30 (without correction: -58).
    row = delay_of(pulses(ADVANCE, 200, 204) + pulses(STOP, 220, 222, 224))
    assert row.delay_veh_s == pytest.approx(24.0)
    assert row.drift_veh == 1.0
    assert "1 of 3 vehicles corrected" in row.doubts


def test_a_doubled_arrival_is_taken_away_at_a_quiet_green() -> None:
    # Due at 210, seen again at 212, leaves at 220; quiet green until 228: N = 1 at 223 is drift of 1/3 a pulse,
    # area = 2/3*2 + 4/3*8 = 12 where the truth is 10 (without correction: 98).
    row = delay_of(pulses(ADVANCE, 200, 202) + pulses(STOP, 220) + green(218, 240))
    assert row.delay_veh_s == pytest.approx(12.0)
    assert row.drift_veh == 1.0


def test_a_quiet_green_of_one_of_two_phases_proves_nothing() -> None:
    approach = make_approach(phases=(PHASE, 5))
    row = delay_of(pulses(ADVANCE, 200, 202) + pulses(STOP, 220) + green(218, 240), approach)
    assert row.drift_veh == 0.0
    both = pulses(ADVANCE, 200, 202) + pulses(STOP, 220) + green(218, 240) + green(245, 253, phase=5)
    assert delay_of(both, approach).drift_veh == 1.0


@pytest.mark.parametrize(("silent", "seen"), [("stop", ADVANCE), ("advance", STOP)])
def test_a_dead_detector_is_unknown_not_zero(silent: str, seen: int) -> None:
    row = delay_of(pulses(seen, *range(100, 200, 5)))
    assert isnan(row.delay_s) and isnan(row.delay_veh_s)
    assert row.doubts == (f"no pulse from the {silent} detector in the window",)


def test_a_blocked_exit_is_doubted() -> None:
    events = pulses(ADVANCE, *range(200, 220, 2)) + pulses(STOP, 209) + green(232, 260)
    assert "a green without departures while a queue stood" in delay_of(events).doubts


def test_a_queue_over_the_advance_detector_is_a_lower_bound() -> None:
    events = pulses(ADVANCE, 200, 202, 204) + pulses(STOP, 220, 222, 224)
    assert delay_of(events, make_approach(storage_veh=2.0)).doubts == (
        "the queue covered the advance detector: a lower bound",
    )


def test_an_approach_never_seen_empty_is_doubted() -> None:
    events = pulses(ADVANCE, *range(0, 1900, 10)) + pulses(STOP, *range(30, 1900, 10))
    assert "never seen empty for 1900 s" in delay_of(events, end_s=1900.0).doubts


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 900)), min_size=1, max_size=40))
def test_perfect_detectors_give_the_sum_of_delays(vehicles: list[tuple[int, int]]) -> None:
    events: list[Event] = []
    for seen_ds, delay_ds in vehicles:
        events.append(Event(seen_ds, A, EventCode.DETECTOR_ON, ADVANCE))
        events.append(Event(seen_ds + 100 + delay_ds, A, EventCode.DETECTOR_ON, STOP))
    row = delay_of(events, end_s=400.0)
    assert row.delay_veh_s == pytest.approx(sum(delay for _, delay in vehicles) / 10.0, abs=1e-6)
    assert row.vehicles == len(vehicles)


def fixed_time_street(rng: np.random.Generator, missed: float, doubled: float) -> tuple[list[Event], float, int]:
    """An hour of 400 veh/h at 30 s green in 90 s, headway 2 s; the events, the true delay of all, their number."""
    arrivals = np.sort(rng.uniform(0.0, 3500.0, 390))
    events = [event for cycle in range(41) for event in green(cycle * 90.0, cycle * 90.0 + 30.0)]
    free_s, truth_s = 0.0, 0.0

    def see(time_s: float, channel: int) -> None:
        n = 0 if rng.random() < missed else 2 if rng.random() < doubled else 1
        events.extend(pulses(channel, *(time_s + 0.3 * k for k in range(n))))

    for seen_s in arrivals:
        leaves_s = max(float(seen_s) + 10.0, free_s)
        leaves_s += 90.0 - leaves_s % 90.0 if leaves_s % 90.0 >= 30.0 else 0.0
        free_s = leaves_s + 2.0
        truth_s += leaves_s - float(seen_s) - 10.0
        see(float(seen_s), ADVANCE)
        see(leaves_s, STOP)
    return events, truth_s, len(arrivals)


@pytest.mark.parametrize("seed", range(5))
def test_noisy_detectors_come_within_a_fifth_of_the_truth(seed: int) -> None:
    events, truth_s, n = fixed_time_street(np.random.default_rng(seed), missed=0.05, doubled=0.03)
    row = delay_of(events, end_s=3690.0)
    assert row.delay_s == pytest.approx(truth_s / n, rel=0.2)
    assert row.drift_veh > 0.0


def test_total_is_over_the_same_approaches_or_unknown() -> None:
    good = delay_of(pulses(ADVANCE, 200, 202, 204) + pulses(STOP, 220, 222, 224))
    dead = delay_of(pulses(ADVANCE, 200))
    rows = {(A, WEST): good, (A, LinkId("east")): dead}
    assert total_delay_s(rows) == pytest.approx(10.0)
    assert isnan(total_delay_s(rows, over=list(rows)))


def test_only_approaches_with_both_detectors_are_logged() -> None:
    rows = [
        DetectorChannel(junction=A, approach=WEST, place=Place.ADVANCE, channel=1),
        DetectorChannel(junction=A, approach=WEST, place=Place.ADVANCE, channel=2),
        DetectorChannel(junction=A, approach=WEST, place=Place.STOP, channel=3),
        DetectorChannel(junction=A, approach=LinkId("east"), place=Place.STOP, channel=4),
    ]
    (found,) = approaches_of(rows, {(A, WEST): 8.0}, {(A, WEST): (2,)})
    assert (found.key, found.advance, found.stop, found.phases) == ((A, WEST), (1, 2), (3,), (2,))
