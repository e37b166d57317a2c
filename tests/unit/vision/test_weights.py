"""Weights that are not there are one clear line, and no pickle is opened unasked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from traffic.errors import BadWeights
from vision.weights import WeightsKind, find_weights


def make_arrays(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, a=np.zeros(1))
    return path


def make_checkpoint(path: Path, data: bytes = b"x") -> Path:
    path.write_bytes(data)
    (path.parent / "SHA256SUMS").write_text(f"{hashlib.sha256(data).hexdigest()}  ./{path.name}\n")
    return path


def make_openvino(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "m.xml").write_text("<net/>")
    (folder / "m.bin").write_bytes(b"1")
    return folder


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path / "mine.pt")
    assert find_weights(str(checkpoint)).kind is WeightsKind.CHECKPOINT
    assert find_weights(str(make_arrays(tmp_path / "yolo11n.npz"))).kind is WeightsKind.ARRAYS
    assert find_weights(str(make_openvino(tmp_path / "ov"))).kind is WeightsKind.OPENVINO


def test_the_hash_is_of_the_file(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(tmp_path / "mine.pt", b"abc")
    # FIPS 180-2, appendix B.1
    assert find_weights(str(checkpoint)).sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_from_a_folder_of_models_no_checkpoint_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"x")
    with pytest.raises(BadWeights, match="no weights"):
        find_weights(str(tmp_path))
    make_openvino(tmp_path / "ov")
    assert find_weights(str(tmp_path)).kind is WeightsKind.OPENVINO
    make_arrays(tmp_path / "yolo11n.npz")
    assert find_weights(str(tmp_path)).kind is WeightsKind.ARRAYS


def test_unnamed_weights_are_the_shipped_model(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="give --weights"):
        find_weights(None, models=tmp_path)
    path = make_arrays(tmp_path / "finder" / "yolo11n_street.npz")
    assert find_weights(None, models=tmp_path).path == path


def test_a_name_is_looked_up_among_the_models_first(tmp_path: Path) -> None:
    path = make_arrays(tmp_path / "yolo11n" / "yolo11n.npz")
    assert find_weights("yolo11n", models=tmp_path).path == path


@pytest.mark.parametrize("sums", [None, "", "00  ./mine.pt\n", f"{hashlib.sha256(b'x').hexdigest()}  ./other.pt\n"])
def test_a_pickle_without_a_known_digest_is_never_opened(sums: str | None, tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_bytes(b"x")
    if sums is not None:
        (tmp_path / "SHA256SUMS").write_text(sums)
    with pytest.raises(BadWeights, match="a pickle, whose opening runs code"):
        find_weights(str(tmp_path / "mine.pt"))


@pytest.mark.parametrize("name", ["resnet50", "yolo11n", "nowhere/yolo11n.pt", "missing.npz"])
def test_what_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="give a path"):
        find_weights(name, models=tmp_path)


@pytest.mark.parametrize(("name", "fault"), [("a.npz", "the file is empty"), ("a.onnx", "want .npz")])
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, name: str, fault: str) -> None:
    (tmp_path / name).write_bytes(b"" if name.endswith("npz") else b"x")
    with pytest.raises(BadWeights, match=fault):
        find_weights(str(tmp_path / name))


def test_an_openvino_model_without_its_data_is_refused(tmp_path: Path) -> None:
    (make_openvino(tmp_path / "ov") / "m.bin").unlink()
    with pytest.raises(BadWeights, match="missing or empty"):
        find_weights(str(tmp_path / "ov"))
