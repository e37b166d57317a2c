"""A slit-scan holds the pixels under the line, minute by minute, with the counts marked."""

from __future__ import annotations

import numpy as np
import pytest

from traffic.counts import VehicleClass
from vision.camera import CountLine
from vision.crossings import Crossing
from vision.draw import COLOURS
from vision.slit_scan import MAX_SAMPLES, SlitScan
from vision.source import Frame, Image

RATE = 5.0
LINE = CountLine(name="L", start=(10.0, 20.0), end=(60.0, 20.0))
RED = (0, 0, 255)
LEFT_PX, TOP_PX = 48, 24 + 26


def make_frame(time_s: float, *, red_x: tuple[int, int] | None = None) -> Frame:
    image: Image = np.full((40, 80, 3), 120, np.uint8)
    if red_x is not None:
        image[:, red_x[0] : red_x[1]] = RED
    return Frame(index=round(time_s * RATE), time_s=time_s, image=image)


def make_crossing(time_s: float, place: float) -> Crossing:
    return Crossing(
        line="L", direction="to_left", movement="m", vehicle_class=VehicleClass.BUS,
        time_s=time_s, place=place, track=1, share=1.0,
    )  # fmt: skip


def scan_seconds(seconds: float, *, red_at_s: float | None = None) -> SlitScan:
    scan = SlitScan(LINE, (80, 40), RATE)
    for step in range(round(seconds * RATE)):
        time_s = step / RATE
        scan.add(make_frame(time_s, red_x=(30, 40) if red_at_s == time_s else None))
    return scan


def test_what_passes_the_line_is_at_its_time_and_place() -> None:
    page = scan_seconds(10.0, red_at_s=4.0).take_page([])
    red = np.argwhere((page == RED).all(axis=2))
    assert {int(y) - TOP_PX for y in red[:, 0]} == set(range(20, 30))
    assert {int(x) - LEFT_PX for x in red[:, 1]} == {40, 41}


def test_a_count_is_ringed_where_it_crossed() -> None:
    colour = COLOURS[VehicleClass.BUS]
    page = scan_seconds(10.0).take_page([make_crossing(6.0, 0.5)])
    ring = np.argwhere((page[TOP_PX : TOP_PX + 50] == colour).all(axis=2))
    assert ring[:, 0].mean() == pytest.approx(25, abs=1.5)
    assert ring[:, 1].mean() - LEFT_PX == pytest.approx(6.0 * RATE * 2, abs=1.5)


def test_counts_of_other_lines_are_not_marked() -> None:
    other = CountLine(name="other", start=LINE.start, end=LINE.end)
    scan, bare = SlitScan(other, (80, 40), RATE), SlitScan(other, (80, 40), RATE)
    scan.add(make_frame(0.0))
    bare.add(make_frame(0.0))
    assert np.array_equal(scan.take_page([make_crossing(0.0, 0.5)]), bare.take_page([]))


def test_every_minute_is_a_strip_and_ten_are_a_page() -> None:
    one, two = scan_seconds(50.0).take_page([]), scan_seconds(70.0).take_page([])
    assert two.shape[0] - one.shape[0] == 26 + 50 + 22
    scan = scan_seconds(606.0)
    assert scan.is_page_due
    scan.take_page([])
    assert not scan.is_page_due and not scan.is_empty
    scan.take_page([])
    assert scan.is_empty


def test_a_page_waits_until_its_counts_are_settled() -> None:
    assert not scan_seconds(603.0).is_page_due


def test_a_long_line_is_thinned() -> None:
    line = CountLine(name="L", start=(0.0, 0.0), end=(3839.0, 2159.0))
    scan = SlitScan(line, (3840, 2160), RATE)
    scan.add(Frame(index=0, time_s=0.0, image=np.zeros((2160, 3840, 3), np.uint8)))
    assert scan.take_page([]).shape[0] == 24 + 26 + MAX_SAMPLES + 22
