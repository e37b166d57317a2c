"""The demo with one approach counted from pixels: a real clip, and everything that is wrong before a street starts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ops.demo import DemoOptions, run_demo
from ops.plan_runs import open_signals
from tests.e2e.street_clip import write_camera, write_clip
from traffic.errors import BadInput, BadVideo, BadWeights
from traffic.scenario import read_scenario

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = read_scenario(ROOT / "scenarios" / "thanh_hoa")
MOVEMENT = next(iter(open_signals(SCENARIO)[0].network.movements))
SMALL = DemoOptions(seeds=1, twin_seeds=2, warm_up_s=120.0, count_s=180.0, window_s=60.0, weights="nowhere.pt")

CAMERA = """
version = 1
name = "drawn"
size = [{size}]
[[lines]]
name = "stop line"
points = [{points}]
to_left = "away"
to_right = "towards"
{named}
"""


def camera_text(
    named: str = f'movement_to_right = "{MOVEMENT}"',
    size: str = "320, 240",
    points: str = "[10, 120], [310, 120]",
) -> str:
    return CAMERA.format(named=named, size=size, points=points)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (camera_text(named=""), BadInput, "its lines name no movement"),
        (camera_text(named='movement_to_left = "bac:bac_n_in>nowhere"'), BadInput, "names bac:bac_n_in>nowhere"),
        (camera_text(points="[10, 120], [400, 120]"), BadVideo, r"point \(400, 120\) outside the frame"),
        (camera_text(points="[10, 120], [10, 120]"), BadVideo, "its two points are the same"),
        ("version = 1\nname = ", BadVideo, "must be TOML"),
        (None, BadVideo, "not there"),
        (camera_text(), BadWeights, r"nowhere\.pt: no such weights"),
    ],
    ids=["no movement", "strange movement", "line outside", "no line", "no TOML", "no camera file", "no weights"],
)
def test_a_bad_camera_file_is_refused_in_one_line_before_a_street_starts(
    text: str | None, error: type[BadInput], said: str, tmp_path: Path
) -> None:
    camera = tmp_path / "camera.toml"
    if text is not None:
        write_camera(camera, text)
    options = replace(SMALL, video=write_clip(tmp_path / "clip.avi", 5), camera=camera, out=tmp_path / "out")
    with pytest.raises(error, match=said) as caught:
        run_demo(options)
    assert "\n" not in caught.value.line
    assert not list(tmp_path.rglob("street*"))


@pytest.mark.parametrize("content", [None, b"", b"no video at all" * 100], ids=["missing", "empty", "no video"])
def test_a_video_that_does_not_decode_is_refused_before_a_street_starts(content: bytes | None, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    if content is not None:
        clip.write_bytes(content)
    options = replace(SMALL, video=clip, camera=write_camera(tmp_path / "camera.toml", camera_text()))
    with pytest.raises(BadVideo, match=r"clip\.mp4"):
        run_demo(replace(options, out=tmp_path / "out"))
    assert not list(tmp_path.rglob("street*"))


@pytest.mark.data
def test_one_approach_is_counted_from_a_real_clip(data_dir: Path, tmp_path: Path) -> None:
    truth = json.loads((data_dir / "footage" / "ground_truth.json").read_text(encoding="utf-8"))
    name = "residential_road.mp4"
    clip = truth["clips"][name]
    (line,) = clip["lines"]
    width, height = clip["size"]
    text = camera_text(size=f"{width}, {height}", points=", ".join(map(str, line["p"])))
    options = replace(
        SMALL,
        video=data_dir / "footage" / name,
        camera=write_camera(tmp_path / "camera.toml", text),
        weights=str(data_dir / "weights"),
        out=tmp_path / "out",
    )
    row = run_demo(options)
    assert row["report"] and list((tmp_path / "out" / "video").glob("slit_scan_*.png"))
    result = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    counted = next(c for c in result["counts"] if c["movement"] == MOVEMENT)
    watched_s = (clip["frame_to"] - clip["frame_from"]) / clip["fps"]
    per_vehicle = counted["period_s"] / watched_s
    assert counted["counted_veh"] / per_vehicle == pytest.approx(line["counts"]["car"], abs=1.5)
    others = [c["counted_veh"] for c in result["counts"] if c["movement"] != MOVEMENT]
    assert all(value is not None for value in others)
