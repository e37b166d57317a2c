"""Meshes of road users: each a draw from a family, so that no two seeds have the same fleet.

A mesh has its true size in metres: its front at x = 0, its rear at x = -length, its middle at y = 0, wheels at z = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from traffic.counts import VehicleClass
from vision.synthetic.mesh import Colour, Mesh, Vertices

_GLASS: Colour = (0.09, 0.11, 0.13)
_BLACK: Colour = (0.07, 0.07, 0.08)
_RED: Colour = (0.75, 0.05, 0.05)
_WHITE: Colour = (0.95, 0.95, 0.85)
_SKIN: Colour = (0.56, 0.42, 0.33)
PAINTS: tuple[Colour, ...] = (
    *((0.85, 0.85, 0.86), (0.10, 0.10, 0.11), (0.50, 0.52, 0.55), (0.55, 0.07, 0.07), (0.08, 0.14, 0.35)),
    *((0.92, 0.92, 0.92), (0.30, 0.31, 0.33), (0.75, 0.60, 0.10), (0.15, 0.35, 0.20), (0.35, 0.22, 0.14)),
    *((0.10, 0.45, 0.60), (0.80, 0.35, 0.10), (0.65, 0.63, 0.58)),
)
_CLOTHES: tuple[Colour, ...] = (
    *((0.13, 0.15, 0.22), (0.70, 0.70, 0.72), (0.55, 0.12, 0.12), (0.15, 0.30, 0.50), (0.20, 0.38, 0.22)),
    *((0.75, 0.60, 0.20), (0.10, 0.10, 0.10), (0.62, 0.40, 0.50), (0.45, 0.40, 0.32), (0.20, 0.55, 0.35)),
)


@dataclass(frozen=True, kw_only=True)
class Model:
    """One mesh with the class that it is counted as and its size."""

    vehicle_class: VehicleClass
    vertices: Vertices
    length_m: float
    width_m: float
    height_m: float

    @cached_property
    def corners(self) -> npt.NDArray[np.float32]:
        """Every point of the mesh once, shape (n, 3)."""
        return np.unique(self.vertices[:, :3], axis=0)


def _pick(rng: np.random.Generator, options: tuple[Colour, ...]) -> Colour:
    return options[int(rng.integers(len(options)))]


def car(rng: np.random.Generator) -> Model:
    """Draw a saloon, a hatchback, an SUV, a van or a pick-up."""
    mesh = Mesh()
    kind = str(rng.choice(["saloon", "hatch", "suv", "van", "pickup"], p=[0.32, 0.24, 0.24, 0.1, 0.1]))
    tall = {"saloon": 1.45, "hatch": 1.5, "suv": 1.72, "van": 1.95, "pickup": 1.8}[kind]
    long = {"saloon": 4.6, "hatch": 3.9, "suv": 4.6, "van": 4.8, "pickup": 5.2}[kind]
    length, width, height = long * rng.uniform(0.95, 1.05), rng.uniform(1.7, 1.88), tall * rng.uniform(0.96, 1.04)
    belt = height * rng.uniform(0.58, 0.64)
    hood = 0.35 if kind == "van" else rng.uniform(0.95, 1.3)
    tail = {"saloon": 0.8, "hatch": 0.2, "suv": 0.15, "van": 0.08, "pickup": 1.75}[kind]
    mesh.ink((1, 1, 1), paint=1.0)
    body = [(-length, 0.28), (0, 0.28), (0, belt - 0.2), (-0.15, belt - 0.1), (-hood, belt), (-length + 0.1, belt)]
    mesh.extrude(body, width, lean=0.05)
    front, rear = -hood - 0.02, -length + tail
    slope = rng.uniform(0.5, 0.85) if kind != "van" else 0.5
    back = 0.15 if kind in ("suv", "van", "pickup") else 0.5
    mesh.ink(_GLASS)
    mesh.extrude([(front, belt), (front - slope, height - 0.04), (rear + back, height - 0.04), (rear, belt)],
                 width - 0.12, lean=0.15)  # fmt: skip
    mesh.ink((1, 1, 1), paint=1.0)
    roof = (rear + back + 0.03, front - slope - 0.02)
    mesh.box(roof, (-width / 2 + 0.2, width / 2 - 0.2), (height - 0.05, height + 0.01), taper=0.03)
    for x in (front - slope - 0.75, front - slope - 1.75):
        if x > rear + back:
            mesh.extrude([(x - 0.05, belt), (x + 0.05, belt), (x + 0.05, height), (x - 0.05, height)], width - 0.1,
                         lean=0.14)  # fmt: skip
    if kind == "pickup":
        mesh.ink(_BLACK).box(
            (-length + 0.1, rear - 0.05), (-width / 2 + 0.15, width / 2 - 0.15), (belt - 0.02, belt + 0.01)
        )
    _ends(mesh, length, width, belt - 0.18)
    mesh.ink(_BLACK)
    mesh.box((-0.04, 0.02), (-width / 2 + 0.2, width / 2 - 0.2), (0.32, 0.52))
    mesh.ink((0.9, 0.9, 0.86)).box((-length - 0.03, -length + 0.02), (-0.26, 0.26), (0.5, 0.62))
    for side in (-1, 1):
        for x in (-0.8, -length + 0.85):
            mesh.wheel(x, side * (width / 2 - 0.1), 0.33, 0.22)
    return Model(
        vehicle_class=VehicleClass.CAR, vertices=mesh.vertices(), length_m=length, width_m=width, height_m=height
    )


def bus(rng: np.random.Generator) -> Model:
    """Draw a city bus or a minibus."""
    mesh = Mesh()
    is_small = rng.random() < 0.3
    length, width, height = (7.0, 2.15, 2.7) if is_small else (rng.uniform(9.5, 12.0), 2.5, rng.uniform(2.95, 3.3))
    mesh.ink((1, 1, 1), paint=1.0).box((-length, 0), (-width / 2, width / 2), (0.32, height), taper=0.06)
    mesh.ink(_pick(rng, PAINTS)).box((-length - 0.01, 0.01), (-width / 2 - 0.01, width / 2 + 0.01), (0.6, 0.95))
    low, high, pane = 0.47 * height, 0.8 * height, rng.uniform(1.1, 1.6)
    mesh.ink(_GLASS)
    for side in (-1, 1):
        for x in np.arange(-length + 0.5, -0.6 - pane, pane + 0.12):
            y = side * (width / 2 - 0.02)
            mesh.box((x, x + pane), (min(y, y + side * 0.03), max(y, y + side * 0.03)), (low, high))
    mesh.box((-0.08, 0.03), (-width / 2 + 0.15, width / 2 - 0.15), (0.38 * height, high))
    mesh.box((-length - 0.03, -length + 0.03), (-width / 2 + 0.3, width / 2 - 0.3), (0.5 * height, high))
    mesh.ink((0.9, 0.5, 0.1), glow=0.7).box((-0.06, 0.02), (-0.8, 0.8), (0.84 * height, 0.92 * height))
    mesh.ink((0.7, 0.7, 0.7)).box((-0.7 * length, -0.45 * length), (-0.6, 0.6), (height, height + 0.2), taper=0.05)
    _ends(mesh, length, width, 0.85)
    for side in (-1, 1):
        for x in (-0.2 * length, -0.78 * length):
            mesh.wheel(x, side * (width / 2 - 0.12), 0.46, 0.28)
    return Model(
        vehicle_class=VehicleClass.BUS, vertices=mesh.vertices(), length_m=length, width_m=width, height_m=height
    )


def truck(rng: np.random.Generator) -> Model:
    """Draw a lorry: box, tarpaulin or flat bed with load, small or large."""
    mesh = Mesh()
    scale = rng.uniform(0.72, 1.15)
    length, width, height = 7.6 * scale, 2.3 * min(1.0, 0.86 + 0.14 * scale), 3.0 * scale**0.7
    cab = 1.75 * scale**0.5
    cab_top = 2.35 * scale**0.7
    mesh.ink((1, 1, 1), paint=1.0)
    mesh.extrude(
        [(-cab, 0.45), (0, 0.45), (0, 0.6 * cab_top), (-0.22, cab_top), (-cab, cab_top)], width - 0.1, lean=0.05
    )
    mesh.ink(_GLASS)
    mesh.extrude([(0.02, 0.6 * cab_top), (-0.18, 0.95 * cab_top), (-0.24, 0.95 * cab_top), (-0.05, 0.6 * cab_top)],
                 width - 0.35, lean=0.05)  # fmt: skip
    for side in (-1, 1):
        y = side * (width / 2 - 0.07)
        mesh.box((-0.75 * cab, -0.25 * cab), (y - 0.04, y + 0.04), (0.62 * cab_top, 0.9 * cab_top))
    mesh.ink((0.1, 0.1, 0.1)).box((-length, -cab), (-width / 2 + 0.1, width / 2 - 0.1), (0.5, 0.9))
    load = (-length, -cab - 0.15)
    kind = str(rng.choice(["box", "tarpaulin", "flat"], p=[0.5, 0.3, 0.2]))
    if kind == "flat":
        mesh.ink((0.3, 0.35, 0.32)).box(load, (-width / 2, width / 2), (0.9, 1.4))
        mesh.ink(_pick(rng, PAINTS)).box((-length + 0.4, -cab - 0.6), (-width / 2 + 0.2, width / 2 - 0.2),
                                         (1.3, rng.uniform(1.5, 2.3)), taper=0.2)  # fmt: skip
    else:
        shade = _pick(rng, PAINTS) if kind == "tarpaulin" else (0.85, 0.86, 0.84)
        mesh.ink(shade).box(load, (-width / 2, width / 2), (0.9, height), taper=0.12 if kind == "tarpaulin" else 0.01)
        mesh.ink((0.3, 0.3, 0.3)).box((-length - 0.01, -length), (-0.02, 0.02), (1.0, height - 0.1))
    _ends(mesh, length, width, 0.72)
    for side in (-1, 1):
        for x in (-0.6 * cab - 0.3, -length + 1.3 * scale):
            mesh.wheel(x, side * (width / 2 - 0.15), 0.42 * scale**0.5, 0.28)
    return Model(
        vehicle_class=VehicleClass.TRUCK, vertices=mesh.vertices(), length_m=length, width_m=width, height_m=height
    )


def motorcycle(rng: np.random.Generator) -> Model:
    """Draw a scooter or underbone with one to three people, perhaps in a cape, perhaps with a load."""
    mesh = Mesh()
    length, radius = rng.uniform(1.75, 2.0), rng.uniform(0.22, 0.3)
    mesh.wheel(-radius, 0, radius, 0.1)
    mesh.wheel(-length + radius, 0, radius, 0.11)
    mesh.ink((1, 1, 1), paint=1.0)
    seat = rng.uniform(0.74, 0.82)
    low = [(-length + 0.05, 0.5), (-length + 0.55, 0.3), (-0.75, 0.32), (-0.45, 0.3)]
    front = [(-0.28, 0.6), (-0.42, 0.98), (-0.58, 0.9), (-0.6, 0.5), (-0.8, 0.45)]
    mesh.extrude([*low, *front, (-0.95, seat), (-length + 0.1, seat + 0.04)], 0.28, lean=0.03)
    mesh.ink(_BLACK).box((-0.56, -0.48), (-0.34, 0.34), (0.97, 1.03))
    mesh.box((-length + 0.12, -0.9), (-0.13, 0.13), (seat, seat + 0.06))
    for side in (-1, 1):
        mesh.limb((-0.5, side * 0.32, 1.02), (-0.55, side * 0.38, 1.25), 0.015)
        mesh.ball((-0.56, side * 0.38, 1.27), (0.02, 0.07, 0.045), n_around=6, n_up=3)
    mesh.ink(_RED, glow=1.0).box((-length, -length + 0.08), (-0.08, 0.08), (0.62, 0.74))
    mesh.ink(_WHITE, glow=1.0).box((-0.36, -0.26), (-0.08, 0.08), (0.76, 0.9))
    mesh.ink((0.85, 0.85, 0.8)).box((-length - 0.02, -length + 0.02), (-0.09, 0.09), (0.42, 0.58))
    n_people = int(rng.choice([1, 2, 3], p=[0.7, 0.26, 0.04]))
    has_cape = rng.random() < 0.12
    for place in range(n_people):
        _rider(mesh, rng, -0.95 - 0.36 * place, seat, is_driver=place == 0, has_cape=has_cape)
    if n_people == 1 and rng.random() < 0.15:
        mesh.ink(_pick(rng, PAINTS)).box((-length - 0.15, -1.3), (-0.3, 0.3), (seat, seat + rng.uniform(0.3, 0.65)))
    return Model(
        vehicle_class=VehicleClass.MOTORCYCLE, vertices=mesh.vertices(), length_m=length, width_m=0.75, height_m=1.7
    )


def _rider(mesh: Mesh, rng: np.random.Generator, x: float, seat: float, *, is_driver: bool, has_cape: bool) -> None:
    """Add a person who sits with the hips at x on a seat of this height."""
    trousers, shirt = _pick(rng, _CLOTHES), _pick(rng, _CLOTHES)
    tall = rng.uniform(0.52, 0.62)
    lean = rng.uniform(0.0, 0.12)
    mesh.ink(trousers)
    for side in (-1, 1):
        knee = (x + 0.38, side * 0.2, seat - 0.05)
        mesh.limb((x, side * 0.12, seat + 0.08), knee, 0.075)
        mesh.limb(knee, (x + 0.28, side * 0.18, 0.32), 0.06)
    mesh.ink(shirt)
    mesh.extrude([(x - 0.13, seat + 0.02), (x + 0.13, seat + 0.02), (x + 0.12 + lean, seat + tall),
                  (x - 0.1 + lean, seat + tall)], 0.42, lean=0.04)  # fmt: skip
    hands = (x + 0.45, 0.3, seat + 0.28) if is_driver else (x + 0.28, 0.2, seat + 0.12)
    for side in (-1, 1):
        shoulder = (x + lean, side * 0.22, seat + tall - 0.06)
        elbow = (x + 0.2, side * 0.33, seat + tall - 0.28)
        mesh.limb(shoulder, elbow, 0.05)
        mesh.limb(elbow, (hands[0], side * hands[1], hands[2]), 0.042)
    if has_cape:
        neck = [(x + 0.14 + lean, seat + tall), (x - 0.12 + lean, seat + tall)]
        mesh.ink(_pick(rng, PAINTS)).extrude([(x - 0.35, seat - 0.25), (x + 0.4, seat - 0.1), *neck], 0.72, lean=0.18)
    head = seat + tall + 0.15
    mesh.ink(_SKIN).ball((x + lean + 0.03, 0, head - 0.02), (0.1, 0.09, 0.12), n_around=6, n_up=4)
    if rng.random() < 0.9:
        mesh.ink(_pick(rng, (*PAINTS, *_CLOTHES))).ball(
            (x + lean, 0, head + 0.03), (0.14, 0.13, 0.13), n_around=8, n_up=4
        )
    else:
        mesh.ink(_BLACK).ball((x + lean - 0.01, 0, head + 0.03), (0.11, 0.1, 0.1), n_around=6, n_up=4)


def bicycle(rng: np.random.Generator) -> Model:
    """Draw a bicycle with its rider."""
    mesh = Mesh()
    for x in (-0.33, -1.4):
        mesh.ink((0.08, 0.08, 0.08)).extrude_at(
            [(x + 0.33 * np.cos(a), 0.33 + 0.33 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)],
            0,
            0.03,
        )
        mesh.ink((0.6, 0.6, 0.6)).extrude_at(
            [(x + 0.26 * np.cos(a), 0.33 + 0.26 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 8, endpoint=False)],
            0,
            0.034,
        )
    mesh.ink((1, 1, 1), paint=1.0)
    hub, seat, head, pedals = (-1.4, 0, 0.33), (-1.1, 0, 0.82), (-0.52, 0, 0.98), (-0.9, 0, 0.32)
    for start, end in ((hub, seat), (seat, head), (pedals, head), ((-0.33, 0, 0.33), head), (hub, pedals)):
        mesh.limb(start, end, 0.025)
    mesh.ink(_BLACK).box((-0.6, -0.5), (-0.28, 0.28), (0.98, 1.03))
    _rider(mesh, rng, -1.1, 0.88, is_driver=True, has_cape=False)
    return Model(
        vehicle_class=VehicleClass.BICYCLE, vertices=mesh.vertices(), length_m=1.73, width_m=0.6, height_m=1.75
    )


def pedestrian(rng: np.random.Generator) -> Model:
    """Draw somebody who walks."""
    mesh = Mesh()
    stride, tall = rng.uniform(0.05, 0.3), rng.uniform(1.5, 1.8)
    hips = 0.5 * tall
    mesh.ink(_pick(rng, _CLOTHES))
    for side in (-1, 1):
        mesh.limb((-0.25, side * 0.1, hips), (-0.25 + side * stride, side * 0.1, 0.04), 0.08)
    mesh.ink(_pick(rng, _CLOTHES))
    mesh.box((-0.36, -0.14), (-0.2, 0.2), (hips - 0.05, 0.83 * tall), taper=0.02)
    for side in (-1, 1):
        mesh.limb((-0.25, side * 0.24, 0.8 * tall), (-0.25 - side * 0.7 * stride, side * 0.27, 0.45 * tall), 0.05)
    mesh.ink(_SKIN).ball((-0.25, 0, 0.92 * tall), (0.1, 0.09, 0.13), n_around=8, n_up=5)
    mesh.ink(_BLACK).ball((-0.27, 0, 0.95 * tall), (0.11, 0.1, 0.1), n_around=8, n_up=4)
    return Model(
        vehicle_class=VehicleClass.PEDESTRIAN, vertices=mesh.vertices(), length_m=0.5, width_m=0.6, height_m=tall
    )


MAKERS: dict[VehicleClass, Callable[[np.random.Generator], Model]] = {
    VehicleClass.MOTORCYCLE: motorcycle,
    VehicleClass.BICYCLE: bicycle,
    VehicleClass.CAR: car,
    VehicleClass.BUS: bus,
    VehicleClass.TRUCK: truck,
    VehicleClass.PEDESTRIAN: pedestrian,
}


def fleet(seed: int, n_of_each: int = 8) -> list[Model]:
    """Return `n_of_each` models of every class, the same for the same seed."""
    rng = np.random.default_rng([seed, 0xF1EE7])
    return [make(rng) for make in MAKERS.values() for _ in range(n_of_each)]


def _ends(mesh: Mesh, length: float, width: float, height: float) -> None:
    """Add tail lamps and headlamps."""
    for side in (-1, 1):
        y = side * 0.36 * width
        mesh.ink(_RED, glow=1.0).box(
            (-length - 0.02, -length + 0.08), (y - 0.16, y + 0.16), (height - 0.1, height + 0.1)
        )
        mesh.ink(_WHITE, glow=1.0).box((-0.1, 0.02), (y - 0.17, y + 0.17), (height - 0.12, height + 0.06))
