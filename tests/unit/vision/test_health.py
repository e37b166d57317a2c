"""A camera that cannot see says so, from the moment in which it began; a good one never does."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from traffic.counts import Health
from vision.health import HealthWatch, Outage, pieces
from vision.source import Frame, Image

RATE = 4.0
SCENE = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 255, (180, 320, 3)).astype(np.uint8), (0, 0), 1.5)


def street(index: int) -> Image:
    """Return a frame of a street: houses, a camera's noise, and a car that drives through."""
    noise = np.random.default_rng(index).normal(0, 3, SCENE.shape)
    image = np.clip(SCENE + noise, 0, 255).astype(np.uint8)
    x = 20 * index % 320
    image[120:150, x : x + 40] = (200, 60, 30)
    return image


def watched(change: Callable[[int, Image], Image], seconds: float = 60.0, from_s: float = 30.0) -> list[Outage]:
    watch = HealthWatch(RATE)
    for index in range(round(seconds * RATE)):
        image = street(index)
        watch.see(
            Frame(index=index, time_s=index / RATE, image=change(index, image) if index / RATE >= from_s else image)
        )
    return watch.outages(seconds)


def test_a_street_with_traffic_is_healthy() -> None:
    assert watched(lambda index, image: image) == []


@pytest.mark.parametrize(
    ("health", "change"),
    [
        (Health.DARK, lambda index, image: image // 40),
        (Health.COVERED, lambda index, image: np.full_like(image, 120)),
        (Health.FROZEN, lambda index, image: street(120)),
        (Health.BLURRED, lambda index, image: cv2.GaussianBlur(image, (0, 0), 6)),
        (Health.MOVED, lambda index, image: np.roll(image, 40, axis=1)),
    ],
    ids=lambda value: str(value) if isinstance(value, Health) else "",
)
def test_each_fault_is_known_and_dated_to_its_begin(health: Health, change: Callable[[int, Image], Image]) -> None:
    outages = [row for row in watched(change) if row.health is health]
    assert len(outages) == 1
    assert 29.0 <= outages[0].start_s <= (45.0 if health is Health.MOVED else 31.5)
    assert outages[0].end_s == 60.0


def test_a_short_shadow_is_no_outage() -> None:
    assert watched(lambda index, image: image // 40 if index < 126 else image) == []


def test_a_gap_between_frames_is_lost_and_a_slow_camera_slow() -> None:
    watch = HealthWatch(RATE)
    times = [*np.arange(0, 10, 0.25), *np.arange(14, 20, 0.25), *np.arange(20, 60, 1.0)]
    for index, time_s in enumerate(times):
        watch.see(Frame(index=index, time_s=float(time_s), image=street(index)))
    states = {row.health: row for row in watch.outages(60.0)}
    assert (round(states[Health.LOST].start_s, 1), states[Health.LOST].end_s) == (9.8, 14.0)
    assert states[Health.LOW_FRAME_RATE].end_s == 60.0
    assert watch.state is Health.LOW_FRAME_RATE


def test_a_stream_that_never_came_back_is_lost_to_the_end() -> None:
    watch = HealthWatch(RATE)
    watch.see(Frame(index=0, time_s=0.0, image=street(0)))
    assert watch.outages(10.0) == [Outage(start_s=0.0, end_s=10.0, health=Health.LOST)]


def test_pieces_cover_the_period_once() -> None:
    spans = ((5.0, 20.0, Health.DARK), (10.0, 30.0, Health.LOST), (95.0, 200.0, Health.LOST))
    outages = [Outage(start_s=start_s, end_s=end_s, health=health) for start_s, end_s, health in spans]
    cut = pieces(0.0, 100.0, outages)
    assert [a for a, _, _ in cut[1:]] == [b for _, b, _ in cut[:-1]]
    assert (cut[0][0], cut[-1][1]) == (0.0, 100.0)
    assert [health for _, _, health in cut] == [Health.OK, Health.DARK, Health.LOST, Health.OK, Health.LOST]
