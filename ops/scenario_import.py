"""`scenario import`: a SUMO folder, a SUMO network or an OpenStreetMap extract becomes a scenario folder.

A network alone has no demand: vehicles then walk through it at a flow that somebody assumed, and the
scenario's README says so.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ops.scenario_check import run_scenario_check
from sim.netconvert import convert
from sim.network import read_network
from sim.route_files import Trip, write_trips
from sim.safe_xml import elements
from sim.sumocfg import open_folder
from sim.walks import Walks, gates_in, walk_trips
from traffic.errors import BadInput, BadScenario
from traffic.network import Network
from traffic.scenario import Scenario

OSM = (".osm", ".osm.gz", ".osm.xml", ".osm.xml.gz")
NET = (".net.xml", ".net.xml.gz")
JOIN = ("--tls.join", "true", "--junctions.join", "true", "--no-turnarounds", "true")
FROM_OSM = (
    *("--geometry.remove", "true", "--roundabouts.guess", "true", "--ramps.guess", "true"),
    *("--tls.guess-signals", "true", "--tls.discard-simple", "true", "--tls.default-type", "static"),
    *("--output.street-names", "true", "--keep-edges.by-vclass", "passenger", "--remove-edges.isolated", "true"),
)
CAR = '<additional>\n  <vType id="car" vClass="passenger" tau="1.2"/>\n</additional>\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """Period, and the flow assumed where a network comes without demand: vehicles per hour and gate."""

    begin_s: float = 0.0
    end_s: float = 3600.0
    assumed_vph: float = 200.0
    seed: int = 1


def run_scenario_import(source: Path, out: Path, options: ImportOptions | None = None) -> dict[str, Any]:
    """Make a scenario folder `out` from `source` and check it.

    Raises
    ------
    BadInput
        If `out` is not a new or empty folder with a name of a-z, 0-9 and _, the source is of no known
        kind, or the assumed flow or the period make no sense.
    BadScenario
        If the source cannot be read, has no signals, or no vehicle finds a way through it.
    """
    options = options or ImportOptions()
    _check(source, out, options)
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        if source.is_dir():
            _copy(open_folder(source), out)
        else:
            _build(source, out, options)
        return {"folder": str(out), **run_scenario_check(str(out))}
    except BaseException:
        shutil.rmtree(out)
        if not is_new:
            out.mkdir()
        raise


def _check(source: Path, out: Path, options: ImportOptions) -> None:
    if not source.exists():
        raise BadInput(str(source), "not there", next_move="name a SUMO folder, a .net.xml or an .osm file")
    if not source.is_dir() and not source.name.endswith((*OSM, *NET)):
        known = ", ".join((*OSM, *NET))
        raise BadInput(str(source), source.suffix or "no suffix", f"one of {known}", "convert it first")
    if not re.fullmatch(r"[a-z0-9_]+", out.name):
        raise BadInput(f"folder {out}", out.name, "a name of a-z, 0-9 and _", "choose another name")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"folder {out}", "not empty", "nothing is overwritten", "choose a new folder")
    if not 0.0 < options.assumed_vph <= 10_000.0:
        raise BadInput("assumed flow", f"{options.assumed_vph} veh/h", "above 0, at most 10000", "choose another flow")
    if not 0.0 <= options.begin_s < options.end_s < float("inf"):
        raise BadInput("period", f"{options.begin_s}-{options.end_s} s", "0 <= begin < end", "choose another period")


def _copy(scenario: Scenario, out: Path) -> None:
    """Copy a folder's inputs; its scenario.toml under the new name, or ours in place of its SUMO configuration."""
    optional = [path for path in (scenario.counts, scenario.signals, scenario.cameras) if path]
    for path in (scenario.network, *scenario.routes, *scenario.additional, *optional):
        target = out / path.relative_to(scenario.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    own = scenario.folder / "scenario.toml"
    if own.is_file():
        text = re.sub(r"(?m)^name\s*=.*$", f'name = "{out.name}"', own.read_text(encoding="utf-8"), count=1)
        (out / "scenario.toml").write_text(text, encoding="utf-8")
    else:
        _write_toml(
            out,
            scenario.title,
            network=str(scenario.network.relative_to(scenario.folder)),
            routes=[str(path.relative_to(scenario.folder)) for path in scenario.routes],
            additional=[str(path.relative_to(scenario.folder)) for path in scenario.additional],
            begin_s=scenario.begin_s,
            end_s=scenario.end_s,
        )
    mark = " **It is a SCHEMATIC.**" if scenario.is_schematic else ""
    text = f"Imported from the folder `{scenario.folder.name}`.{mark} Its network and demand are as they were there."
    _write_readme(out, text)


def _build(source: Path, out: Path, options: ImportOptions) -> None:
    """Convert a map or a network, signals joined, and let vehicles walk through it."""
    is_osm = source.name.endswith(OSM)
    for _ in elements(source, ("osm",) if is_osm else ("net",)):
        pass  # SUMO's own parser follows entities: it only sees what ours has read
    kind: list[str | Path] = ["--osm-files", source, *FROM_OSM] if is_osm else ["--sumo-net-file", source]
    network_file = out / f"{out.name}.net.xml"
    convert([*kind, *JOIN], network_file)
    (out / "car.add.xml").write_text(CAR, encoding="utf-8")
    network = read_network(network_file, [out / "car.add.xml"])
    trips = _assumed_trips(network, options)
    if not trips:
        raise BadScenario(str(source), "no way from gate to gate", "roads must lead in and out", "cut another map")
    write_trips(out / f"{out.name}.rou.xml", trips)
    _write_toml(
        out,
        f"{out.name} (imported, demand assumed)",
        network=network_file.name,
        routes=[f"{out.name}.rou.xml"],
        additional=["car.add.xml"],
        begin_s=options.begin_s,
        end_s=options.end_s,
    )
    licence = " Map data (c) OpenStreetMap contributors, ODbL 1.0." if is_osm else ""
    text = (
        f"Imported from `{source.name}` by netconvert, neighbouring signals joined.{licence}\n\n"
        f"**The demand is assumed**: {options.assumed_vph:g} cars an hour at each gate, random turns, seed "
        f"{options.seed}. The signal programs are the source's or netconvert's defaults. Nothing was measured."
    )
    _write_readme(out, text)


def _assumed_trips(network: Network, options: ImportOptions) -> list[Trip]:
    rng, trips = np.random.default_rng(options.seed), []
    walks = Walks(max_links=200)
    for gate in gates_in(network):
        try:
            trips += walk_trips(network, {gate: options.assumed_vph}, (options.begin_s, options.end_s), walks, rng)
        except BadScenario:
            continue  # a stub that cars cannot use, or that leads nowhere
    return sorted(trips)


def _write_toml(out: Path, title: str, **keys: Any) -> None:
    head = {"version": 1, "name": out.name, "title": title}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in (head | keys).items()]
    (out / "scenario.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_readme(out: Path, text: str) -> None:
    (out / "README.md").write_text(f"# {out.name}\n\n{text}\n", encoding="utf-8")
