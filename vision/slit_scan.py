"""A slit-scan: the pixels under a counting line, one column a frame, with what was counted marked in it.

::

    line, first point  |  |##|      |###|        every vehicle that crosses leaves its own shape:
         to last       |  |##|   |#||###|        a person recounts a minute in seconds
                       +----------------------> time

It shows how long each vehicle took, not how long it was: a slow one is stretched, a standing one is
a band. It holds no frame, only the pixels under the line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from vision.camera import CountLine
from vision.crossings import Crossing
from vision.draw import BLACK, COLOURS, LETTERS, WHITE, write_text
from vision.source import Frame, Image

MAX_SAMPLES = 256
STRIP_S = 60.0
STRIPS_PER_PAGE = 10
_SETTLE_S = 5.0
_SCALE = 2
_LEFT, _HEAD, _FOOT = 48, 26, 22
_GREY = 40


class SlitScan:
    """Collects the pixels under one line and makes a page of every ten minutes of them.

    Parameters
    ----------
    line
        The counting line.
    size
        Width and height of the frames.
    columns_per_s
        Rate at which `add` is called.
    """

    def __init__(self, line: CountLine, size: tuple[int, int], columns_per_s: float) -> None:
        self.line = line
        length_px = math.hypot(line.end[0] - line.start[0], line.end[1] - line.start[1])
        n_samples = int(min(MAX_SAMPLES, max(2, round(length_px))))
        shares = (np.arange(n_samples) + 0.5) / n_samples
        self._x = self._pixels(line.start[0], line.end[0], shares, size[0])
        self._y = self._pixels(line.start[1], line.end[1], shares, size[1])
        self._columns_per_s = columns_per_s
        self._columns: list[tuple[float, Image]] = []
        self._page_start_s = 0.0

    @property
    def is_page_due(self) -> bool:
        """Whether a whole page is there and what crossed in it is settled."""
        return bool(self._columns) and self._columns[-1][0] >= self._page_end_s + _SETTLE_S

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be drawn."""
        return not self._columns

    def add(self, frame: Frame) -> None:
        """Take the pixels under the line."""
        self._columns.append((frame.time_s, frame.image[self._y, self._x]))

    def take_page(self, crossings: Sequence[Crossing]) -> Image:
        """Return the next page as a picture and forget its pixels."""
        end_s = self._page_end_s
        page = [column for column in self._columns if column[0] < end_s]
        self._columns = self._columns[len(page) :]
        own = [row for row in crossings if row.line == self.line.name]
        last_s = page[-1][0] if page else self._page_start_s
        n_strips = max(1, math.ceil((last_s - self._page_start_s + 1e-9) / STRIP_S))
        strips = [self._strip(page, own, self._page_start_s + i * STRIP_S) for i in range(n_strips)]
        self._page_start_s = end_s
        return np.vstack([self._legend(strips[0].shape[1]), *strips])

    @property
    def _page_end_s(self) -> float:
        return self._page_start_s + STRIP_S * STRIPS_PER_PAGE

    @staticmethod
    def _pixels(first: float, last: float, shares: np.ndarray, limit: int) -> np.ndarray:
        return np.clip(np.floor(first + shares * (last - first)), 0, limit - 1).astype(np.int64)

    def _strip(self, page: Sequence[tuple[float, Image]], crossings: Sequence[Crossing], start_s: float) -> Image:
        """Return one minute: columns placed by their time stamps, marks above and on them, seconds below."""
        n_columns, n_samples = math.ceil(STRIP_S * self._columns_per_s), len(self._x)
        body = np.full((n_samples, n_columns, 3), _GREY, np.uint8)
        filled = -1
        for time_s, column in page:
            place = int((time_s - start_s) * self._columns_per_s + 1e-6)
            if start_s <= time_s and place < n_columns:
                is_rounding = filled >= 0 and place - filled == 2
                body[:, place - is_rounding : place + 1] = column[:, None]
                filled = place
        body = np.repeat(body, _SCALE, axis=1)
        strip = np.full((_HEAD + n_samples + _FOOT, _LEFT + body.shape[1], 3), _GREY, np.uint8)
        strip[_HEAD : _HEAD + n_samples, _LEFT:] = body
        self._mark_seconds(strip, start_s)
        for crossing in crossings:
            if start_s <= crossing.time_s < start_s + STRIP_S:
                self._mark(strip, crossing, crossing.time_s - start_s)
        return strip

    def _mark_seconds(self, strip: Image, start_s: float) -> None:
        bottom = strip.shape[0] - _FOOT
        for second in range(0, int(STRIP_S), 5):
            x = _LEFT + int(second * self._columns_per_s * _SCALE)
            cv2.line(strip, (x, bottom), (x, bottom + 5), WHITE, 1)
            write_text(strip, f"{start_s + second:g} s", (x + 3, strip.shape[0] - 5), scale=0.38)

    def _mark(self, strip: Image, crossing: Crossing, elapsed_s: float) -> None:
        """Mark one count: a ring where it crossed, its letter and the way it went above."""
        x = _LEFT + int(elapsed_s * self._columns_per_s * _SCALE)
        y = _HEAD + int(crossing.place * len(self._x))
        colour = COLOURS[crossing.vehicle_class]
        cv2.line(strip, (x, _HEAD - 5), (x, _HEAD - 1), colour, 2)
        cv2.circle(strip, (x, y), 5, BLACK, 3, cv2.LINE_AA)
        cv2.circle(strip, (x, y), 5, colour, 2, cv2.LINE_AA)
        sign = "<" if crossing.direction == self.line.directions[0] else ">"
        write_text(strip, f"{LETTERS[crossing.vehicle_class]}{sign}", (x - 8, _HEAD - 9), scale=0.42, colour=colour)

    def _legend(self, width: int) -> Image:
        legend = np.full((24, width, 3), _GREY, np.uint8)
        left, right = self.line.directions
        classes = "  ".join(f"{letter} {name}" for name, letter in LETTERS.items())
        text = f"line '{self.line.name}', first point above; < {left}, > {right};  {classes};  a ring = one count"
        write_text(legend, text, (6, 16), scale=0.42)
        return legend
