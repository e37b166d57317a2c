"""Camera files are checked at the edge, all faults at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from traffic.counts import VehicleClass
from traffic.errors import BadVideo
from vision.camera import fit_camera
from vision.camera_file import read_camera

GOOD = """
version = 1
name = "north"
size = [640, 360]
[[lines]]
name = "stop line"
points = [[75, 200], [595, 200]]
to_left = "away"
movement_to_left = "j:a>b"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "camera.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    camera = fit_camera(read_camera(write(tmp_path, GOOD)), (640, 360), "clip")
    assert camera.lines[0].directions == ("away", "to_right")
    assert camera.lines[0].movements == ("j:a>b", None)
    assert camera.period_s == 900.0


def test_relative_points_are_scaled_to_the_frame(tmp_path: Path) -> None:
    text = """
version = 1
name = "north"
relative = true
region = [[0, 0.5], [1, 0.5], [1, 1]]
[[lines]]
name = "a"
points = [[0.25, 0.5], [0.75, 0.5]]
"""
    camera = fit_camera(read_camera(write(tmp_path, text)), (1280, 720), "clip")
    assert (camera.lines[0].start, camera.lines[0].end) == ((320.0, 360.0), (960.0, 360.0))
    assert camera.region == ((0.0, 360.0), (1280.0, 360.0), (1280.0, 720.0))


def test_a_class_may_be_mapped_or_ignored(tmp_path: Path) -> None:
    text = GOOD + '[classes]\nperson = "ignore"\nrickshaw = "bicycle"\n'
    camera = fit_camera(read_camera(write(tmp_path, text)), (640, 360), "clip")
    assert camera.class_map["person"] is None
    assert camera.class_map["rickshaw"] is VehicleClass.BICYCLE
    assert camera.class_map["car"] is VehicleClass.CAR


def test_a_line_outside_the_frame_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(BadVideo) as caught:
        read_camera(write(tmp_path, GOOD.replace("[595, 200]", "[595, 400]")))
    assert "line 'stop line' has point (595, 400) outside the frame (0-640, 0-360)" in caught.value.line
    assert "\n" not in caught.value.line


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("version = 1", "version = 2\nperiod_s = 0\nspeed = 3")
    with pytest.raises(BadVideo) as caught:
        read_camera(write(tmp_path, text))
    for word in ("version", "period_s", "speed"):
        assert word in caught.value.line


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[[75, 200], [595, 200]]", "[[75, 200], [75, 200]]", "its two points are the same"),
        ('to_left = "away"', 'to_left = "to_right"', "both directions are called"),
        ("size = [640, 360]", "", "size is missing"),
        ('name = "stop line"', 'name = "../x"', "lines.0.name"),
        ("[[75, 200], [595, 200]]", "[[75, nan], [595, 200]]", "outside the frame"),
        ("version = 1", "version =", "must be TOML"),
    ],
    ids=["no length", "directions", "size", "name", "nan", "syntax"],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    with pytest.raises(BadVideo) as caught:
        read_camera(write(tmp_path, GOOD.replace(old, new)))
    assert fault in caught.value.line


def test_two_lines_of_one_name_are_refused(tmp_path: Path) -> None:
    line = GOOD[GOOD.index("[[lines]]") :]
    with pytest.raises(BadVideo, match="two lines are called 'stop line'"):
        read_camera(write(tmp_path, GOOD + line))


def test_a_file_for_another_resolution_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadVideo, match="the camera file is for 640x360"):
        fit_camera(read_camera(write(tmp_path, GOOD)), (1280, 720), "clip")


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadVideo, match="not there"):
        read_camera(tmp_path / "none.toml")
