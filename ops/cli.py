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


@app.command()
def count(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="A video file, or a folder of images.")],
    camera: Annotated[Path, typer.Option(metavar="CAMERA.toml", help="Lines, region, classes, period.")],
    weights: Annotated[str | None, typer.Option(help="A .npz, .pt or OpenVINO model, a folder, a name.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the results go.")] = None,
    slit_scan: Annotated[bool, typer.Option(help="Keep the pixels under each line, for audit.")] = True,
    annotate: Annotated[bool, typer.Option("--annotate", help="Keep every frame, drawn on, as a video.")] = False,
    json: Json = False,
) -> None:
    """Count road users in a video: turning movement counts per line, class, direction and period."""
    from ops.count import CountOptions, run_count

    options = CountOptions(has_slit_scan=slit_scan, has_video=annotate)
    run_command(lambda: run_count(video, camera, weights, out, options), as_json=json)


@app.command()
def evaluate(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name under scenarios/, or a folder.")],
    control: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Once per control; differences are to the first.")
    ] = None,
    protocol: Annotated[str, typer.Option(metavar="legacy|safe", help="How stages give way to one another.")] = "safe",
    seeds: Annotated[int, typer.Option(metavar="N", help="Seeds, the same for every control.")] = 5,
    first_seed: Annotated[int, typer.Option(metavar="N", help="Driver seed of the first run.")] = 0,
    demand_seed: Annotated[int, typer.Option(metavar="N", help="0 = the demand file as it is; 100 for claims.")] = 0,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes; as many as cores by default.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the result file goes.")] = Path("runs"),
    json: Json = False,
) -> None:
    """Compare controls on the same seeds: mean, interval, worst seed, paired difference."""
    from ops.evaluate import EvaluateOptions, run_evaluate

    options = EvaluateOptions(
        controls=tuple(control) if control else EvaluateOptions().controls,
        protocol=protocol,
        seeds=seeds,
        first_seed=first_seed,
        first_demand_seed=demand_seed,
        jobs=jobs,
        out=out,
    )
    run_command(lambda: run_evaluate(scenario, options), as_json=json)


def main() -> None:
    """Run the command that the arguments name."""
    app()
