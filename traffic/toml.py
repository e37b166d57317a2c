"""Facts as TOML, which the standard library only reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def toml_of(facts: Mapping[str, Any]) -> str:
    """Return facts as TOML, tables and lists of tables last; None is left out.

    Examples
    --------
    >>> print(toml_of({"name": "a", "settings": {"seed": 1}, "lines": [{"lanes": 2}]}), end="")
    name = "a"
    <BLANKLINE>
    [settings]
    seed = 1
    <BLANKLINE>
    [[lines]]
    lanes = 2
    """
    return "\n".join([*_rows(facts, ""), ""])


def _rows(facts: Mapping[str, Any], prefix: str) -> list[str]:
    """Return the lines of one table, and below it those of the tables in it."""
    known = {name: value for name, value in facts.items() if value is not None}
    rows = [f"{_key(name)} = {_value(value)}" for name, value in known.items() if not _tables(value)]
    for name, value in known.items():
        path = f"{prefix}{_key(name)}"
        head = f"[{path}]" if isinstance(value, Mapping) else f"[[{path}]]"
        for table in _tables(value):
            rows += ["", head, *_rows(table, f"{path}.")]
    return rows


def _tables(value: Any) -> list[Mapping[str, Any]]:
    """Return the tables that a value is, none if it is plain."""
    if isinstance(value, Mapping):
        return [value]
    return list(value) if isinstance(value, list) and value and isinstance(value[0], Mapping) else []


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else json.dumps(name)


def _value(value: Any) -> str:
    """Return a value in TOML; whole numbers and text are written as JSON writes them."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    text = json.dumps(value if isinstance(value, str | int) else str(value), ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")
