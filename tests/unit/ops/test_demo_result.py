"""What became of every plan that was meant for a street, and what else its log says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from control.audit import Record
from ops.arms import END_OF_RUN, Arm
from ops.demo_result import log_rows, push_rows
from ops.report_data import PushState
from sim.trips import Trips
from tests.unit.traffic.factories import make_dual_ring, make_plan
from traffic.ids import JunctionId
from traffic.signals import Plan

A, B, C = (JunctionId(name) for name in "abc")
PUSH_S = 26_700.0


def make_plans(names: Sequence[JunctionId] = (A, B, C)) -> list[Plan]:
    plan = make_plan(make_dual_ring(), (25,) * 8, 100, 0)
    return [replace(plan, junction=name) for name in names]


def make_arm(
    audit: Sequence[Record] = (), *, fault: str = "", read_back: Mapping[JunctionId, bool] | None = None
) -> Arm:
    nothing = np.zeros(0)
    trips = Trips(
        ids=(),
        vehicle_types=(),
        **{name: nothing for name in Trips.__dataclass_fields__ if name not in ("ids", "vehicle_types")},  # type: ignore[arg-type]
    )
    return Arm(
        seed=100,
        is_pushed=True,
        trips=trips,
        events=(),
        counts=(),
        truth=(),
        audit=tuple(audit),
        read_back=read_back,
        fault=fault,
    )


def pushed(name: JunctionId, pattern: int = 47) -> Record:
    return Record("push", name, {"time_s": PUSH_S + 2.0, "pattern": pattern})


def confirmed(name: JunctionId) -> Record:
    return Record("confirmed", name, {"time_s": PUSH_S + 180.0, "pattern": 47})


def released(name: JunctionId, reason: str) -> list[Record]:
    """What a street and its guard write down of one release."""
    return [
        Record("release", name, {"time_s": PUSH_S + 300.0, "reason": reason, "answer": "released"}),
        Record("released", name, {"time_s": PUSH_S + 240.0, "reason": reason, "is_locked": False}),
    ]


def test_a_confirmed_plan_that_was_handed_back_at_the_end_is_confirmed() -> None:
    arm = make_arm([pushed(A), confirmed(A), *released(A, END_OF_RUN)], read_back={A: True})
    (row,) = push_rows(arm, make_plans([A]), PUSH_S)
    assert (row.state, row.reason, row.pattern, row.is_readback_equal) == (PushState.CONFIRMED, "", 47, True)
    assert (row.time_s, row.seed) == (PUSH_S + 2.0, 100)
    assert not list(log_rows(arm, PUSH_S))


def test_a_plan_that_was_lost_is_released_with_its_reason_and_in_the_log_once() -> None:
    arm = make_arm([pushed(A), confirmed(A), *released(A, "dropped to free")], read_back={A: True})
    (row,) = push_rows(arm, make_plans([A]), PUSH_S)
    assert (row.state, row.reason) == (PushState.RELEASED, "dropped to free")
    (line,) = log_rows(arm, PUSH_S)
    assert (line.kind, line.junction, line.time_s) == ("release", A, PUSH_S + 300.0)
    assert "dropped to free" in line.text


def test_a_plan_never_seen_in_effect_counts_as_released() -> None:
    (row,) = push_rows(make_arm([pushed(A)]), make_plans([A]), PUSH_S)
    assert (row.state, row.reason) == (PushState.RELEASED, "not confirmed before the end")


def test_what_the_guard_refused_is_refused_at_every_controller() -> None:
    refusal = Record("refused", None, {"time_s": PUSH_S, "faults": ["cycle 200 s"]})
    arm = make_arm([refusal], fault="guard refused: cycle 200 s; the running plan stays")
    rows = list(push_rows(arm, make_plans(), PUSH_S))
    assert [row.state for row in rows] == [PushState.REFUSED] * 3
    assert {row.reason for row in rows} == {arm.fault} and {row.time_s for row in rows} == {PUSH_S}
    assert {row.is_readback_equal for row in rows} == {None}
    assert [line.kind for line in log_rows(arm, PUSH_S)] == ["fault", "refused"]


def test_of_a_batch_that_failed_half_way_the_sent_are_released_and_the_rest_refused() -> None:
    arm = make_arm(
        [pushed(A), *released(A, "b differs"), *released(B, "b differs")],
        fault="junction b: read back differs",
        read_back={A: True, B: False},
    )
    rows = {row.junction: row for row in push_rows(arm, make_plans(), PUSH_S)}
    assert [rows[name].state for name in (A, B, C)] == [PushState.RELEASED, PushState.REFUSED, PushState.REFUSED]
    assert rows[B].is_readback_equal is False and rows[C].is_readback_equal is None


def test_a_lock_is_told_beside_the_release() -> None:
    lock = Record("released", A, {"time_s": PUSH_S, "reason": "again", "is_locked": True})
    assert [line.kind for line in log_rows(make_arm([lock]), PUSH_S)] == ["released"]


def test_a_street_that_nothing_was_meant_for_has_no_pushes() -> None:
    assert not list(push_rows(make_arm(), (), PUSH_S))
