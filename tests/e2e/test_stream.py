"""A live camera over real RTSP: counted in real time, back by itself after the server died, every gap marked."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import pytest

from ops.count import CountOptions, run_count
from tests.e2e.street_clip import CAMERA, ColourFinder, draw_frame, write_clip
from traffic.errors import BadVideo
from vision.stream import Stream

ROOT = Path(__file__).resolve().parents[2]
SERVER = Path(__file__).with_name("rtsp_server.py")
RATE = 10
QUIET = CountOptions(is_quiet=True, has_slit_scan=False)


class Server:
    """GStreamer's RTSP server on a port of its own, which can be killed and started again."""

    def __init__(self, frames: Path, port: int, *login: str) -> None:
        self.address = f"rtsp://127.0.0.1:{port}/street"
        self._command = ["/usr/bin/python3", str(SERVER), str(port), str(frames), str(RATE), *login]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it; returns once it listens."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None and self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames")
    for index in range(100):
        cv2.imwrite(str(folder / f"{index:05d}.jpg"), draw_frame(index))
    return folder


@pytest.fixture
def port(worker_id: str) -> int:
    """Return a port that no other worker of this test run uses."""
    number = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
    return 18554 + 10 * number + os.getpid() % 10


@pytest.fixture
def server(frames: Path, port: int) -> Iterator[Server]:
    made = Server(frames, port)
    made.start()
    yield made
    made.kill()


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_a_server_that_dies_twice_costs_two_marked_gaps_and_nothing_else(server: Server, tmp_path: Path) -> None:
    (tmp_path / "camera.toml").write_text(CAMERA.replace("period_s = 5", "period_s = 60"), encoding="utf-8")

    memory_mb: list[float] = []

    def cut_the_line() -> None:
        for _ in range(2):
            time.sleep(12.0)
            memory_mb.append(rss_mb())
            server.kill()
            time.sleep(2.0)
            server.start()

    before_threads = threading.active_count()
    cutter = threading.Thread(target=cut_the_line)
    cutter.start()
    options = replace(QUIET, duration_s=45.0)
    result = run_count(
        server.address, tmp_path / "camera.toml", out=tmp_path / "out", options=options, finder=ColourFinder()
    )
    cutter.join()
    gaps = [row for row in result["outages"] if row["health"] == "lost"]
    assert len(gaps) == 2 == len(result["outages"])
    assert all(1.5 < row["end_s"] - row["start_s"] < 12.0 for row in gaps)  # back in 10 s, and the 2 s of the cut
    with (tmp_path / "out" / "counts.csv").open(encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file) if (row["movement"][-7:], row["vehicle_class"]) == ("towards", "car")
        ]
    assert [row["health"] for row in rows] == ["ok", "lost", "ok", "lost", "ok"]
    assert [row["count"] == "" for row in rows] == [False, True, False, True, False]
    spans = [(float(row["start_s"]), float(row["period_s"])) for row in rows]
    assert sum(length for _, length in spans) == pytest.approx(45.0, abs=1.0)
    assert all(a + n == pytest.approx(b, abs=1e-3) for (a, n), (b, _) in pairwise(spans))
    with (tmp_path / "out" / "crossings.csv").open(encoding="utf-8") as file:
        left = [row for row in csv.DictReader(file) if float(row["place"]) < 0.3]
    assert len(left) >= 2 and {(row["direction"], row["vehicle_class"]) for row in left} == {("towards", "car")}
    assert threading.active_count() == before_threads
    assert "OPENCV_FFMPEG_CAPTURE_OPTIONS" not in os.environ  # files are opened in this process, too
    assert memory_mb[1] - memory_mb[0] < 50.0


def test_a_line_that_is_there_no_more_at_the_end_is_lost_to_the_end(server: Server, tmp_path: Path) -> None:
    (tmp_path / "camera.toml").write_text(CAMERA, encoding="utf-8")
    threading.Timer(4.0, server.kill).start()
    options = replace(QUIET, duration_s=10.0)
    result = run_count(
        server.address, tmp_path / "camera.toml", out=tmp_path / "out", options=options, finder=ColourFinder()
    )
    assert result["outages"][-1]["health"] == "lost" and result["outages"][-1]["end_s"] >= 9.5
    assert 0.2 < result["healthy_share"] < 0.7


def test_a_password_is_asked_for_and_never_told(frames: Path, port: int, tmp_path: Path) -> None:
    guarded = Server(frames, port + 100, "joe", "s3cret")
    guarded.start()
    try:
        with pytest.raises(BadVideo, match="wants a user and password"):
            Stream(guarded.address)
        with pytest.raises(BadVideo, match="refuses this user") as caught:
            Stream(guarded.address.replace("//", "//joe:wr0ng@"))
        assert "wr0ng" not in str(caught.value) and "joe" not in str(caught.value)
        (tmp_path / "camera.toml").write_text(CAMERA, encoding="utf-8")
        options = replace(QUIET, duration_s=3.0)
        run_count(guarded.address.replace("//", "//joe:s3cret@"), tmp_path / "camera.toml", out=tmp_path / "out",
                  options=options, finder=ColourFinder())  # fmt: skip
    finally:
        guarded.kill()
    stored = (tmp_path / "out" / "counts.json").read_text(encoding="utf-8")
    assert "s3cret" not in stored and json.loads(stored)["video"] == guarded.address


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://camera/x", "scheme ftp"),
        ("file:///etc/passwd", "scheme file"),
        ("rtsp://169.254.169.254/latest", "no camera's address"),
        ("rtsp://224.0.0.1/x", "no camera's address"),
        ("rtsp://0.0.0.0/x", "no camera's address"),
        ("rtsp:///x", "no host"),
        ("rtsp://user:pw@no.such.host.invalid/x", "host not found"),
        ("rtsp://127.0.0.1:1/x", "nobody answers there"),
        ("webcam:63", "no such webcam"),
    ],
)
def test_an_address_that_cannot_be_is_refused_in_one_line(address: str, message: str) -> None:
    with pytest.raises(BadVideo, match=message) as caught:
        Stream(address)
    assert "\n" not in str(caught.value) and "pw" not in str(caught.value)


def test_of_several_cameras_one_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.avi", 40)
    for name in ("good", "bad", "other"):
        text = CAMERA.replace("[320, 240]", "[640, 480]") if name == "other" else CAMERA
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    videos = [str(tmp_path / name) for name in ("clip.avi", "none.avi", "clip.avi")]
    command = [sys.executable, "-c", "from ops.cli import main; main()", "count", *videos, "--json"]
    command += ["--out", str(tmp_path / "out")]
    command += [word for name in ("good", "bad", "other") for word in ("--camera", str(tmp_path / f"{name}.toml"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1, done.stderr
    rows = json.loads(done.stdout)["cameras"]
    assert [row["error"] is None for row in rows] == [True, False, False]
    assert "no such video" in rows[1]["error"] and "the camera file is for 640x480" in rows[2]["error"]
    assert (tmp_path / "out" / "01_good" / "counts.csv").is_file()
