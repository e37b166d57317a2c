"""Drawn images with labels: random streets, fleets, cameras and weathers, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from traffic.counts import VehicleClass
from vision.source import Image
from vision.synthetic.render import Renderer
from vision.synthetic.scenes import random_road, random_scene
from vision.synthetic.street import street_mesh
from vision.synthetic.vehicles import fleet
from vision.synthetic.weather import drawn_weather, through_air

_SIZES = ((640, 360), (768, 432), (640, 480), (864, 480))
_VIEWS_A_STREET = 20
_REACH_M = 120.0
MIN_SEEN = 0.3
"""Share of a road user that must be seen for it to have a label."""
MIN_SIDE_PX = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An image, its boxes x1 y1 x2 y2 in pixels, shape (n, 4), and their classes."""

    name: str
    image: Image
    boxes: npt.NDArray[np.float32]
    classes: tuple[VehicleClass, ...]


def drawn_images(n: int, seed: int) -> Iterator[Labelled]:
    """Yield n images; a new street, fleet and size of frame every twenty."""
    for first in range(0, n, _VIEWS_A_STREET):
        rng = np.random.default_rng([seed, first])
        number = int(rng.integers(2**31))
        size = _SIZES[int(rng.integers(len(_SIZES)))]
        road, models = random_road(rng), fleet(number, n_of_each=10)
        street = street_mesh(road, (0.0, 0.0), number, reach_m=_REACH_M)
        renderer = Renderer(size, models, street.ground, street.things)
        for view in range(first, min(first + _VIEWS_A_STREET, n)):
            scene, weather = random_scene(rng, road, models, size), drawn_weather(rng)
            picture = renderer.draw(scene.mount, scene.users, weather.light)
            sides = picture.boxes[:, 2:] - picture.boxes[:, :2]
            kept = np.flatnonzero((picture.seen >= MIN_SEEN) & (sides.min(axis=1) >= MIN_SIDE_PX))
            yield Labelled(
                name=f"drawn_{seed}_{view:05d}",
                image=through_air(picture.image, weather, rng),
                boxes=picture.boxes[kept],
                classes=tuple(models[scene.users[i].model].vehicle_class for i in kept),
            )
        renderer.close()
