"""Training a finder, as small as it can be: set, training, judging, model and card; the same command goes on."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from ops.vision_train import SHARES, VisionTrainOptions, run_vision_train
from traffic.errors import BadInput
from vision.weights import find_weights


def options(folder: Path, **changes: object) -> VisionTrainOptions:
    plain = {"n_drawn": 20, "epochs": 1, "image_size": 160, "seed": 3, "out": folder / "run", "threads": 1}
    return VisionTrainOptions(**plain | changes)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore")
def test_a_tiny_training_gives_a_model_that_loads(tmp_path: Path) -> None:
    result = run_vision_train(options(tmp_path))
    folder = Path(result["model"])
    card = tomllib.loads((folder / "card.toml").read_text(encoding="utf-8"))
    assert find_weights(str(folder)).sha256 == card["sha256"] == result["sha256"]
    assert card["images"] == {"drawn": "40 images, our own"} and card["training_s"] > 0
    assert {row["share"] for row in result["rows"]} == set(SHARES)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert len({row["sha256"] for row in manifest}) == 40
    again = run_vision_train(options(tmp_path))  # nothing left to train
    assert (again["share"], again["sha256"]) == (result["share"], result["sha256"])
    with pytest.raises(BadInput, match="holds a run with other settings"):
        run_vision_train(options(tmp_path, seed=4))


def test_an_unlicensed_source_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="hcmc"):
        run_vision_train(options(tmp_path, sources=("hcmc",)))
    assert not (tmp_path / "run").exists()
