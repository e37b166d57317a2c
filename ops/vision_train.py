"""The command `vision train`: draws and gathers images, fine-tunes, chooses how far to go, writes model and card."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ops.provenance import command_line, commit, versions
from sim.ensemble import stderr_progress
from traffic.counts import VehicleClass
from traffic.errors import BadInput
from traffic.files import write_whole
from traffic.toml import toml_of
from vision.camera import COCO_CLASSES
from vision.finder import load_finder
from vision.training.dataset import LICENCES, DatasetWriter, real_images, with_teacher
from vision.training.drawn_images import Labelled, drawn_images
from vision.training.fine_tune import LAST, TrainSettings, fine_tune, mixed
from vision.training.score import Score, score
from vision.weights import Weights, find_weights

_PACKAGES = ("nga-tu", "numpy", "opencv-python", "openvino", "torch", "ultralytics", "moderngl")
SHARES = (0.25, 0.5, 0.75, 1.0)
"""How far from the start to the trained weights: the best of them on held-out images is taken."""
_TEACHER_PX = 1024
_VALIDATION_PX = 640
_N_JUDGED = 120
_MUST_NOT = (
    "as evidence for fines or against a person: it counts",
    "from a view that was never audited by a slit-scan or a hand count",
    "for pedestrians and bicycles: their scores are poor, see below",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionTrainOptions:
    """How a finder is trained.

    `sources` are first parts of file names in `images`; `judges` are sources that are never trained on, only
    looked at to choose the share; `n_drawn` images are drawn.
    """

    images: Path | None = None
    sources: tuple[str, ...] = ("hanoi",)
    judges: tuple[str, ...] = ("hcmc",)
    start: str | None = None
    n_drawn: int = 1400
    epochs: int = 10
    image_size: int = 480
    seed: int = 1
    times: int = 3
    threads: int = 2
    out: Path = Path("runs/vision")
    model: Path | None = None
    may_ship: bool = True


def run_vision_train(options: VisionTrainOptions) -> dict[str, Any]:
    """Train a finder; go on where an earlier run with the same settings in `out` was broken off.

    Returns
    -------
    dict
        Keys of the command `vision train` in `ops.keys`.

    Raises
    ------
    BadInput
        If a source's licence does not allow its images into weights that are shipped, or `out` holds another run.
    BadWeights
        If the weights to start from are missing.
    MissingTool
        If there is no headless EGL to draw with.
    """
    strange = [name for name in options.sources if name not in LICENCES] if options.may_ship else []
    if strange:
        raise BadInput("--source", ", ".join(strange), f"licensed for weights that are shipped: {', '.join(LICENCES)}",
                       "leave it out, or give --no-ship")  # fmt: skip
    start = find_weights(options.start)
    is_resumed = _begin(options)
    if not (options.out / "set" / "data.yaml").is_file():
        _write_set(options, start)
    settings = TrainSettings(
        data=str(options.out / "set" / "data.yaml"), out=str(options.out), start=str(start.path), epochs=options.epochs,
        image_size=options.image_size, seed=options.seed, threads=options.threads,
    )  # fmt: skip
    last = options.out / LAST
    trained = fine_tune(settings, resume=is_resumed and last.is_file())
    judged = _judges(options)
    table = {share: _judge(start.path, trained, share, judged, options.out) for share in SHARES}
    best = max(SHARES, key=lambda share: _merit(table[share]))
    folder = options.model or options.out / "model"
    card = _write_model(folder, _mix_file(options.out, best).read_bytes(), options, best, table)
    rows = [{"share": share, "source": source, "class": str(name), "labelled": one.n_labelled, "recall": one.recall,
             "precision": one.precision} for share, sources in table.items() for source, scores in sources.items()
            for name, one in scores.items() if one.n_labelled]  # fmt: skip
    return {"model": str(folder), "share": best, "sha256": card["sha256"], "rows": rows}


def _begin(options: VisionTrainOptions) -> bool:
    """Note the settings; return whether a run with the same ones is there already."""
    told = json.dumps({key: str(value) for key, value in asdict(options).items()}, indent=1)
    note = options.out / "settings.json"
    if note.is_file():
        if note.read_text(encoding="utf-8") != told:
            raise BadInput("--out", str(options.out), "holds a run with other settings", "give another folder")
        return True
    options.out.mkdir(parents=True, exist_ok=True)
    write_whole(note, told.encode("utf-8"))
    return False


def _write_set(options: VisionTrainOptions, start: Weights) -> None:
    """Write the training set: licensed real images, each several times, and drawn ones."""
    writer = DatasetWriter(options.out / "set")
    teacher = load_finder(start, _TEACHER_PX, COCO_CLASSES)
    with stderr_progress() as progress:
        if options.images is not None:
            rows = list(real_images(options.images, options.sources))
            for row in progress.track(rows, description="labelling"):
                writer.add(with_teacher(row, teacher), "train", times=options.times)
        drawn = drawn_images(options.n_drawn, options.seed)
        for row in progress.track(drawn, total=options.n_drawn, description="drawing"):
            writer.add(row, "train")
    for row in drawn_images(20, options.seed + 900):
        writer.add(row, "val")  # ultralytics wants one; the judging is done here
    writer.finish()


def _judges(options: VisionTrainOptions) -> Mapping[str, Sequence[Labelled]]:
    """Return images that were not trained on: other cameras, and other seeds."""
    judged: dict[str, Sequence[Labelled]] = {"drawn": list(drawn_images(60, options.seed + 899))}
    if options.images is not None:
        for source in options.judges:
            rows = list(real_images(options.images, (source,)))
            judged[source] = rows[:: max(1, len(rows) // _N_JUDGED)]
    return judged


def _judge(
    start: Path, trained: Path, share: float, judged: Mapping[str, Sequence[Labelled]], out: Path
) -> dict[str, dict[VehicleClass, Score]]:
    """Return the scores of one mix on every source."""
    file = _mix_file(out, share)
    write_whole(file, _packed(mixed(start, trained, share)))
    finder = load_finder(find_weights(str(file)), _VALIDATION_PX, COCO_CLASSES)
    return {source: score(finder, rows) for source, rows in judged.items()}


def _mix_file(out: Path, share: float) -> Path:
    return out / f"yolo11n_share_{round(100 * share)}.npz"


def _merit(sources: Mapping[str, Mapping[VehicleClass, Score]]) -> float:
    """Return the mean F1 over sources and the four classes of vehicles that are counted for demand."""
    wanted = (VehicleClass.MOTORCYCLE, VehicleClass.CAR, VehicleClass.BUS, VehicleClass.TRUCK)
    return float(np.mean([scores[name].f1 for scores in sources.values() for name in wanted]))


def training_s(out: Path) -> float | None:
    """Return the wall time of a training from the table that ultralytics keeps, seconds."""
    with (out / LAST.parent.parent / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return float(rows[-1]["time"]) if rows else None


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _write_model(
    folder: Path,
    data: bytes,
    options: VisionTrainOptions,
    share: float,
    table: Mapping[float, Mapping[str, Mapping[VehicleClass, Score]]],
) -> dict[str, Any]:
    """Write arrays and card."""
    digest = hashlib.sha256(data).hexdigest()
    manifest = json.loads((options.out / "set" / "manifest.json").read_text(encoding="utf-8"))
    per_source = {
        name: sum(row["source"] == name for row in manifest) for name in sorted({r["source"] for r in manifest})
    }
    card: dict[str, Any] = {
        "file": f"yolo11n_{digest[:8]}.npz",
        "sha256": digest,
        "licence": "AGPL-3.0-or-later, as the network it starts from (Ultralytics YOLO11n, COCO)",
        "made": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "share": share,
        "training_s": training_s(options.out),
        "commit": commit(),
        "command": command_line(),
        "may_be_shipped": options.may_ship,
        "must_not": list(_MUST_NOT),
        "settings": {key: str(value) for key, value in asdict(options).items()},
        "images": {name: f"{n} images, {LICENCES.get(name, 'not to be shipped')}" for name, n in per_source.items()},
        "versions": versions(_PACKAGES),
        "scores": {
            f"{source}_{name}": f"recall {one.recall:.3f}, precision {one.precision or 0:.3f} of {one.n_labelled}"
            for source, scores in table[share].items()
            for name, one in scores.items()
            if one.recall is not None
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.npz"):
        old.unlink()
    write_whole(folder / card["file"], data)
    write_whole(folder / "manifest.json", (json.dumps(manifest) + "\n").encode("utf-8"))
    write_whole(folder / "card.toml", toml_of(card).encode("utf-8"))
    return card
