"""Finds road users in a frame: YOLO networks by ultralytics, in OpenVINO (CUDA where there is one), on one thread.

::

    frame --letterbox--> network input --network--> (4 + classes, n) --decode--> Boxes --clean--> Boxes
            aspect kept,                              xywh, scores      back to frame pixels
            sides padded to a multiple of 32
"""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from traffic.counts import VehicleClass
from traffic.errors import BadWeights
from vision.boxes import CLASSES, Boxes, FloatArray, clean
from vision.openvino_cache import compile_graph, compiled
from vision.source import Image
from vision.torchvision_standin import import_ultralytics
from vision.weights import ARCHITECTURE, Weights, WeightsKind

Network = Callable[[FloatArray], FloatArray]
"""From a batch of one, shape (1, 3, height, width), red green blue 0-1, to the head's output."""

_STRIDE = 32
_GREY = 114
_MAX_BOXES = 300
_UNREADABLE = (
    *(RuntimeError, OSError, EOFError, ValueError, TypeError),
    *(LookupError, AttributeError, ImportError, pickle.UnpicklingError),
)
"""What unpickling a damaged or foreign file raises."""
MIN_CONFIDENCE = 0.1
"""Boxes below this are not even offered to the tracker, whose second pass uses weak ones."""


class Finder(Protocol):
    """Finds road users in one frame."""

    def find(self, image: Image) -> Boxes:
        """Return one box per road user, in pixels of the frame."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a frame was laid into the network's input: multiply by `scale`, then add (`left`, `top`)."""

    scale: float
    left: int
    top: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedNetwork:
    """A network, the names of its classes, and its input (height, width) where that is fixed."""

    run: Network
    names: Mapping[int, str]
    input_size: tuple[int, int] | None = None


class YoloFinder:
    """A YOLO network with the cleaning of `vision.boxes` behind it.

    Parameters
    ----------
    network
        The loaded network.
    image_size
        Longer side of its input in pixels, if the network does not fix it.
    class_map
        Its names of classes as the classes that are counted; None or not there = ignored.
    """

    def __init__(self, network: LoadedNetwork, image_size: int, class_map: Mapping[str, VehicleClass | None]) -> None:
        self._network = network
        self._image_size = image_size
        wanted = {number: class_map.get(name) for number, name in network.names.items()}
        self._columns = np.array([number for number, name in wanted.items() if name is not None], np.int64)
        self._class_index = np.array([CLASSES.index(name) for name in wanted.values() if name is not None], np.int64)
        if not len(self._columns):
            raise BadWeights("finder", ", ".join(network.names.values()), "none of its classes is counted",
                             "map them in the camera file under [classes]")  # fmt: skip

    def find(self, image: Image) -> Boxes:
        """Return one box per road user, in pixels of the frame."""
        size = self._network.input_size or input_size(image.shape[:2], self._image_size)
        batch, letterbox = lay_in(image, size)
        return clean(self._decode(self._network.run(batch), letterbox, image.shape[:2]))

    def _decode(self, output: FloatArray, letterbox: Letterbox, frame_size: tuple[int, int]) -> Boxes:
        """Turn the head's output into boxes on the frame, weak and unwanted ones left out."""
        if output.ndim == 3 and output.shape[2] == 6 and output.shape[1] <= _MAX_BOXES:
            raw, scores, columns = self._decode_end_to_end(output[0])
        else:
            rows = output[0]
            wanted = rows[4 + self._columns]
            best = wanted.argmax(axis=0)
            scores = wanted[best, np.arange(wanted.shape[1])]
            keep = np.flatnonzero(scores >= MIN_CONFIDENCE)
            keep = keep[np.argsort(-scores[keep], kind="stable")[:_MAX_BOXES]]
            centre, half = rows[:2, keep].T, rows[2:4, keep].T / 2
            raw, scores, columns = np.concatenate([centre - half, centre + half], axis=1), scores[keep], best[keep]
        xyxy = (raw - np.array([letterbox.left, letterbox.top] * 2)) / letterbox.scale
        height, width = frame_size
        xyxy = np.clip(xyxy, 0.0, np.array([width, height, width, height])).astype(np.float32)
        return Boxes(xyxy=xyxy, confidence=scores.astype(np.float32), class_index=self._class_index[columns])

    def _decode_end_to_end(self, rows: FloatArray) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64]]:
        """Return boxes, scores and places in the wanted classes of a head that has suppressed already."""
        place = {int(number): index for index, number in enumerate(self._columns)}
        columns = np.array([place.get(int(number), -1) for number in rows[:, 5]], np.int64)
        keep = (columns >= 0) & (rows[:, 4] >= MIN_CONFIDENCE)
        return rows[keep, :4], rows[keep, 4], columns[keep]


def load_finder(weights: Weights, image_size: int, class_map: Mapping[str, VehicleClass | None]) -> YoloFinder:
    """Load weights into a finder.

    Raises
    ------
    BadWeights
        If the file is not what its name says, or fits no network that is known.
    """
    loaders = {
        WeightsKind.ARRAYS: _load_arrays,
        WeightsKind.CHECKPOINT: _load_checkpoint,
        WeightsKind.OPENVINO: _load_openvino,
    }
    cv2.setNumThreads(1)  # one thread a camera, one process a core
    return YoloFinder(loaders[weights.kind](weights), image_size, class_map)


def input_size(frame_size: tuple[int, ...], longer_px: int) -> tuple[int, int]:
    """Return the network's input (height, width) for frames (height, width): aspect kept, multiples of 32.

    Examples
    --------
    >>> input_size((360, 640), 416)
    (256, 416)
    """
    scale = longer_px / max(frame_size[:2])
    height, width = (-int(-round(side * scale) // _STRIDE) * _STRIDE for side in frame_size[:2])
    return height, width


def lay_in(image: Image, size: tuple[int, int]) -> tuple[FloatArray, Letterbox]:
    """Return the frame scaled into an input of (height, width), grey around it, and how it lies there."""
    height, width = size
    scale = min(height / image.shape[0], width / image.shape[1])
    inner = max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    canvas = np.full((height, width, 3), _GREY, np.uint8)
    canvas[top : top + inner[0], left : left + inner[1]] = cv2.resize(
        image, (inner[1], inner[0]), interpolation=cv2.INTER_LINEAR
    )
    batch = np.ascontiguousarray(canvas[..., ::-1].transpose(2, 0, 1)[None]).astype(np.float32)
    batch /= 255.0
    return batch, Letterbox(scale, left, top)


def _load_arrays(weights: Weights) -> LoadedNetwork:
    model, names = arrays_model(weights)
    return _network(model, names, weights.sha256)


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file by name; nothing is unpickled."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def torch_state(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """Return arrays as a torch network's state, in single precision."""
    import torch

    return {
        name: torch.from_numpy(array.astype(np.float32) if array.dtype.kind == "f" else array)
        for name, array in arrays.items()
    }


def arrays_model(weights: Weights) -> tuple[Any, dict[int, str]]:
    """Build the network that the file's name gives and fill it from arrays; nothing is unpickled. Names beside it."""
    match = ARCHITECTURE.search(weights.path.name)
    if match is None:
        raise BadWeights(str(weights.path), "unknown network", "its name must begin with one, e.g. yolo11n_mine.npz",
                         "rename it")  # fmt: skip
    tasks = import_ultralytics("ultralytics.nn.tasks")
    try:
        arrays = read_arrays(weights.path)
    except (OSError, ValueError, EOFError) as error:
        told = "it holds pickled objects, which are never opened" if "pickle" in str(error) else str(error)
        raise BadWeights(str(weights.path), "not a readable .npz", told, "copy it again, or make it anew") from error
    names = {int(i): str(name) for i, name in enumerate(arrays.pop("names", []))}
    state = torch_state(arrays)
    n_classes = max((len(v) for k, v in arrays.items() if k.endswith("cv3.0.2.bias")), default=0)
    model = tasks.DetectionModel(f"{match.group(0)}.yaml", nc=n_classes or 80, verbose=False)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise BadWeights(
            str(weights.path), f"does not fit {match.group(0)}", str(error).splitlines()[0], "name its network"
        ) from error
    return model, names or coco_names(n_classes, weights)


def _load_checkpoint(weights: Weights) -> LoadedNetwork:
    """Load ultralytics' own checkpoint: this runs code that the file holds."""
    ultralytics = import_ultralytics()
    try:
        model = ultralytics.YOLO(str(weights.path), task="detect").model
        names = {int(number): str(name) for number, name in model.names.items()}
    except _UNREADABLE as error:
        raise BadWeights(str(weights.path), "not a checkpoint of ultralytics", str(error), "copy it again") from error
    return _network(model, names, weights.sha256)


def _network(model: Any, names: Mapping[int, str], sha256: str) -> LoadedNetwork:
    """Return a torch network as it runs best here: on CUDA, else in OpenVINO, else in torch on one thread."""
    import torch

    torch.set_num_threads(1)
    model = model.float().eval().fuse(verbose=False)
    if torch.cuda.is_available() or importlib.util.find_spec("openvino") is None:
        return LoadedNetwork(run=torch_run(model), names=names)
    by_size: dict[tuple[int, int], Network] = {}

    def run(batch: FloatArray) -> FloatArray:
        size = batch.shape[2], batch.shape[3]
        if size not in by_size:
            by_size[size] = compiled(model, sha256, size)
        return by_size[size](batch)

    return LoadedNetwork(run=run, names=names)


def torch_run(model: Any) -> Network:
    """Return a torch network as a function, on CUDA where there is one."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device)

    def run(batch: FloatArray) -> FloatArray:
        with torch.inference_mode():
            output = model(torch.from_numpy(batch).to(device))
        return np.asarray((output[0] if isinstance(output, tuple | list) else output).cpu().numpy(), np.float32)

    return run


def _load_openvino(weights: Weights) -> LoadedNetwork:
    """Load an OpenVINO model, one thread; a fixed input is kept, a free one follows the frame."""
    import openvino

    graph = sorted(weights.path.glob("*.xml"))[0]
    card = weights.path / "metadata.yaml"
    try:
        model = openvino.Core().read_model(str(graph))
        run = compile_graph(model)
    except RuntimeError as error:
        raise BadWeights(str(graph), "not an OpenVINO model", str(error).splitlines()[0], "export it again") from error
    shape = model.input(0).get_partial_shape()
    fixed = None if shape[2].is_dynamic or shape[3].is_dynamic else (shape[2].get_length(), shape[3].get_length())
    stored = import_ultralytics("ultralytics.utils").YAML.load(card).get("names", {}) if card.is_file() else {}
    names = {int(number): str(name) for number, name in dict(stored).items()}
    return LoadedNetwork(run=run, names=names or coco_names(80, weights), input_size=fixed)


def coco_names(n_classes: int, weights: Weights) -> dict[int, str]:
    """Return the names of COCO's 80 classes, for weights that carry no names of their own."""
    if n_classes != 80:
        raise BadWeights(
            str(weights.path), f"{n_classes} classes without names", "only COCO's 80 are known by number",
            "store an array `names` in the .npz",
        )  # fmt: skip
    utils = import_ultralytics("ultralytics.utils")
    stored = utils.YAML.load(utils.ROOT / "cfg" / "datasets" / "coco.yaml")["names"]
    return {int(number): str(name) for number, name in stored.items()}
