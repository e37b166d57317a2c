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

    [[zones]]                        [[turns]]              a turning movement: from zone to zone, once a road user
    name = "north"                   entry = "north"
    points = [[0, 0], [90, 0], ...]  exit = "east"
                                     movement = "J:n_in>e_out"

    [[lanes]]  name, points          queue and occupancy    [road]   pixels and metres of four points, or lengths
                                                            [mount]  where the camera hangs (a synthetic one has it)
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from traffic.counts import VehicleClass
from traffic.errors import BadVideo
from traffic.network import Point
from traffic.scenario import describe_faults
from traffic.toml import toml_of


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LineFile(_Strict):
    """A counting line, the names of its two directions, and the movements that they are part of, if known.

    `lanes` lie side by side along it, equally wide; `signal` is what a file of signal states calls the one at it.
    """

    name: str = Field(min_length=1, pattern=r"^[^:/\\]+$")
    points: tuple[Point, Point]
    to_left: str = Field(default="to_left", min_length=1, pattern=r"^[^:]+$")
    to_right: str = Field(default="to_right", min_length=1, pattern=r"^[^:]+$")
    movement_to_left: str | None = None
    movement_to_right: str | None = None
    lanes: Annotated[int, Field(ge=1, le=12)] = 1
    signal: str | None = None

    @model_validator(mode="after")
    def _check(self) -> LineFile:
        if self.points[0] == self.points[1]:
            raise ValueError(f"line {self.name!r}: its two points are the same")
        if self.to_left == self.to_right:
            raise ValueError(f"line {self.name!r}: both directions are called {self.to_left!r}")
        return self


class AreaFile(_Strict):
    """A polygon with a name: a zone that turning movements start and end in, or a lane."""

    name: str = Field(min_length=1, pattern=r"^[^:/\\>]+$")
    points: tuple[Point, ...] = Field(min_length=3)

    @model_validator(mode="after")
    def _check(self) -> AreaFile:
        if crosses_itself(self.points):
            raise ValueError(f"{self.name!r}: its edge crosses itself, give the corners in order")
        return self


class TurnFile(_Strict):
    """A movement from zone to zone, and its id in a network, if known."""

    entry: str
    exit: str
    movement: str | None = None


class LengthFile(_Strict):
    """A length on the road that somebody measured: its two ends in the picture, and metres."""

    ends: tuple[Point, Point]
    metres: Annotated[float, Field(gt=0, le=500)]


class RoadFile(_Strict):
    """What is known of the road: four or more points in pixels and metres, or three or more lengths."""

    pixels: tuple[Point, ...] = ()
    metres: tuple[Point, ...] = ()
    lengths: tuple[LengthFile, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> RoadFile:
        if len(self.pixels) != len(self.metres):
            raise ValueError(f"road: {len(self.pixels)} points in pixels, {len(self.metres)} in metres")
        if len(self.pixels) < 4 and len(self.lengths) < 3:
            raise ValueError("road: give at least 4 points, or at least 3 lengths")
        return self


class MountFile(_Strict):
    """Where a camera hangs; metres and degrees, heading 0 = east, anticlockwise; pitch below the horizon."""

    x_m: float
    y_m: float
    height_m: Annotated[float, Field(gt=0, le=100)]
    heading_deg: float
    pitch_deg: Annotated[float, Field(gt=0, lt=90)]
    fov_deg: Annotated[float, Field(ge=10, le=150)]


class CameraFile(_Strict):
    """The saved form, version 1. Points are pixels of a frame of `size`, or 0-1 if `relative`."""

    version: Literal[1]
    name: str = Field(min_length=1, pattern=r"^[^:/\\]+$")
    size: tuple[Annotated[int, Field(ge=16, le=16384)], Annotated[int, Field(ge=16, le=16384)]] | None = None
    relative: bool = False
    begin_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    period_s: Annotated[float, Field(ge=1, le=86400)] = 900.0
    frame_stride: Annotated[int, Field(ge=1, le=30)] = 1
    image_size: Annotated[int, Field(ge=160, le=2048)] = 416
    min_confidence: Annotated[float, Field(ge=0.1, le=0.95)] = 0.25
    frames_per_s: Annotated[float, Field(gt=0, le=240)] | None = None
    region: Annotated[tuple[Point, ...], Field(min_length=3)] | None = None
    lines: list[LineFile] = []
    zones: list[AreaFile] = []
    turns: list[TurnFile] = []
    lanes: list[AreaFile] = []
    road: RoadFile | None = None
    mount: MountFile | None = None
    classes: dict[str, VehicleClass | Literal["ignore"]] = {}

    @model_validator(mode="after")
    def _check(self) -> CameraFile:
        faults = [f"line {line.name!r} {fault}" for line in self.lines for fault in self._outside(line.points)]
        for kind, areas in (("zone", self.zones), ("lane", self.lanes)):
            faults += [f"{kind} {area.name!r} {fault}" for area in areas for fault in self._outside(area.points)]
        faults += [f"region {fault}" for fault in self._outside(self.region or ())]
        for kind, rows in (("lines", self.lines), ("zones", self.zones), ("lanes", self.lanes)):
            names = [row.name for row in rows]
            faults += [f"two {kind} are called {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
        zones = {zone.name for zone in self.zones}
        faults += [f"turn {turn.entry!r} to {turn.exit!r}: no such zone {name!r}"
                   for turn in self.turns for name in (turn.entry, turn.exit) if name not in zones]  # fmt: skip
        if not self.lines and len(self.zones) < 2:
            faults.append("nothing to count by: give [[lines]], or at least two [[zones]]")
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


def crosses_itself(points: Sequence[Point]) -> bool:
    """Whether two edges of a polygon that are not neighbours meet.

    Examples
    --------
    >>> crosses_itself([(0, 0), (1, 1), (1, 0), (0, 1)])
    True
    """

    def turn(a: Point, b: Point, c: Point) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    edges = list(zip(points, [*points[1:], points[0]], strict=True))
    for i, (a, b) in enumerate(edges):
        for c, d in edges[i + 2 : len(edges) - (i == 0)]:
            if turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0:
                return True
    return False


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


def camera_toml(saved: CameraFile) -> str:
    """Return a camera file as text; what has its default is left out.

    Examples
    --------
    >>> line = LineFile(name="stop line", points=((1, 2), (3, 4)))
    >>> print(camera_toml(CameraFile(version=1, name="a", size=(640, 360), lines=[line])).strip())
    version = 1
    name = "a"
    size = [640, 360]
    <BLANKLINE>
    [[lines]]
    name = "stop line"
    points = [[1.0, 2.0], [3.0, 4.0]]
    """
    return toml_of(saved.model_dump(mode="json", exclude_defaults=True))
