"""Pixels and metres: a mount there and back, the road by points and by lengths, and what no camera can see."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic.errors import BadVideo
from vision.projection import Mount, mount_of_lengths, mount_plane, road_plane

MOUNT = Mount(x_m=3.0, y_m=-4.0, height_m=8.0, heading_rad=1.1, pitch_rad=0.4, fov_deg=60.0, size=(640, 360))
SQUARE_PX = [(100.0, 300.0), (500.0, 310.0), (400.0, 120.0), (220.0, 118.0)]
SQUARE_M = [(0.0, 0.0), (7.0, 0.0), (7.0, 30.0), (0.0, 30.0)]


@given(st.floats(40, 600), st.floats(150, 355))
def test_a_pixel_of_the_road_comes_back_to_itself(x: float, y: float) -> None:
    road = MOUNT.on_road([[x, y]])
    assert MOUNT.project(np.column_stack([road, [[0.0]]])) == pytest.approx(np.array([[x, y]]), abs=1e-6)
    assert mount_plane(MOUNT).to_road([[x, y]]) == pytest.approx(road, rel=1e-5, abs=1e-4)


def test_what_is_behind_the_camera_or_above_the_horizon_is_nowhere() -> None:
    behind = [[3.0 - 10 * math.cos(1.1), -4.0 - 10 * math.sin(1.1), 8.0]]
    assert np.isnan(MOUNT.project(behind)).all()
    assert np.isnan(MOUNT.on_road([[320.0, 0.0]])).any() or MOUNT.pitch_rad > math.radians(17)
    flat = Mount(x_m=0, y_m=0, height_m=8, heading_rad=0, pitch_rad=0.05, fov_deg=60, size=(640, 360))
    assert np.isnan(flat.on_road([[320.0, 10.0]])).all()


def test_four_points_give_the_plane_through_them() -> None:
    plane = road_plane(SQUARE_PX, SQUARE_M)
    assert plane.to_road(SQUARE_PX) == pytest.approx(np.array(SQUARE_M), abs=1e-6)
    assert plane.error_px(SQUARE_PX, SQUARE_M).max() < 1e-6


def test_a_fifth_point_that_was_clicked_wrongly_shows_as_an_error_in_pixels() -> None:
    middle = road_plane(SQUARE_PX, SQUARE_M).to_picture([(3.5, 15.0)])[0]
    pixels, metres = [*SQUARE_PX, (middle[0] + 40.0, middle[1])], [*SQUARE_M, (3.5, 15.0)]
    assert road_plane(pixels, metres).error_px(pixels, metres).max() > 8.0


@pytest.mark.parametrize(
    ("pixels", "metres", "message"),
    [
        (SQUARE_PX[:3], SQUARE_M[:3], "3 points"),
        ([(0, 0), (100, 100), (200, 200), (50, 300)], SQUARE_M, r"points 1, 2, 3 lie on one line \(pixels\)"),
        (SQUARE_PX, [(0, 0), (5, 0), (10, 0), (0, 30)], r"points 1, 2, 3 lie on one line \(metres\)"),
    ],
    ids=["three", "collinear in the picture", "collinear on the road"],
)
def test_points_that_span_no_plane_are_refused(
    pixels: list[tuple[float, float]], metres: list[tuple[float, float]], message: str
) -> None:
    with pytest.raises(BadVideo, match=message):
        road_plane(pixels, metres, "camera a.toml")


def test_known_lengths_give_the_mount_back() -> None:
    pairs = [((200.0, 340.0), (440.0, 340.0)), ((320.0, 350.0), (320.0, 200.0)), ((150.0, 250.0), (300.0, 180.0)),
             ((500.0, 300.0), (360.0, 170.0))]  # fmt: skip
    lengths = [(pair, float(np.linalg.norm(np.subtract(*MOUNT.on_road(pair))))) for pair in pairs]
    found = mount_of_lengths(lengths, MOUNT.size)
    for pair, metres in lengths:
        assert float(np.linalg.norm(np.subtract(*found.on_road(pair)))) == pytest.approx(metres, rel=0.02)


def test_lengths_that_no_camera_sees_are_refused() -> None:
    pairs = [((200.0, 340.0), (440.0, 340.0)), ((200.0, 339.0), (440.0, 339.0)), ((320.0, 350.0), (320.0, 200.0))]
    with pytest.raises(BadVideo, match="a length is off by"):
        mount_of_lengths([(pairs[0], 5.0), (pairs[1], 50.0), (pairs[2], 20.0)], (640, 360))
