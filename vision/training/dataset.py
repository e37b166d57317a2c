"""The training set on disk, in ultralytics' layout, with a manifest of what every image is and may be used for.

::

    FOLDER/images/train/NAME.jpg   labels/train/NAME.txt   manifest.json   data.yaml
           images/val/...          labels/val/...
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from traffic.counts import VehicleClass
from traffic.errors import BadInput
from vision.boxes import CLASSES, FloatArray, intersections, overlaps
from vision.finder import Finder
from vision.training.drawn_images import Labelled

COCO_NUMBERS = {
    VehicleClass.PEDESTRIAN: 0,
    VehicleClass.BICYCLE: 1,
    VehicleClass.CAR: 2,
    VehicleClass.MOTORCYCLE: 3,
    VehicleClass.BUS: 5,
    VehicleClass.TRUCK: 7,
}
"""Numbers of COCO's 80 classes: the network keeps its head, so that what it knew is where it was."""

FILE_CLASSES = (
    *(VehicleClass.MOTORCYCLE, VehicleClass.BICYCLE, VehicleClass.CAR),
    *(VehicleClass.BUS, VehicleClass.TRUCK, VehicleClass.PEDESTRIAN),
)
"""Numbers of classes in the label files of a folder of real images."""

LICENCES = {
    "drawn": "our own",
    "hanoi": "CC BY 4.0, universe.roboflow.com/thang-azynm/vehicle_dataset-04axq, version 1",
}
"""Sources whose images may go into weights that are shipped, by the first part of a file's name."""

_SURE = 0.5
_SURE_TWO_WHEELED = 0.45
_MAX_COMMON = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One image of the set: its name, split, source, licence, and the digest of its pixels as they were read."""

    name: str
    split: str
    source: str
    licence: str
    sha256: str


def real_images(folder: Path, sources: Iterable[str]) -> Iterable[Labelled]:
    """Yield the labelled images of these sources from a folder with images/ and labels/.

    Raises
    ------
    BadInput
        If a source has no image there, or an image does not decode.
    """
    for source in sources:
        files = sorted((folder / "images").glob(f"{source}__*.jpg"))
        if not files:
            raise BadInput(f"{folder}/images", f"no {source}__*.jpg", next_move="give the folder of labelled images")
        for file in files:
            image = cv2.imread(str(file))
            if image is None:
                raise BadInput(str(file), "does not decode", next_move="copy it again")
            boxes, classes = _read_labels(folder / "labels" / f"{file.stem}.txt", image.shape)
            yield Labelled(name=file.stem, image=np.asarray(image, np.uint8), boxes=boxes, classes=classes)


def with_teacher(row: Labelled, teacher: Finder) -> Labelled:
    """Return an image with what a teacher is sure of and the labels lack.

    Label files of real images never hold people and bicycles, and not every vehicle: what has no box would be
    learned as background.
    """
    found = teacher.find(row.image)
    boxes, classes = list(row.boxes), list(row.classes)
    for box, confidence, index in zip(found.xyxy, found.confidence, found.class_index, strict=True):
        name = CLASSES[int(index)]
        is_two_wheeled = name in (VehicleClass.MOTORCYCLE, VehicleClass.BICYCLE)
        if confidence < (_SURE_TWO_WHEELED if is_two_wheeled else _SURE):
            continue
        if boxes:
            known = np.asarray(boxes, np.float32)
            if overlaps(box[None], known).max() > _MAX_COMMON:
                continue
            if name is VehicleClass.PEDESTRIAN and _is_rider(box, known, classes):
                continue
        boxes.append(box)
        classes.append(name)
    return Labelled(
        name=row.name, image=row.image, boxes=np.asarray(boxes, np.float32).reshape(-1, 4), classes=tuple(classes)
    )


class DatasetWriter:
    """Writes images, labels and at the end the manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: list[Entry] = []

    def add(self, row: Labelled, split: str, *, times: int = 1) -> None:
        """Write one image; `times` > 1 shows it that often an epoch."""
        source = row.name.split("_")[0]
        height, width = row.image.shape[:2]
        lines = []
        for (x1, y1, x2, y2), name in zip(row.boxes, row.classes, strict=True):
            middle = (x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height
            lines.append(f"{COCO_NUMBERS[name]} " + " ".join(f"{v:.5f}" for v in middle))
        for copy in range(times):
            image = self.folder / "images" / split / f"{row.name}_{copy}.jpg"
            label = self.folder / "labels" / split / f"{row.name}_{copy}.txt"
            image.parent.mkdir(parents=True, exist_ok=True)
            label.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(image), row.image, [cv2.IMWRITE_JPEG_QUALITY, 92])
            label.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._entries.append(
            Entry(name=row.name, split=split, source=source, licence=LICENCES.get(source, "not to be shipped"),
                  sha256=pixels_sha256(row.image))
        )  # fmt: skip

    def finish(self) -> None:
        """Write the manifest, and the file that ultralytics reads."""
        rows = [asdict(entry) for entry in self._entries]
        (self.folder / "manifest.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        names = "\n".join(f"  {i}: c{i}" for i in range(80))
        text = f"path: {self.folder.resolve()}\ntrain: images/train\nval: images/val\nnames:\n{names}\n"
        (self.folder / "data.yaml").write_text(text, encoding="utf-8")


def pixels_sha256(image: np.ndarray) -> str:
    """Return the digest of a frame's pixels: the same whatever file they came in."""
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()


def _read_labels(file: Path, shape: tuple[int, ...]) -> tuple[FloatArray, tuple[VehicleClass, ...]]:
    height, width = shape[:2]
    rows = [line.split() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    values = np.array([[float(v) for v in row[1:5]] for row in rows], np.float32).reshape(-1, 4)
    centre, half = values[:, :2], values[:, 2:] / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1) * np.array([width, height] * 2, np.float32)
    return boxes.astype(np.float32), tuple(FILE_CLASSES[int(row[0])] for row in rows)


def _is_rider(box: FloatArray, known: FloatArray, classes: list[VehicleClass]) -> bool:
    bikes = [i for i, name in enumerate(classes) if name in (VehicleClass.MOTORCYCLE, VehicleClass.BICYCLE)]
    if not bikes:
        return False
    area = max(1e-6, float((box[2] - box[0]) * (box[3] - box[1])))
    return bool(intersections(box[None], known[bikes]).max() > 0.3 * area)
