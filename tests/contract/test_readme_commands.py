"""README's table of commands is the command line's own list."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from ops.cli import app

README = Path(__file__).resolve().parents[2] / "README.md"
ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def named_in_readme() -> set[str]:
    """Return the commands of the table; `scenario list / show` names two."""
    names = set()
    for cell in ROW.findall(README.read_text("utf-8")):
        words = re.sub(r" (\[?[A-Z]|--).*", "", cell).split(" ", 1)
        inner = words[1].split(" / ") if len(words) == 2 else [""]
        names |= {f"{words[0]} {name}".strip() for name in inner}
    return names


def test_the_table_names_every_command_and_no_other() -> None:
    group = typer.main.get_command(app)
    commands = {
        f"{name} {inner}".strip()
        for name, command in group.commands.items()
        for inner in (getattr(command, "commands", None) or [""])
    }
    assert named_in_readme() == commands
