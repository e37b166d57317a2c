r"""Where things in the street are in the picture, and back: a pinhole camera on a pole, and the plane of the road.

::

    world: metres of the network, z up            picture: pixels, x right, y down

            camera *
                   |\ pitch below the horizon
            height | \                             heading 0 = looks east, anticlockwise
                   |__\____________ road, z = 0
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from traffic.errors import BadVideo

FloatArray = npt.NDArray[np.float64]

_MAX_LENGTH_ERROR = 0.1
_MIN_SPREAD = 1e-3
"""Least area of any three of four points, as a share of the box around all four, for a homography to mean something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Where a camera hangs and what its lens sees: `fov_deg` is the horizontal angle of view."""

    x_m: float
    y_m: float
    height_m: float
    heading_rad: float
    pitch_rad: float
    fov_deg: float
    size: tuple[int, int]

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.size[0] / 2 / math.tan(math.radians(self.fov_deg) / 2)

    def axes(self) -> FloatArray:
        """Return the camera's right, down and ahead as unit vectors of the world, shape (3, 3)."""
        c, s = math.cos(self.heading_rad), math.sin(self.heading_rad)
        cp, sp = math.cos(self.pitch_rad), math.sin(self.pitch_rad)
        return np.array([[s, -c, 0.0], [-c * sp, -s * sp, -cp], [c * cp, s * cp, -sp]])

    def project(self, points: npt.ArrayLike) -> FloatArray:
        """Return pixels of points (n, 3) in metres, shape (n, 2); not a number for those behind the camera.

        Examples
        --------
        >>> m = Mount(x_m=0, y_m=0, height_m=5, heading_rad=0, pitch_rad=0.5, fov_deg=60, size=(640, 360))
        >>> m.project([[5 / math.tan(0.5), 0, 0]]).round(6).tolist()
        [[320.0, 180.0]]
        """
        seen = (np.asarray(points, np.float64) - (self.x_m, self.y_m, self.height_m)) @ self.axes().T
        ahead = np.where(seen[:, 2] > 0.1, seen[:, 2], np.nan)
        middle = np.array([self.size[0] / 2, self.size[1] / 2])
        return np.asarray(seen[:, :2] / ahead[:, None] * self.focal_px + middle)

    def on_road(self, pixels: npt.ArrayLike) -> FloatArray:
        """Return where the road (z = 0) is seen at these pixels (n, 2), metres, shape (n, 2); NaN above the horizon."""
        offset = np.asarray(pixels, np.float64) - (self.size[0] / 2, self.size[1] / 2)
        rays = np.column_stack([offset / self.focal_px, np.ones(len(offset))]) @ self.axes()
        reach = np.where(rays[:, 2] < -1e-9, self.height_m / np.maximum(-rays[:, 2], 1e-9), np.nan)
        return np.asarray(rays[:, :2] * reach[:, None] + (self.x_m, self.y_m))


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadPlane:
    """The road as a plane: `matrix`, shape (3, 3), takes pixels to metres."""

    matrix: FloatArray

    def to_road(self, pixels: npt.ArrayLike) -> FloatArray:
        """Return metres of pixels, shape (n, 2)."""
        return _apply(self.matrix, pixels)

    def to_picture(self, metres: npt.ArrayLike) -> FloatArray:
        """Return pixels of metres, shape (n, 2)."""
        return _apply(np.asarray(np.linalg.inv(self.matrix), np.float64), metres)

    def error_px(self, pixels: npt.ArrayLike, metres: npt.ArrayLike) -> FloatArray:
        """Return how far each known point is from where the plane puts it, pixels, shape (n,)."""
        return np.asarray(np.linalg.norm(self.to_picture(metres) - np.asarray(pixels, np.float64), axis=1))


def road_plane(pixels: npt.ArrayLike, metres: npt.ArrayLike, where: str = "homography") -> RoadPlane:
    """Return the plane through four or more points known in the picture and on the road (least squares).

    Raises
    ------
    BadVideo
        If there are fewer than four points, or three of four lie on one line.

    References
    ----------
    R. Hartley, A. Zisserman, Multiple View Geometry, 2nd edition, algorithm 4.2 (normalised direct linear transform).
    """
    image, road = np.asarray(pixels, np.float64), np.asarray(metres, np.float64)
    if image.shape != road.shape or image.ndim != 2 or image.shape[1] != 2 or len(image) < 4:
        raise BadVideo(where, f"{len(image)} points", "at least 4, each in pixels and in metres", "click more points")
    for points, unit in ((image, "pixels"), (road, "metres")):
        if len(points) == 4 and (flat := _on_one_line(points)):
            raise BadVideo(where, f"points {flat} lie on one line ({unit})", "no three of four may", "move one of them")
    first, second = _normaliser(image), _normaliser(road)
    a, b = _apply(first, image), _apply(second, road)
    rows = []
    for (x, y), (u, v) in zip(a, b, strict=True):
        rows += [[-x, -y, -1, 0, 0, 0, u * x, u * y, u], [0, 0, 0, -x, -y, -1, v * x, v * y, v]]
    _, values, right = np.linalg.svd(np.asarray(rows))
    if values[7] < 1e-9 * values[0]:
        raise BadVideo(where, "points on one line", "they must span an area", "spread them over the road")
    matrix = np.linalg.inv(second) @ right[-1].reshape(3, 3) @ first
    return RoadPlane(matrix=matrix / matrix[2, 2])


def mount_plane(mount: Mount) -> RoadPlane:
    """Return the road as a camera on its mount sees it."""
    width, height = mount.size
    pixels = np.array(
        [[0.2 * width, height], [0.8 * width, height], [0.3 * width, 0.75 * height], [0.7 * width, 0.7 * height]]
    )
    steep = np.array([[0.2 * width, 0.9 * height], [0.8 * width, 0.9 * height]])
    metres = mount.on_road(np.concatenate([pixels, steep]))
    if np.isnan(metres).any():
        told = f"pitch {math.degrees(mount.pitch_rad):.0f} degrees"
        raise BadVideo("mount", told, "the lower third of the frame must see the road", "look further down")
    return road_plane(np.concatenate([pixels, steep]), metres)


def mount_of_lengths(
    lengths: Sequence[tuple[Sequence[tuple[float, float]], float]], size: tuple[int, int], where: str = "road"
) -> Mount:
    """Return the mount (height, pitch, angle of view) under which known lengths on the road come out best.

    Parameters
    ----------
    lengths
        Pairs of (two ends in pixels, metres); at least three, not all across or all along the road.
    size
        Width and height of the frames, pixels.

    Raises
    ------
    BadVideo
        If no camera sees these lengths: the worst is off by more than a tenth.
    """
    ends = np.array([pair for pair, _ in lengths], np.float64).reshape(-1, 2)
    known = np.array([metres for _, metres in lengths], np.float64)

    def mount(x: FloatArray) -> Mount:
        return Mount(x_m=0.0, y_m=0.0, height_m=float(np.exp(x[0])), heading_rad=math.pi / 2,
                     pitch_rad=float(x[1]), fov_deg=float(x[2]), size=size)  # fmt: skip

    def misfit(x: FloatArray) -> FloatArray:
        road = mount(x).on_road(ends).reshape(-1, 2, 2)
        seen = np.linalg.norm(road[:, 1] - road[:, 0], axis=1)
        return np.where(np.isnan(seen), 10.0, np.log(np.maximum(np.nan_to_num(seen), 1e-6) / known))

    starts = [
        (math.log(height), pitch, fov)
        for height in (4.0, 8.0, 15.0)
        for pitch in (0.2, 0.45, 0.9)
        for fov in (45.0, 75.0)
    ]
    fits = [least_squares(misfit, start, bounds=([0.0, 0.03, 20.0], [4.0, 1.5, 120.0]), x_scale=[0.3, 0.1, 10.0])
            for start in starts]  # fmt: skip
    best = min(fits, key=lambda fit: float(fit.cost))
    worst = float(np.abs(np.expm1(misfit(best.x))).max())
    if worst > _MAX_LENGTH_ERROR:
        raise BadVideo(where, f"a length is off by {100 * worst:.0f} %", f"at most {100 * _MAX_LENGTH_ERROR:.0f} %",
                       "measure again, or click four points")  # fmt: skip
    return mount(best.x)


def _on_one_line(points: FloatArray) -> str:
    """Return the places (from 1) of three of four points that lie on one line, "" if none do."""
    span = float(np.prod(np.ptp(points, axis=0))) + 1e-12
    for skipped in range(4):
        a, b, c = np.delete(points, skipped, axis=0)
        area = abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])) / 2
        if area < _MIN_SPREAD * span:
            return ", ".join(str(i + 1) for i in range(4) if i != skipped)
    return ""


def _normaliser(points: FloatArray) -> FloatArray:
    middle = points.mean(axis=0)
    scale = math.sqrt(2) / (float(np.linalg.norm(points - middle, axis=1).mean()) + 1e-12)
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1]])


def _apply(matrix: FloatArray, points: npt.ArrayLike) -> FloatArray:
    mapped = np.column_stack([np.asarray(points, np.float64), np.ones(len(np.asarray(points)))]) @ matrix.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:])
