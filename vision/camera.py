"""A camera in memory: everything in pixels of its frames, and the road as a plane where it is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from traffic.counts import VehicleClass
from traffic.errors import BadVideo
from traffic.network import Point
from vision.camera_file import CameraFile, MountFile
from vision.projection import Mount, RoadPlane, mount_of_lengths, mount_plane, road_plane

MAX_ERROR_PX = 8.0
"""How far a known point may lie from where the road plane puts it, for frames 640 pixels wide."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CountLine:
    """A counting line in pixels; `movements` and `directions` are (to left, to right)."""

    name: str
    start: Point
    end: Point
    directions: tuple[str, str] = ("to_left", "to_right")
    movements: tuple[str | None, str | None] = (None, None)
    n_lanes: int = 1
    signal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A polygon in pixels."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A camera in memory: everything in pixels of its frame.

    `turns` are the movements that are counted, by (entry zone, exit zone); `road` takes pixels (n, 2) to metres on
    the road (n, 2), None where nothing is known of it.
    """

    name: str
    size: tuple[int, int]
    lines: tuple[CountLine, ...]
    region: tuple[Point, ...] | None = None
    begin_s: float = 0.0
    period_s: float = 900.0
    frame_stride: int = 1
    image_size: int = 416
    min_confidence: float = 0.25
    class_map: dict[str, VehicleClass | None]
    zones: tuple[Area, ...] = ()
    turns: Mapping[tuple[str, str], str] = field(default_factory=dict)
    lanes: tuple[Area, ...] = ()
    road: RoadPlane | None = None

    def movement(self, line: CountLine, side: int) -> str:
        """Return the movement that a passage over a line is counted as; side 0 = to the left, 1 = to the right."""
        return line.movements[side] or f"{self.name}:{line.name}:{line.directions[side]}"


def fit_camera(saved: CameraFile, size: tuple[int, int], where: str, *, image_size: int | None = None) -> Camera:
    """Return the camera in memory for frames of this size (width, height); `image_size` in place of the file's.

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
            n_lanes=line.lanes,
            signal=line.signal,
        )
        for line in saved.lines
    )
    named = {(row.entry, row.exit): row.movement for row in saved.turns}
    names = [zone.name for zone in saved.zones]
    ways = named or dict.fromkeys((entry, exit_) for entry in names for exit_ in names if entry != exit_)
    return Camera(
        name=saved.name,
        size=size,
        lines=lines,
        zones=tuple(Area(name=row.name, points=tuple(map(pixels, row.points))) for row in saved.zones),
        lanes=tuple(Area(name=row.name, points=tuple(map(pixels, row.points))) for row in saved.lanes),
        turns={(entry, exit_): known or f"{saved.name}:{entry}>{exit_}" for (entry, exit_), known in ways.items()},
        road=_road(saved, size, scale, where),
        region=tuple(pixels(point) for point in saved.region) if saved.region else None,
        begin_s=saved.begin_s,
        period_s=saved.period_s,
        frame_stride=saved.frame_stride,
        image_size=image_size or saved.image_size,
        min_confidence=saved.min_confidence,
        class_map=classes,
    )


def _road(saved: CameraFile, size: tuple[int, int], scale: tuple[float, float], where: str) -> RoadPlane | None:
    """Return the road as a plane, by points, by lengths or by the mount; checked by re-projection."""
    if saved.road is not None and saved.road.pixels:
        pixels = [(x * scale[0], y * scale[1]) for x, y in saved.road.pixels]
        plane = road_plane(pixels, saved.road.metres, where)
        error = float(plane.error_px(pixels, saved.road.metres).max())
        limit = MAX_ERROR_PX * size[0] / 640
        if error > limit:
            raise BadVideo(
                where, f"a point of the road is {error:.1f} pixels off", f"at most {limit:.1f}", "click it again"
            )
        return plane
    if saved.road is not None:
        lengths = [([(x * scale[0], y * scale[1]) for x, y in row.ends], row.metres) for row in saved.road.lengths]
        return mount_plane(mount_of_lengths(lengths, size, where))
    return mount_plane(mount_of(saved.mount, size)) if saved.mount is not None else None


def mount_of(saved: MountFile, size: tuple[int, int]) -> Mount:
    """Return a camera's mount in radians."""
    return Mount(
        x_m=saved.x_m, y_m=saved.y_m, height_m=saved.height_m, heading_rad=math.radians(saved.heading_deg),
        pitch_rad=math.radians(saved.pitch_deg), fov_deg=saved.fov_deg, size=size,
    )  # fmt: skip
