"""Where a junction is in its cycle, and how it gets to another offset."""

from __future__ import annotations

import pytest

from control.plan_place import correction_s, place_of, running
from tests.unit.control.fakes import make_crossroads, make_plan

JUNCTION = make_crossroads("a")
RUN = running(JUNCTION, make_plan(JUNCTION, (20, 12, 20, 12), offset_s=10), 0.0)


def test_the_clock_is_at_zero_when_the_coordinated_green_begins() -> None:
    assert RUN.clock_s(10.0) == 0.0
    assert RUN.clock_s(9.0) == 63.0
    assert RUN.end_s == (15.0, 18.0, 20.0, 27.0, 30.0, 32.0, 47.0, 50.0, 52.0, 59.0, 62.0, 64.0)


def test_who_shows_what_the_clock_says_is_where_it_says() -> None:
    assert place_of(RUN, 14.0, RUN.lamps_at(4.0), None) == 4.0


@pytest.mark.parametrize(
    ("clock_s", "shown_at_s", "age_s", "place_s"),
    [(5.0, 33.0, 2.0, 34.0), (5.0, 33.0, None, 32.0), (5.0, 33.0, 40.0, 46.0), (60.0, 4.0, 1.0, 1.0)],
    ids=["known age", "unknown age", "held for long", "over the end"],
)
def test_who_shows_something_else_is_in_that_interval(
    clock_s: float, shown_at_s: float, age_s: float | None, place_s: float
) -> None:
    assert place_of(RUN, 10.0 + clock_s, RUN.lamps_at(shown_at_s), age_s) == place_s


def test_lamps_that_no_interval_has_leave_it_to_the_clock() -> None:
    assert place_of(RUN, 15.0, "oooooooo", None) == 5.0


@pytest.mark.parametrize(
    ("place_s", "wanted_s", "slack_s", "correction"),
    [(10.0, 10.2, 20.0, 0.0), (10.0, 15.0, 20.0, -5.0), (10.0, 15.0, 2.0, 55.0), (15.0, 10.0, 20.0, 5.0)],
    ids=["in step", "hurries", "no room to hurry", "waits"],
)
def test_the_shorter_way_to_an_offset_is_taken(
    place_s: float, wanted_s: float, slack_s: float, correction: float
) -> None:
    assert correction_s(place_s, wanted_s, 60, slack_s) == correction


def test_only_greens_give_way_and_only_to_their_least() -> None:
    assert RUN.least_s(0) == 5.0
    assert RUN.least_s(1) == 3.0
