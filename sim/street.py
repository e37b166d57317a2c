"""A simulated street: SUMO whose signals somebody else times, with sensors that say who passed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sim.launch import Launch
from sim.sensors import Pulse, Sensors
from sim.street_lamps import LampStreet
from traffic.counts import Passage
from traffic.network import Network


class Street(LampStreet):
    """A street with induction loops at every approach and exit."""

    def __init__(self, what: Launch, network: Network, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.sensors = Sensors(network)
        loops = folder / "loops.add.xml"
        self.sensors.write_additional(loops)
        super().__init__(replace(what, additional=(*what.additional, loops)), network, folder)

    def advance(self) -> tuple[list[Pulse], list[Passage]]:
        """Simulate one step under the lamps shown; return what the sensors saw in it."""
        self.step()
        return self.sensors.read(self._sumo, self._step_s)
