"""Frames come with their time stamps; what does not decode is one clear line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from traffic.errors import BadVideo
from vision.source import open_source


def write_video(path: Path, n_frames: int, *, fourcc: str = "MJPG", frames_per_s: float = 10.0) -> Path:
    """Write grey frames, each 2 brighter than the one before."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*fourcc), frames_per_s, (64, 48))
    for index in range(n_frames):
        writer.write(np.full((48, 64, 3), 20 + 2 * index, np.uint8))
    writer.release()
    return path


def test_every_frame_has_its_time(tmp_path: Path) -> None:
    source = open_source(write_video(tmp_path / "a.avi", 20))
    frames = list(source.frames(1))
    assert source.size == (64, 48)
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.time_s for frame in frames] == pytest.approx([0.1 * i for i in range(20)], abs=0.002)


def test_a_stride_skips_frames_but_not_time(tmp_path: Path) -> None:
    frames = list(open_source(write_video(tmp_path / "a.avi", 20)).frames(3))
    assert [frame.index for frame in frames] == [0, 3, 6, 9, 12, 15, 18]
    assert frames[-1].time_s == pytest.approx(1.8, abs=0.002)
    assert frames[2].image.mean() == pytest.approx(20 + 2 * 6, abs=2)


@pytest.mark.parametrize(
    ("content", "fault"),
    [(None, "no such video"), (b"", "the video is empty"), (b"no video at all" * 100, "does not decode")],
    ids=["missing", "empty", "text"],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes | None, fault: str) -> None:
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadVideo, match=fault):
        open_source(path)


def test_an_mp4_that_lost_its_end_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", 50, fourcc="mp4v")
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(BadVideo, match="does not decode"):
        open_source(path)


def test_a_video_that_breaks_off_says_where(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", 60)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    seen: list[int] = []
    with pytest.raises(BadVideo, match="its header says 60: the file is truncated"):
        seen.extend(frame.index for frame in open_source(path).frames(1))
    assert 0 < len(seen) < 60


def write_images(folder: Path, n_images: int) -> Path:
    folder.mkdir()
    for index in range(n_images):
        cv2.imwrite(str(folder / f"{index:03d}.png"), np.full((48, 64, 3), index, np.uint8))
    return folder


def test_a_folder_of_images_is_a_video_at_the_rate_given(tmp_path: Path) -> None:
    source = open_source(write_images(tmp_path / "f", 5), frames_per_s=4.0)
    frames = list(source.frames(2))
    assert [(frame.index, frame.time_s) for frame in frames] == [(0, 0.0), (2, 0.5), (4, 1.0)]
    assert frames[2].image[0, 0].tolist() == [4, 4, 4]


def test_a_folder_without_a_rate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadVideo, match="set frames_per_s"):
        open_source(write_images(tmp_path / "f", 1))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadVideo, match="0 images"):
        open_source(tmp_path, frames_per_s=5.0)


def test_images_of_two_sizes_are_refused(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "f", 2)
    cv2.imwrite(str(folder / "9.png"), np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(BadVideo, match="the first image is 64x48"):
        list(open_source(folder, frames_per_s=5.0).frames(1))


def test_an_image_that_does_not_decode_is_refused(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "f", 2)
    (folder / "9.png").write_bytes(b"no image")
    with pytest.raises(BadVideo, match="damaged"):
        list(open_source(folder, frames_per_s=5.0).frames(1))
