"""Frames with time stamps, from a video file or a folder of images."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from traffic.errors import BadVideo

Image = npt.NDArray[np.uint8]
"""A frame as OpenCV has it: shape (height, width, 3), blue green red."""

_IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})
_MAX_LOST_SHARE = 0.03
_MAX_LOST_FRAMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame: its place in the source, seconds since the first frame, and its pixels."""

    index: int
    time_s: float
    image: Image


class FrameSource(Protocol):
    """Where frames come from."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    @property
    def frames_per_s(self) -> float:
        """Nominal frame rate."""

    @property
    def n_frames(self) -> int | None:
        """Frames that the source says it has, None where it does not say."""

    def frames(self, stride: int) -> Iterator[Frame]:
        """Yield every `stride`-th frame; raises BadVideo where the source breaks off early."""

    def close(self) -> None:
        """Let go of the file."""


def quiet_opencv() -> None:
    """Let OpenCV and FFmpeg keep their messages to themselves: faults are reported by us, in one line."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def open_source(path: Path, *, frames_per_s: float | None = None) -> FrameSource:
    """Open a video file or a folder of images.

    Parameters
    ----------
    path
        The file or folder.
    frames_per_s
        Frame rate of a folder of images, which has no clock of its own.

    Raises
    ------
    BadVideo
        If it is missing, empty, or does not decode.
    """
    if path.is_dir():
        return ImageFolder(path, frames_per_s)
    if not path.is_file():
        raise BadVideo(str(path), "no such video", next_move="give the path of a video file or a folder of images")
    if path.stat().st_size == 0:
        raise BadVideo(str(path), "0 bytes", "the video is empty", "copy or record it again")
    return VideoFile(path)


class VideoFile:
    """A video file that OpenCV decodes, frame by frame."""

    def __init__(self, path: Path) -> None:
        quiet_opencv()
        self._path = path
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        if not self._capture.isOpened() or width <= 0 or height <= 0:
            self.close()
            raise BadVideo(
                str(path), "does not decode", "no video stream was found in it", "try to play it, or record it again"
            )
        self.size = (width, height)
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.frames_per_s = rate if 0.0 < rate <= 240.0 else 25.0
        n_frames = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.n_frames: int | None = n_frames if n_frames > 0 else None

    def frames(self, stride: int) -> Iterator[Frame]:
        """Yield every `stride`-th frame; frames between are decoded but not converted."""
        index, time_s, first_s = 0, -1.0, 0.0
        while self._capture.grab():
            stamp_s = float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
            first_s = stamp_s if index == 0 else first_s
            elapsed_s = stamp_s - first_s
            time_s = elapsed_s if elapsed_s > time_s else max(time_s, 0.0) + 1.0 / self.frames_per_s
            if index % stride == 0:
                is_decoded, image = self._capture.retrieve()
                if not is_decoded:
                    break
                yield Frame(index=index, time_s=time_s, image=np.asarray(image, np.uint8))
            index += 1
        self._check_complete(index)

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()

    def _check_complete(self, n_read: int) -> None:
        if n_read == 0:
            raise BadVideo(str(self._path), "does not decode", "not one frame could be read", "record it again")
        if self.n_frames is None:
            return
        lost = self.n_frames - n_read
        if lost > max(_MAX_LOST_FRAMES, _MAX_LOST_SHARE * self.n_frames):
            raise BadVideo(
                str(self._path),
                f"breaks off after {n_read} frames",
                f"its header says {self.n_frames}: the file is truncated or damaged",
                "copy it again",
            )


class ImageFolder:
    """A folder of images, in the order of their names, at a frame rate that the camera file gives."""

    def __init__(self, path: Path, frames_per_s: float | None) -> None:
        self._files = sorted(file for file in path.iterdir() if file.suffix.lower() in _IMAGE_SUFFIXES)
        if not self._files:
            raise BadVideo(str(path), "0 images", "want .jpg, .png or .bmp files", "give the folder of frames")
        if frames_per_s is None:
            raise BadVideo(
                str(path), "no frame rate", "a folder of images has no clock", "set frames_per_s in the camera file"
            )
        self.frames_per_s = frames_per_s
        self.n_frames: int | None = len(self._files)
        height, width = self._read(self._files[0]).shape[:2]
        self.size = (int(width), int(height))

    def frames(self, stride: int) -> Iterator[Frame]:
        """Yield every `stride`-th image."""
        for index in range(0, len(self._files), stride):
            image = self._read(self._files[index])
            if (image.shape[1], image.shape[0]) != self.size:
                raise BadVideo(
                    str(self._files[index]),
                    f"{image.shape[1]}x{image.shape[0]}",
                    f"the first image is {self.size[0]}x{self.size[1]}",
                    "keep one size in a folder",
                )
            yield Frame(index=index, time_s=index / self.frames_per_s, image=image)

    def close(self) -> None:
        """Nothing is held open."""

    @staticmethod
    def _read(file: Path) -> Image:
        image = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if image is None:
            raise BadVideo(str(file), "does not decode", "the image is empty or damaged", "remove or replace it")
        return np.asarray(image, np.uint8)
