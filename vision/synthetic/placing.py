"""Where a camera would hang at a junction, and the camera file that goes with it.

::

        approach, stop line                   the camera hangs beyond the junction, over the kerb, and looks back:
    ====================|    junction         what comes, comes towards it
                             ...
                                 * camera
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from traffic.errors import BadScenario
from traffic.ids import JunctionId, LinkId
from traffic.network import Lane, Network, Point
from vision.camera import mount_of
from vision.camera_file import AreaFile, CameraFile, LineFile, MountFile, TurnFile
from vision.projection import Mount

_QUEUE_M = 40.0
_BEFORE_STOP_M = 1.5
_ZONE_M = 12.0
_EXIT_FROM_M = 3.0
_MIN_IN_FRAME = 0.67


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """How high a camera hangs, how far beyond the stop line, and its horizontal angle of view."""

    height_m: float = 8.0
    beyond_m: float = 16.0
    fov_deg: float = 52.0


def approach_camera(
    network: Network,
    junction: JunctionId,
    approach: LinkId,
    size: tuple[int, int] = (640, 360),
    lens: Lens | None = None,
) -> CameraFile:
    """Return a camera that looks at an approach's stop line and queue, with its line and lanes drawn.

    Parameters
    ----------
    network
        The network.
    junction, approach
        Which stop line.
    size
        Width and height of the frames, pixels.
    lens
        How high it hangs, how far away, and what it sees.

    Raises
    ------
    BadScenario
        If the network has no such approach.
    """
    lens = lens or Lens()
    crossing = network.crossings.get(junction)
    row = next((one for one in crossing.approaches if one.link == approach), None) if crossing else None
    if row is None:
        known = ", ".join(one.link for one in crossing.approaches) if crossing else ", ".join(network.crossings)
        raise BadScenario(
            f"camera at {junction}", f"no approach {approach!r}", f"there are: {known}", "name one of them"
        )
    lanes = [network.lanes[name] for name in row.lanes]
    ends, ahead, left, half = _end_of(lanes, is_last=True)
    middle = ends.mean(axis=0)
    place = middle + lens.beyond_m * ahead - (half + 1.5) * left
    target = middle - 8.0 * ahead
    heading = math.atan2(target[1] - place[1], target[0] - place[0])
    pitch = math.atan2(lens.height_m, float(np.linalg.norm(target - place)))
    mount = MountFile(
        x_m=float(place[0]), y_m=float(place[1]), height_m=lens.height_m, heading_deg=math.degrees(heading),
        pitch_deg=math.degrees(pitch), fov_deg=lens.fov_deg,
    )  # fmt: skip
    seen = mount_of(mount, size)
    stop = middle - _BEFORE_STOP_M * ahead
    line, _ = _pixels(seen, [stop + (half + 0.4) * left, stop - (half + 0.4) * left])
    areas = []
    for number, (lane, end) in enumerate(zip(lanes, ends, strict=True), start=1):
        aside = lane.width_m / 2 * left
        near, far = end - 0.5 * ahead, end - _QUEUE_M * ahead
        corners, _ = _pixels(seen, [near + aside, near - aside, far - aside, far + aside])
        areas.append(AreaFile(name=f"lane {number}", points=corners))
    return CameraFile(
        version=1, name=f"{junction}_{approach}", size=size, period_s=300.0, frame_stride=1, mount=mount,
        lines=[LineFile(name="stop line", points=(line[0], line[1]), lanes=len(lanes))], lanes=areas,
    )  # fmt: skip


def junction_camera(
    network: Network, junction: JunctionId, size: tuple[int, int] = (960, 540), lens: Lens | None = None
) -> CameraFile:
    """Return a camera high above a corner that looks over a whole junction: zones and turns in place of lines.

    Approaches and exits of which less than two thirds would be in the frame have no zone.

    Raises
    ------
    BadScenario
        If the network has no such junction.
    """
    lens = lens or Lens(height_m=14.0, beyond_m=28.0, fov_deg=84.0)
    crossing = network.crossings.get(junction)
    if crossing is None:
        known = ", ".join(network.crossings)
        raise BadScenario(f"camera at {junction}", "no such junction", f"there are: {known}", "name one of them")
    _, ahead, _, _ = _end_of([network.lanes[name] for name in crossing.approaches[0].lanes], is_last=True)
    bearing = math.atan2(ahead[1], ahead[0]) + math.pi / 4
    x, y = crossing.position
    place = np.array([x + lens.beyond_m * math.cos(bearing), y + lens.beyond_m * math.sin(bearing)])
    mount = MountFile(
        x_m=float(place[0]), y_m=float(place[1]), height_m=lens.height_m, heading_deg=math.degrees(bearing + math.pi),
        pitch_deg=math.degrees(math.atan2(lens.height_m, lens.beyond_m)), fov_deg=lens.fov_deg,
    )  # fmt: skip
    seen = mount_of(mount, size)
    exits = dict.fromkeys(row.exit for row in network.movements.values() if row.junction == junction)
    zones = []
    for link, is_entry in [*((row.link, True) for row in crossing.approaches), *((link, False) for link in exits)]:
        corners, share = _pixels(seen, _zone(network, link, is_entry=is_entry))
        if share > _MIN_IN_FRAME:
            zones.append(AreaFile(name=link, points=corners))
    names = {zone.name for zone in zones}
    turns = [
        TurnFile(entry=row.approach, exit=row.exit, movement=name)
        for name, row in network.movements.items()
        if row.junction == junction and row.approach in names and row.exit in names
    ]
    return CameraFile(
        version=1, name=str(junction), size=size, period_s=300.0, image_size=640, zones=zones, turns=turns, mount=mount
    )  # fmt: skip


def _zone(network: Network, link: LinkId, *, is_entry: bool) -> list[np.ndarray]:
    """Return the corners of the last metres of an approach, or of the first ones of an exit."""
    lanes = [network.lanes[name] for name in network.links[link].lanes]
    ends, ahead, left, half = _end_of(lanes, is_last=is_entry)
    half += 0.3
    along = (-_ZONE_M - _BEFORE_STOP_M, -_BEFORE_STOP_M) if is_entry else (_EXIT_FROM_M, _EXIT_FROM_M + _ZONE_M)
    near, far = (ends.mean(axis=0) + distance_m * ahead for distance_m in along)
    return [near + half * left, near - half * left, far - half * left, far + half * left]


def _end_of(lanes: Sequence[Lane], *, is_last: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return the last (or first) points of lanes, the way ahead and to the left there, and half their width, metres."""
    ends = np.array([lane.shape[-1 if is_last else 0] for lane in lanes], float)
    before, after = lanes[0].shape[-2:] if is_last else lanes[0].shape[:2]
    step = np.subtract(after, before)
    ahead = step / np.linalg.norm(step)
    return ends, ahead, np.array([-ahead[1], ahead[0]]), sum(lane.width_m for lane in lanes) / 2


def _pixels(seen: Mount, points: Sequence[np.ndarray]) -> tuple[tuple[Point, ...], float]:
    """Return points of the road as pixels within the frame, and the share of their polygon that is in it."""
    flat = seen.project(np.column_stack([np.array(points), np.zeros(len(points))]))
    if np.isnan(flat).any():
        return ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)), 0.0
    clipped = np.clip(flat, 0, np.array(seen.size) - 1.0)
    share = _area(clipped) / max(_area(flat), 1e-9)
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in clipped), share


def _area(corners: np.ndarray) -> float:
    x, y = corners[:, 0], corners[:, 1]
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)
