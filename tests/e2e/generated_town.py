"""A generated 2 x 2 grid of signals with flows: what the tests of the twin run on."""

from __future__ import annotations

from pathlib import Path

from sim.netconvert import convert
from traffic.scenario import Scenario

BEGIN_S = 57.0
"""Not a multiple of the cycle."""


def make_scenario(folder: Path, *, end_s: float = 657.0) -> Scenario:
    """Write a network whose second edges are split, and flows from every side; return the scenario."""
    plain = folder / "grid.net.xml"
    shape = ["--grid", "--grid.number", "2", "--grid.length", "160", "--grid.attach-length", "120"]
    signals = ["--default-junction-type", "traffic_light", "--default.lanenumber", "2", "--no-turnarounds", "true"]
    convert([*shape, *signals, "--seed", "1"], plain, tool="netgenerate")
    ways = [
        ("left0A0", "B0right0"),
        ("left1A1", "B1right1"),
        ("bottom0A0", "A1top0"),
        ("top1B1", "B0bottom1"),
        ("right0B0", "A1left1"),
    ]
    flows = "\n".join(
        f'<flow id="f{n}" begin="{BEGIN_S}" end="{end_s}" vehsPerHour="{300 + 40 * n}" from="{start}" to="{goal}" '
        'departLane="best" departSpeed="max"/>'
        for n, (start, goal) in enumerate(ways)
    )
    routes = folder / "grid.rou.xml"
    routes.write_text(f"<routes>\n{flows}\n</routes>\n", encoding="utf-8")
    return Scenario(
        name="generated",
        title="generated",
        folder=folder,
        network=plain,
        routes=(routes,),
        begin_s=BEGIN_S,
        end_s=end_s,
    )
