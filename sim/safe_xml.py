"""Reading a stranger's XML: no entities, no external references, a bound on the size, one line per fault."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from traffic.errors import BadScenario

MAX_BYTES = 500_000_000
"""Largest file that is read, in bytes after decompression."""

_FAULTS = (OSError, EOFError, zlib.error, ParseError, UnicodeError, LookupError, ValueError)


class _Bounded:
    """A binary file that refuses to yield more than `limit` bytes."""

    def __init__(self, file: IO[bytes], path: Path, limit: int) -> None:
        self._file, self._path, self._left, self._limit = file, path, limit, limit

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise BadScenario(
                str(self._path), f"more than {self._limit / 1e6:.0f} MB of XML", "too large to read", "cut it down"
            )
        return block


def elements(path: Path, root: str | tuple[str, ...], *, max_bytes: int = MAX_BYTES) -> Iterator[Element]:
    """Yield the elements right below the root of an XML file (or .gz) one by one; each is emptied after use.

    Parameters
    ----------
    path
        The file.
    root
        Tag, or tags, that the root must have.
    max_bytes
        Largest size after decompression.

    Raises
    ------
    BadScenario
        If the file is missing, empty, truncated, not XML, too large, has another root, or defines entities.
    """
    roots = (root,) if isinstance(root, str) else root
    try:
        with _open(path) as file:
            yield from _children(_Bounded(file, path, max_bytes), path, roots)
    except BadScenario:
        raise
    except DefusedXmlException as error:
        raise BadScenario(str(path), error, "entities and external references are refused", "remove them") from error
    except FileNotFoundError as error:
        raise BadScenario(str(path), "not there", next_move="mend the name") from error
    except _FAULTS as error:
        raise BadScenario(str(path), error, f"must be whole XML with root <{roots[0]}>", "mend the file") from error


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if is_gzip else path.open("rb")


def _children(file: _Bounded, path: Path, roots: tuple[str, ...]) -> Iterator[Element]:
    top: Element | None = None
    depth = 0
    for event, element in iterparse(file, events=("start", "end"), forbid_dtd=False):
        depth += 1 if event == "start" else -1
        if top is None:
            top = element
            if top.tag not in roots:
                raise BadScenario(str(path), f"root <{top.tag}>", f"must be <{roots[0]}>", "mend the file")
        elif event == "end" and depth == 1:
            yield element
            top.clear()


def attribute(element: Element, name: str, where: str) -> str:
    """Return an attribute that must be there."""
    value = element.get(name)
    if value is None:
        raise BadScenario(f"{where}: <{element.tag}>", f"no attribute {name!r}", next_move="mend the file")
    return value


def number(element: Element, name: str, where: str, default: float | None = None) -> float:
    """Return a finite number from an attribute; `default` where it is not there."""
    text = attribute(element, name, where) if default is None else element.get(name)
    if text is None:
        return cast(float, default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadScenario(f"{where}: <{element.tag} {name}>", text, "must be a finite number", "mend the file")
    return value


def points(text: str | None, where: str) -> tuple[tuple[float, float], ...]:
    """Return SUMO's `x,y x,y[,z] ...` as points."""
    try:
        parts = [tuple(float(value) for value in point.split(",")) for point in (text or "").split()]
    except ValueError:
        raise BadScenario(f"{where}: shape", text, "must be x,y pairs", "mend the file") from None
    if any(len(part) < 2 or not all(map(math.isfinite, part)) for part in parts):
        raise BadScenario(f"{where}: shape", text, "must be x,y pairs", "mend the file")
    return tuple((part[0], part[1]) for part in parts)
