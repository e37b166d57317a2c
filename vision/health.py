"""Is the camera fit to count? Looked at twice a second on a thumbnail; what it says goes with every count.

::

    frame -> grey thumbnail 160 x 90 -> dark? covered? frozen? blurred? moved?      time stamps -> low frame rate? lost?

A state counts only once it has held for a while, and then from the moment in which it began.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from traffic.counts import Health
from vision.source import Frame, Image

_THUMB = (160, 90)
_LOOK_EVERY_S = 0.5
HOLDS_S: Mapping[Health, float] = {
    Health.LOST: 0.0,
    Health.DARK: 3.0,
    Health.COVERED: 3.0,
    Health.FROZEN: 8.0,
    Health.BLURRED: 8.0,
    Health.MOVED: 8.0,
    Health.LOW_FRAME_RATE: 5.0,
}
"""How long a state must hold; a queue that stands is not frozen, since a camera's noise goes on."""

DARK_LEVEL = 14.0
"""Brightest hundredth of a dark frame: a street at night has lamps."""
COVERED_SPREAD = 5.0
"""Standard deviation of grey, 0-255, of a lens behind a hand or a cloth."""
FROZEN_CHANGE = 0.02
"""Mean change of grey between looks, 0-255: decoded again, a still picture changes by nothing."""
BLURRED_SHARE = 0.25
"""Sharpness (variance of the Laplacian) as a share of what this camera had in its first minute."""
MOVED_SHARE = 0.02
"""Shift of the background as a share of the frame's width."""
LOW_RATE_SHARE = 0.4
"""Frames a second as a share of the nominal rate."""
_LEARN_S = 20.0
_BACKGROUND = 20
_SURE = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A span in which a camera is not healthy: what passed in it is unknown."""

    start_s: float
    end_s: float
    health: Health


class HealthWatch:
    """Watches one camera's frames.

    Parameters
    ----------
    frames_per_s
        Nominal rate of the frames that it is shown.
    gap_s
        A gap between frames longer than this is an outage.
    """

    def __init__(self, frames_per_s: float, gap_s: float = 2.0) -> None:
        self._rate, self._gap_s = frames_per_s, max(gap_s, 3.0 / frames_per_s)
        self._outages: list[Outage] = []
        self._since: dict[Health, float] = {}
        self._thumb: npt.NDArray[np.float32] | None = None
        self._recent: deque[npt.NDArray[np.float32]] = deque(maxlen=_BACKGROUND)
        self._times: deque[float] = deque(maxlen=max(8, round(5.0 * frames_per_s)))
        self._reference: npt.NDArray[np.float32] | None = None
        self._sharpness: list[float] = []
        self._looked_s, self._seen_s = -1e9, 0.0

    @property
    def state(self) -> Health:
        """What holds now, the gravest first."""
        return next((health for health in HOLDS_S if self._holds(health)), Health.OK)

    def see(self, frame: Frame) -> Health:
        """Take the next frame; return the state."""
        if self._times and frame.time_s - self._times[-1] > self._gap_s:
            self._outages.append(Outage(start_s=self._times[-1], end_s=frame.time_s, health=Health.LOST))
            self._times.clear()
        self._times.append(frame.time_s)
        self._seen_s = frame.time_s
        self._judge(Health.LOW_FRAME_RATE, is_so=self._is_slow())
        if frame.time_s - self._looked_s >= _LOOK_EVERY_S:
            self._look(frame.image, frame.time_s)
            self._looked_s = frame.time_s
        return self.state

    def outages(self, until_s: float) -> list[Outage]:
        """Return every span that was not healthy up to an instant, those that go on included, in order."""
        running = [
            Outage(start_s=since, end_s=until_s, health=health)
            for health, since in self._since.items()
            if until_s - since >= HOLDS_S[health]
        ]
        if self._times and until_s - self._times[-1] > self._gap_s:
            running.append(Outage(start_s=self._times[-1], end_s=until_s, health=Health.LOST))
        return sorted([*self._outages, *running], key=lambda row: row.start_s)

    def _holds(self, health: Health) -> bool:
        return health in self._since and self._seen_s - self._since[health] >= HOLDS_S[health]

    def _judge(self, health: Health, *, is_so: bool) -> None:
        """Note when a state begins, and keep its span when it ends."""
        if is_so:
            self._since.setdefault(health, self._seen_s)
        elif health in self._since:
            since = self._since.pop(health)
            if self._seen_s - since >= HOLDS_S[health]:
                self._outages.append(Outage(start_s=since, end_s=self._seen_s, health=health))

    def _is_slow(self) -> bool:
        span_s = self._times[-1] - self._times[0]
        return span_s > 2.0 and (len(self._times) - 1) / span_s < LOW_RATE_SHARE * self._rate

    def _look(self, image: Image, time_s: float) -> None:
        grey = cv2.cvtColor(cv2.resize(image, _THUMB, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        thumb = grey.astype(np.float32)
        is_dark = float(np.percentile(thumb, 99)) < DARK_LEVEL
        is_covered = not is_dark and float(thumb.std()) < COVERED_SPREAD
        self._judge(Health.DARK, is_so=is_dark)
        self._judge(Health.COVERED, is_so=is_covered)
        if self._thumb is not None:
            self._judge(Health.FROZEN, is_so=float(np.abs(thumb - self._thumb).mean()) < FROZEN_CHANGE)
        self._thumb = thumb
        if is_dark or is_covered:
            return
        self._recent.append(thumb)
        self._look_closer(image, time_s)

    def _look_closer(self, image: Image, time_s: float) -> None:
        """Compare sharpness and background with what this camera had at first."""
        sharpness = float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.CV_32F).var())
        if time_s < _LEARN_S or len(self._recent) < _BACKGROUND:
            self._sharpness.append(sharpness)
            return
        background = np.median(np.stack(self._recent), axis=0).astype(np.float32)
        if self._reference is None:
            self._reference = background
        usual = float(np.median(self._sharpness))
        self._judge(Health.BLURRED, is_so=sharpness < BLURRED_SHARE * usual)
        self._judge(Health.MOVED, is_so=_shift_share(self._reference, background) > MOVED_SHARE)


def _shift_share(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float:
    """Return how far the edges of one picture lie from those of another, as a share of the width; 0 if unsure."""
    edges = [cv2.Laplacian(cv2.GaussianBlur(picture, (0, 0), 1.0), cv2.CV_32F) for picture in (first, second)]
    window = cv2.createHanningWindow(_THUMB, cv2.CV_32F)
    (dx, dy), response = cv2.phaseCorrelate(edges[0], edges[1], window)
    if response < _SURE:
        alike = float(np.corrcoef(edges[0].ravel(), edges[1].ravel())[0, 1])
        return 0.0 if alike > _SURE else 1.0
    return float(np.hypot(dx, dy)) / _THUMB[0]


def pieces(start_s: float, end_s: float, outages: Sequence[Outage]) -> list[tuple[float, float, Health]]:
    """Cut a period at its outages: what was watched stays known, what was not is unknown.

    Examples
    --------
    >>> gap = Outage(start_s=300.0, end_s=308.0, health=Health.LOST)
    >>> [(a, b, str(health)) for a, b, health in pieces(0.0, 900.0, [gap])]
    [(0.0, 300.0, 'ok'), (300.0, 308.0, 'lost'), (308.0, 900.0, 'ok')]
    """
    made: list[tuple[float, float, Health]] = []
    at_s = start_s
    for outage in sorted(outages, key=lambda row: row.start_s):
        first_s, last_s = max(outage.start_s, at_s), min(outage.end_s, end_s)
        if last_s <= first_s:
            continue
        if first_s > at_s:
            made.append((at_s, first_s, Health.OK))
        made.append((first_s, last_s, outage.health))
        at_s = last_s
    if at_s < end_s:
        made.append((at_s, end_s, Health.OK))
    return made
