"""Camera files: what stands in CAMERA.toml, checked at the edge, all faults at once.

::

    version = 1                      [[lines]]
    name = "north"                   name = "stop line"
    size = [640, 360]                points = [[75, 200], [595, 200]]
    period_s = 900                   to_left = "away"

    standing at a line's first point and looking at its second, a road user crosses to the left or to the right:

        first ----------------> second
                    |  to_right             (as seen in the picture, y down)
                    v
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from traffic.counts import VehicleClass
from traffic.errors import BadVideo
from traffic.scenario import describe_faults

Point = tuple[float, float]

COCO_CLASSES: dict[str, VehicleClass] = {
    "person": VehicleClass.PEDESTRIAN,
    "pedestrian": VehicleClass.PEDESTRIAN,
    "bicycle": VehicleClass.BICYCLE,
    "motorcycle": VehicleClass.MOTORCYCLE,
    "motorbike": VehicleClass.MOTORCYCLE,
    "car": VehicleClass.CAR,
    "bus": VehicleClass.BUS,
    "truck": VehicleClass.TRUCK,
}
"""Names that finders use, as the classes that are counted; names not listed are ignored."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LineFile(_Strict):
    """A counting line, the names of its two directions, and the movements that they are part of, if known."""

    name: str = Field(min_length=1, pattern=r"^[^:/\\]+$")
    points: tuple[Point, Point]
    to_left: str = Field(default="to_left", min_length=1, pattern=r"^[^:]+$")
    to_right: str = Field(default="to_right", min_length=1, pattern=r"^[^:]+$")
    movement_to_left: str | None = None
    movement_to_right: str | None = None

    @model_validator(mode="after")
    def _check(self) -> LineFile:
        if self.points[0] == self.points[1]:
            raise ValueError(f"line {self.name!r}: its two points are the same")
        if self.to_left == self.to_right:
            raise ValueError(f"line {self.name!r}: both directions are called {self.to_left!r}")
        return self


class CameraFile(_Strict):
    """The saved form, version 1. Points are pixels of a frame of `size`, or 0-1 if `relative`."""

    version: Literal[1]
    name: str = Field(min_length=1, pattern=r"^[^:/\\]+$")
    size: tuple[Annotated[int, Field(ge=16, le=16384)], Annotated[int, Field(ge=16, le=16384)]] | None = None
    relative: bool = False
    begin_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    period_s: Annotated[float, Field(ge=1, le=86400)] = 900.0
    frame_stride: Annotated[int, Field(ge=1, le=30)] = 2
    image_size: Annotated[int, Field(ge=160, le=2048)] = 416
    min_confidence: Annotated[float, Field(ge=0.1, le=0.95)] = 0.25
    frames_per_s: Annotated[float, Field(gt=0, le=240)] | None = None
    region: Annotated[tuple[Point, ...], Field(min_length=3)] | None = None
    lines: list[LineFile] = Field(min_length=1)
    classes: dict[str, VehicleClass | Literal["ignore"]] = {}

    @model_validator(mode="after")
    def _check(self) -> CameraFile:
        faults = [f"line {line.name!r} {fault}" for line in self.lines for fault in self._outside(line.points)]
        faults += [f"region {fault}" for fault in self._outside(self.region or ())]
        names = [line.name for line in self.lines]
        faults += [f"two lines are called {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
        if self.size is None and not self.relative:
            faults.append("size is missing: give the frame's size, or relative = true with points from 0 to 1")
        if faults:
            raise ValueError(", ".join(faults))
        return self

    def _outside(self, points: tuple[Point, ...]) -> list[str]:
        """Return the points that lie outside the frame, in words."""
        if self.size is None and not self.relative:
            return []
        width, height = (1.0, 1.0) if self.relative or self.size is None else self.size
        return [
            f"has point ({x:g}, {y:g}) outside the frame (0-{width:g}, 0-{height:g})"
            for x, y in points
            if not (0 <= x <= width and 0 <= y <= height)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountLine:
    """A counting line in pixels; `movements` and `directions` are (to left, to right)."""

    name: str
    start: Point
    end: Point
    directions: tuple[str, str] = ("to_left", "to_right")
    movements: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A camera in memory: everything in pixels of its frame."""

    name: str
    size: tuple[int, int]
    lines: tuple[CountLine, ...]
    region: tuple[Point, ...] | None = None
    begin_s: float = 0.0
    period_s: float = 900.0
    frame_stride: int = 2
    image_size: int = 416
    min_confidence: float = 0.25
    class_map: dict[str, VehicleClass | None]


def read_camera(path: Path) -> CameraFile:
    """Read CAMERA.toml.

    Raises
    ------
    BadVideo
        Once, with every fault found: of syntax, keys, values, and points outside the frame.
    """
    try:
        return CameraFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, IsADirectoryError):
        raise BadVideo(str(path), "not there", "a camera file", "see docs/counting.md for one to copy") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadVideo(str(path), error, "must be TOML", "mend the camera file") from error
    except ValidationError as error:
        raise BadVideo(str(path), describe_faults(error), next_move="mend the camera file") from error


def fit_camera(saved: CameraFile, size: tuple[int, int], where: str) -> Camera:
    """Return the camera in memory for frames of this size (width, height).

    Raises
    ------
    BadVideo
        If the file was drawn for frames of another size.
    """
    if saved.size is not None and tuple(saved.size) != size:
        drawn = f"{saved.size[0]}x{saved.size[1]}"
        raise BadVideo(
            where, f"frames of {size[0]}x{size[1]}", f"the camera file is for {drawn}", "draw its lines anew"
        )
    scale = (float(size[0]), float(size[1])) if saved.relative else (1.0, 1.0)

    def pixels(point: Point) -> Point:
        return point[0] * scale[0], point[1] * scale[1]

    classes: dict[str, VehicleClass | None] = {**COCO_CLASSES}
    classes.update({name: None if value == "ignore" else VehicleClass(value) for name, value in saved.classes.items()})
    lines = tuple(
        CountLine(
            name=line.name,
            start=pixels(line.points[0]),
            end=pixels(line.points[1]),
            directions=(line.to_left, line.to_right),
            movements=(line.movement_to_left, line.movement_to_right),
        )
        for line in saved.lines
    )
    return Camera(
        name=saved.name,
        size=size,
        lines=lines,
        region=tuple(pixels(point) for point in saved.region) if saved.region else None,
        begin_s=saved.begin_s,
        period_s=saved.period_s,
        frame_stride=saved.frame_stride,
        image_size=saved.image_size,
        min_confidence=saved.min_confidence,
        class_map=classes,
    )
