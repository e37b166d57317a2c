"""Make everything in this folder again: `python3 scenarios/grid/make.py`. The same bytes every time."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from sim.lattice import Lattice, Street, build_lattice  # noqa: E402
from sim.network import read_network  # noqa: E402
from sim.route_files import write_trips  # noqa: E402
from sim.walks import Walks, gates_in, walk_trips  # noqa: E402

SIGNALS = "--tls.cycle.time 90 --tls.yellow.time 4 --tls.allred.time 2 --tls.left-green.time 6"
STREET = Street(n_lanes=3, speed_mps=13.89, spacing_m=250.0)
TOWN = Lattice(columns=4, rows=4, east_west=STREET, north_south=STREET, options=SIGNALS.split())
SEED = 4
SPAN_S = (0.0, 3600.0)
EAST_WEST_VPH, NORTH_SOUTH_VPH = 430.0, 280.0


def main(folder: Path = HERE) -> None:
    """Make network and demand."""
    build_lattice(TOWN, folder / "grid.net.xml")
    network = read_network(folder / "grid.net.xml", [HERE / "car.add.xml"])
    flows = {gate: EAST_WEST_VPH if gate[0] in "ew" else NORTH_SOUTH_VPH for gate in gates_in(network)}
    trips = walk_trips(network, flows, SPAN_S, Walks(), np.random.default_rng(SEED))
    print(f"{len(network.crossings)} signals, {write_trips(folder / 'grid.rou.xml', trips)} vehicles")


if __name__ == "__main__":
    main()
