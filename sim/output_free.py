"""Additional files without outputs: SUMO would write where they say, even outside the run folder."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, tostring

from sim.safe_xml import elements
from traffic.errors import BadScenario

_OUTPUTS = frozenset({"file", "output", "lfile", "dest"})
_INPUTS_OF = frozenset({"vTypeDistribution", "parkingArea"})


def output_free(path: Path, folder: Path) -> Path:
    """Return `path` if nothing in it writes a file, else a copy in `folder` whose outputs go nowhere.

    Raises
    ------
    BadScenario
        If it cannot be read, or includes another file.
    """
    texts, has_output = [], False
    for element in elements(path, ("additional", "add", "routes", "net")):
        if element.tag == "include":
            raise BadScenario(str(path), "<include>", "other files are not followed", "put everything into one file")
        has_output |= _silence(element)
        texts.append(tostring(element, encoding="unicode"))
    if not has_output:
        return path
    copy = folder / f"output_free_{len(list(folder.glob('output_free_*')))}.add.xml"
    copy.write_text("\n".join(["<additional>", *texts, "</additional>", ""]), encoding="utf-8")
    return copy


def _silence(element: Element) -> bool:
    """Send every output of an element and its children to NUL; return whether there was one."""
    found = False
    for row in element.iter():
        if row.tag in _INPUTS_OF:
            continue
        names = set(row.attrib) & _OUTPUTS
        if row.tag == "param" and "file" in row.get("key", ""):
            names.add("value")
        for name in names:
            found = True
            row.set(name, "NUL")
    return found
