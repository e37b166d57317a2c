"""When a selection counts as in effect, still on its way, suspended or lost; and which greens conflict."""

from __future__ import annotations

import pytest

from control.drivers.base import CONFIRM_CYCLES, GRACE_S, Selection, Verdict, green_conflicts, judge
from tests.unit.traffic.factories import make_dual_ring, make_single_ring
from traffic.ids import PhaseNumber
from traffic.ports import ControllerMode, ControllerStatus

CYCLE_S = 100


def make_status(
    mode: ControllerMode, *, pattern: int = 7, time_s: float = 1050.0, greens: tuple[int, ...] = ()
) -> ControllerStatus:
    return ControllerStatus(
        time_s=time_s,
        mode=mode,
        pattern=pattern,
        cycle_position_s=0,
        free_reason="the called pattern is invalid" if mode is ControllerMode.FREE else None,
        is_remote_enabled=True,
        backup_time_s=60,
        greens=frozenset(map(PhaseNumber, greens)),
        yellows=frozenset(),
        alarms=frozenset(),
    )


def make_selection(*, is_confirmed: bool = False) -> Selection:
    return Selection(pattern=7, cycle_s=CYCLE_S, since_s=1000.0, refreshed_s=1000.0, is_confirmed=is_confirmed)


LATE_S = 1000.0 + CONFIRM_CYCLES * CYCLE_S + GRACE_S + 1.0
CASES = [
    ("ours and settled", make_status(ControllerMode.COORDINATED), False, Verdict.CONFIRMED),
    ("the old one, settled", make_status(ControllerMode.COORDINATED, pattern=1), False, Verdict.PENDING),
    ("the old one, too late", make_status(ControllerMode.COORDINATED, pattern=1, time_s=LATE_S), False, Verdict.LOST),
    ("on its way", make_status(ControllerMode.TRANSITION), False, Verdict.PENDING),
    ("on its way, too late", make_status(ControllerMode.TRANSITION, time_s=LATE_S), False, Verdict.LOST),
    ("a correction later on", make_status(ControllerMode.TRANSITION, time_s=LATE_S), True, Verdict.HOLD),
    ("another after ours", make_status(ControllerMode.COORDINATED, pattern=1), True, Verdict.LOST),
    ("free just after the SET", make_status(ControllerMode.FREE, time_s=1001.0), False, Verdict.PENDING),
    ("free", make_status(ControllerMode.FREE), False, Verdict.LOST),
    ("free after it was confirmed", make_status(ControllerMode.FREE, time_s=1001.0), True, Verdict.LOST),
    ("backup just after the SET", make_status(ControllerMode.BACKUP, time_s=1001.0), False, Verdict.PENDING),
    ("backup", make_status(ControllerMode.BACKUP), True, Verdict.LOST),
    ("preempt", make_status(ControllerMode.PREEMPT, time_s=LATE_S), False, Verdict.HOLD),
    ("flash", make_status(ControllerMode.FLASH), True, Verdict.LOST),
    ("manual", make_status(ControllerMode.MANUAL), True, Verdict.LOST),
]


@pytest.mark.parametrize(
    ("status", "is_confirmed", "verdict"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_a_poll_is_judged(status: ControllerStatus, is_confirmed: bool, verdict: Verdict):
    found, reason = judge(make_selection(is_confirmed=is_confirmed), status)
    assert found is verdict
    assert bool(reason) is (verdict is Verdict.LOST)


def test_a_drop_to_free_is_lost_in_words():
    assert judge(make_selection(), make_status(ControllerMode.FREE))[1] == (
        "dropped to free: the called pattern is invalid"
    )


@pytest.mark.parametrize(
    ("greens", "n_conflicts"),
    [((2, 6), 0), ((2, 5), 0), ((4, 8), 0), ((1, 2), 1), ((2, 4), 1), ((2, 8), 1), ((2, 6, 8), 2), ((), 0)],
    ids=str,
)
def test_phases_of_one_ring_or_across_a_barrier_conflict(greens: tuple[int, ...], n_conflicts: int):
    status = make_status(ControllerMode.COORDINATED, greens=greens)
    assert len(green_conflicts(make_dual_ring(), status)) == n_conflicts


def test_in_one_ring_any_two_phases_conflict():
    status = make_status(ControllerMode.COORDINATED, greens=(1, 3))
    assert green_conflicts(make_single_ring(), status) == ["phases 1 and 3 green or yellow together"]
