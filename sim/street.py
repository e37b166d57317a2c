"""A simulated street: SUMO whose signals somebody else times, with sensors that say who passed.

It fills `Lamps` and `Scene`. It never times a signal itself: what is shown stays until `set_lamps`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from sim.launch import Launch, launch
from sim.sensors import Pulse, Sensors
from traffic.counts import Passage
from traffic.errors import PlantLost
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.ports import Pose


class Street:
    """One run of a street in one process, step by step."""

    def __init__(self, what: Launch, network: Network, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.network, self.sensors = network, Sensors(network)
        loops = folder / "loops.add.xml"
        self.sensors.write_additional(loops)
        self._simulation = launch(replace(what, additional=(*what.additional, loops)), folder)
        self._sumo = self._simulation.sumo
        self._step_s = what.step_s
        self._shown: dict[JunctionId, str] = {}

    @property
    def time_s(self) -> float:
        """The street's clock, seconds."""
        return self._simulation.time_s

    @property
    def trips(self) -> Path:
        """The trip records, whole once the street is closed."""
        return self._simulation.trips

    def advance(self) -> tuple[list[Pulse], list[Passage]]:
        """Simulate one step under the lamps shown; return what the sensors saw in it."""
        self._simulation.step(self._simulation.time_s + self._step_s)
        return self.sensors.read(self._sumo, self._step_s)

    def set_lamps(self, junction: JunctionId, lamps: str) -> None:
        """Show this lamp string from now on."""
        if self._shown.get(junction) != lamps:
            self._sumo.trafficlight.setRedYellowGreenState(junction, lamps)
            self._shown[junction] = lamps

    def read_lamps(self, junction: JunctionId) -> str:
        """Return what the signal heads show."""
        if junction not in self.network.crossings:
            raise PlantLost(f"junction {junction}", "not on this street", next_move="mend the inventory")
        return str(self._sumo.trafficlight.getRedYellowGreenState(junction))

    def poses(self) -> Sequence[Pose]:
        """Return all road users now."""
        return [_pose(self._sumo.vehicle, name) for name in self._sumo.vehicle.getIDList()]

    def close(self) -> None:
        """End the run; the trip records are whole after this."""
        self._simulation.close()

    def __enter__(self) -> Street:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _pose(vehicles: Any, name: str) -> Pose:
    x_m, y_m = vehicles.getPosition(name)
    return Pose(
        id=name,
        vehicle_class=vehicles.getVehicleClass(name),
        x_m=x_m,
        y_m=y_m,
        heading_rad=math.radians(90.0 - vehicles.getAngle(name)),
        speed_mps=vehicles.getSpeed(name),
        length_m=vehicles.getLength(name),
        width_m=vehicles.getWidth(name),
        lane=vehicles.getLaneID(name),
        lane_position_m=vehicles.getLanePosition(name),
    )
