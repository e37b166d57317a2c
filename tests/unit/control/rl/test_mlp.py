"""A network without torch: written whole, read without pickle, refused where it does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import control.rl.mlp as mlp_module
from control.rl.mlp import Mlp, load_mlp, save_mlp
from traffic.errors import BadWeights


def make_mlp(**changes: Any) -> Mlp:
    rng = np.random.default_rng(1)
    layers = ((5, 3), (2, 5))
    return Mlp(
        **{
            "weights": tuple(rng.normal(size=shape) for shape in layers),
            "biases": tuple(rng.normal(size=shape[0]) for shape in layers),
            "about": {"steps": "7"},
            **changes,
        }
    )


def test_a_masked_action_is_never_taken() -> None:
    network = make_mlp()
    for row in np.random.default_rng(2).normal(size=(50, 3)):
        best = network.act(row)
        mask = np.ones(2)
        mask[best] = 0
        assert network.act(row, mask) == 1 - best


def test_a_full_disk_keeps_the_network_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_mlp(make_mlp(), tmp_path / "p.npz")
    before = (tmp_path / "p.npz").read_bytes()

    def full(file: Any, **arrays: Any) -> None:
        file.write(b"PK half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mlp_module.np, "savez", full)
    with pytest.raises(BadWeights, match="No space left"):
        save_mlp(make_mlp(kind="discrete", about={}), tmp_path / "p.npz")
    assert (tmp_path / "p.npz").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["p.npz"]


def with_arrays(path: Path, **changes: Any) -> Path:
    save_mlp(make_mlp(), path)
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(path, **{name: value for name, value in {**arrays, **changes}.items() if value is not None})
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"version": np.array(2)},
        {"weight_1": np.zeros((2, 4))},
        {"bias_0": np.zeros(4)},
        {"weight_0": np.full((5, 3), np.nan)},
        {"kind": np.array("tree")},
        {"about": np.array("{")},
        {"bias_1": None},
        {"more": np.zeros(1)},
        {"weight_0": np.array([object()], dtype=object)},
        {"kind": np.array("box")},
    ],
    ids=["version", "chain", "bias", "nan", "kind", "about", "missing", "unknown", "pickle inside", "no bounds"],
)
def test_weights_that_are_not_what_they_should_be_are_one_clear_error(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = with_arrays(tmp_path / "p.npz", **changes)
    with pytest.raises(BadWeights, match=r"p\.npz.*export (it|the policy) again"):
        load_mlp(path)


@pytest.mark.parametrize("text", [b"", b"PK", b"\x80\x04N."], ids=["empty", "half", "a pickle"])
def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "p.npz"
    path.write_bytes(text)
    with pytest.raises(BadWeights, match=r"p\.npz"):
        load_mlp(path)
    with pytest.raises(BadWeights, match=r"none\.npz"):
        load_mlp(tmp_path / "none.npz")


@pytest.mark.parametrize("seen", [np.zeros(4), np.full(3, np.nan)], ids=["length", "nan"])
def test_an_observation_of_another_length_or_with_nan_is_refused(seen: Any) -> None:
    with pytest.raises(BadWeights, match="observation"):
        make_mlp().act(seen)
