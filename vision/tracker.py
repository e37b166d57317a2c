"""Follows boxes from frame to frame: ByteTrack, as ultralytics has it.

Y. Zhang and others, ByteTrack: Multi-Object Tracking by Associating Every Detection Box, ECCV 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from vision.boxes import Boxes, IntArray
from vision.finder import MIN_CONFIDENCE
from vision.torchvision_standin import import_ultralytics

LOST_S = 1.0
"""How long a track is kept while nothing matches it: the paper's 30 frames at 30 frames a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """The tracks seen in one frame: ids, shape (n,), and the box of each."""

    ids: IntArray
    boxes: Boxes


class Tracker:
    """ByteTrack at a given rate of frames.

    Parameters
    ----------
    frames_per_s
        Rate at which `follow` is called.
    min_confidence
        Boxes at or above it start tracks and are matched first; weaker ones only go on with a track.
    """

    def __init__(self, frames_per_s: float, min_confidence: float) -> None:
        settings = SimpleNamespace(
            track_high_thresh=min_confidence,
            track_low_thresh=MIN_CONFIDENCE,
            new_track_thresh=min_confidence,
            track_buffer=max(3, round(LOST_S * frames_per_s)),
            match_thresh=0.8,
            fuse_score=True,
        )
        self._tracker = import_ultralytics("ultralytics.trackers.byte_tracker").BYTETracker(settings)
        self._detections = import_ultralytics("ultralytics.engine.results").Boxes

    def follow(self, boxes: Boxes) -> Tracks:
        """Take the boxes of the next frame and return the tracks that are seen in it."""
        rows = np.column_stack([boxes.xyxy, boxes.confidence, boxes.class_index]).astype(np.float32)
        found = self._tracker.update(self._detections(rows, (1, 1)))
        if not len(found):
            return Tracks(ids=np.zeros(0, np.int64), boxes=Boxes.empty())
        return Tracks(ids=found[:, 4].astype(np.int64), boxes=boxes.take(found[:, 7].astype(np.int64)))
