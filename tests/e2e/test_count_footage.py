"""The shipped finder on real clips against hand counts, and that it never learned from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ops.vision_eval import EvalOptions, run_vision_eval
from traffic.errors import BadVideo
from vision.source import open_source
from vision.training.dataset import LICENCES, pixels_sha256
from vision.truth import read_truth
from vision.weights import MODELS

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def result(data_dir: Path) -> dict[str, Any]:
    return run_vision_eval(data_dir / "footage", EvalOptions(n_plain=0))


def test_cars_and_heavy_vehicles_are_counted(result: dict[str, Any]) -> None:
    assert result["recall_cars_heavy"] >= 0.97
    assert result["precision_cars_heavy"] >= 0.95
    assert result["overcount_stopped"] == 0


def test_motorcycles_are_counted(result: dict[str, Any]) -> None:
    assert result["recall_motorcycle"] >= 0.85 and result["precision_motorcycle"] >= 0.9


def test_each_clip_is_within_a_vehicle_or_two(result: dict[str, Any]) -> None:
    for row in result["rows"]:
        assert abs(row["count"] - row["truth"]) <= 2, row


def test_no_frame_with_a_hand_count_was_trained_on(data_dir: Path) -> None:
    manifest = json.loads((MODELS / "finder" / "manifest.json").read_text(encoding="utf-8"))
    trained = {row["sha256"] for row in manifest}
    assert len(trained) > 1000 and {row["source"] for row in manifest} <= set(LICENCES)
    n_frames = 0
    for name in read_truth(data_dir / "footage"):
        source = open_source(data_dir / "footage" / name)
        for frame in source.frames(1):
            assert pixels_sha256(frame.image) not in trained
            n_frames += 1
        source.close()
    assert n_frames > 2000


def test_a_folder_without_truth_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadVideo, match="clips with their truth"):
        run_vision_eval(tmp_path)
