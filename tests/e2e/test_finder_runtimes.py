"""The shipped finder is the same in OpenVINO as in torch, is converted once, and Ctrl-C waits for the conversion."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.street_clip import draw_frame
from vision.camera import COCO_CLASSES
from vision.finder import LoadedNetwork, YoloFinder, arrays_model, coco_names, lay_in, load_finder, torch_run
from vision.openvino_cache import cache_folder, interrupts_held
from vision.training.drawn_images import drawn_images
from vision.weights import find_weights


def test_openvino_finds_what_torch_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGA_TU_CACHE", str(tmp_path))
    weights = find_weights(None)
    finder = load_finder(weights, 416, COCO_CLASSES)
    model, names = arrays_model(weights)
    torch_finder = YoloFinder(LoadedNetwork(run=torch_run(model.float().eval()), names=names), 416, COCO_CLASSES)
    n_found = 0
    for row in drawn_images(3, 77):
        ours, theirs = finder.find(row.image), torch_finder.find(row.image)
        ours, theirs = (boxes.take(boxes.confidence > 0.3) for boxes in (ours, theirs))
        n_found += len(theirs)
        assert abs(len(ours) - len(theirs)) <= 1
    assert n_found > 5
    assert len(list(cache_folder().glob("*/model.xml"))) >= 1
    made = {path: path.stat().st_mtime_ns for path in cache_folder().glob("*/model.xml")}
    load_finder(weights, 416, COCO_CLASSES).find(draw_frame(3))
    for row in drawn_images(1, 77):
        load_finder(weights, 416, COCO_CLASSES).find(row.image)
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in made.items())
    assert not list(cache_folder().glob("*.part"))


def test_ctrl_c_waits_for_what_must_not_be_broken_off() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    done = []

    def convert() -> None:
        with interrupts_held():
            os.kill(os.getpid(), signal.SIGINT)
            done.append(True)

    try:
        with pytest.raises(KeyboardInterrupt):
            convert()
        assert done and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_shipped_arrays_hold_no_pickle_and_fit_their_card() -> None:
    import hashlib
    import tomllib

    weights = find_weights(None)
    card = tomllib.loads((weights.path.parent / "card.toml").read_text(encoding="utf-8"))
    assert card["sha256"] == hashlib.sha256(weights.path.read_bytes()).hexdigest() == weights.sha256
    assert card["file"] == weights.path.name and card["may_be_shipped"] is True
    with np.load(weights.path, allow_pickle=False) as stored:
        assert all(stored[name].dtype.kind in "fiu" for name in stored.files)
    assert weights.path.stat().st_size < 8_000_000
    assert coco_names(80, weights)[3] == "motorcycle"
    assert lay_in(draw_frame(0), (320, 416))[0].shape == (1, 3, 320, 416)
