"""`scenario list` and `scenario show`: what is there, in facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ops.scenario_folder import SCENARIOS, open_scenario
from sim.demand import read_demand
from sim.network import read_network
from traffic.camera_sites import read_cameras
from traffic.count_files import read_counts
from traffic.errors import TrafficError
from traffic.scenario import Scenario

PICTURES = ("map.svg", "map.png")


def run_scenario_list(folder: Path = SCENARIOS) -> dict[str, Any]:
    """Return every scenario of a folder; one that cannot be read is listed with its fault."""
    rows = []
    for path in sorted(place for place in folder.iterdir() if place.is_dir() and not place.name.startswith(("_", "."))):
        try:
            scenario = open_scenario(str(path))
            rows.append({"name": path.name, "title": scenario.title, "schematic": scenario.is_schematic, "state": "ok"})
        except TrafficError as error:
            rows.append({"name": path.name, "title": None, "schematic": None, "state": error.line})
    return {"folder": str(folder), "rows": rows}


def run_scenario_show(name: str) -> dict[str, Any]:
    """Return the facts of one scenario.

    Raises
    ------
    BadScenario
        If it, its network, its demand, its counts or its cameras cannot be read.
    """
    scenario = open_scenario(name)
    network = read_network(scenario.network, scenario.additional)
    demand = read_demand(scenario.routes)
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "schematic": scenario.is_schematic,
        "folder": str(scenario.folder),
        "begin_s": scenario.begin_s,
        "end_s": scenario.end_s,
        "step_s": scenario.step_s,
        "signals": len(network.crossings),
        "movements": len(network.movements),
        "links": len(network.links),
        "lane_km": round(sum(lane.length_m for lane in network.lanes.values()) / 1000.0, 2),
        "departures": sum(scenario.begin_s <= row.depart_s < scenario.end_s for row in demand.departures),
        "flows": len(demand.flows),
        "counts": None if scenario.counts is None else len(read_counts(scenario.counts)),
        "cameras": None if scenario.cameras is None else len(read_cameras(scenario.cameras, network)),
        "picture": _first(scenario, PICTURES),
        "readme": _first(scenario, ("README.md",)),
        "rows": [
            {
                "junction": crossing.id,
                "name": crossing.name,
                "approaches": len(crossing.approaches),
                "links": crossing.n_links,
            }
            for crossing in network.crossings.values()
        ],
    }


def _first(scenario: Scenario, names: tuple[str, ...]) -> str | None:
    return next((str(scenario.folder / name) for name in names if (scenario.folder / name).is_file()), None)
