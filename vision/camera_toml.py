"""A camera file as text."""

from __future__ import annotations

import json
from typing import Any

from vision.camera_file import CameraFile


def camera_toml(saved: CameraFile) -> str:
    """Return a camera file as TOML; what has its default is left out.

    Examples
    --------
    >>> from vision.camera_file import LineFile
    >>> line = LineFile(name="stop line", points=((1, 2), (3, 4)))
    >>> print(camera_toml(CameraFile(version=1, name="a", size=(640, 360), lines=[line])).strip())
    version = 1
    name = "a"
    size = [640, 360]
    <BLANKLINE>
    [[lines]]
    name = "stop line"
    points = [[1.0, 2.0], [3.0, 4.0]]
    """
    facts = saved.model_dump(mode="json", exclude_defaults=True)
    flat = {name: value for name, value in facts.items() if not _is_table(value)}
    text = _pairs({"version": saved.version, **flat})
    for name, value in facts.items():
        if isinstance(value, dict):
            plain = {key: item for key, item in value.items() if not _is_table(item)}
            text += f"\n[{name}]\n{_pairs(plain)}"
            for key, rows in value.items():
                if _is_table(rows):
                    text += "".join(f"\n[[{name}.{key}]]\n{_pairs(row)}" for row in rows)
        elif _is_table(value):
            text += "".join(f"\n[[{name}]]\n{_pairs(row)}" for row in value)
    return text


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _pairs(values: dict[str, Any]) -> str:
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())
