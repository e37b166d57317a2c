"""Draws meshes through a calibrated camera on headless EGL; colours in one pass, who is seen where in another."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from traffic.errors import MissingTool
from vision.projection import Mount
from vision.source import Image
from vision.synthetic.mesh import WIDTH, Colour, Mesh, Vertices
from vision.synthetic.shaders import FRAGMENT, VERTEX
from vision.synthetic.vehicles import Model

_NEAR_M, _FAR_M = 0.5, 600.0
_THING, _GROUND, _SHADOW, _BEAM, _NAME = range(5)
"""What is drawn; the shader's `kind`."""
_SAMPLES = 4
_LIT_FROM = 0.35
"""From this darkness on, vehicles have their lamps on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Sun and air: `night` 0 day - 1 night, `fog` per metre, `wet` 0-1; `sun` points to the sun."""

    sun: tuple[float, float, float] = (0.4, -0.5, 0.75)
    night: float = 0.0
    fog: float = 0.002
    wet: float = 0.0
    warm: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A road user to be drawn: which model, where its front is, which way it looks, its paint."""

    model: int
    x_m: float
    y_m: float
    heading_rad: float
    paint: Colour
    scale: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A frame with its truth.

    Attributes
    ----------
    image
        Blue green red, shape (height, width, 3).
    boxes
        Box around what is seen of each road user, x1 y1 x2 y2 in pixels, shape (n, 4); zeros where nothing is.
    outlines
        Box around each road user as if nothing hid or cut it, shape (n, 4); far outside where it is behind the camera.
    seen
        Share of each road user that nothing hides and the frame does not cut, 0-1, shape (n,).
    """

    image: Image
    boxes: npt.NDArray[np.float32]
    outlines: npt.NDArray[np.float32]
    seen: npt.NDArray[np.float32]


class Renderer:
    """Draws one street and one fleet at one size of frame.

    Raises
    ------
    MissingTool
        If there is no headless EGL.
    """

    def __init__(self, size: tuple[int, int], models: Sequence[Model], ground: Vertices, things: Vertices) -> None:
        os.environ.setdefault("LP_NUM_THREADS", "1")  # one thread a camera
        try:
            import moderngl

            make: Any = moderngl.create_standalone_context
            self._context: Any = make(backend="egl")
        except Exception as error:
            raise MissingTool("EGL", str(error), "a synthetic camera draws on headless EGL",
                              "install it: apt-get install libegl1 libgl1-mesa-dri") from error  # fmt: skip
        self.size, self._gl = size, moderngl
        self._program: Any = self._context.program(VERTEX, FRAGMENT)
        colour, depth = self._context.renderbuffer, self._context.depth_renderbuffer
        self._smooth = self._context.framebuffer(colour(size, 4, samples=_SAMPLES), depth(size, samples=_SAMPLES))
        self._plain = self._context.framebuffer(colour(size, 4), depth(size))
        self._models = list(models)
        self._meshes = [self._load(model.vertices) for model in models]
        self._ground, self._things = self._load(ground), self._load(things)
        self._beam = self._load(_beam_mesh())

    def close(self) -> None:
        """Let go of the context and all that is in it."""
        self._context.release()

    def draw(self, mount: Mount, users: Sequence[Placed], light: Light, *, has_boxes: bool = True) -> Picture:
        """Draw one frame; without `has_boxes`, which needs a pass of its own, `boxes` and `seen` are zeros."""
        self._aim(mount, light)
        matrices = [_place(user) for user in users]
        image = self._colours(users, matrices, light)
        rows = [_outline(mount, self._models[u.model], matrix) for u, matrix in zip(users, matrices, strict=True)]
        outlines = np.asarray(rows, np.float32).reshape(-1, 4)
        boxes, seen = np.zeros_like(outlines), np.zeros(len(users), np.float32)
        if has_boxes:
            boxes, seen = self._boxes(users, matrices, outlines)
        return Picture(image=image, boxes=boxes, outlines=outlines, seen=seen)

    def _load(self, vertices: Vertices) -> Any:
        data = np.ascontiguousarray(vertices, np.float32)
        if not len(data):
            data = np.zeros((3, WIDTH), np.float32)
        layout = (self._context.buffer(data.tobytes()), "3f 3f 3f 1f 1f", "point", "normal", "tone", "paint", "glow")
        return self._context.vertex_array(self._program, [layout])

    def _aim(self, mount: Mount, light: Light) -> None:
        program = self._program
        program["view"].write(_view(mount).T.astype("f4").tobytes())
        program["eye"].value = (mount.x_m, mount.y_m, mount.height_m)
        sun = np.asarray(light.sun) / np.linalg.norm(light.sun)
        program["sun"].value = tuple(float(v) for v in sun)
        for name in ("night", "fog", "wet", "warm"):
            program[name].value = float(getattr(light, name))

    def _colours(self, users: Sequence[Placed], matrices: Sequence[npt.NDArray[np.float32]], light: Light) -> Image:
        context, gl = self._context, self._gl
        self._smooth.use()
        context.enable(gl.DEPTH_TEST)
        day, dark = np.array([0.72, 0.77, 0.82]), np.array([0.04, 0.04, 0.07])
        sky = day + (dark - day) * light.night
        self._smooth.clear(float(sky[0]), float(sky[1]), float(sky[2]), 1.0)
        self._put(self._ground, np.eye(4, dtype=np.float32), (1.0, 1.0, 1.0), _GROUND)
        context.enable(gl.BLEND)
        if light.night < 1.0 and light.wet < 0.9:
            for user, matrix in zip(users, matrices, strict=True):
                self._put(self._meshes[user.model], matrix, (1.0, 1.0, 1.0), _SHADOW)
        if light.night > _LIT_FROM:
            context.blend_func = gl.SRC_ALPHA, gl.ONE
            for matrix in matrices:
                self._put(self._beam, matrix, (1.0, 0.95, 0.8), _BEAM)
            context.blend_func = gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA
        context.disable(gl.BLEND)
        self._put(self._things, np.eye(4, dtype=np.float32), (1.0, 1.0, 1.0), _THING)
        for user, matrix in zip(users, matrices, strict=True):
            self._put(self._meshes[user.model], matrix, user.paint, _THING)
        context.copy_framebuffer(self._plain, self._smooth)
        return np.ascontiguousarray(self._read()[:, :, ::-1])

    def _boxes(
        self,
        users: Sequence[Placed],
        matrices: Sequence[npt.NDArray[np.float32]],
        outlines: npt.NDArray[np.float32],
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Draw every road user in a colour that is its number, and read who is seen where."""
        self._plain.use()
        self._plain.clear(0.0, 0.0, 0.0, 1.0)
        self._put(self._things, np.eye(4, dtype=np.float32), (0.0, 0.0, 0.0), _NAME)
        for number, (user, matrix) in enumerate(zip(users, matrices, strict=True), start=1):
            name = ((number & 255) / 255.0, (number >> 8 & 255) / 255.0, 0.0)
            self._put(self._meshes[user.model], matrix, name, _NAME)
        raw = self._read().astype(np.int32)
        names = raw[:, :, 0] + 256 * raw[:, :, 1]
        boxes, seen = np.zeros((len(users), 4), np.float32), np.zeros(len(users), np.float32)
        rows, columns = np.nonzero(names)
        who = names[rows, columns] - 1
        order = np.argsort(who, kind="stable")
        starts = np.searchsorted(who[order], np.arange(len(users) + 1))
        for i, whole in enumerate(outlines):
            mine = order[starts[i] : starts[i + 1]]
            if not len(mine):
                continue
            x, y = columns[mine], rows[mine]
            boxes[i] = x.min(), y.min(), x.max() + 1, y.max() + 1
            area = max(1.0, float((whole[2] - whole[0]) * (whole[3] - whole[1])))
            seen[i] = min(1.0, float((boxes[i, 2] - boxes[i, 0]) * (boxes[i, 3] - boxes[i, 1])) / area)
        return boxes, seen

    def _put(self, mesh: Any, matrix: npt.NDArray[np.float32], paint: Colour, kind: int) -> None:
        self._program["model"].write(matrix.T.tobytes())
        self._program["tint"].value = paint
        self._program["kind"].value = kind
        mesh.render()

    def _read(self) -> npt.NDArray[np.uint8]:
        width, height = self.size
        raw = np.frombuffer(self._plain.read(components=3), np.uint8)
        return raw.reshape(height, width, 3)[::-1]


def _place(user: Placed) -> npt.NDArray[np.float32]:
    """Return the matrix that puts a model where its road user is."""
    c, s = math.cos(user.heading_rad), math.sin(user.heading_rad)
    long, wide = user.scale
    matrix = np.eye(4, dtype=np.float32)
    matrix[:2, 0] = long * c, long * s
    matrix[:2, 1] = -wide * s, wide * c
    matrix[:2, 3] = user.x_m, user.y_m
    return matrix


def _view(mount: Mount) -> npt.NDArray[np.float64]:
    """Return the matrix from the world to the clip space of a pinhole camera."""
    right, down, ahead = mount.axes()
    view = np.eye(4)
    view[:3, :3] = right, -down, -ahead
    view[:3, 3] = -view[:3, :3] @ np.array([mount.x_m, mount.y_m, mount.height_m])
    width, height = mount.size
    lens = np.zeros((4, 4))
    lens[0, 0], lens[1, 1] = 2 * mount.focal_px / width, 2 * mount.focal_px / height
    lens[2, 2], lens[2, 3] = (_FAR_M + _NEAR_M) / (_NEAR_M - _FAR_M), 2 * _FAR_M * _NEAR_M / (_NEAR_M - _FAR_M)
    lens[3, 2] = -1.0
    return np.asarray(lens @ view)


def _outline(mount: Mount, model: Model, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the box around a whole road user, hidden and cut parts included."""
    points = model.corners
    placed = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    pixels = mount.project(placed[:, :3])
    if np.isnan(pixels).any():
        return np.array([-1e4, -1e4, 1e4, 1e4])
    return np.array([*pixels.min(axis=0), *pixels.max(axis=0)])


def _beam_mesh() -> Vertices:
    """Return the patch of road that headlamps light: brightest at the front."""
    mesh = Mesh().ink((1.0, 1.0, 1.0))
    mesh.face([(0.0, -0.6, 0.04), (14.0, -2.6, 0.04), (14.0, 2.6, 0.04), (0.0, 0.6, 0.04)])
    return mesh.vertices()
