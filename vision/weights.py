"""Where a finder's weights come from, and what may be opened.

::

    nothing named        models/finder, the one that is shipped
    a folder             an OpenVINO model, or a folder of models (arrays first, never a .pt)
    a file .npz          arrays by the network's own names, data only
    a file .pt           a pickle: opening it runs code, so only a path that was given in full
    a name (yolo11n)     the model of that name in models/, else ultralytics' download
"""

from __future__ import annotations

import hashlib
import re
import socket
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from traffic.errors import BadWeights
from vision.torchvision_standin import import_ultralytics

MODELS = Path(__file__).resolve().parent.parent / "models"
"""Where shipped models lie."""

FINDER = "finder"
"""The finder that is shipped and taken where none is named."""

ARCHITECTURE = re.compile(r"(yolov8|yolo11|yolo12)([nslmx])(?![a-z])")
"""Networks whose arrays an .npz may hold; the name is part of the file's name."""

_DOWNLOAD_HOST = "github.com"


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
    if path.suffix not in ("", ".pt") or len(path.parts) > 1:
        raise BadWeights(named, "no such weights", next_move="give a path to a .npz, .pt or OpenVINO folder")
    if (models / path.stem).is_dir():
        return _first_model(models / path.stem, "put a .npz or an OpenVINO folder into it")
    return _open_file(_download(path.stem))


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
    return Weights(path=path, kind=kinds[path.suffix], sha256=_sha256([path]))


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


def _download(name: str) -> Path:
    """Let ultralytics download a model that was named outright; never hangs where there is no network."""
    if not ARCHITECTURE.fullmatch(name):
        raise BadWeights(name, "no model of this name", next_move="give a path, or a name such as yolo11n")
    try:
        socket.create_connection((_DOWNLOAD_HOST, 443), timeout=3.0).close()
    except OSError as error:
        raise BadWeights(
            name, "not in models/ and not to be downloaded", f"{_DOWNLOAD_HOST} is out of reach", "give a path"
        ) from error
    downloads = import_ultralytics("ultralytics.utils.downloads")
    target = Path.home() / ".cache" / "nga-tu" / f"{name}.pt"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        downloads.attempt_download_asset(str(target))
    except (OSError, RuntimeError) as error:
        raise BadWeights(name, "the download failed", str(error), "give a path") from error
    if not target.is_file():
        raise BadWeights(name, "the download failed", next_move="give a path")
    return target


def _sha256(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
