"""Hand counts and drawn truth of clips, and how counts are matched to them.

::

    ground_truth.json:  clips: {FILE: {fps, size, frame_from, frame_to, sha256,
                                lines: [{name, p: [[x, y], [x, y]], direction, events: {CLASS: [frame, ...]}}]}}

    direction holds "to_left", "to_right", or one of "x decreasing", "x increasing", "y decreasing", "y increasing"
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy.optimize import linear_sum_assignment

from traffic.counts import VehicleClass
from traffic.errors import BadVideo
from traffic.network import Point
from traffic.scenario import describe_faults

TURN_TOLERANCE_S = 5.0
"""The same for turning movements: a box leaves its zone with its lower edge, a long vehicle's front before."""

TRUTH = "ground_truth.json"
TOLERANCE_S = 1.0
"""How far a count's time may be from that of the event: hand counts are good to ten frames."""

_WAYS = {"x decreasing": (-1, 0), "x increasing": (1, 0), "y decreasing": (0, -1), "y increasing": (0, 1)}


class TruthLine(BaseModel):
    """One line of a clip: events are frames, by class; only one direction was counted."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    name: str
    p: tuple[Point, Point]
    direction: str
    events: dict[VehicleClass, list[float]] = {}
    speeds_kph: dict[VehicleClass, list[float]] = {}

    @property
    def is_to_right(self) -> bool:
        """Whether what was counted crosses to the right of the line."""
        if "to_right" in self.direction or "to_left" in self.direction:
            return "to_right" in self.direction
        (x0, y0), (x1, y1) = self.p
        for words, (x, y) in _WAYS.items():
            if words in self.direction:
                return x * (y0 - y1) + y * (x1 - x0) > 0
        raise BadVideo(
            f"line {self.name}", f"direction {self.direction!r}", f"want to_left, to_right or {', '.join(_WAYS)}"
        )


class TruthTurn(BaseModel):
    """One turning movement of a clip, from zone to zone: frames at the stop line, by class."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    entry: str
    exit: str
    events: dict[VehicleClass, list[float]] = {}


class TruthClip(BaseModel):
    """One clip; `queues_veh` (lane by lane, every second), speeds and a camera file are there where it was drawn."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    fps: float = Field(gt=0, le=240)
    size: tuple[int, int]
    frame_from: int = 0
    frame_to: int
    lines: list[TruthLine] = []
    turns: list[TruthTurn] = []
    sha256: str | None = None
    camera: str | None = None
    queues_veh: dict[str, list[int]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How counts of one class on one line agree with truth: `matched` are pairs (place in truth, place in counts)."""

    n_truth: int
    n_counted: int
    matched: tuple[tuple[int, int], ...]


def read_truth(folder: Path) -> dict[str, TruthClip]:
    """Read ground_truth.json of a folder, or of each folder in it: clips by file name within the folder.

    Raises
    ------
    BadVideo
        If there is none or one is not of this form.
    """
    files = [folder / TRUTH] if (folder / TRUTH).is_file() else sorted(folder.glob(f"*/{TRUTH}"))
    if not files:
        raise BadVideo(str(folder / TRUTH), "not there", "clips with their truth", "give a folder that has it")
    return {str((path.parent / name).relative_to(folder)): clip for path in files for name, clip in _read(path).items()}


def _read(path: Path) -> dict[str, TruthClip]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): TruthClip.model_validate(clip) for name, clip in dict(stored["clips"]).items()}
    except (OSError, json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        told = describe_faults(error) if isinstance(error, ValidationError) else str(error)
        raise BadVideo(str(path), told, "not of the form in docs/counting.md", "mend the file") from error


def match_times(truth_s: Sequence[float], counted_s: Sequence[float], tolerance_s: float = TOLERANCE_S) -> Match:
    """Match counts to events one to one within a tolerance: as many as can be, then as near as can be.

    Examples
    --------
    >>> match_times([1.0, 2.0], [1.9, 2.4, 9.0]).matched
    ((0, 0), (1, 1))
    """
    if not len(truth_s) or not len(counted_s):
        return Match(n_truth=len(truth_s), n_counted=len(counted_s), matched=())
    apart = np.abs(np.asarray(truth_s)[:, None] - np.asarray(counted_s)[None, :])
    cost = np.where(apart <= tolerance_s + 1e-9, apart, 1e6)
    rows, columns = linear_sum_assignment(cost)
    pairs = tuple((int(i), int(j)) for i, j in zip(rows, columns, strict=True) if cost[i, j] < 1e6)
    return Match(n_truth=len(truth_s), n_counted=len(counted_s), matched=pairs)


def weighted_rmse(counts: Mapping[str, tuple[float, float]]) -> float:
    """Return the root mean square error of (truth, count), weighted by truth and divided by the mean truth.

    That of the AI City Challenge (2021, track 1), over whole counts instead of segments.

    Examples
    --------
    >>> weighted_rmse({"a": (10, 10), "b": (10, 12)})
    0.1414...
    """
    truth = np.array([pair[0] for pair in counts.values()], float)
    error = np.array([pair[1] - pair[0] for pair in counts.values()], float)
    if not truth.sum():
        return float("nan")
    return float(np.sqrt((truth * error**2).sum() / truth.sum()) / truth.mean())
