"""Every console example in README and docs is understood by the command line; the quick ones are run."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ops.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLE = re.compile(r"^(?:\$ )?python3 run\.py ((?:.*\\\n)*.*)$", re.MULTILINE)
EXAMPLES = {
    f"{page.name}: {found.group(1)}": shlex.split(found.group(1).split(" #")[0].replace("\\\n", " "))
    for page in PAGES
    for found in EXAMPLE.finditer(page.read_text("utf-8"))
}
QUICK = [words for words in EXAMPLES.values() if words[0] == "scenario" and words[1] in ("list", "show", "check")]


@pytest.mark.parametrize("words", EXAMPLES.values(), ids=EXAMPLES)
def test_a_documented_command_is_understood(words: list[str]) -> None:
    group = typer.main.get_command(app)
    command, rest = group.commands[words[0]], words[1:]
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    assert command.make_context(words[0], rest).params


@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_a_quick_documented_command_works(words: list[str]) -> None:
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)


def test_the_two_commands_of_the_readme_are_there() -> None:
    assert ["demo"] in EXAMPLES.values() and ["test"] in EXAMPLES.values()
    assert QUICK


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
