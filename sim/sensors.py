"""The street's sensors: induction loops that say who passed where, for cameras and the event log.

::

    ====[advance]------------------------[stop]|  junction  |[exit]====>
        150 m or as far as the lane goes    1 m               2 m

A vehicle seen at a stop loop and then at an exit loop of the same junction has made that
movement. Loops see vehicles one by one even where motorcycles ride abreast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from traffic.counts import Passage, VehicleClass, counted_as
from traffic.ids import JunctionId, LaneId, LinkId
from traffic.network import Network, movement_id

ADVANCE_M = 150.0
"""As far as a detector zone reaches (design): a queue that is shorter hides no arrival."""
STOP_M = 1.0
EXIT_M = 2.0


def counted_classes(network: Network) -> dict[str, VehicleClass]:
    """Return the class that each vehicle type of the network is counted as."""
    return {name: counted_as(row.vehicle_class) for name, row in network.vehicle_types.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """A vehicle's front came onto a loop of an approach: `place` is "advance" or "stop"."""

    time_s: float
    junction: JunctionId
    approach: LinkId
    place: str


@dataclass(frozen=True, slots=True)
class _Loop:
    junction: JunctionId
    link: LinkId
    place: str


class Sensors:
    """Loops on every approach and exit of every signalised junction, read once a step."""

    def __init__(self, network: Network) -> None:
        self._movements = network.movements
        self._loops: dict[str, tuple[_Loop, ...]] = {}
        self._where: dict[str, tuple[LaneId, float]] = {}
        for crossing in network.crossings.values():
            for approach in crossing.approaches:
                for lane in approach.lanes:
                    length_m = network.lanes[lane].length_m
                    self._add(_Loop(crossing.id, approach.link, "stop"), lane, length_m - STOP_M)
                    self._add(_Loop(crossing.id, approach.link, "advance"), lane, length_m - ADVANCE_M)
        for junction, link in dict.fromkeys((m.junction, m.exit) for m in network.movements.values()):
            for lane in network.links[link].lanes:
                self._add(_Loop(junction, link, "exit"), lane, min(EXIT_M, network.lanes[lane].length_m / 2))
        self._at_stop: dict[tuple[JunctionId, str], tuple[float, LinkId]] = {}
        self._class_of_type: dict[str, VehicleClass] = {}

    def _add(self, loop: _Loop, lane: LaneId, position_m: float) -> None:
        name = f"{loop.place}:{lane}"
        self._loops[name] = (*self._loops.get(name, ()), loop)
        self._where[name] = (lane, max(0.1, position_m))

    def advance_m(self, network: Network, approach: LinkId) -> float:
        """Return how far the advance loops of an approach lie before its stop line, metres."""
        shortest_m = min(network.lanes[lane].length_m for lane in network.links[approach].lanes)
        return min(ADVANCE_M, shortest_m - 0.1)

    def write_additional(self, path: Path) -> None:
        """Write the loops as a SUMO additional file."""
        rows = (
            f"  <inductionLoop id={quoteattr(name)} lane={quoteattr(lane)} "
            f'pos="{position_m:.2f}" period="1000000" file="NUL"/>\n'
            for name, (lane, position_m) in self._where.items()
        )
        path.write_text("<additional>\n" + "".join(rows) + "</additional>\n", encoding="utf-8")

    def read(self, sumo: Any, step_s: float) -> tuple[list[Pulse], list[Passage]]:
        """Return what came onto the loops in the step that has just ended, in order of time."""
        now = sumo.simulation.getTime()
        began = now - step_s
        n_vehicles, vehicles = sumo.inductionloop.getLastStepVehicleNumber, sumo.inductionloop.getVehicleData
        pulses: list[Pulse] = []
        passages: list[Passage] = []
        for name, loops in self._loops.items():
            if not n_vehicles(name):
                continue
            for vehicle, _, entered_s, _, type_id in vehicles(name):
                if entered_s < began:
                    continue
                for loop in loops:
                    if loop.place == "exit":
                        passages += self._leave(sumo, loop, vehicle, type_id)
                    else:
                        pulses.append(self._pulse(loop, vehicle, entered_s))
        pulses.sort(key=lambda pulse: pulse.time_s)
        passages.sort(key=lambda passage: passage.time_s)
        return pulses, passages

    def _pulse(self, loop: _Loop, vehicle: str, entered_s: float) -> Pulse:
        if loop.place == "stop":
            self._at_stop[loop.junction, vehicle] = (entered_s, loop.link)
        return Pulse(time_s=entered_s, junction=loop.junction, approach=loop.link, place=loop.place)

    def _leave(self, sumo: Any, loop: _Loop, vehicle: str, type_id: str) -> Sequence[Passage]:
        seen = self._at_stop.pop((loop.junction, vehicle), None)
        if seen is None:
            return ()
        crossed_s, approach = seen
        movement = movement_id(loop.junction, approach, loop.link)
        if movement not in self._movements:
            return ()
        vehicle_class = self._class(sumo, type_id)
        return (Passage(time_s=crossed_s, vehicle=vehicle, vehicle_class=vehicle_class, movement=movement),)

    def _class(self, sumo: Any, type_id: str) -> VehicleClass:
        if type_id not in self._class_of_type:
            sumo_class = sumo.vehicletype.getVehicleClass(type_id)
            self._class_of_type[type_id] = counted_as(sumo_class)
        return self._class_of_type[type_id]
