from __future__ import annotations

import hashlib
import io
import json
import pickle
import resource
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from control.core.policy import INPUTS, N_CELLS, N_ROWS
from control.policy_files import CARD, MODELS, find_policy, load_policy, read_card, save_policy
from traffic.errors import BadWeights
from traffic.toml import toml_of


def make_weights(value: float = 0.5) -> np.ndarray:
    return np.full((N_ROWS, N_CELLS), value, np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_policy(tmp_path / "own", make_weights(), {"seed": 1, "must_not": ["on a street without a guard"]})
    return tmp_path / "own"


def replace_weights(folder: Path, data: bytes, *, keep_hash: bool = False) -> None:
    """Put other bytes in place of the weights, with their own sha256 on the card."""
    card = read_card(folder)
    (folder / card["file"]).write_bytes(data)
    if not keep_hash:
        card["sha256"] = hashlib.sha256(data).hexdigest()
        (folder / CARD).write_text(toml_of(card), "utf-8")


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def bomb() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, weights=np.zeros(2_500_000, np.float32))
    return buffer.getvalue()


def edit_card(folder: Path, **changes: object) -> None:
    (folder / CARD).write_text(toml_of({**read_card(folder), **changes}), "utf-8")


def test_what_is_saved_is_loaded_to_the_bit_with_its_card(folder: Path) -> None:
    weights = np.random.default_rng(1).normal(size=(N_ROWS, N_CELLS)).astype(np.float32)
    digest = save_policy(folder, weights, {"seed": 7, "note": 'a "quoted"\nline, ngã tư', "settings": {"a b": 1.5}})
    assert np.array_equal(load_policy(folder), weights)
    card = read_card(folder)
    assert card["sha256"] == digest and card["note"] == 'a "quoted"\nline, ngã tư' and card["settings"] == {"a b": 1.5}
    assert card["architecture"]["inputs"] == list(INPUTS)


def test_saving_again_leaves_one_set_of_weights_and_the_same_weights_the_same_bytes(folder: Path) -> None:
    first = save_policy(folder, make_weights(2.0), {})
    assert sorted(path.name for path in folder.iterdir()) == [CARD, f"weights-{first[:8]}.npz"]
    assert save_policy(folder, make_weights(2.0), {}) == first


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "hash differs": (lambda f: replace_weights(f, npz(weights=make_weights(9.0)), keep_hash=True), "sha256"),
    "another shape": (lambda f: replace_weights(f, npz(weights=np.zeros((3, 4), np.float32))), r"\(3, 4\)"),
    "another dtype": (lambda f: replace_weights(f, npz(weights=make_weights().astype(float))), "float64"),
    "not a number": (lambda f: replace_weights(f, npz(weights=make_weights(np.nan))), "not finite"),
    "objects": (lambda f: replace_weights(f, npz(weights=np.array([{}], object))), "pickle"),
    "a pickle": (lambda f: replace_weights(f, pickle.dumps(make_weights())), "pickle"),
    "other arrays": (lambda f: replace_weights(f, npz(weights=make_weights(), more=np.zeros(1))), "alone"),
    "a bomb": (lambda f: replace_weights(f, bomb()), "10000128 bytes"),
    "a long file": (lambda f: replace_weights(f, npz(weights=np.zeros(300_000, np.float32))), "at most"),
    "half a file": (lambda f: replace_weights(f, npz(weights=make_weights())[:500]), "npz"),
    "empty": (lambda f: replace_weights(f, b""), "npz"),
    "no weights": (lambda f: (f / read_card(f)["file"]).unlink(), "No such file"),
    "no card": (lambda f: (f / CARD).unlink(), f"no {CARD}"),
    "a torn card": (lambda f: (f / CARD).write_text('file = "wei', "utf-8"), "TOML"),
    "a card of bytes": (lambda f: (f / CARD).write_bytes(b"\xff\xfe\x00"), "TOML"),
    "an empty card": (lambda f: (f / CARD).write_text("", "utf-8"), "file"),
    "a file elsewhere": (lambda f: edit_card(f, file="../own/x.npz"), "beside it"),
    "a file of another kind": (lambda f: edit_card(f, file="weights.pt"), "npz"),
    "no architecture": (lambda f: edit_card(f, architecture=None), "architecture"),
    "other inputs": (lambda f: edit_card(f, architecture={"inputs": ["speed", *INPUTS[1:]]}), "speed"),
    "other cells": (
        lambda f: edit_card(f, architecture={"inputs": list(INPUTS), "cells": 99, "rows": N_ROWS}),
        "cells 99, ours",
    ),
}


@pytest.mark.parametrize(("spoil", "says"), BAD.values(), ids=BAD)
def test_a_bad_policy_is_refused_in_one_line(folder: Path, spoil: Callable[[Path], None], says: str) -> None:
    spoil(folder)
    with pytest.raises(BadWeights, match=says) as caught:
        load_policy(folder)
    assert "\n" not in caught.value.line and caught.value.next_move


@pytest.mark.parametrize("name", ["nowhere", "../nowhere", "", "/dev/null", "some/policy.pt", "policy.pkl"])
def test_no_such_policy_is_one_line(name: str) -> None:
    with pytest.raises(BadWeights) as caught:
        load_policy(name)
    assert "\n" not in caught.value.line


def test_a_name_that_is_not_there_lists_those_that_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control.policy_files.MODELS", folder.parent)
    with pytest.raises(BadWeights, match="own"):
        find_policy("nowhere")
    assert find_policy("own") == folder


@pytest.mark.parametrize(
    "weights", [make_weights(np.inf), np.zeros((2, 2), np.float32), np.zeros((N_ROWS, N_CELLS))], ids=repr
)
def test_what_could_not_be_loaded_is_not_saved(folder: Path, weights: np.ndarray) -> None:
    with pytest.raises(BadWeights):
        save_policy(folder, weights, {})
    assert np.array_equal(load_policy(folder), make_weights())


@contextmanager
def at_most(n_bytes: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes: a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("n_bytes", [0, 700, 5700], ids=["nothing fits", "half the weights fit", "the card does not"])
def test_a_disk_that_fills_up_leaves_the_old_policy(folder: Path, n_bytes: int) -> None:
    # The card that does not fit any more is longer than the weights.
    with at_most(n_bytes), pytest.raises(BadWeights, match="room"):
        save_policy(folder, make_weights(3.0), {"note": "x" * 9000})
    assert np.array_equal(load_policy(folder), make_weights())
    assert not list(folder.glob(".*.part"))


def test_toml_is_what_tomllib_reads() -> None:
    facts = {"t": 'é🚦\\"\n\t\x7f', "n": -1, "x": 1e-9, "b": True, "list": [1, 2.5, "c"], "rows": [[1, 0.5], [2, 0.25]]}
    assert tomllib.loads(toml_of({**facts, "none": None, "table": {"a.b": 1, "none": None}})) == {
        **facts,
        "table": {"a.b": 1},
    }
    assert json.loads(json.dumps(facts)) == facts


def test_every_shipped_policy_loads() -> None:
    cards = [card for card in MODELS.glob(f"*/{CARD}") if card.parent.name != "finder"]  # that one is a camera's
    assert cards
    for card in cards:
        assert load_policy(card.parent.name).shape == (N_ROWS, N_CELLS)
        assert {"commit", "command", "seed", "must_not"} <= set(read_card(card.parent))
