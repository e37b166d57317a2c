"""The command line: parses options, prints results; each command's work is in its own module.

Exit status: 0 good, 1 one clear line about our error, 2 usage, 130 interrupted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ops.console import run_command

app = typer.Typer(
    name="run.py",
    help="Ngã Tư: cameras count, a twin judges, a guard checks, a controller obeys.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print exactly one line of JSON on stdout.")]


@app.callback()
def commands() -> None:
    """Make every function below a command of its own, even while there is only one."""


@app.command("test")
def all_tests(
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Add the tests on real data in DIR.")] = None,
    json: Json = False,
) -> None:
    """Set up and pass the tests."""
    from ops.test import run_test

    run_command(lambda: run_test(data=data), as_json=json)


def main() -> None:
    """Run the command that the arguments name."""
    app()
