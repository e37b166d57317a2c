"""The command line: parses options, prints results; each command's work is in its own module.

Exit status: 0 good, 1 one clear line about our error, 2 usage, 130 interrupted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

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

scenario_app = typer.Typer(no_args_is_help=True, help="Networks and demand in: list, show, check, import.")
app.add_typer(scenario_app, name="scenario")
vision_app = typer.Typer(no_args_is_help=True, help="Clips with truth: draw, compare; camera files; the finder.")
app.add_typer(vision_app, name="vision")
bench_app = typer.Typer(no_args_is_help=True, help="Our speed beside others', as ratios from one interleaved run.")
app.add_typer(bench_app, name="bench")

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


@scenario_app.command("list")
def scenario_list(json: Json = False) -> None:
    """List the scenarios that are here."""
    from ops.scenario import run_scenario_list

    run_command(run_scenario_list, as_json=json)


@scenario_app.command("show")
def scenario_show(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name under scenarios/, or a folder.")],
    json: Json = False,
) -> None:
    """Show the facts of a scenario, and where its picture is."""
    from ops.scenario import run_scenario_show

    run_command(lambda: run_scenario_show(scenario), as_json=json)


@scenario_app.command("check")
def scenario_check(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name under scenarios/, or a folder.")],
    json: Json = False,
) -> None:
    """Find all faults: what cannot be run, what no controller could hold or be pushed."""
    from ops.scenario_check import run_scenario_check

    run_command(lambda: run_scenario_check(scenario), as_json=json)


@scenario_app.command("import")
def scenario_import(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A SUMO folder, a .net.xml or an .osm file.")],
    out: Annotated[Path, typer.Argument(metavar="DIR", help="The new scenario's folder.")],
    assumed_vph: Annotated[
        float, typer.Option(metavar="V", help="Vehicles an hour and gate where the source has no demand.")
    ] = 200.0,
    duration: Annotated[float, typer.Option(metavar="S", help="Seconds of assumed demand.")] = 3600.0,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the assumed demand.")] = 1,
    json: Json = False,
) -> None:
    """Make a scenario of a SUMO folder, a SUMO network or a map."""
    from ops.scenario_import import ImportOptions, run_scenario_import

    options = ImportOptions(end_s=duration, assumed_vph=assumed_vph, seed=seed)
    run_command(lambda: run_scenario_import(source, out, options), as_json=json)


@app.command()
def count(
    videos: Annotated[
        list[str], typer.Argument(metavar="VIDEO...", help="A video, a folder of images, a webcam's number, rtsp://...")
    ],
    camera: Annotated[list[Path], typer.Option(metavar="CAMERA.toml", help="Once per video: lines, zones, lanes.")],
    weights: Annotated[str | None, typer.Option(help="A .npz, .pt or OpenVINO model, a folder, a name.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the results go.")] = None,
    duration: Annotated[float | None, typer.Option("--for", metavar="S", help="Seconds of a live camera.")] = None,
    signals: Annotated[Path | None, typer.Option(metavar="CSV", help="Signal states: measures by green.")] = None,
    image_size: Annotated[int | None, typer.Option(metavar="PX", min=160, max=2048, help="Network's input.")] = None,
    slit_scan: Annotated[bool, typer.Option(help="Keep the pixels under each line, for audit.")] = True,
    annotate: Annotated[bool, typer.Option("--annotate", help="Keep every frame, drawn on, blurred.")] = False,
    sharp: Annotated[bool, typer.Option("--sharp", help="Do not blur it: faces and plates are kept.")] = False,
    json: Json = False,
) -> None:
    """Count road users in videos or live cameras: turning movement counts per line, class, direction and period."""
    from ops.count import CountOptions, run_count
    from ops.count_many import run_count_many

    options = CountOptions(has_slit_scan=slit_scan, has_video=annotate, is_sharp=sharp, duration_s=duration,
                           signals=signals, image_size=image_size)  # fmt: skip
    if len(videos) == 1 and len(camera) == 1:
        run_command(lambda: run_count(videos[0], camera[0], weights, out, options), as_json=json)
    run_command(lambda: run_count_many(videos, camera, weights, out, options), as_json=json)


@vision_app.command("eval")
def vision_eval(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Clips with a ground_truth.json.")],
    weights: Annotated[str | None, typer.Option(help="A .npz, .pt or OpenVINO model, a folder, a name.")] = None,
    image_size: Annotated[int | None, typer.Option(metavar="PX", min=160, max=2048, help="Network's input.")] = None,
    frame_stride: Annotated[int | None, typer.Option(metavar="N", min=1, max=30, help="Every N-th frame.")] = None,
    plain: Annotated[int, typer.Option(metavar="N", min=0, help="Frames for plain yolo track; 0 without.")] = 150,
    json: Json = False,
) -> None:
    """Compare counts with hand counts or drawn truth, event by event."""
    from ops.vision_eval import EvalOptions, run_vision_eval

    options = EvalOptions(weights=weights, image_size=image_size, frame_stride=frame_stride, n_plain=plain)
    run_command(lambda: run_vision_eval(folder, options), as_json=json)


@vision_app.command("render")
def vision_render(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name under scenarios/, or a folder.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where clip, truth and camera file go.")],
    junction: Annotated[str | None, typer.Option(metavar="ID", help="Junction; the first if not given.")] = None,
    approach: Annotated[str | None, typer.Option(metavar="LINK", help="Approach; the first if not given.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Look over the whole junction: turning movements.")] = False,
    weather: Annotated[str, typer.Option(metavar="day|dusk|night|rain|glare")] = "day",
    seconds: Annotated[float, typer.Option(metavar="S", help="Length of the clip.")] = 60.0,
    start: Annotated[float, typer.Option(metavar="S", help="Seconds after the scenario's begin.")] = 300.0,
    fps: Annotated[float, typer.Option(metavar="N", help="Frames a second.")] = 10.0,
    height: Annotated[float, typer.Option(metavar="M", min=3, max=40, help="Height of the camera.")] = 8.0,
    fov: Annotated[float, typer.Option(metavar="DEG", min=20, max=110, help="Angle of view.")] = 52.0,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of drivers, fleet, houses and noise.")] = 100,
    json: Json = False,
) -> None:
    """Draw the street of a scenario as a camera would see it, with its truth."""
    from ops.vision_render import RenderOptions, run_vision_render

    options = RenderOptions(junction=junction, approach=approach, weather=weather, seconds=seconds, start_s=start,
                            frames_per_s=fps, seed=seed, height_m=height, fov_deg=fov, is_whole=whole)  # fmt: skip
    run_command(lambda: run_vision_render(scenario, out, options), as_json=json)


@vision_app.command("calibrate")
def vision_calibrate(
    camera: Annotated[Path, typer.Argument(metavar="CAMERA.toml", help="The camera file that is written.")],
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="Where a frame is taken from.")],
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0 takes a free one.")] = 0,
    json: Json = False,
) -> None:
    """Click known points of the road on a page; speeds, queues in metres need them."""
    from ops.vision_calibrate import run_vision_calibrate

    run_command(lambda: run_vision_calibrate(camera, video, port), as_json=json)


@vision_app.command("train")
def vision_train(
    images: Annotated[Path | None, typer.Option(metavar="DIR", help="Labelled images: images/, labels/.")] = None,
    source: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Trained on; licensed ones only.")] = None,
    judge: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only looked at, to choose.")] = None,
    weights: Annotated[str | None, typer.Option(help="Arrays of a YOLO11n to start from.")] = None,
    drawn: Annotated[int, typer.Option(metavar="N", min=20, help="Images that are drawn.")] = 1400,
    epochs: Annotated[int, typer.Option(metavar="N", min=1, help="Passes over the images.")] = 10,
    image_size: Annotated[int, typer.Option(metavar="PX", min=160, max=1280, help="Side of the input.")] = 480,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="CPU threads; a GPU is used if there.")] = 2,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of drawing and training.")] = 1,
    ship: Annotated[bool, typer.Option(help="Refuse sources without a licence for it.")] = True,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Set, checkpoints; the same command goes on.")] = Path(
        "runs/vision"
    ),
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="Where arrays and card go.")] = None,
    json: Json = False,
) -> None:
    """Train a finder on drawn and licensed images, and write it with its card."""
    from ops.vision_train import VisionTrainOptions, run_vision_train

    options = VisionTrainOptions(
        images=images, sources=tuple(source or ("hanoi",)), judges=tuple(judge or ("hcmc",)), start=weights,
        n_drawn=drawn, epochs=epochs, image_size=image_size, threads=threads, seed=seed, may_ship=ship, out=out,
        model=model,
    )  # fmt: skip
    run_command(lambda: run_vision_train(options), as_json=json)


@app.command()
def evaluate(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name under scenarios/, or a folder.")],
    control: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Once per control; differences are to the first.")
    ] = None,
    protocol: Annotated[str, typer.Option(metavar="legacy|safe", help="How stages give way to one another.")] = "safe",
    via: Annotated[
        str, typer.Option(metavar="direct|controller", help="controller: plans over NTCIP, and the loss by that.")
    ] = "direct",
    seeds: Annotated[int, typer.Option(metavar="N", help="Seeds, the same for every control.")] = 5,
    first_seed: Annotated[int, typer.Option(metavar="N", help="Driver seed of the first run.")] = 0,
    demand_seed: Annotated[int, typer.Option(metavar="N", help="0 = the demand file as it is; 100 for claims.")] = 0,
    model: Annotated[str, typer.Option(metavar="NAME|DIR", help="Policy of the control universal.")] = "universal",
    dead_zones: Annotated[float, typer.Option(metavar="P", help="Share of approaches without a detector.")] = 0.0,
    count_error: Annotated[float, typer.Option(metavar="R", help="How wrong zones count at most, as a share.")] = 0.0,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes; as many as cores by default.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the result file goes.")] = Path("runs"),
    json: Json = False,
) -> None:
    """Compare controls on the same seeds: mean, interval, worst seed, paired difference."""
    from ops.evaluate import EvaluateOptions, default_controls, run_evaluate
    from ops.faulty_zones import ZoneFaults

    options = EvaluateOptions(
        controls=tuple(control) if control else default_controls(via),
        protocol=protocol,
        via=via,
        seeds=seeds,
        first_seed=first_seed,
        first_demand_seed=demand_seed,
        jobs=jobs,
        out=out,
        model=model,
        faults=ZoneFaults(dead_zones=dead_zones, count_error=count_error),
    )
    run_command(lambda: run_evaluate(scenario, options), as_json=json)


@app.command()
def benchmark(
    scenario: Annotated[
        list[str] | None, typer.Argument(metavar="[SCENARIO]...", help="Names, folders, or folders of such folders.")
    ] = None,
    control: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Once per control; differences are to the first.")
    ] = None,
    protocol: Annotated[str, typer.Option(metavar="legacy|safe|both", help="How stages give way.")] = "both",
    seeds: Annotated[int, typer.Option(metavar="N", help="Seeds, the same for every control.")] = 5,
    demand_seed: Annotated[int, typer.Option(metavar="N", help="0 = the demand file as it is; 100 for claims.")] = 0,
    subject: Annotated[
        str | None, typer.Option(metavar="NAME", help="The control that is judged; the policy by default.")
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME|DIR", help="Policy of the control universal.")] = "universal",
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes; as many as cores by default.")] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Table, chart, result; runs that are kept here are not run again.")
    ] = Path("runs/benchmark"),
    json: Json = False,
) -> None:
    """Compare controls on many networks: one table and chart, and what is best where."""
    from ops.benchmark import run_benchmark
    from ops.benchmark_set import DEFAULT_CONTROLS, BenchmarkOptions
    from ops.benchmark_table import screen

    options = BenchmarkOptions(
        controls=tuple(control) if control else DEFAULT_CONTROLS,
        protocol=protocol,
        seeds=seeds,
        first_demand_seed=demand_seed,
        subject=subject,
        jobs=jobs,
        out=out,
        model=model,
    )
    run_command(lambda: run_benchmark(scenario or (), options), as_json=json, show=screen)


@app.command()
def calibrate(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name under scenarios/, or a folder.")],
    queue_model: Annotated[bool, typer.Option("--queue-model", help="Fit the queue model to SUMO.")] = False,
    plans: Annotated[int, typer.Option(metavar="N", help="Plans that SUMO runs, 8 or more.")] = 24,
    seeds: Annotated[int, typer.Option(metavar="N", help="Demand seeds 1 to N of each.")] = 3,
    evaluations: Annotated[int, typer.Option(metavar="N", help="Parameters that are tried.")] = 600,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the search.")] = 1,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes; as many as cores by default.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Instead of SCENARIO/queue_model.json.")] = None,
    json: Json = False,
) -> None:
    """Fit the queue model of a scenario to SUMO; searches and predictive control use the result."""
    from ops.calibrate_core import CalibrateOptions, run_calibrate
    from traffic.errors import BadInput

    options = CalibrateOptions(plans=plans, seeds=seeds, evaluations=evaluations, seed=seed, jobs=jobs, out=out)

    def run() -> dict[str, object]:
        if not queue_model:
            raise BadInput("calibrate", "nothing to fit", "--queue-model", "say what is to be calibrated")
        return run_calibrate(scenario, options)

    run_command(run, as_json=json)


@app.command()
def plan(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name under scenarios/, or a folder.")],
    method: Annotated[str, typer.Option(metavar="webster|search", help="How plans are made.")] = "search",
    seeds: Annotated[int, typer.Option(metavar="N", help="Demand seeds 1 to N are searched on.")] = 8,
    verify: Annotated[
        int, typer.Option(metavar="N", help="Demand seeds 99, 98, ... for SUMO's verdict; 0 = none.")
    ] = 12,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of everything random in the search.")] = 1,
    budget: Annotated[float, typer.Option(metavar="S", help="CPU time of the search, by its work.")] = 40.0,
    stage_order: Annotated[
        bool, typer.Option("--stage-order", help="Design the order of phases, too: needs another installation.")
    ] = False,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Threads and processes; as many as cores.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the plans go; runs/plan/SCENARIO.")] = None,
    json: Json = False,
) -> None:
    """Make fixed-time plans: by Webster, or by a search over cycle, splits and offsets of all junctions."""
    from ops.plan import PlanOptions, run_plan

    options = PlanOptions(
        method=method,
        seeds=seeds,
        verify=verify,
        seed=seed,
        budget_s=budget,
        may_reorder=stage_order,
        jobs=jobs,
        out=out,
    )
    run_command(lambda: run_plan(scenario, options), as_json=json)


@app.command()
def train(
    source: Annotated[str, typer.Argument(metavar="SCENARIO|generated", help="What it learns from.")],
    minutes: Annotated[
        float | None, typer.Option(metavar="M", help="Minutes of training; 10 where nothing is said.")
    ] = None,
    generations: Annotated[
        int | None, typer.Option(metavar="N", help="Instead of minutes: the same weights every time.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of everything random; 0.")] = None,
    towns: Annotated[
        int | None, typer.Option(metavar="N", help="Towns, or demand seeds 1 to N of a scenario; 80, 12.")
    ] = None,
    judged: Annotated[
        int | None, typer.Option(metavar="N", help="Others to judge by, never learned from; 20, 4.")
    ] = None,
    every: Annotated[int | None, typer.Option(metavar="N", help="Generations from judgement to judgement; 10.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Checkpoint, curve, policy; runs/train/SOURCE-TIME.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(metavar="DIR", help="Go on in the folder of a training.")] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Put the policy into models/NAME, too.")] = None,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Threads; as many as cores by default.")] = None,
    json: Json = False,
) -> None:
    """Train the universal policy in the core; the best by validation is kept."""

    def work() -> dict[str, Any]:
        from ops.train import TrainOptions, run_train

        options = TrainOptions(
            minutes=minutes,
            generations=generations,
            seed=seed,
            towns=towns,
            judged=judged,
            every=every,
            out=out,
            resume=resume,
            model=model,
            jobs=jobs,
        )
        return run_train(source, options)

    run_command(work, as_json=json)


@app.command()
def demo(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario with signals.json.")] = "thanh_hoa",
    seeds: Annotated[int, typer.Option(metavar="N", help="Days of the street, each run pushed and not pushed.")] = 8,
    twin_seeds: Annotated[int, typer.Option(metavar="N", help="Seeds on which the twin judges plans.")] = 10,
    count: Annotated[float, typer.Option(metavar="S", help="Seconds that the cameras count.")] = 900.0,
    window: Annotated[float, typer.Option(metavar="S", help="Seconds of the measuring window.")] = 900.0,
    spread: Annotated[
        float, typer.Option(metavar="X", help="How far the street differs from history; 0 is the null test.")
    ] = 0.9,
    shift_seed: Annotated[int, typer.Option(metavar="N", help="In which way the street differs from history.")] = 3,
    video: Annotated[Path | None, typer.Option(metavar="CLIP", help="Count one approach from this video.")] = None,
    camera: Annotated[Path | None, typer.Option(metavar="FILE", help="The video's camera file.")] = None,
    weights: Annotated[str | None, typer.Option(metavar="W", help="The finder's weights, for the video.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where report and result go.")] = Path("runs/demo"),
    json: Json = False,
) -> None:
    """Run the whole loop: count, judge, push over NTCIP, and report whether it helped."""
    from ops.demo import DemoOptions, run_demo

    options = DemoOptions(
        scenario=scenario,
        seeds=seeds,
        twin_seeds=twin_seeds,
        count_s=count,
        window_s=window,
        spread=spread,
        shift_seed=shift_seed,
        video=video,
        camera=camera,
        weights=weights,
        out=out,
    )
    run_command(lambda: run_demo(options), as_json=json)


@app.command()
def report(
    result: Annotated[Path, typer.Argument(metavar="RESULT.json", help="The result file of a demo.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="The report to write.")] = None,
    json: Json = False,
) -> None:
    """Make the report of a demo again from its result file."""
    from ops.report import run_report

    run_command(lambda: run_report(result, out), as_json=json)


@app.command()
def controllers(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario with signals.json.")],
    speed: Annotated[float, typer.Option(metavar="K", help="Street seconds a second.")] = 1.0,
    backup_time: Annotated[int, typer.Option(metavar="S", help="Fail-safe time-out of the controllers.")] = 60,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the street's day.")] = 1,
    duration: Annotated[float, typer.Option(metavar="S", help="Street seconds; 0 = the whole scenario.")] = 0.0,
    http_port: Annotated[int, typer.Option(metavar="PORT", help="Port of counts and event log; 0 = any.")] = 0,
    json: Json = False,
) -> None:
    """Run a street of virtual controllers that speak NTCIP 1202 over SNMP."""
    from ops.controllers import ControllersOptions, run_controllers

    options = ControllersOptions(speed=speed, backup_time_s=backup_time, seed=seed, for_s=duration, http_port=http_port)
    run_command(lambda: run_controllers(scenario, options), as_json=json)


@bench_app.command("loop")
def bench_loop(
    scenario: Annotated[list[str] | None, typer.Argument(metavar="[SCENARIO]...", help="Names, or folders.")] = None,
    repeats: Annotated[int, typer.Option(metavar="N", help="Times that everything is run, in turn.")] = 5,
    evaluate: Annotated[int, typer.Option(metavar="N", help="Rounds of 20 seeds of `static`; 0 = none.")] = 1,
    seed: Annotated[int, typer.Option(metavar="N", help="Driver seed.")] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the result file goes.")] = Path("runs"),
    json: Json = False,
) -> None:
    """Time the controlled loop beside the bare simulation: ratios of CPU time."""
    from ops.bench_loop import BenchLoopOptions, run_bench_loop

    options = BenchLoopOptions(repeats=repeats, evaluate_rounds=evaluate, seed=seed, out=out)
    run_command(lambda: run_bench_loop(scenario or ["grid", "arterial"], options), as_json=json)


@bench_app.command("core")
def bench_core(
    scenario: Annotated[list[str] | None, typer.Argument(metavar="[SCENARIO]...", help="Names, or folders.")] = None,
    plans: Annotated[int, typer.Option(metavar="N", help="Plans that are ranked on each.")] = 40,
    max_seeds: Annotated[int, typer.Option(metavar="N", help="Driver seeds of SUMO at most.")] = 20,
    repeats: Annotated[int, typer.Option(metavar="N", help="Times that everything timed is run, in turn.")] = 5,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes; as many as cores by default.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the result and SUMO's runs go.")] = Path("runs"),
    json: Json = False,
) -> None:
    """Compare the core with SUMO: speed, and how well it ranks plans."""

    def work() -> dict[str, Any]:
        from ops.bench_core import BenchCoreOptions, run_bench_core
        from ops.bench_core_side import QueueModelSide

        options = BenchCoreOptions(plans=plans, max_seeds=max_seeds, repeats=repeats, jobs=jobs, out=out)
        return run_bench_core(scenario or ["grid", "arterial"], options, QueueModelSide())

    run_command(work, as_json=json)


@bench_app.command("rl")
def bench_rl(
    scenario: Annotated[list[str] | None, typer.Argument(metavar="[SCENARIO]...", help="Names, or folders.")] = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="The policy: a name under models/, or a folder.")] = (
        "universal"
    ),
    repeats: Annotated[int, typer.Option(metavar="N", help="Times that everything timed is run, in turn.")] = 10,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the result goes.")] = Path("runs"),
    json: Json = False,
) -> None:
    """Count the decisions a second that the core gives a policy, and what of it is simulation."""
    from ops.bench_rl import BenchRlOptions, run_bench_rl

    options = BenchRlOptions(model=model, repeats=repeats, out=out)
    run_command(lambda: run_bench_rl(scenario or ["grid"], options), as_json=json)


@bench_app.command("vision")
def bench_vision(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="A video file.")],
    weights: Annotated[str | None, typer.Option(help="A .npz or .pt, a folder, a name.")] = None,
    image_size: Annotated[int, typer.Option(metavar="PX", min=160, max=2048, help="Network's input.")] = 416,
    stride: Annotated[int, typer.Option(metavar="N", min=1, max=30, help="Every N-th frame.")] = 2,
    frames: Annotated[int, typer.Option(metavar="N", help="Frames a repeat.")] = 200,
    repeats: Annotated[int, typer.Option(metavar="N", help="Times that everything is run, in turn.")] = 5,
    json: Json = False,
) -> None:
    """Measure counting beside plain yolo track on the same frames: CPU time a frame, stage by stage, and memory."""
    from ops.bench_vision import BenchVisionOptions, run_bench_vision

    options = BenchVisionOptions(
        image_size=image_size, stride=stride, n_frames=frames, repeats=repeats, weights=weights
    )  # fmt: skip
    run_command(lambda: run_bench_vision(video, options), as_json=json)


@bench_app.command("plan")
def bench_plan(
    scenario: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Names, or folders.")],
    seeds: Annotated[int, typer.Option(metavar="N", help="Demand seeds 100, 101, ... of the comparison.")] = 12,
    verify: Annotated[int, typer.Option(metavar="N", help="Demand seeds 99, 98, ... of the search's verdict.")] = 12,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of everything random in the search.")] = 1,
    budget: Annotated[float, typer.Option(metavar="S", help="CPU time of each search, by its work.")] = 40.0,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Threads and processes; as many as cores.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the results go.")] = Path("runs"),
    json: Json = False,
) -> None:
    """Compare searched plans with the network's own, Webster's and SUMO's tools, on seeds that none has seen."""
    from ops.bench_plan import BenchPlanOptions, run_bench_plan
    from ops.plan import PlanOptions

    plan_options = PlanOptions(verify=verify, seed=seed, budget_s=budget, jobs=jobs)
    options = BenchPlanOptions(seeds=seeds, plan=plan_options, out=out)
    run_command(lambda: run_bench_plan(scenario, options), as_json=json)


def main() -> None:
    """Run the command that the arguments name."""
    app()
