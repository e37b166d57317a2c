"""Make everything in this folder again: `python3 scenarios/arterial/make.py`. The same bytes every time."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from sim.lattice import Lattice, Street, build_lattice  # noqa: E402
from sim.netconvert import set_programs  # noqa: E402
from sim.netfile import Program, read_netfile  # noqa: E402
from sim.network import read_network  # noqa: E402
from sim.route_files import write_trips  # noqa: E402
from sim.walks import Walks, gates_in, walk_trips  # noqa: E402

SIGNALS = "--tls.cycle.time 90 --tls.yellow.time 4 --tls.allred.time 2 --tls.left-green.time 8"
ARTERIAL = Street(n_lanes=3, speed_mps=13.89, spacing_m=350.0)
AVENUE = Street(n_lanes=2, speed_mps=11.11, spacing_m=200.0)
TOWN = Lattice(columns=4, rows=4, east_west=ARTERIAL, north_south=AVENUE, options=SIGNALS.split())
SEED = 4
SPAN_S = (0.0, 3600.0)
EASTBOUND_VPH, WESTBOUND_VPH, AVENUE_VPH = 640.0, 420.0, 170.0
ARTERIAL_GREEN_S, AVENUE_GREEN_S, STAGGER_S = 33.0, 21.0, 30.0
"""Through greens, and the offset from one avenue to the next eastwards: about 350 m at 42 km/h."""
WALKS = Walks(shares={"r": 0.06, "s": 0.88, "l": 0.06})


def main(folder: Path = HERE) -> None:
    """Make network and demand: arterials run west-east, avenues across them."""
    build_lattice(TOWN, folder / "arterial.net.xml")
    programs = read_netfile(folder / "arterial.net.xml").programs.values()
    set_programs(folder / "arterial.net.xml", [favour(program) for program in programs])
    network = read_network(folder / "arterial.net.xml", [HERE / "car.add.xml"])
    by_side = {"w": EASTBOUND_VPH, "e": WESTBOUND_VPH, "n": AVENUE_VPH, "s": AVENUE_VPH}
    flows = {gate: by_side[gate[0]] for gate in gates_in(network)}
    trips = walk_trips(network, flows, SPAN_S, WALKS, np.random.default_rng(SEED))
    print(f"{len(network.crossings)} signals, {write_trips(folder / 'arterial.rou.xml', trips)} vehicles")


def favour(program: Program) -> Program:
    """Return netconvert's program with the arterial's through green longer than the avenue's, staggered eastwards."""
    rows = list(program.intervals)
    through = [k for k, row in enumerate(rows) if row.lamps.count("G") > 2 and "y" not in row.lamps]
    widest = max(through, key=lambda k: rows[k].lamps.count("G"))
    for k in through:
        rows[k] = replace(rows[k], duration_s=ARTERIAL_GREEN_S if k == widest else AVENUE_GREEN_S)
    start_s = sum(row.duration_s for row in rows[:widest])
    column = ord(program.junction[0]) - ord("A")
    cycle_s = sum(row.duration_s for row in rows)
    return replace(program, intervals=tuple(rows), offset_s=(column * STAGGER_S - start_s) % cycle_s)


if __name__ == "__main__":
    main()
