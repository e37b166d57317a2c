"""`count` from pixels to files, on a drawn clip: right counts, equal files, nothing kept unasked, nothing lost."""

from __future__ import annotations

import csv
import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet
import pytest

from ops.count import CountOptions, run_count
from tests.e2e.street_clip import CAMERA, EXPECTED, FRAMES_PER_S, ColourFinder, draw_frame, write_camera, write_clip
from traffic.errors import BadVideo, BadWeights
from vision.boxes import Boxes
from vision.source import Image

QUIET = CountOptions(is_quiet=True)
ROOT = Path(__file__).parents[2]
_COMMAND = (  # a test run in the background hands its ignored SIGINT down
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from ops.cli import main; main()"
)


def count(folder: Path, **changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "video": folder / "clip.avi",
        "camera": folder / "camera.toml",
        "out": folder / "out",
        "options": QUIET,
        "finder": ColourFinder(),
    }
    return run_count(**settings | changes)


@pytest.fixture
def street(tmp_path: Path) -> Path:
    write_clip(tmp_path / "clip.avi")
    write_camera(tmp_path / "camera.toml")
    return tmp_path


def not_zero(result: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(row["direction"], row["class"]): row["count"] for row in result["rows"] if row["count"]}


def test_a_drawn_street_is_counted_exactly(street: Path) -> None:
    result = count(street)
    assert not_zero(result) == EXPECTED
    assert result["fps_per_core"] > 0 and result["partial"] is False


def test_a_folder_of_images_gives_the_same_counts(street: Path) -> None:
    frames = street / "frames"
    frames.mkdir()
    for index in range(100):
        cv2.imwrite(str(frames / f"{index:03d}.png"), draw_frame(index))
    write_camera(street / "camera.toml", CAMERA.replace("period_s = 5", f"frames_per_s = {FRAMES_PER_S}"))
    assert not_zero(count(street, video=frames)) == EXPECTED


def test_csv_parquet_and_json_say_the_same(street: Path) -> None:
    count(street)
    out = street / "out"
    with (out / "counts.csv").open(encoding="utf-8") as file:
        from_csv = [(row["movement"], float(row["start_s"]), int(row["count"])) for row in csv.DictReader(file)]
    stored = json.loads((out / "counts.json").read_text(encoding="utf-8"))
    from_json = [(row["movement"], row["start_s"], row["count"]) for row in stored["counts"]]
    table = pyarrow.parquet.read_table(out / "counts.parquet").to_pylist()
    assert from_csv == from_json == [(row["movement"], row["start_s"], row["count"]) for row in table]
    assert {row[1] for row in from_csv} == {0.0, 5.0}
    assert sum(row[2] for row in from_csv) == sum(EXPECTED.values())


def test_results_carry_what_made_them(street: Path) -> None:
    count(street)
    stored = json.loads((street / "out" / "counts.json").read_text(encoding="utf-8"))
    assert stored["camera"]["name"] == "drawn"
    assert stored["versions"]["ultralytics"] and stored["commit"]
    assert stored["frames"] == 100 and stored["watched_s"] == pytest.approx(10.0)


def test_no_frame_is_kept_unless_it_is_asked_for(street: Path) -> None:
    count(street, options=CountOptions(is_quiet=True, has_slit_scan=False))
    tables = {"counts.csv", "counts.json", "counts.parquet", "crossings.csv", "measures.csv"}
    assert {file.name for file in (street / "out").iterdir()} == tables


def test_an_annotated_video_has_every_frame(street: Path) -> None:
    count(street, options=CountOptions(is_quiet=True, has_video=True))
    capture = cv2.VideoCapture(str(street / "out" / "annotated.mp4"))
    n_frames = 0
    while capture.grab():
        n_frames += 1
    assert n_frames == 100


def test_the_slit_scan_shows_what_was_counted(street: Path) -> None:
    count(street)
    page = cv2.imread(str(street / "out" / "slit_scan_1_stop_line_001.png"))
    assert page is not None
    # 10 s at 10 columns/s, two pixels each, right of the 48 px margin: the stopped car is a band to the end
    column = page[50:-22, 48 + 190].astype(int)
    assert (np.abs(column - (230, 60, 30)).max(axis=1) < 60).any()


def test_a_clip_that_breaks_off_keeps_its_counts_marked_partial(street: Path) -> None:
    clip = street / "clip.avi"
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(BadVideo, match="breaks off after"):
        count(street)
    stored = json.loads((street / "out" / "counts.json").read_text(encoding="utf-8"))
    assert stored["partial"] is True and "breaks off" in stored["broken_by"]
    assert 0 < stored["frames"] < 100


def test_an_interruption_keeps_its_counts_marked_partial(street: Path) -> None:
    class Interrupted(ColourFinder):
        seen = 0

        def find(self, image: Image) -> Boxes:
            self.seen += 1
            if self.seen > 60:
                raise KeyboardInterrupt
            return super().find(image)

    with pytest.raises(KeyboardInterrupt):
        count(street, finder=Interrupted())
    stored = json.loads((street / "out" / "counts.json").read_text(encoding="utf-8"))
    assert stored["partial"] is True and stored["frames"] == 60
    assert sum(row["count"] for row in stored["rows"]) > 0


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[310, 120]", "[330, 120]", "outside the frame"),
        ("size = [320, 240]", "size = [640, 480]", "the camera file is for 640x480"),
    ],
    ids=["line outside the frame", "camera of another size"],
)
def test_a_camera_file_that_does_not_fit_is_refused(street: Path, old: str, new: str, fault: str) -> None:
    write_camera(street / "camera.toml", CAMERA.replace(old, new))
    with pytest.raises(BadVideo, match=fault):
        count(street)
    assert not (street / "out").exists()


def test_missing_weights_are_refused_before_anything_is_written(street: Path) -> None:
    with pytest.raises(BadWeights, match="no such weights"):
        count(street, finder=None, weights=str(street / "none.pt"))
    assert not (street / "out").exists()


def run_command(street: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _COMMAND, "count", str(street / "clip.avi")]
    return subprocess.Popen(
        [*command, "--camera", str(street / "camera.toml"), "--out", str(street / "out"), *arguments],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_the_command_says_one_line_of_json_about_a_fault(street: Path) -> None:
    process = run_command(street, "--json", "--weights", str(street / "none.npz"))
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 1 and stdout.count("\n") == 1
    assert json.loads(stdout)["error"]["kind"] == "BadWeights"
    assert "Traceback" not in stderr


def test_ctrl_c_in_the_command_keeps_what_was_counted(street: Path, random_weights: Path) -> None:
    write_clip(street / "clip.avi", 4000)
    process = run_command(street, "--annotate", "--weights", str(random_weights))
    assert process.stderr is not None
    video = street / "out" / "annotated.mp4"
    while not video.exists() or not video.stat().st_size:
        assert process.poll() is None, process.stderr.read()
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            continue
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    stored = json.loads((street / "out" / "counts.json").read_text(encoding="utf-8"))
    assert process.returncode == 130
    assert stored["partial"] is True and 0 <= stored["frames"] < 4000
    assert stored["weights"]["sha256"]


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a YOLO11n whose weights mean nothing, as arrays."""
    from vision.torchvision_standin import import_ultralytics

    model = import_ultralytics("ultralytics.nn.tasks").DetectionModel("yolo11n.yaml", nc=80, verbose=False)
    path = tmp_path_factory.mktemp("models") / "yolo11n_random.npz"
    np.savez(path, **{name: value.numpy() for name, value in model.state_dict().items()})
    return path


def test_arrays_are_loaded_into_the_network_that_the_name_gives(street: Path, random_weights: Path) -> None:
    result = count(street, finder=None, weights=str(random_weights))
    assert result["fps_per_core"] > 0
    stored = json.loads((street / "out" / "counts.json").read_text(encoding="utf-8"))
    assert stored["weights"]["kind"] == "npz"


@pytest.mark.parametrize(
    ("name", "arrays", "fault"),
    [
        ("yolo11n_x.npz", {"a": np.zeros(3)}, "does not fit yolo11n"),
        ("mine.npz", {"a": np.zeros(3)}, "unknown network"),
        ("yolo11n_y.npz", {"a": np.array([{"code": "object"}], dtype=object)}, "not a readable .npz"),
    ],
    ids=["other arrays", "no network's name", "a pickled object"],
)
def test_arrays_that_fit_no_network_are_refused(street: Path, name: str, arrays: dict[str, Any], fault: str) -> None:
    np.savez(street / name, **arrays)
    with pytest.raises(BadWeights, match=fault):
        count(street, finder=None, weights=str(street / name))


@pytest.mark.parametrize("suffix", [".pt", ".npz"])
def test_a_damaged_file_of_weights_is_refused(street: Path, suffix: str) -> None:
    path = street / f"yolo11n{suffix}"
    path.write_bytes(b"not weights at all")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (street / "SHA256SUMS").write_text(f"{digest}  {path.name}\n", encoding="utf-8")
    with pytest.raises(BadWeights, match=r"not a (checkpoint|readable)"):
        count(street, finder=None, weights=str(path))


def test_ultralytics_imports_where_torchvision_does_not(tmp_path: Path) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')\n"
    )
    code = (
        "import torch; from vision.torchvision_standin import import_ultralytics as load; load();"
        "import torchvision; box = torch.tensor([[0., 0, 9, 9], [0, 0, 9, 8], [20, 20, 29, 29]]);"
        "print(torchvision.is_standin, torchvision.ops.nms(box, torch.tensor([.5, .9, .7]), 0.5).tolist())"
    )
    path = f"{tmp_path}:{ROOT}"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout.strip() == "True [1, 2]", done.stderr
