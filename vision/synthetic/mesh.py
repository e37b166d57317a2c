"""Triangle meshes out of boxes, extruded profiles, wheels and balls; metres, z up, x ahead.

::

    vertex = x y z | normal x y z | red green blue | paint | glow

    paint   0 = this colour, 1 = this colour times the paint of the road user
    glow    0 = lit by sun and lamps, 1 = shines by itself at night (lamps)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Vertices = npt.NDArray[np.float32]
"""Shape (3 * n_triangle, 11): three vertices a triangle."""
Colour = tuple[float, float, float]
Corner = tuple[float, float, float]

WIDTH = 11
"""Numbers a vertex has."""


class Mesh:
    """Grows by faces; `colour`, `paint` and `glow` hold for what is added next."""

    def __init__(self) -> None:
        self._rows: list[list[float]] = []
        self.colour: Colour = (1.0, 1.0, 1.0)
        self.paint = 0.0
        self.glow = 0.0

    def ink(self, colour: Colour, *, paint: float = 0.0, glow: float = 0.0) -> Mesh:
        """Choose colour, paint and glow of what is added next."""
        self.colour, self.paint, self.glow = colour, paint, glow
        return self

    def face(self, corners: Sequence[Corner]) -> None:
        """Add a flat convex face, its corners anticlockwise as seen from outside."""
        points = np.asarray(corners, np.float64)
        normal = np.cross(points[1] - points[0], points[2] - points[0])
        normal /= np.linalg.norm(normal) + 1e-12
        look = (*normal, *self.colour, self.paint, self.glow)
        for i in range(1, len(points) - 1):
            self._rows += [[*points[k], *look] for k in (0, i, i + 1)]

    def box(
        self, x: tuple[float, float], y: tuple[float, float], z: tuple[float, float], *, taper: float = 0.0
    ) -> None:
        """Add a box; its top is smaller by `taper` on every side."""
        (x0, x1), (y0, y1), (z0, z1) = x, y, z
        low = [(x0, y0, z0), (x1, y0, z0), (x1, y1, z0), (x0, y1, z0)]
        high = [(x0 + taper, y0 + taper, z1), (x1 - taper, y0 + taper, z1),
                (x1 - taper, y1 - taper, z1), (x0 + taper, y1 - taper, z1)]  # fmt: skip
        self.face(high)
        for i in range(4):
            j = (i + 1) % 4
            self.face([low[i], low[j], high[j], high[i]])

    def extrude(self, profile: Sequence[tuple[float, float]], width: float, *, lean: float = 0.0) -> None:
        """Add a body with this side view of (x, z), anticlockwise with x to the right; its top leans in by `lean`."""
        low, high = min(z for _, z in profile), max(z for _, z in profile)

        def half(z: float) -> float:
            return width / 2 - lean * (z - low) / max(high - low, 1e-6)

        right = [(x, -half(z), z) for x, z in profile]
        left = [(x, half(z), z) for x, z in profile]
        self._fan(right)
        self._fan(left[::-1])
        for i in range(len(profile)):
            j = (i + 1) % len(profile)
            self.face([right[i], left[i], left[j], right[j]])

    def _fan(self, corners: Sequence[Corner]) -> None:
        """Add a flat face that may be concave, as a fan from its middle."""
        middle = tuple(float(v) for v in np.mean(np.asarray(corners), axis=0))
        for i, corner in enumerate(corners):
            self.face([(middle[0], middle[1], middle[2]), corner, corners[(i + 1) % len(corners)]])

    def wheel(self, x: float, y: float, radius: float, width: float) -> None:
        """Add a wheel that stands on the ground at (x, y)."""
        rim = [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 10, endpoint=False)]
        self.ink((0.05, 0.05, 0.05))
        self.extrude_at([(x + radius * c, radius + radius * s) for c, s in rim], y, width)
        self.ink((0.45, 0.45, 0.47))
        self.extrude_at([(x + 0.5 * radius * c, radius + 0.5 * radius * s) for c, s in rim], y, width + 0.02)

    def extrude_at(self, profile: Sequence[tuple[float, float]], y: float, width: float) -> None:
        """Add an extruded body whose middle is at `y`."""
        before = len(self._rows)
        self.extrude(profile, width)
        for row in self._rows[before:]:
            row[1] += y

    def ball(self, centre: Corner, radii: Corner, *, n_around: int = 8, n_up: int = 5) -> None:
        """Add an ellipsoid."""

        def at(i: int, j: int) -> Corner:
            around, up = 2 * math.pi * i / n_around, -math.pi / 2 + math.pi * j / n_up
            return (
                centre[0] + radii[0] * math.cos(around) * math.cos(up),
                centre[1] + radii[1] * math.sin(around) * math.cos(up),
                centre[2] + radii[2] * math.sin(up),
            )

        for i in range(n_around):
            for j in range(n_up):
                corners = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)]
                if j == 0:
                    del corners[1]
                elif j == n_up - 1:
                    del corners[2]
                self.face(corners)

    def limb(self, start: Corner, end: Corner, radius: float) -> None:
        """Add a square bar from point to point: an arm, a leg, a pole."""
        a, b = np.asarray(start, float), np.asarray(end, float)
        ahead = (b - a) / (np.linalg.norm(b - a) + 1e-9)
        side = np.cross(ahead, (0.0, 0.0, 1.0) if abs(ahead[2]) < 0.9 else (1.0, 0.0, 0.0))
        side *= radius / np.linalg.norm(side)
        up = np.cross(side, ahead)
        ring = [side + up, -side + up, -side - up, side - up]
        first, second = [tuple(a + r) for r in ring], [tuple(b + r) for r in ring]
        for i in range(4):
            j = (i + 1) % 4
            self.face([first[j], first[i], second[i], second[j]])
        self.face(second)
        self.face(first[::-1])

    def vertices(self) -> Vertices:
        """Return everything added."""
        return np.asarray(self._rows, np.float32).reshape(-1, WIDTH)
