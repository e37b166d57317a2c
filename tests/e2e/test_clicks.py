"""The page to click the road on: over real HTTP, in a real browser, and a camera file that is whole or as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.street_clip import CAMERA, draw_frame
from tests.e2e.test_report_browser import FLAGS
from vision.camera import fit_camera
from vision.camera_file import read_camera
from vision.clicks import ClickServer

GOOD = {"pixels": [[20, 230], [300, 230], [250, 60], [70, 60]], "metres": [[0, 0], [7, 0], [7, 40], [0, 40]]}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ClickServer]:
    (tmp_path / "camera.toml").write_text(CAMERA, encoding="utf-8")
    made = ClickServer(tmp_path / "camera.toml", draw_frame(10))
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    yield made
    made.close()


def post(address: str, body: Any) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(f"{address}road", data=json.dumps(body).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_four_points_are_saved_and_give_metres(desk: ClickServer) -> None:
    code, answer = post(desk.address, GOOD)
    assert code == 200 and max(answer["errors_px"]) < 0.01 and desk.is_done
    saved = read_camera(desk.camera)
    assert saved.lines[0].name == "stop line"  # nothing else was lost
    road = fit_camera(saved, (320, 240), "camera").road
    assert road is not None and road.to_road([[300, 230]])[0] == pytest.approx([7.0, 0.0], abs=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metres": [[0, 0], [1, 0], [2, 0], [0, 40]]}, "lie on one line"),
        ({"pixels": GOOD["pixels"][:3]}, "3 points in pixels, 4 in metres"),
        ({"pixels": [], "metres": []}, "at least 4 points"),
        ({"pixels": [*GOOD["pixels"], [160, 140]], "metres": [*GOOD["metres"], [0, 5]]}, "pixels off"),
        ({"metres": [[0, 0], [7, 0], [7, None], [0, 40]]}, "points of the road"),
    ],
    ids=["collinear", "one missing", "none", "one wrong", "not a number"],
)
def test_bad_points_are_refused_and_the_file_stays(desk: ClickServer, change: dict[str, Any], message: str) -> None:
    before = desk.camera.read_bytes()
    code, answer = post(desk.address, GOOD | change)
    assert code == 400 and message in answer["error"]
    assert desk.camera.read_bytes() == before and not desk.is_done


def test_only_who_has_the_address_gets_in(desk: ClickServer) -> None:
    bare = desk.address.rsplit("/", 2)[0]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{bare}/", timeout=10)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{bare}/guess/road", data=b"{}", timeout=10)


def test_the_page_shows_frame_and_points_in_a_browser(desk: ClickServer, tmp_path: Path) -> None:
    post(desk.address, GOOD)
    chromium = shutil.which("chromium")
    assert chromium, "no chromium; run: apt-get install -y chromium"
    command = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", desk.address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and "CONSOLE" not in done.stderr
    assert done.stdout.count("<input") == 8 and 'value="40"' in done.stdout and "Lưu" in done.stdout
