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
from traffic.network import Network, Point
from vision.camera import mount_of
from vision.camera_file import AreaFile, CameraFile, LineFile, MountFile

_QUEUE_M = 40.0
_BEFORE_STOP_M = 1.5


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
    ends = np.array([lane.shape[-1] for lane in lanes], float)
    back = np.array(lanes[0].shape[-2], float)
    ahead = (ends[0] - back) / np.linalg.norm(ends[0] - back)
    left = np.array([-ahead[1], ahead[0]])
    middle = ends.mean(axis=0)
    half = sum(lane.width_m for lane in lanes) / 2
    place = middle + lens.beyond_m * ahead - (half + 1.5) * left
    target = middle - 8.0 * ahead
    heading = math.atan2(target[1] - place[1], target[0] - place[0])
    pitch = math.atan2(lens.height_m, float(np.linalg.norm(target - place)))
    mount = MountFile(
        x_m=float(place[0]), y_m=float(place[1]), height_m=lens.height_m, heading_deg=math.degrees(heading),
        pitch_deg=math.degrees(pitch), fov_deg=lens.fov_deg,
    )  # fmt: skip
    seen = mount_of(mount, size)

    def pixels(points: Sequence[np.ndarray]) -> tuple[Point, ...]:
        flat = seen.project(np.column_stack([np.array(points), np.zeros(len(points))]))
        clipped = np.clip(flat, 0, np.array(size) - 1.0)
        return tuple((round(float(x), 1), round(float(y), 1)) for x, y in clipped)

    stop = middle - _BEFORE_STOP_M * ahead
    line = pixels([stop + (half + 0.4) * left, stop - (half + 0.4) * left])
    areas = []
    for number, (lane, end) in enumerate(zip(lanes, ends, strict=True), start=1):
        aside = lane.width_m / 2 * left
        near, far = end - 0.5 * ahead, end - _QUEUE_M * ahead
        areas.append(
            AreaFile(name=f"lane {number}", points=pixels([near + aside, near - aside, far - aside, far + aside]))
        )
    return CameraFile(
        version=1, name=f"{junction}_{approach}", size=size, period_s=300.0, frame_stride=1, mount=mount,
        lines=[LineFile(name="stop line", points=(line[0], line[1]), lanes=len(lanes))], lanes=areas,
    )  # fmt: skip
