"""The peer: plain `yolo track` of ultralytics on the same frames, for the speed."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path
from typing import Any

from traffic.errors import BadWeights
from vision.finder import arrays_model, input_size
from vision.openvino_cache import cache_folder
from vision.source import open_source
from vision.torchvision_standin import import_ultralytics
from vision.weights import Weights, WeightsKind


class PlainTrack:
    """`YOLO(...).track` with ByteTrack on one thread, in torch or by ultralytics' own OpenVINO export.

    Parameters
    ----------
    video
        What is tracked.
    weights
        Arrays or a checkpoint of a torch network.
    image_size
        Longer side of the network's input.
    runtime
        "torch" or "openvino".

    Raises
    ------
    BadWeights
        If the weights are no torch network.
    """

    def __init__(self, video: Path, weights: Weights, image_size: int, *, runtime: str) -> None:
        import torch

        if weights.kind is WeightsKind.OPENVINO:
            raise BadWeights(
                str(weights.path), "an OpenVINO model", "plain yolo track is measured from arrays", "give those"
            )
        torch.set_num_threads(1)
        self._video, self._image_size = video, image_size
        self._model = _model(weights)
        if runtime == "openvino":
            self._model = self._exported(weights)

    def cpu_ms(self, stride: int, n_frames: int) -> float:
        """Return CPU milliseconds a frame, decoding included, the first frame left out."""
        source = open_source(self._video)
        frames = islice(source.frames(stride), n_frames + 1)
        self._track(next(frames).image)
        start_s, n = time.process_time(), 0
        for frame in frames:
            self._track(frame.image)
            n += 1
        source.close()
        return 1000.0 * (time.process_time() - start_s) / max(1, n)

    def _track(self, image: Any) -> None:
        self._model.track(image, imgsz=self._image_size, tracker="bytetrack.yaml", persist=True, verbose=False)

    def _exported(self, weights: Weights) -> Any:
        """Return ultralytics' own export of the network, made once."""
        folder = cache_folder() / f"plain-{weights.sha256[:16]}-{self._image_size}_openvino_model"
        if not folder.is_dir():
            source = open_source(self._video)
            source.close()
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._model.model.pt_path = str(folder).removesuffix("_openvino_model") + ".pt"  # where the export goes
            size = input_size((source.size[1], source.size[0]), self._image_size)
            self._model.export(format="openvino", imgsz=list(size), verbose=False)
        return import_ultralytics().YOLO(str(folder), task="detect")


def _model(weights: Weights) -> Any:
    yolo = import_ultralytics().YOLO
    if weights.kind is not WeightsKind.ARRAYS:
        return yolo(str(weights.path), task="detect")
    model = yolo("yolo11n.yaml", task="detect")
    network, names = arrays_model(weights)
    network.args, network.names, network.task = model.model.args, names, "detect"
    model.model = network.float().eval()
    return model
