"""Draws on frames: lines, boxes, tracks and counts, for a video that was asked for."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from traffic.counts import VehicleClass
from traffic.errors import BadVideo
from vision.boxes import CLASSES
from vision.camera import Camera
from vision.source import Image
from vision.tracker import Tracks

Colour = tuple[int, int, int]

COLOURS: dict[VehicleClass, Colour] = {
    VehicleClass.MOTORCYCLE: (60, 220, 255),
    VehicleClass.BICYCLE: (200, 255, 120),
    VehicleClass.CAR: (255, 170, 60),
    VehicleClass.BUS: (80, 110, 255),
    VehicleClass.TRUCK: (230, 100, 230),
    VehicleClass.PEDESTRIAN: (200, 200, 200),
}
"""Blue, green, red of each class; they differ in brightness as well as in hue."""

LETTERS: dict[VehicleClass, str] = {
    VehicleClass.MOTORCYCLE: "m",
    VehicleClass.BICYCLE: "b",
    VehicleClass.CAR: "C",
    VehicleClass.BUS: "B",
    VehicleClass.TRUCK: "T",
    VehicleClass.PEDESTRIAN: "p",
}

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)


def plain_text(text: str) -> str:
    """Return text in the letters that OpenCV's font has.

    Examples
    --------
    >>> plain_text("Đại lộ Lê Lợi")
    'Dai lo Le Loi'
    """
    split = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return split.encode("ascii", "ignore").decode()


def write_text(image: Image, text: str, at: tuple[int, int], *, scale: float = 0.4, colour: Colour = WHITE) -> None:
    """Write text with its lower left corner at a point, on a dark patch so that it reads on any ground."""
    text = plain_text(text)
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    patch = image[max(at[1] - height - 1, 0) : at[1] + below, max(at[0] - 1, 0) : at[0] + width + 1]
    patch //= 3
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)


def annotate(image: Image, camera: Camera, tracks: Tracks, totals: Sequence[str]) -> Image:
    """Return a copy of a frame with the camera's lines, every track and the counts so far."""
    picture = image.copy()
    for line in camera.lines:
        start, end = (tuple(round(c) for c in point) for point in (line.start, line.end))
        cv2.line(picture, start, end, BLACK, 4, cv2.LINE_AA)
        cv2.line(picture, start, end, WHITE, 2, cv2.LINE_AA)
        write_text(picture, line.name, (start[0] + 4, start[1] - 5))
    for track, box, place in zip(tracks.ids, tracks.boxes.xyxy, tracks.boxes.class_index, strict=True):
        name = CLASSES[int(place)]
        x1, y1, x2, y2 = (round(float(c)) for c in box)
        cv2.rectangle(picture, (x1, y1), (x2, y2), COLOURS[name], 2)
        cv2.circle(picture, ((x1 + x2) // 2, y2), 3, COLOURS[name], -1)
        write_text(picture, f"{LETTERS[name]}{track}", (x1, max(y1 - 3, 10)), colour=COLOURS[name])
    for row, text in enumerate(totals):
        write_text(picture, text, (6, 16 + 16 * row), scale=0.45)
    return picture


def blurred(image: Image) -> Image:
    """Return a frame in which no face and no plate can be read: about 120 rows of it are left.

    The whole frame, since what a finder misses is somebody's face, too.
    """
    height, width = image.shape[:2]
    step = max(2, round(height / 120))
    small = cv2.resize(image, (max(1, width // step), max(1, height // step)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


class VideoWriter:
    """Writes frames of one size into an MP4 file."""

    def __init__(self, path: Path, size: tuple[int, int], frames_per_s: float) -> None:
        self._path = path
        fourcc = cv2.VideoWriter.fourcc(*"mp4v")
        self._writer: Any = cv2.VideoWriter(str(path), fourcc, frames_per_s, size)
        if not self._writer.isOpened():
            raise BadVideo(str(path), "cannot be written", next_move="give a folder that can be written")

    def write(self, picture: Image) -> None:
        """Append one frame."""
        self._writer.write(picture)

    def close(self) -> None:
        """Finish the file."""
        self._writer.release()


def save_picture(path: Path, picture: Image) -> None:
    """Write a picture as PNG."""
    if not cv2.imwrite(str(path), picture):
        raise BadVideo(str(path), "cannot be written", next_move="give a folder that can be written")
