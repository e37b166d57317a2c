"""Checkpoints of a training: one file, whole or not at all, from which it goes on as if nothing had happened."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from control.core.policy import INPUTS, N_CELLS, N_ROWS
from control.rl.evolution import Evolution
from control.rl.training import CURVE, Training
from traffic.errors import BadWeights
from traffic.files import write_whole

_SHAPES = dict.fromkeys(("weights", "first", "second", "mean", "best"), (N_ROWS, N_CELLS))


def save_checkpoint(path: Path, training: Training) -> None:
    """Write a checkpoint; the last good one stays until the new one is on the disk.

    Raises
    ------
    BadWeights
        If the disk does not take it.
    """
    evolution, buffer = training.evolution, io.BytesIO()
    np.savez(
        buffer,
        allow_pickle=False,
        inputs=np.array(INPUTS),
        weights=evolution.weights,
        first=evolution.first,
        second=evolution.second,
        mean=evolution.mean,
        best=training.best,
        curve=training.curve,
        numbers=np.array([evolution.generation, training.best_generation, training.best_ratio, training.seconds]),
    )
    try:
        write_whole(path, buffer.getvalue())
    except OSError as error:
        next_move = f"make room, then go on with --resume {path.parent}"
        raise BadWeights(f"checkpoint {path}", error.strerror or error, "the last good one stays", next_move) from error


def load_checkpoint(path: Path) -> Training:
    """Return the training of a checkpoint.

    Raises
    ------
    BadWeights
        If it cannot be read, or is of another architecture.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            rows = {name: arrays[name] for name in (*_SHAPES, "inputs", "curve", "numbers")}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BadWeights(f"checkpoint {path}", error, "must be a training's own", "train anew") from error
    shapes = {name: rows[name].shape for name in _SHAPES}
    is_ours = rows["curve"].ndim == 2 and rows["curve"].shape[1] == len(CURVE) and rows["numbers"].shape == (4,)
    if shapes != _SHAPES or tuple(rows["inputs"].tolist()) != INPUTS or not is_ours:
        raise BadWeights(f"checkpoint {path}", "another architecture", "not what this version trains", "train anew")
    if not all(np.isfinite(rows[name]).all() for name in (*_SHAPES, "numbers")):
        raise BadWeights(f"checkpoint {path}", "not finite", "all must be numbers", "train anew")
    generation, best_generation, ratio, seconds = rows["numbers"].tolist()
    return Training(
        evolution=Evolution(rows["weights"], rows["first"], rows["second"], rows["mean"], int(generation)),
        best=rows["best"].astype(np.float32),
        best_ratio=ratio,
        best_generation=int(best_generation),
        seconds=seconds,
        curve=rows["curve"],
    )
