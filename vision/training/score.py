"""How well a finder finds: recall and precision of boxes on labelled images, by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from traffic.counts import VehicleClass
from vision.boxes import CLASSES, Boxes, FloatArray, overlaps
from vision.finder import Finder
from vision.training.drawn_images import Labelled

MIN_OVERLAP = 0.5
MIN_CONFIDENCE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Boxes of one class: in the labels, found, and matched one to one at an overlap of 0.5."""

    n_labelled: int
    n_found: int
    n_matched: int

    @property
    def recall(self) -> float | None:
        """Share of the labelled that was found."""
        return self.n_matched / self.n_labelled if self.n_labelled else None

    @property
    def precision(self) -> float | None:
        """Share of the found that was labelled; too low where labels lack road users."""
        return self.n_matched / self.n_found if self.n_found else None

    @property
    def f1(self) -> float:
        """Harmonic mean of both, 0 where nothing matches."""
        total = self.n_labelled + self.n_found
        return 2 * self.n_matched / total if total else 0.0


def score(finder: Finder, images: Iterable[Labelled]) -> dict[VehicleClass, Score]:
    """Return the scores of every class over all images."""
    labelled: Counter[VehicleClass] = Counter()
    found: Counter[VehicleClass] = Counter()
    matched: Counter[VehicleClass] = Counter()
    for row in images:
        boxes = finder.find(row.image)
        boxes = boxes.take(boxes.confidence >= MIN_CONFIDENCE)
        for name in VehicleClass:
            mine = row.boxes[[one is name for one in row.classes]]
            seen = _of_class(boxes, name)
            labelled[name] += len(mine)
            found[name] += len(seen)
            matched[name] += n_matches(mine, seen)
    return {
        name: Score(n_labelled=labelled[name], n_found=found[name], n_matched=matched[name]) for name in VehicleClass
    }


def n_matches(labelled: FloatArray, found: FloatArray) -> int:
    """Return how many boxes match one to one, the best overlaps first.

    Examples
    --------
    >>> box = np.array([[0, 0, 10, 10]], np.float32)
    >>> n_matches(box, np.concatenate([box, box + 1]))
    1
    """
    shares = overlaps(labelled, found)
    n = 0
    while shares.size and shares.max() >= MIN_OVERLAP:
        i, j = np.unravel_index(int(shares.argmax()), shares.shape)
        shares[i, :] = shares[:, j] = 0.0
        n += 1
    return n


def _of_class(boxes: Boxes, name: VehicleClass) -> FloatArray:
    return boxes.take(boxes.class_index == CLASSES.index(name)).xyxy
