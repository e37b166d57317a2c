"""What docs/counting.md says is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from traffic.counts import VehicleClass
from vision.camera import fit_camera
from vision.camera_file import read_camera
from vision.virtual_camera import CONFUSION, DOUBLE_RATE, MISS_RATE
from vision.zones import HYSTERESIS

PAGE = (Path(__file__).parents[3] / "docs" / "counting.md").read_text(encoding="utf-8")


def test_the_camera_file_of_the_page_is_valid(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    path = tmp_path / "camera.toml"
    path.write_text(re.sub(r"^# (frames_per_s|region|movement_to_right)", r"\1", block, flags=re.MULTILINE))
    camera = fit_camera(read_camera(path), (1280, 720), "clip")
    assert camera.lines[0].movements == (None, "J3:north_in>south_out")
    assert camera.class_map["person"] is None


def test_the_noise_of_the_page_is_the_default() -> None:
    for name in (VehicleClass.CAR, VehicleClass.BUS, VehicleClass.TRUCK, VehicleClass.MOTORCYCLE, VehicleClass.BICYCLE):
        confused = ", ".join(f"{other} {100 * share:g} %" for other, share in CONFUSION[name].items())
        row = f"| {name} | {100 * MISS_RATE[name]:g} % | {100 * DOUBLE_RATE[name]:g} % | {confused} |"
        assert row in PAGE, row


def test_the_margin_of_the_page_is_the_one_used() -> None:
    assert f"{100 * HYSTERESIS:g} % of its own height" in " ".join(PAGE.split())
