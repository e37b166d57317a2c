"""Turning movements: once a road user, from the first zone to another, and never by a box that trembles."""

from __future__ import annotations

import numpy as np
import pytest

from vision.camera import Area
from vision.turns import ZoneWalk, zone_of_each


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (["n", "n", "n", None, None, "e", "e"], [("n", "e", 2.0)]),
        (["n", "n", None, "e", None, "n", "n"], []),
        (["n", "n", None, "n", "n", None, "e", "e", "e"], [("n", "e", 4.0)]),
        (["n", "n", "e", "e", "s", "s"], [("n", "e", 1.0)]),
        ([None, None, "e", "e"], []),
        (["n", "n", None, None], []),
    ],
    ids=["a turn", "a tremble over an edge", "back into the entry", "only one", "from nowhere", "to nowhere"],
)
def test_a_way_through_zones(way: list[str | None], expected: list[tuple[str, str, float]]) -> None:
    walk = ZoneWalk()
    made = [turn for time_s, zone in enumerate(way) if (turn := walk.move(float(time_s), zone))]
    assert [(turn.entry, turn.exit, turn.time_s) for turn in made] == expected


def test_the_first_of_two_zones_that_overlap_is_taken() -> None:
    left = Area(name="a", points=((0, 0), (10, 0), (10, 10), (0, 10)))
    zones = (left, Area(name="b", points=((5, 0), (20, 0), (20, 10), (5, 10))))
    assert zone_of_each(np.array([[7, 5], [15, 5], [30, 5]], np.float32), zones) == ["a", "b", None]
