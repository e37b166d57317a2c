"""Yellow and red clearance against ITE's own table: kinematic equation, 1.0 s reaction, 10 ft/s2, level."""

from __future__ import annotations

from math import inf

import pytest

from control.clearance import clearance_audit, red_clearance_s, yellow_change_s
from tests.unit.control.fakes import make_crossroads, make_network
from traffic.scenario import ClearanceFile

MPH = 0.44704
SETTINGS = ClearanceFile(decel_mps2=3.048)


@pytest.mark.parametrize(
    ("speed_mph", "yellow_s"), [(25, 3.0), (30, 3.2), (35, 3.6), (40, 3.9), (45, 4.3), (50, 4.7), (55, 5.0), (60, 5.4)]
)
def test_yellow_is_that_of_the_table(speed_mph: int, yellow_s: float) -> None:
    """ITE (2020) and NCHRP 731 print these, rounded to a tenth, never below 3 s."""
    assert round(yellow_change_s(speed_mph * MPH, SETTINGS), 1) == yellow_s


def test_a_downgrade_needs_more_yellow() -> None:
    # 40 mph = 17.88 m/s on -4 %: 1 + 17.88 / (2 (3.048 - 0.3924)) = 4.37 s
    assert yellow_change_s(40 * MPH, ClearanceFile(decel_mps2=3.048, grade=-0.04)) == pytest.approx(4.37, abs=0.01)


def test_red_clearance_by_hand() -> None:
    # 60 ft + 20 ft at 30 mph (44 ft/s): 80 / 44 - 1 = 0.82 s
    assert red_clearance_s(60 * 0.3048, 30 * MPH, ClearanceFile(vehicle_length_m=20 * 0.3048)) == pytest.approx(
        0.818, abs=0.001
    )


def test_a_narrow_junction_needs_no_red_and_a_standing_vehicle_never_clears() -> None:
    assert red_clearance_s(3.0, 20.0, SETTINGS) == 0.0
    assert red_clearance_s(3.0, 0.0, SETTINGS) == inf


def test_the_audit_names_each_link_below_the_formula() -> None:
    # 13.89 m/s: yellow 3.28 s; through 14 m: (14 + 6.1) / 13.89 - 1 = 0.4 s; left 12 m at 7 m/s: 1.6 s.
    assert clearance_audit(make_crossroads(yellow_ds=33, red_clear_ds=16), make_network(), SETTINGS) == []
    short = clearance_audit(make_crossroads(yellow_ds=30, red_clear_ds=10), make_network(), SETTINGS)
    assert sum("yellow 3.0 s (formula 3.3 s)" in fault for fault in short) == 8
    assert sum("red clearance 1.0 s (formula 1.6 s)" in fault for fault in short) == 4
