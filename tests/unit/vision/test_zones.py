"""A gate is passed once, by what really crossed the line."""

from __future__ import annotations

import numpy as np
import pytest

from vision.camera import CountLine
from vision.zones import MIN_MARGIN_PX, Gate, Pass, along, anchors, distance_right_px, inside, margin_px

LEVEL = CountLine(name="level", start=(10.0, 50.0), end=(90.0, 50.0))


def move(gate: Gate, ys: list[float], *, x: float = 50.0, margin: float = 5.0) -> list[Pass]:
    passes = [gate.move(float(i), (x, y), margin) for i, y in enumerate(ys)]
    return [passed for passed in passes if passed is not None]


@pytest.mark.parametrize(
    ("end", "point", "expected"),
    [
        ((90.0, 50.0), (30.0, 57.0), 7.0),
        ((90.0, 50.0), (30.0, 43.0), -7.0),
        ((10.0, 90.0), (4.0, 70.0), 6.0),
        ((40.0, 90.0), (10.0, 50.0), 0.0),
    ],
    ids=["below a level line", "above it", "left of a falling one", "on its start"],
)
def test_right_is_the_right_hand_of_who_looks_along_the_line(
    end: tuple[float, float], point: tuple[float, float], expected: float
) -> None:
    line = CountLine(name="a", start=(10.0, 50.0), end=end)
    assert distance_right_px(line, point) == pytest.approx(expected)


def test_a_place_along_the_line_is_a_share_of_it() -> None:
    assert along(LEVEL, (30.0, 99.0)) == pytest.approx(0.25)


def test_a_road_user_stands_in_the_middle_of_its_lower_edge() -> None:
    assert anchors(np.array([[10, 20, 30, 60]], np.float32)).tolist() == [[20, 60]]


def test_a_passage_has_the_time_and_place_of_the_line_not_of_the_margin() -> None:
    (passed,) = move(Gate(line=LEVEL), [40.0, 48.0, 52.0, 60.0])
    assert passed == Pass(time_s=1.5, place=0.5, is_to_right=True)


def test_a_passage_the_other_way_is_to_the_left() -> None:
    (passed,) = move(Gate(line=LEVEL), [60.0, 40.0])
    assert not passed.is_to_right


def test_a_van_that_stops_on_the_line_and_trembles_counts_once() -> None:
    trembling = [50.0 + shift for shift in (1, -2, 3, -1, 2, -3, 1) * 20]
    assert len(move(Gate(line=LEVEL), [30.0, 40.0, *trembling, 60.0, 70.0])) == 1


def test_a_van_that_trembles_before_the_line_does_not_count() -> None:
    assert move(Gate(line=LEVEL), [30.0, 44.0, *[48.0, 51.0, 49.0, 52.0] * 10, 44.0, 30.0]) == []


def test_one_track_counts_once_however_often_it_returns() -> None:
    assert len(move(Gate(line=LEVEL), [30.0, 70.0, 30.0, 70.0])) == 1


@pytest.mark.parametrize("x", [2.0, 97.0], ids=["before the start", "behind the end"])
def test_past_the_ends_of_the_line_nothing_counts(x: float) -> None:
    assert move(Gate(line=LEVEL), [30.0, 70.0], x=x) == []


def test_a_track_that_is_first_seen_at_the_line_keeps_the_side_it_came_from() -> None:
    assert len(move(Gate(line=LEVEL), [48.0, 52.0, 60.0])) == 1
    assert move(Gate(line=LEVEL), [52.0, 60.0]) == []


def test_the_margin_grows_with_the_box() -> None:
    near, far = np.array([100, 100, 200, 300], np.float32), np.array([100, 100, 120, 140], np.float32)
    assert margin_px(near, (640, 480)) == pytest.approx(5 * margin_px(far, (640, 480)))


@pytest.mark.parametrize(
    "box", [(0, 100, 80, 300), (300, 380, 400, 480), (560, 100, 640, 300)], ids=["left", "bottom", "right"]
)
def test_a_box_cut_off_by_the_frame_has_the_least_margin(box: tuple[float, ...]) -> None:
    assert margin_px(np.array(box, np.float32), (640, 480)) == MIN_MARGIN_PX


def test_a_region_holds_what_lies_in_it() -> None:
    square = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
    points = np.array([[5, 5], [10, 5], [11, 5]], np.float32)
    assert inside(points, square).tolist() == [True, True, False]
