"""SUMO whose signals somebody else times: what is shown stays until `set_lamps`, and is remembered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sim.heads import Moment
from sim.launch import Launch, Simulation, launch
from traffic.errors import PlantLost
from traffic.ids import JunctionId
from traffic.network import Network
from traffic.ports import Pose


class LampStreet:
    """One run of a street in one process, step by step. Fills `Lamps` and `Scene`."""

    def __init__(self, what: Launch, network: Network, folder: Path) -> None:
        self.network = network
        self.simulation: Simulation = launch(what, folder)
        self._sumo, self._step_s = self.simulation.sumo, what.step_s
        self.history: dict[JunctionId, list[Moment]] = {name: [] for name in network.crossings}

    @property
    def time_s(self) -> float:
        """The street's clock, seconds."""
        return self.simulation.time_s

    @property
    def trips(self) -> Path:
        """The trip records, whole once the street is closed."""
        return self.simulation.trips

    def step(self) -> None:
        """Simulate one step under the lamps shown."""
        self.simulation.step(round(self.simulation.time_s + self._step_s, 6))

    def set_lamps(self, junction: JunctionId, lamps: str) -> None:
        """Show this lamp string from now on."""
        shown = self.history[junction]
        if not shown or shown[-1][1] != lamps:
            self._sumo.trafficlight.setRedYellowGreenState(junction, lamps)
            shown.append((self.time_s, lamps))

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
        self.simulation.close()

    def __enter__(self) -> Self:
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
