"""A camera over a simulated street: poses in, frames out, with the truth of every line beside it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from traffic.counts import VehicleClass, counted_as
from traffic.network import Network, Point
from traffic.ports import Pose
from vision.boxes import FloatArray
from vision.camera import CountLine
from vision.projection import Mount
from vision.source import Image
from vision.synthetic.render import Placed, Renderer
from vision.synthetic.street import road_map, street_mesh
from vision.synthetic.vehicles import PAINTS, fleet
from vision.synthetic.weather import Weather, through_air
from vision.zones import Gate

_REACH_M = 160.0
_NEAR_M = 140.0
_INTO_EXIT_M = 6.0
"""How far into its exit a road user must be for its movement to be made."""
_STRETCH = (0.85, 1.2)
"""How far a mesh may be stretched to the length that the simulation has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One frame: pixels as they come out of the wire, who was there, and the outline of each, shape (n, 4)."""

    image: Image
    poses: tuple[Pose, ...]
    outlines: FloatArray


class SyntheticCamera:
    """Draws one street from one mount.

    Parameters
    ----------
    network
        Whose lanes are drawn.
    mount
        Where the camera hangs.
    weather
        Light, air, lens and wire.
    seed
        Of houses, trees, fleet, paint and noise: none of them are those of another seed.

    Raises
    ------
    MissingTool
        If there is no headless EGL.
    """

    def __init__(self, network: Network, mount: Mount, weather: Weather, seed: int) -> None:
        self.mount, self.weather, self._seed = mount, weather, seed
        reach = mount.height_m / np.tan(max(mount.pitch_rad, 0.05))
        self._middle: Point = (
            mount.x_m + float(min(reach, 60.0) * np.cos(mount.heading_rad)),
            mount.y_m + float(min(reach, 60.0) * np.sin(mount.heading_rad)),
        )
        street = street_mesh(road_map(network, self._middle, _REACH_M), self._middle, seed, reach_m=_REACH_M,
                             clear_of=(mount.x_m, mount.y_m))  # fmt: skip
        self._models = fleet(seed, n_of_each=10)
        self._by_class = {name: [i for i, model in enumerate(self._models) if model.vehicle_class is name]
                          for name in VehicleClass}  # fmt: skip
        self._renderer = Renderer(mount.size, self._models, street.ground, street.things)
        self._rng = np.random.default_rng([seed, 0xA12])

    def look(self, poses: Sequence[Pose]) -> View:
        """Return the next frame of road users at these poses."""
        x, y = self._middle
        near = tuple(pose for pose in poses if np.hypot(pose.x_m - x, pose.y_m - y) < _NEAR_M)
        users = [self._placed(pose) for pose in near]
        picture = self._renderer.draw(self.mount, users, self.weather.light, has_boxes=False)
        return View(image=through_air(picture.image, self.weather, self._rng), poses=near, outlines=picture.outlines)

    def close(self) -> None:
        """Let go of the renderer."""
        self._renderer.close()

    def _placed(self, pose: Pose) -> Placed:
        """Return how a road user is drawn: always the same for the same id."""
        dice = zlib.crc32(f"{self._seed}:{pose.id}".encode())
        options = self._by_class[counted_as(pose.vehicle_class)]
        model = options[dice % len(options)]
        stretch = float(np.clip(pose.length_m / self._models[model].length_m, *_STRETCH))
        paint = PAINTS[dice // 64 % len(PAINTS)]
        return Placed(model=model, x_m=pose.x_m, y_m=pose.y_m, heading_rad=pose.heading_rad, paint=paint,
                      scale=(stretch, 1.0))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueEvent:
    """A road user that crossed a line: what a perfect finder and tracker would count."""

    line: str
    is_to_right: bool
    vehicle_class: VehicleClass
    time_s: float
    speed_kph: float


class LineTruth:
    """Counts over lines from true outlines: the middle of the lower edge, as the counter takes it."""

    def __init__(self, lines: Sequence[CountLine]) -> None:
        self._lines = tuple(lines)
        self._gates: dict[str, tuple[Gate, ...]] = {}
        self.events: list[TrueEvent] = []

    def see(self, time_s: float, view: View) -> None:
        """Take the next frame."""
        present = {pose.id for pose in view.poses}
        self._gates = {name: gates for name, gates in self._gates.items() if name in present}
        for pose, box in zip(view.poses, view.outlines, strict=True):
            gates = self._gates.setdefault(pose.id, tuple(Gate(line=line) for line in self._lines))
            anchor = (float(box[0] + box[2]) / 2, float(box[3]))
            if abs(anchor[0]) > 1e4 or box[2] - box[0] > 1e4:
                continue
            for gate in gates:
                passed = gate.move(time_s, anchor, 0.5)
                if passed is not None:
                    self.events.append(
                        TrueEvent(line=gate.line.name, is_to_right=passed.is_to_right, time_s=passed.time_s,
                                  vehicle_class=counted_as(pose.vehicle_class), speed_kph=3.6 * pose.speed_mps)
                    )  # fmt: skip


class TurnTruth:
    """Turning movements from where road users are: from an approach's lane to an exit's, dated at the stop line."""

    def __init__(self, turns: Iterable[tuple[str, str]]) -> None:
        self._turns = frozenset(turns)
        self._entries = frozenset(entry for entry, _ in self._turns)
        self._left: dict[str, tuple[str, float]] = {}
        self.events: list[tuple[str, str, VehicleClass, float]] = []

    def see(self, time_s: float, poses: Iterable[Pose]) -> None:
        """Take where everybody is now; one that was on its approach already when it was first seen counts, too."""
        for pose in poses:
            link = pose.lane.rpartition("_")[0]
            if link in self._entries:
                self._left[pose.id] = (link, time_s)
            elif pose.id in self._left and pose.lane_position_m > _INTO_EXIT_M:
                entry, left_s = self._left[pose.id]
                if (entry, link) in self._turns:
                    self.events.append((entry, link, counted_as(pose.vehicle_class), left_s))
                    del self._left[pose.id]
