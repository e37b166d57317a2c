"""SUMO program -> model -> virtual controller -> the program's own states, on every network given."""

from __future__ import annotations

from pathlib import Path

import pytest

from control.drivers.cabinet import CabinetSettings, VirtualController
from control.drivers.cabinet_plan import FreeReason
from control.drivers.tables_rows import all_day
from sim.network import read_network
from sim.programs import Signals, read_signals
from traffic.ids import JunctionId

NETWORKS = ("arterial4x4", "cologne1", "cologne3", "grid4x4", "ingolstadt1", "ingolstadt7")
SECONDS = 400


def native(signals: Signals, identity: JunctionId, time_s: int) -> str:
    """Return what SUMO's static program shows at an absolute time."""
    program = signals.programs[identity]
    position = (time_s - program.offset_s) % sum(row.duration_s for row in program.intervals)
    for row in program.intervals:
        if position < row.duration_s:
            return row.lamps
        position -= row.duration_s
    raise AssertionError("beyond the cycle")


@pytest.mark.data
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("begin_s", [0, 25_207])
def test_a_controller_shows_what_the_native_program_shows(data_dir: Path, name: str, begin_s: int) -> None:
    net = data_dir / "resco" / name / f"{name}.net.xml"
    network = read_network(net)
    signals = read_signals(net, network)
    for identity, junction in signals.junctions.items():
        plan = signals.plans[identity]
        settings = CabinetSettings(start_ds=begin_s * 10, step_ds=10, has_monitor=False)
        controller = VirtualController(junction, all_day([plan]), settings)
        assert controller.free is FreeReason.NOT_FREE, (identity, controller.free, plan)
        times = range(begin_s, begin_s + SECONDS)
        shown = [controller.tick(time_s * 10, {}) for time_s in times]
        wanted = [native(signals, identity, time_s) for time_s in times]
        assert shown == wanted, identity
