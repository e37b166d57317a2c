"""The data dictionary: every key that `--json` prints, with its type, unit, sign and meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of one command's result; `rows[].x` stands for x in every row."""

    command: str
    name: str
    type: str
    unit: str
    sign: str
    meaning: str


def _keys(command: str, *rows: tuple[str, str, str, str, str]) -> tuple[Key, ...]:
    """Return the keys of one command; each row is name, type, unit, sign, meaning."""
    return tuple(
        Key(command=command, name=name, type=type_, unit=unit, sign=sign, meaning=meaning)
        for name, type_, unit, sign, meaning in rows
    )


ERROR = _keys(
    "every command, on exit 1",
    ("error.kind", "text", "", "", "class of the error, named by what the caller can do"),
    ("error.where", "text", "", "", "file, option or thing that is at fault"),
    ("error.value", "text or null", "", "", "value that was found there"),
    ("error.limit", "text", "", "", "what the value should have been"),
    ("error.next", "text", "", "", "what to do now"),
)

TEST = _keys(
    "test",
    ("passed", "integer", "tests", ">= 0", "tests that passed"),
    ("failed", "integer", "tests", ">= 0", "tests that failed or could not be run; a skipped test counts as failed"),
    ("deselected", "integer", "tests", ">= 0", "tests on real data, left out without --data"),
    ("wall_s", "number", "s", ">= 0", "wall time of the whole run"),
)

COUNT = _keys(
    "count",
    ("video", "text", "", "", "the video or folder of images, as given"),
    ("rows[].line", "text", "", "", "name of the counting line in the camera file"),
    ("rows[].direction", "text", "", "", "name of the direction over the line in the camera file"),
    ("rows[].class", "text", "", "", "motorcycle, bicycle, car, bus, truck or pedestrian"),
    ("rows[].count", "integer", "road users", ">= 0", "road users of the class that crossed, over the whole video"),
    ("fps_per_core", "number", "frames/s", "> 0", "frames looked at per CPU second, decode to count, without loading"),
    ("partial", "true or false", "", "", "whether the video broke off or was interrupted; the counts stop there"),
    ("out", "text", "", "", "folder with the tables, crossings and pictures"),
)

DICTIONARY: tuple[Key, ...] = ERROR + TEST + COUNT


def keys_of(command: str) -> Iterator[Key]:
    """Yield the keys of one command."""
    return (key for key in DICTIONARY if key.command == command)
