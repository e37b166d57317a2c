"""Where a finder's weights come from, and what may be opened.

::

    nothing named        models/finder, the one that is shipped
    a folder             an OpenVINO model, or a folder of models (arrays first, never a .pt)
    a file .npz          arrays by the network's own names, data only
    a file .pt           a pickle: opening it runs code, so only with its digest beside it, in SHA256SUMS
    a name (finder)      the model of that name in models/
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from traffic.errors import BadWeights

MODELS = Path(__file__).resolve().parent.parent / "models"
"""Where shipped models lie."""

FINDER = "finder"
"""The finder that is shipped and taken where none is named."""

ARCHITECTURE = re.compile(r"(yolov8|yolo11|yolo12)([nslmx])(?![a-z])")
"""Networks whose arrays an .npz may hold; the name is part of the file's name."""


class WeightsKind(StrEnum):
    """How weights are stored."""

    ARRAYS = "npz"
    OPENVINO = "openvino"
    CHECKPOINT = "pt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Weights on disk; `sha256` is of the file, or of an OpenVINO model's files in order of name."""

    path: Path
    kind: WeightsKind
    sha256: str


def find_weights(named: str | None, *, models: Path = MODELS) -> Weights:
    """Return the weights that are meant.

    Parameters
    ----------
    named
        A path, a name, or None for the model that is shipped.
    models
        Folder of shipped models.

    Raises
    ------
    BadWeights
        If they are not there or cannot be used, with what to do.
    """
    if named is None:
        return _first_model(models / FINDER, "give --weights with a .npz, .pt or OpenVINO folder")
    path = Path(named).expanduser()
    if path.is_dir():
        return _open_folder(path) or _first_model(path, "put a .npz or an OpenVINO folder into it")
    if path.is_file():
        return _open_file(path)
    if len(path.parts) == 1 and (models / path.stem).is_dir():
        return _first_model(models / path.stem, "put a .npz or an OpenVINO folder into it")
    raise BadWeights(named, "no such weights", next_move="give a path to a .npz, .pt or OpenVINO folder")


def _open_folder(folder: Path) -> Weights | None:
    """Return the OpenVINO model that is this folder, None if it is not one."""
    graphs = sorted(folder.glob("*.xml"))
    if not graphs:
        return None
    data = graphs[0].with_suffix(".bin")
    if not data.is_file() or not data.stat().st_size:
        raise BadWeights(str(data), "missing or empty", "an OpenVINO model is .xml and .bin", "export it again")
    return Weights(path=folder, kind=WeightsKind.OPENVINO, sha256=_sha256([data, graphs[0]]))


def _open_file(path: Path) -> Weights:
    kinds = {".npz": WeightsKind.ARRAYS, ".pt": WeightsKind.CHECKPOINT}
    if path.suffix == ".xml":
        return _open_folder(path.parent) or _first_model(path.parent, "give the folder")
    if path.suffix not in kinds:
        raise BadWeights(str(path), f"type {path.suffix or 'unknown'}", "want .npz, .pt or an OpenVINO folder")
    if path.stat().st_size == 0:
        raise BadWeights(str(path), "0 bytes", "the file is empty", "copy it again")
    found = Weights(path=path, kind=kinds[path.suffix], sha256=_sha256([path]))
    if found.kind is WeightsKind.CHECKPOINT and not _has_known_digest(path, found.sha256):
        raise BadWeights(
            str(path), "a pickle, whose opening runs code", "its digest is not in SHA256SUMS beside it",
            "if you trust where it is from: sha256sum it there, or give arrays (.npz)",
        )  # fmt: skip
    return found


def _first_model(folder: Path, advice: str) -> Weights:
    """Return the first model of a folder or of its folders: arrays before OpenVINO, in order of name."""
    arrays = [*sorted(folder.glob("*.npz")), *sorted(folder.glob("*/*.npz"))]
    if arrays:
        return _open_file(arrays[0])
    for graph in [*sorted(folder.glob("*/*.xml")), *sorted(folder.glob("*/*/*.xml"))]:
        found = _open_folder(graph.parent)
        if found:
            return found
    raise BadWeights(str(folder), "no weights", "none is opened unasked but .npz and OpenVINO", advice)


def _has_known_digest(path: Path, digest: str) -> bool:
    """Whether SHA256SUMS beside a file (as sha256sum writes it) has this digest for it."""
    sums = path.parent / "SHA256SUMS"
    if not sums.is_file():
        return False
    rows = [line.split(maxsplit=1) for line in sums.read_text(encoding="utf-8").splitlines()]
    return any(row[0] == digest and Path(row[1].lstrip("*")).name == path.name for row in rows if len(row) == 2)


def _sha256(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
