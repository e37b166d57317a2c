"""Control delay against numbers worked by hand from HCM 2000, equations 16-11 and 16-12."""

from __future__ import annotations

from math import inf, isnan, nan

import pytest

from control.plan.hcm import LaneGroup, control_delay_s, incremental_delay_s, level_of_service, uniform_delay_s


def make_group(flow_vph: float = 720.0, green_s: float = 30.0) -> LaneGroup:
    return LaneGroup(flow_vph=flow_vph, sat_flow_vph=1800.0, green_s=green_s, cycle_s=60.0)


def test_undersaturated_by_hand() -> None:
    # c = 900, X = 0.8; d1 = 30 x 0.25 / (1 - 0.8 x 0.5) = 12.5; d2 = 225 (-0.2 + sqrt(0.04 + 3.2 / 225)) = 7.39
    group = make_group()
    assert (group.capacity_vph, group.degree_of_saturation) == (900.0, 0.8)
    assert uniform_delay_s(group) == pytest.approx(12.5)
    assert incremental_delay_s(group) == pytest.approx(225.0 * (-0.2 + (0.04 + 3.2 / 225.0) ** 0.5))
    assert control_delay_s(group) == pytest.approx(19.89, abs=0.01)


def test_at_capacity_by_hand() -> None:
    # X = 1: d1 = 7.5 / 0.5 = 15, d2 = 225 sqrt(4 / 225) = 30
    assert control_delay_s(make_group(flow_vph=900.0)) == pytest.approx(45.0)


def test_oversaturated_by_hand() -> None:
    # X = 1.2: d1 stays 15; d2 = 225 (0.2 + sqrt(0.04 + 4.8 / 225)) = 45 + 55.74
    incremental_s = 225.0 * (0.2 + (0.04 + 4.8 / 225.0) ** 0.5)
    assert control_delay_s(make_group(flow_vph=1080.0)) == pytest.approx(15.0 + incremental_s)


def test_a_group_that_is_always_green_has_no_uniform_delay() -> None:
    assert uniform_delay_s(make_group(green_s=60.0)) == 0.0


def test_without_green_the_delay_is_infinite_and_without_anybody_unknown() -> None:
    assert control_delay_s(make_group(green_s=0.0)) == inf
    assert isnan(control_delay_s(make_group(flow_vph=0.0, green_s=0.0)))


@pytest.mark.parametrize(
    ("delay_s", "level"),
    [(0.0, "A"), (10.0, "A"), (10.01, "B"), (20.0, "B"), (35.0, "C"), (55.0, "D"), (80.0, "E"), (80.1, "F")],
)
def test_levels_of_service_are_those_of_exhibit_16_2(delay_s: float, level: str) -> None:
    assert level_of_service(delay_s) == level


def test_an_unknown_delay_has_no_level() -> None:
    assert level_of_service(nan) is None
