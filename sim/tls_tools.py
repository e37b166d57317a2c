"""Signal programs by SUMO's own tools, run out of process as a user would: tlsCycleAdaptation, then tlsCoordinator.

The first gives every junction Webster's cycle and splits, the second offsets along the routes. Both read vehicles with
whole routes only, so duarouter makes these of trips and flows before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sim.netconvert import find_tool, run_tool
from traffic.errors import BadScenario, MissingTool
from traffic.scenario import Scenario


def coordinated_programs(
    scenario: Scenario, folder: Path, *, yellow_s: int, min_green_s: int, has_one_cycle: bool
) -> tuple[Path, Path]:
    """Return the additional files of programs and of offsets, to be loaded in this order.

    Parameters
    ----------
    folder
        Where copies of network and routes are put, and what the tools write.
    yellow_s, min_green_s
        What the tools are told, whole seconds; SUMO's own defaults are 4 s each.
    has_one_cycle
        Whether all junctions get the longest of their cycles (`--unified-cycle`), so that offsets hold for ever.

    Raises
    ------
    MissingTool
        If SUMO's tools are not installed.
    BadScenario
        If a tool refuses its input, or finds no junction to make a program for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = Path(shutil.copy(scenario.network, folder / "town.net.xml"))
    routes = folder / "town.rou.xml"
    given: list[str | Path] = ["-n", network, "-r", _names(scenario.routes), "-o", routes]
    if scenario.additional:
        given += ["-a", _names(scenario.additional)]
    period = ["-b", f"{scenario.begin_s:g}", "-e", f"{scenario.end_s:g}"]
    run_tool("duarouter", [*given, *period, "--ignore-errors", "--no-warnings", "--xml-validation", "never"])
    programs, offsets = folder / "programs.add.xml", folder / "offsets.add.xml"
    times = [f"--begin={scenario.begin_s:g}", f"--yellow-time={yellow_s}", f"--min-green={min_green_s}"]
    unified = ["--unified-cycle"] if has_one_cycle else []
    _run("tlsCycleAdaptation.py", ["-n", network, "-r", routes, "-o", programs, *times, *unified])
    if "<tlLogic" not in programs.read_text(encoding="utf-8"):
        raise BadScenario("tlsCycleAdaptation.py", "no program", "it needs vehicles over signals", "leave it out")
    _run("tlsCoordinator.py", ["-n", network, "-r", routes, "-a", programs, "-o", offsets])
    return programs, offsets


def _names(paths: Sequence[Path]) -> str:
    return ",".join(map(str, paths))


def _run(script: str, arguments: Sequence[str | Path]) -> None:
    home = find_tool("sumo").parent.parent
    path = home / "tools" / script
    if not path.is_file():
        raise MissingTool(script, f"not in {path.parent}", next_move="pip install eclipse-sumo")
    done = subprocess.run(
        [sys.executable, str(path), *map(str, arguments)],
        env={**os.environ, "SUMO_HOME": str(home)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise BadScenario(script, lines[-1] if lines else f"exit {done.returncode}", next_move="mend its input")
