"""A drawn clip of a street and a finder that sees its colours: pixels to counts without a network.

::

    320x240, 10 frames/s, the line at y = 120

    x = 60    blue car, down,  crosses once
    x = 140   red bus, up,     crosses once
    x = 220   blue car, down,  stops with its front over the line, trembling, to the end
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from traffic.counts import VehicleClass
from vision.boxes import CLASSES, Boxes
from vision.source import Image

WIDTH, HEIGHT, FRAMES_PER_S, N_FRAMES = 320, 240, 10.0, 100
BLUE, RED = (230, 60, 30), (30, 40, 220)
BY_COLOUR = {VehicleClass.CAR: BLUE, VehicleClass.BUS: RED}
EXPECTED = {("towards", "car"): 2, ("away", "bus"): 1}

CAMERA = """
version = 1
name = "drawn"
size = [320, 240]
period_s = 5
frame_stride = 1
[[lines]]
name = "stop line"
points = [[10, 120], [310, 120]]
to_left = "away"
to_right = "towards"
"""


def draw_frame(index: int) -> Image:
    """Return one frame of the street."""
    image = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    image[:, [18, 19, 20, 300, 301, 302]] = 255  # the road's edges
    _draw_box(image, 60, 20 + 5 * index, 30, 24, BLUE)
    _draw_box(image, 140, 300 - 4 * index, 36, 60, RED)
    front = min(20 + 4 * index, 127 + (-1) ** index)
    _draw_box(image, 220, front, 30, 24, BLUE)
    return image


def write_clip(path: Path, n_frames: int = N_FRAMES) -> Path:
    """Write the clip as Motion-JPEG, whose every frame stands for itself."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FRAMES_PER_S, (WIDTH, HEIGHT))
    for index in range(n_frames):
        writer.write(draw_frame(index))
    writer.release()
    return path


def write_camera(path: Path, text: str = CAMERA) -> Path:
    """Write the camera file of the clip."""
    path.write_text(text, encoding="utf-8")
    return path


class ColourFinder:
    """Finds every patch of a known colour."""

    def find(self, image: Image) -> Boxes:
        """Return one box a patch."""
        rows: list[tuple[int, int, int, int, int]] = []
        for name, colour in BY_COLOUR.items():
            is_near = np.abs(image.astype(int) - colour).max(axis=2) < 60
            n_labels, _, stats, _ = cv2.connectedComponentsWithStats(is_near.astype(np.uint8))
            for x, y, width, height, area in stats[1:n_labels]:
                if area > 100:
                    rows.append((x, y, x + width, y + height, CLASSES.index(name)))
        table = np.array(rows, np.float32).reshape(-1, 5)
        return Boxes(
            xyxy=table[:, :4], confidence=np.full(len(rows), 0.9, np.float32), class_index=table[:, 4].astype(np.int64)
        )


def _draw_box(image: Image, x: int, bottom: int, width: int, height: int, colour: tuple[int, int, int]) -> None:
    cv2.rectangle(image, (x - width // 2, bottom - height), (x + width // 2, bottom), colour, -1)
