"""Fine-tunes YOLO11n by ultralytics' own trainer, in a way that keeps what the network knew.

Normalisation stays frozen: the weights that it starts from have it folded in (mean 0, variance 1), and statistics of a
batch would make another network of it before the first step. The first layers stay as they are. In the end the weights
are mixed with those it started from.

References
----------
M. Wortsman and others, Robust fine-tuning of zero-shot models, CVPR 2022 (the mix of weights).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision.finder import read_arrays, torch_state
from vision.torchvision_standin import import_ultralytics

N_FROZEN_LAYERS = 3
LAST = Path("run") / "weights" / "last.pt"
"""Where in its folder a training keeps its newest checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How it is trained; `image_size` is the side of the square that frames are laid into."""

    data: str
    out: str
    start: str
    epochs: int = 10
    image_size: int = 480
    batch: int = 16
    seed: int = 0
    learning_rate: float = 1e-3
    threads: int = 2


def fine_tune(settings: TrainSettings, *, resume: bool = False) -> Path:
    """Train, and return the path of the last checkpoint; `resume` goes on after a kill, or has nothing left to do."""
    import torch

    import_ultralytics()
    last = Path(settings.out).resolve() / LAST
    if resume and torch.load(last, map_location="cpu", weights_only=False)["epoch"] >= settings.epochs - 1:
        return last
    trainer_of = import_ultralytics("ultralytics.models.yolo.detect").DetectionTrainer
    nn = torch.nn

    class KeepingTrainer(trainer_of):  # type: ignore[misc, valid-type]
        """ultralytics' trainer with normalisation frozen, starting from arrays."""

        def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
            model = super().get_model(cfg or "yolo11n.yaml", weights, verbose=verbose)
            if weights is None:
                model.load_state_dict(load_state(Path(settings.start)))
            return model

        def _model_train(self) -> None:
            super()._model_train()
            torch.set_num_threads(settings.threads)  # ultralytics takes all cores but one
            for module in self.model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

        def final_eval(self) -> None:
            """Validation is ours (`vision eval`), on whole clips."""

    device = "0" if torch.cuda.is_available() else "cpu"
    overrides = {
        "model": "yolo11n.yaml", "data": settings.data, "epochs": settings.epochs, "imgsz": settings.image_size,
        "batch": settings.batch, "seed": settings.seed, "device": device, "workers": 1, "amp": False,
        "optimizer": "AdamW", "lr0": settings.learning_rate, "lrf": 0.05, "cos_lr": True, "warmup_epochs": 1.0,
        "warmup_bias_lr": 0.0, "freeze": N_FROZEN_LAYERS, "val": False, "plots": False, "exist_ok": True,
        "project": str(Path(settings.out).resolve()), "name": "run", "close_mosaic": 3, "mosaic": 0.8, "scale": 0.5,
        "translate": 0.1, "degrees": 3.0, "hsv_s": 0.6, "hsv_v": 0.45, "fliplr": 0.5, "cache": "ram", "verbose": True,
    }  # fmt: skip
    if resume:
        overrides["resume"] = str(last)
    trainer = KeepingTrainer(overrides=overrides)
    trainer.train()
    return Path(trainer.last)


def load_state(path: Path) -> dict[str, Any]:
    """Return a network's state from a file of arrays."""
    return torch_state({name: array for name, array in read_arrays(path).items() if name != "names"})


def mixed(start: Path, trained: Path, share: float) -> dict[str, np.ndarray]:
    """Return arrays (half precision) that are `share` of the way from the start to a checkpoint's averaged weights."""
    import torch

    import_ultralytics()
    checkpoint = torch.load(trained, map_location="cpu", weights_only=False)  # our own, written a moment ago
    tuned = (checkpoint.get("ema") or checkpoint["model"]).float().state_dict()
    before = load_state(start)
    made = {}
    for name, value in before.items():
        if value.is_floating_point():
            made[name] = ((1 - share) * value + share * tuned[name]).numpy().astype(np.float16)
        else:
            made[name] = value.numpy()
    return made
