"""SUMO's network tools as plain functions: netconvert and netgenerate out of process, programs into a network.

The files that come out carry no dates and no paths, so that the same input gives the same bytes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from xml.etree.ElementTree import Element, tostring

from sim.netfile import Program
from traffic.errors import BadScenario, MissingTool
from traffic.ids import JunctionId

_PROGRAM = re.compile(r'    <tlLogic id="([^"]+)".*?</tlLogic>\n', re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)


def find_tool(name: str) -> Path:
    """Return the path of one of SUMO's programs: that of the `sumo` package, else what PATH has.

    Raises
    ------
    MissingTool
        If there is none.
    """
    spec = find_spec("sumo")
    places = [Path(place) / "bin" for place in (spec.submodule_search_locations or ())] if spec else []
    found = shutil.which(name, path=":".join(map(str, [*places, Path(sys.executable).parent]))) or shutil.which(name)
    if found is None:
        raise MissingTool(name, "not found", next_move="pip install eclipse-sumo")
    return Path(found)


def run_tool(name: str, arguments: Sequence[str | Path]) -> None:
    """Run one of SUMO's programs; its first error line becomes ours.

    Raises
    ------
    BadScenario
        If the program refuses its input.
    """
    command = [str(find_tool(name)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        raise BadScenario(name, lines[0] if lines else f"exit {done.returncode}", next_move="mend its input")


def convert(arguments: Sequence[str | Path], network: Path, *, tool: str = "netconvert") -> None:
    """Make `network` with netconvert or netgenerate and strip what would differ from run to run."""
    run_tool(tool, [*arguments, "--output-file", network])
    text = network.read_text(encoding="utf-8")
    network.write_text(_COMMENT.sub("", text), encoding="utf-8")


def convert_plain(roots: Mapping[str, Element], options: Sequence[str], network: Path) -> None:
    """Make `network` from plain XML: `roots` holds `node`, `edge` and `connection`. Nothing turns round."""
    with tempfile.TemporaryDirectory() as folder:
        arguments: list[str | Path] = []
        for kind, root in roots.items():
            path = Path(folder) / f"{kind}.xml"
            path.write_bytes(tostring(root, encoding="utf-8"))
            arguments += [f"--{kind}-files", path]
        convert([*arguments, "--no-turnarounds", "true", *options], network)


def set_programs(network: Path, programs: Iterable[Program]) -> None:
    """Replace the `tlLogic` of each program's junction in a network file by that program.

    Raises
    ------
    BadScenario
        If the network has no signal for one of them.
    """
    text = network.read_text(encoding="utf-8")
    wanted = {program.junction: program for program in programs}
    missing = sorted(set(wanted) - {match.group(1) for match in _PROGRAM.finditer(text)})
    if missing:
        raise BadScenario(str(network), ", ".join(missing), "no signal with that id", "name the network's own signals")

    def swap(match: re.Match[str]) -> str:
        program = wanted.get(JunctionId(match.group(1)))
        return match.group(0) if program is None else program_xml(program)

    network.write_text(_PROGRAM.sub(swap, text), encoding="utf-8")


def program_xml(program: Program) -> str:
    """Return a `tlLogic` as netconvert writes it."""
    rows = "".join(f'        <phase duration="{row.duration_s:g}" state="{row.lamps}"/>\n' for row in program.intervals)
    head = f'id="{program.junction}" type="{program.kind}" programID="0" offset="{program.offset_s:g}"'
    return f"    <tlLogic {head}>\n{rows}    </tlLogic>\n"
