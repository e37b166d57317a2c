"""The data dictionary as a page: `python -m ops.keys_page > docs/keys.md`."""

from __future__ import annotations

import sys
from itertools import groupby

from ops.keys import DICTIONARY, Key

HEAD = """\
# The keys of `--json`

Every command takes `--json`; stdout is then exactly one line of JSON, and an unknown number is `null`. On exit 1 the
line is `{"error": {...}}`. `rows[].x` stands for the key `x` in every row of the list `rows`.

This page is made by `python -m ops.keys_page > docs/keys.md` from `ops/keys.py`.
"""


def keys_page() -> str:
    """Return the whole page, a table for each command."""
    return HEAD + "".join(_table(command, list(keys)) for command, keys in groupby(DICTIONARY, lambda key: key.command))


def _table(command: str, keys: list[Key]) -> str:
    title = command if "," in command else f"`{command}`"
    lines = [f"\n## {title}\n", "| key | type | unit | sign | meaning |", "|---|---|---|---|---|"]
    lines += [f"| `{key.name}` | {key.type} | {key.unit} | {key.sign} | {_cell(key.meaning)} |" for key in keys]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(keys_page())
