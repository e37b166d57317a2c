from __future__ import annotations

from dataclasses import replace

import pytest

from ops.evaluate_safe import is_safe, with_clearances
from sim.protocols import LEGACY, SAFE
from tests.unit.control.fakes import make_crossroads
from traffic.signals import Junction

SAFE_CROSS = make_crossroads(yellow_ds=30, red_clear_ds=20, min_green_s=5)


def test_short_clearances_are_raised_and_long_ones_stay() -> None:
    first, *others = SAFE_CROSS.phases
    junction = replace(SAFE_CROSS, phases=(replace(first, yellow_ds=50, red_clear_ds=0), *others))
    assert [(p.yellow_ds, p.red_clear_ds) for p in with_clearances(junction, SAFE).phases[:2]] == [(50, 20), (30, 20)]
    assert with_clearances(junction, LEGACY) == junction


def test_a_phase_without_yellow_gets_no_clearance() -> None:
    junction = make_crossroads(yellow_ds=0, red_clear_ds=0)
    assert with_clearances(junction, SAFE) == junction


CASES = {
    "as the protocol": (SAFE_CROSS, True),
    "longer": (make_crossroads(yellow_ds=45, red_clear_ds=30, min_green_s=7), True),
    "walk in place of green": (make_crossroads(min_green_s=3, walk_s=4, ped_clear_s=6), True),
    "short yellow": (make_crossroads(yellow_ds=20), False),
    "short red": (make_crossroads(red_clear_ds=10), False),
    "short green": (make_crossroads(min_green_s=4), False),
}


@pytest.mark.parametrize(("junction", "is_kept"), CASES.values(), ids=CASES)
def test_what_keeps_the_protocol_is_known(junction: Junction, is_kept: bool) -> None:
    assert is_safe(junction, SAFE) is is_kept
