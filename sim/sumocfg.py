"""Folders with a scenario: our own scenario.toml, or a SUMO configuration read for its inputs and period only.

SUMO itself follows absolute output paths, external entities and entity bombs in a configuration, so
it never sees one of these: `sim.launch` writes its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sim.safe_xml import elements
from traffic.errors import BadScenario
from traffic.scenario import Scenario, read_scenario

_INPUTS = {
    "net-file": ("net-file", "net", "n"),
    "route-files": ("route-files", "routes", "r"),
    "additional-files": ("additional-files", "additional", "a"),
    "begin": ("begin", "b"),
    "end": ("end", "e"),
}
_NAMES = {name: option for option, names in _INPUTS.items() for name in names}
_SECTIONS = {"input", "time", "output", "processing", "routing", "report", "random_number", "gui_only", "traci_server"}
_IGNORED = {"verbose", "no-step-log", "duration-log.statistics", "duration-log.disable", "no-warnings", "start"}
_IGNORED |= {"gui-settings-file", "xml-validation", "quit-on-end"}
_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+):(\d+(?:\.\d+)?)")


def open_folder(folder: Path) -> Scenario:
    """Return the scenario of a folder: its scenario.toml, else its one .sumocfg.

    Raises
    ------
    BadScenario
        If the folder is not there, holds neither or several, names files outside itself, or its
        configuration sets options of its own.
    """
    if not folder.is_dir():
        if ".." in folder.parts:
            raise BadScenario(f"scenario {folder}", "contains ..", "names go down only", "give the folder's own path")
        raise BadScenario(f"scenario {folder}", "not there", next_move="run: python3 run.py scenario list")
    if (folder / "scenario.toml").is_file():
        return read_scenario(folder)
    found = sorted(folder.glob("*.sumocfg"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "no scenario.toml and no .sumocfg"
        raise BadScenario(f"scenario {folder}", names, "needs exactly one", "add or remove files")
    return read_sumocfg(found[0])


def read_sumocfg(path: Path) -> Scenario:
    """Return the scenario that a SUMO configuration describes; network, routes, additional, begin and end only.

    Raises
    ------
    BadScenario
        If it cannot be read, sets other options, lacks a network, routes or an end, or names files
        that are not in its folder.
    """
    options = _options(path)
    begin_s = _seconds(path, "begin", options.get("begin", "0"))
    if "end" not in options:
        raise BadScenario(str(path), "no end", "needs a period", "add <end value='...'/>")
    end_s = _seconds(path, "end", options["end"])
    if end_s <= begin_s:
        raise BadScenario(str(path), f"end {end_s:g} s", f"must be above begin {begin_s:g} s", "mend the period")
    networks, routes = _files(path, options, "net-file"), _files(path, options, "route-files")
    if len(networks) != 1 or not routes:
        found = f"{len(networks)} networks, {len(routes)} route files"
        raise BadScenario(str(path), found, "needs 1 and at least 1", "name the files")
    folder = path.parent.resolve()
    return Scenario(
        name=path.stem,
        title=path.stem,
        folder=folder,
        network=networks[0],
        routes=routes,
        additional=_files(path, options, "additional-files"),
        begin_s=begin_s,
        end_s=end_s,
    )


def _options(path: Path) -> dict[str, str]:
    options: dict[str, str] = {}
    own: list[str] = []
    for section in elements(path, ("configuration", "sumoConfiguration")):
        rows = list(section) if section.tag in _SECTIONS else [section]
        for row in rows:
            if row.tag in _NAMES:
                options[_NAMES[row.tag]] = row.get("value", row.get("v", ""))
            elif row.tag not in _IGNORED:
                own.append(str(row.tag))
    if own:
        raise BadScenario(
            str(path),
            f"sets {', '.join(own)}",
            f"only {', '.join(_INPUTS)} may be set; everything else is set by the twin",
            "remove them",
        )
    return options


def _files(path: Path, options: Mapping[str, str], option: str) -> tuple[Path, ...]:
    names = [name.strip() for name in options.get(option, "").split(",") if name.strip()]
    folder = path.parent.resolve()
    files = []
    for name in names:
        file = folder / name
        if Path(name).is_absolute() or ".." in Path(name).parts or folder not in file.resolve().parents:
            raise BadScenario(f"{path}: {option}", name, "must lie in the scenario's own folder", "move the file")
        if not file.is_file():
            raise BadScenario(f"{path}: {option}", name, "named but not there", "add the file or mend the name")
        files.append(file)
    return tuple(files)


def _seconds(path: Path, option: str, text: str) -> float:
    """Return seconds from `3600`, `1:00:00` or `1:00:00:00`."""
    clock = _CLOCK.fullmatch(text.strip())
    if clock:
        days, hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return 86400 * days + 3600 * hours + 60 * minutes + seconds
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise BadScenario(f"{path}: {option}", text, "must be seconds or H:M:S, 0 or more", "mend the period")
    return value
