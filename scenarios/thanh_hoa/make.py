"""Make everything in this folder again: `python3 scenarios/thanh_hoa/make.py`. The same bytes every time.

The tables stand in layout.py; vn_types.add.xml and scenario.toml are written by hand.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from flows import historic_flows, movements, turning_flows  # noqa: E402
from layout import BEGIN_S, HISTORIC_SEED, LANE_M, MCU, PERIOD_S, PLACES  # noqa: E402
from picture import draw  # noqa: E402
from roads import build, link_turns, path_lengths  # noqa: E402
from timing import Counts, installed  # noqa: E402

from control.guard import street_limits  # noqa: E402
from control.plan.corridor import common_cycle_plans, with_progression  # noqa: E402
from control.plan.lane_flows import SaturationFlow  # noqa: E402
from control.plan.webster import WebsterSettings  # noqa: E402
from sim.netconvert import set_programs  # noqa: E402
from sim.network import read_network  # noqa: E402
from sim.programs import program_of_plan  # noqa: E402
from sim.route_files import expand_flows, write_trips  # noqa: E402
from traffic.camera_sites import CameraSite, write_cameras  # noqa: E402
from traffic.count_files import write_counts  # noqa: E402
from traffic.counts import TurnCount, VehicleClass  # noqa: E402
from traffic.ids import JunctionId, MovementId  # noqa: E402
from traffic.saved import write_signals  # noqa: E402
from traffic.scenario import ScenarioFile  # noqa: E402
from traffic.signals import Junction, Plan  # noqa: E402


def main(folder: Path = HERE) -> None:
    """Make network, signals, counts, demand, cameras and picture."""
    network = folder / "thanh_hoa.net.xml"
    build(network)
    rng = np.random.default_rng(HISTORIC_SEED)
    flows = historic_flows(rng)
    counts = turning_flows(flows)
    junctions, plans = signals(network, counts)
    set_programs(network, [program_of_plan(junctions[name], plan) for name, plan in plans.items()])
    write_signals(folder / "signals.json", junctions.values(), list(plans.values()), made_by="make.py of thanh_hoa")
    write_counts(folder / "counts.csv", count_rows(counts))
    write_cameras(folder / "cameras.toml", cameras())
    n_vehicles = write_trips(
        folder / "thanh_hoa.rou.xml", expand_flows(flows, begin_s=BEGIN_S, period_s=PERIOD_S, rng=rng)
    )
    draw(folder / "map.svg")
    for name, plan in plans.items():
        parts = {int(row.phase): row.split_s for row in plan.split.splits}
        print(f"{name}: cycle {plan.pattern.cycle_s} s, offset {plan.pattern.offset_s} s, splits {parts}")
    print(f"{n_vehicles} vehicles")


def signals(network_file: Path, counts: Counts) -> tuple[dict[JunctionId, Junction], dict[JunctionId, Plan]]:
    """Return what is installed, and the old plan: the method of `control.plan.corridor` on the historic peak."""
    network = read_network(network_file)
    turns, paths = link_turns(network_file), path_lengths(network_file)
    junctions = {}
    for name, crossing in network.crossings.items():
        longest_m = max(length for key, length in paths.items() if key[0] == name)
        bare = installed(str(name), turns[str(name)], longest_m)
        junctions[name] = replace(bare, conflicts=crossing.conflicts, permissive=crossing.permissive)
    saved = ScenarioFile.model_validate(tomllib.loads((HERE / "scenario.toml").read_text(encoding="utf-8")))
    limits = street_limits(saved.guard, saved.clearance)
    assert saved.sat_flow_per_m is not None
    settings = WebsterSettings(
        saturation=SaturationFlow(base_vphpl=saved.sat_flow_per_m * LANE_M), max_cycle_s=saved.guard.max_cycle_s
    )
    plans = common_cycle_plans(network, junctions, peak_mcu_h(counts), settings, limits)
    return junctions, with_progression(network, junctions, plans, tuple(map(JunctionId, saved.corridor)))


def peak_mcu_h(counts: Counts) -> dict[MovementId, float]:
    """Return the flow per movement in MCU/h, the mean of the two busiest quarters of an hour."""
    flows: dict[MovementId, float] = {}
    for (movement, kind), flows_vph in counts.items():
        peak = sum(flows_vph[1:3]) / 2
        flows[movement] = flows.get(movement, 0.0) + MCU[kind] * peak
    return flows


def count_rows(counts: Counts) -> list[TurnCount]:
    """Return the historic counts: whole vehicles per movement, class and quarter of an hour."""
    return [
        TurnCount(
            movement=movement,
            vehicle_class=VehicleClass(kind),
            start_s=float(BEGIN_S + PERIOD_S * period),
            period_s=float(PERIOD_S),
            count=round(vph * PERIOD_S / 3600.0),
        )
        for (movement, kind), flows_vph in sorted(counts.items())
        for period, vph in enumerate(flows_vph)
    ]


def cameras() -> list[CameraSite]:
    """Return one camera a junction, which sees all its movements (assumed: no camera of the city is known to us)."""
    return [
        CameraSite(
            id=f"cam_{name}",
            title=title,
            junction=JunctionId(name),
            x_m=x + 12.0,
            y_m=y + 12.0,
            movements=tuple(movement for movement in movements() if movement.startswith(f"{name}:")),
        )
        for name, ((x, y), title) in PLACES.items()
    ]


if __name__ == "__main__":
    main()
