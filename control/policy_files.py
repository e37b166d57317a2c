"""Policies on disk: weights and a card that tells where they come from; nothing in them can run code.

::

    models/universal/   card.toml            sha256 of the weights, architecture, how they came about, must_not
                        weights-3fa29c01.npz  one array, float32

The card names the file of the weights, and is put in place last and at one go: whoever loads a folder finds the old
model or the new one, whenever writing broke off.
"""

from __future__ import annotations

import hashlib
import io
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from control.core.policy import INPUTS, N_CELLS, N_ROWS
from control.policy_runs import Weights
from traffic.errors import BadWeights
from traffic.files import write_whole
from traffic.toml import toml_of

MODELS = Path(__file__).resolve().parent.parent / "models"
"""Where shipped models lie."""
CARD = "card.toml"
_ARRAY = "weights"
_MOST_BYTES = 1_000_000
_PICKLES = frozenset({".pkl", ".pickle", ".pt", ".pth"})
_AGAIN = "train it again, or copy it again whole"


def find_policy(named: str | Path) -> Path:
    """Return the folder that a name under `models/`, or a path, means.

    Raises
    ------
    BadWeights
        If there is none; the message lists what is there.
    """
    text = str(named)
    folder = Path(text) if "/" in text or text in (".", "..") else MODELS / text
    if folder.suffix in _PICKLES:
        raise BadWeights(text, "a pickle", "opening one runs code, so none is", f"give a folder with {CARD}")
    if folder.is_dir() and (folder / CARD).is_file():
        return folder
    if folder.exists():
        raise BadWeights(text, f"no {CARD}", f"a policy is a folder with {CARD} and its weights", "give such a folder")
    known = ", ".join(sorted(path.parent.name for path in MODELS.glob(f"*/{CARD}"))) or "none"
    raise BadWeights(text, "no such policy", f"in models/: {known}", "give one of these, or the path to a folder")


def load_policy(named: str | Path) -> Weights:
    """Return the weights of a policy, shape (N_ROWS, N_CELLS), checked against its card and this architecture.

    Raises
    ------
    BadWeights
        If there is no such policy, or its weights are not what the card says and this code can run.
    """
    folder = find_policy(named)
    card = read_card(folder)
    name = card.get("file")
    if not isinstance(name, str) or not name.endswith(".npz") or Path(name).name != name:
        raise BadWeights(f"{folder / CARD}: file", name, "must be the name of an .npz beside it", _AGAIN)
    data = _read(folder / name)
    digest = hashlib.sha256(data).hexdigest()
    if digest != card.get("sha256"):
        raise BadWeights(str(folder / name), f"sha256 {digest[:12]}...", f"{CARD} has another", _AGAIN)
    if card.get("architecture") != architecture():
        where = f"{folder / CARD}: architecture"
        raise BadWeights(where, _difference(card.get("architecture")), "not what this version computes", "train again")
    return _checked(_open(data, folder / name), folder / name)


def save_policy(folder: Path, weights: Weights, card: Mapping[str, Any]) -> str:
    """Write weights and their card; return the sha256 of the weights.

    Parameters
    ----------
    card
        Text, numbers, true or false, lists of these, and tables of the same; None is left out. File, sha256 and
        architecture are added.

    Raises
    ------
    BadWeights
        If the weights are not what could be loaded again, or the disk does not take them; what was there stays.
    """
    checked = _checked(weights, folder)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{_ARRAY: checked})
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    name = f"weights-{digest[:8]}.npz"
    facts = {"file": name, "sha256": digest, **card, "architecture": architecture()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, buffer.getvalue())
        write_whole(folder / CARD, toml_of(facts).encode("utf-8"))
        for other in folder.glob("weights-*.npz"):
            if other.name != name:
                other.unlink()
    except OSError as error:
        raise BadWeights(
            str(folder), error.strerror or error, "must take files", "make room, or name another"
        ) from error
    return digest


def read_card(folder: Path) -> dict[str, Any]:
    """Return the card of a policy.

    Raises
    ------
    BadWeights
        If it cannot be read.
    """
    try:
        return tomllib.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadWeights(str(folder / CARD), error, "must be TOML", _AGAIN) from error


def weights_sha256(named: str | Path) -> str:
    """Return the sha256 of its weights that the card of a policy names.

    Raises
    ------
    BadWeights
        If there is no such policy, or its card cannot be read.
    """
    return str(read_card(find_policy(named))["sha256"])


def architecture() -> dict[str, Any]:
    """Return what weights have to fit: the inputs by name, and the cells."""
    return {"inputs": list(INPUTS), "cells": N_CELLS, "rows": N_ROWS}


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadWeights(str(path), f"{path.stat().st_size} bytes", f"at most {_MOST_BYTES}", _AGAIN)
        return path.read_bytes()
    except OSError as error:
        raise BadWeights(str(path), error.strerror or error, "must be readable", _AGAIN) from error


def _open(data: bytes, path: Path) -> np.ndarray[Any, Any]:
    if data[:1] == b"\x80":
        raise BadWeights(str(path), "a pickle", "opening one runs code, so none is", "give an .npz")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            rows = {row.filename: row.file_size for row in packed.infolist()}
        if set(rows) != {f"{_ARRAY}.npy"} or sum(rows.values()) > _MOST_BYTES:
            found = f"{', '.join(list(rows)[:3]) or 'nothing'}, {sum(rows.values())} bytes"
            raise BadWeights(str(path), found, f"must hold {_ARRAY} alone", _AGAIN)
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            found_array: np.ndarray[Any, Any] = arrays[_ARRAY]
            return found_array
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        is_pickle = "pickle" in str(error)
        value = "a pickle inside" if is_pickle else error
        raise BadWeights(str(path), value, "must be an .npz of plain numbers", _AGAIN) from error


def _checked(weights: np.ndarray[Any, Any], where: Path) -> Weights:
    """Return weights that this architecture can run."""
    if weights.dtype != np.float32 or weights.shape != (N_ROWS, N_CELLS):
        limit = f"must be float32 {(N_ROWS, N_CELLS)}"
        raise BadWeights(f"{where}: weights", f"{weights.dtype} {weights.shape}", limit, "train again")
    if not np.isfinite(weights).all():
        n = int((~np.isfinite(weights)).sum())
        raise BadWeights(f"{where}: weights", f"{n} not finite", "all must be numbers", "train again")
    return np.ascontiguousarray(weights)


def _difference(found: object) -> str:
    """Return in a few words how an architecture differs."""
    if not isinstance(found, dict):
        return "none"
    wanted, inputs = architecture(), found.get("inputs")
    if isinstance(inputs, list) and inputs != wanted["inputs"]:
        odd = [str(name) for name in [*inputs, *wanted["inputs"]] if (name in inputs) != (name in wanted["inputs"])]
        return f"{len(inputs)} inputs, ours {len(INPUTS)}; {', '.join(odd[:3]) or 'in another order'}"
    return ", ".join(f"{name} {found.get(name)}, ours {value}" for name, value in wanted.items() if name != "inputs")
