"""The whole loop on one scenario: count, judge, push, count again, and say whether it helped.

::

    warm-up | cameras count | push |  three cycles  | measuring window | finish
    --------+---------------+------+----------------+------------------+-------> street time
                            held: the centre calibrates, judges, pushes over SNMP

The street of every seed runs twice, pushed and not pushed; the first pushed one is the street on
which the centre decided.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from math import gcd
from pathlib import Path
from typing import Any

from rich.progress import Progress

from ops.arms import Arm, Centre, Times, finish, run_arm, settings_of
from ops.bounds import check_number, make_folder
from ops.demo_result import demo_result
from ops.loop import Choice, choose, corrected, with_queue_growth
from ops.plan_runs import open_signals
from ops.report import write_report
from ops.report_file import write_result
from ops.scenario_folder import open_scenario
from ops.street_process import StreetProcess
from ops.street_settings import StreetSettings
from ops.video_counts import count_clip, in_place
from sim.ensemble import n_cores, stderr_progress
from traffic.counts import TurnCount
from traffic.errors import BadInput, TrafficError
from traffic.scenario import Scenario

FIRST_SEED = 100
"""Claims are judged on seeds from 100 on (design)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """Options of the demo.

    `spread` is how far the street's movements differ from history (log-deviation); 0 is the null
    test: the street is history. `shift_seed` chooses in which way it differs. With `video` and
    `camera` the movements of that camera file are counted from the clip's pixels.
    """

    scenario: str = "thanh_hoa"
    seeds: int = 8
    twin_seeds: int = 10
    first_seed: int = FIRST_SEED
    warm_up_s: float = 600.0
    count_s: float = 900.0
    window_s: float = 900.0
    shift_seed: int = 3
    spread: float = 0.9
    video: Path | None = None
    camera: Path | None = None
    weights: str | None = None
    out: Path = Path("runs/demo")

    def check(self) -> None:
        """Refuse numbers with which there is nothing to compare."""
        if self.seeds < 1 or self.twin_seeds < 2:
            told = f"{self.seeds} street seeds, {self.twin_seeds} twin seeds"
            raise BadInput("demo", told, "at least 1 and 2", "ask for more seeds")
        check_number("--warm-up", self.warm_up_s, 0)
        check_number("--count", self.count_s, 60)
        check_number("--window", self.window_s, 60)
        check_number("--spread", self.spread, 0, 3)
        check_number("--shift-seed", self.shift_seed, 0)
        if self.warm_up_s % 1 or self.count_s % 1:
            told = f"{self.warm_up_s:g} s and {self.count_s:g} s"
            raise BadInput("warm-up and --count", told, "whole seconds: cameras count in periods", "round them")
        if (self.video is None) != (self.camera is None):
            raise BadInput("demo", "--video or --camera alone", "one needs the other", "give both")


class Interrupted(BaseException):
    """Raised in a worker when the demo was interrupted; its controllers are released on the way out."""


@dataclass(slots=True)
class Run:
    """One demo under way: what is known so far, so that an interrupt can keep it."""

    options: DemoOptions
    scenario: Scenario
    times: Times
    base: StreetSettings
    started_s: float = field(default_factory=time.monotonic)
    stop: threading.Event = field(default_factory=threading.Event)
    choice: Choice | None = None
    before: dict[int, Arm] = field(default_factory=dict)
    after: dict[int, Arm] = field(default_factory=dict)

    @property
    def seeds(self) -> list[int]:
        """Seeds of the street."""
        return list(range(self.options.first_seed, self.options.first_seed + self.options.seeds))

    def folder(self, name: str) -> Path:
        """Return a folder of this run."""
        return (self.options.out / name).resolve()


def run_demo(options: DemoOptions) -> dict[str, Any]:
    """Run the demo and write its report; return the keys of `demo --json`.

    Raises
    ------
    TrafficError
        If the street or the twin cannot run.
    KeyboardInterrupt
        After Ctrl-C. Either way controllers are released, and once the choice is known a partial report is written.
    """
    options.check()
    run = prepare(options)
    clip = _clip(run)
    fault: BaseException | None = None
    with stderr_progress() as progress:
        try:
            _decide(run, clip, progress)
            _compare(run, progress)
        except (KeyboardInterrupt, TrafficError) as error:
            run.stop.set()
            fault = error
    if run.choice is None:
        raise fault or KeyboardInterrupt
    result = demo_result(run, is_complete=fault is None)
    report = options.out / "report.html"
    write_result(options.out / "result.json", result)
    write_report(report, result)
    if fault is not None:
        raise fault
    return result.as_json_row(report)


def prepare(options: DemoOptions) -> Run:
    """Return a run that has not begun.

    Raises
    ------
    BadInput
        If the scenario cannot be run, its demand is over too soon, or the results' folder cannot be made.
    """
    scenario = open_scenario(options.scenario)
    open_signals(scenario)
    times = Times.of(scenario, warm_up_s=options.warm_up_s, count_s=options.count_s, window_s=options.window_s)
    if times.end_s < times.window_to_s:
        raise BadInput(
            f"demo of {scenario.name}",
            f"window ends at {times.window_to_s:g} s",
            f"demand ends at {scenario.end_s:g} s",
            "shorten --count or --window",
        )
    make_folder("--out", options.out)
    base = StreetSettings(
        scenario=str(scenario.folder),
        folder=str(options.out / "street"),
        shift_seed=options.shift_seed,
        day_seed=options.first_seed,
        driver_seed=options.first_seed,
        spread=options.spread,
        end_s=times.end_s,
        count_period_s=float(gcd(round(options.warm_up_s), round(options.count_s))),
        backup_time_s=scenario.guard.max_backup_time_s,
    )
    return Run(options=options, scenario=scenario, times=times, base=base)


def _clip(run: Run) -> list[TurnCount]:
    """Return what the video says, if there is one."""
    options = run.options
    if options.video is None or options.camera is None:
        return []
    network = open_signals(run.scenario)[0].network
    return count_clip(options.video, options.camera, options.weights, network, run.folder("video"))


def _decide(run: Run, clip: Sequence[TurnCount], progress: Progress) -> None:
    """Run the first street until the push, judge, push, and leave it to run on beside the other arms."""
    times, seed = run.times, run.seeds[0]
    settings = settings_of(run.base, seed, run.folder(f"street_{seed}"))
    with StreetProcess(settings) as street, Centre(run.scenario, street.client) as centre:
        run.choice = count_and_choose(run, centre, clip, progress)
        fault = "" if run.choice.is_kept else centre.try_push(list(run.choice.chosen.plans.values()))
        centre.watch(times.end_s, _bar(progress, "street goes on", times.push_s, times.end_s))
        arms = run.before if run.choice.is_kept else run.after
        arms[seed] = finish(settings, centre, street, times, is_pushed=not run.choice.is_kept, fault=fault)


def count_and_choose(run: Run, centre: Centre, clip: Sequence[TurnCount], progress: Progress) -> Choice:
    """Let the street's cameras count until it is time to push, and choose; the street is held meanwhile."""
    times, client, network = run.times, centre.client, centre.town.network
    centre.watch(times.push_s, _bar(progress, "cameras count", times.begin_s, times.push_s))
    seen = corrected(client.counts(times.count_from_s, times.push_s), centre.detection_rate)
    grown = with_queue_growth(seen, client.events(), network, (times.count_from_s, times.push_s))
    return choose(
        run.scenario,
        in_place(grown, clip),
        times,
        run.folder("twin"),
        twin_seeds=range(1, 1 + run.options.twin_seeds),
        progress=progress,
    )


def _compare(run: Run, progress: Progress) -> None:
    """Run the arms that are missing, as many at a time as there are cores."""
    assert run.choice is not None
    plans = () if run.choice.is_kept else tuple(run.choice.chosen.plans.values())
    wanted = [(seed, False) for seed in run.seeds if seed not in run.before]
    wanted += [(seed, True) for seed in run.seeds if plans and seed not in run.after]
    bar = progress.add_task("street, before and after", total=len(wanted))

    def tick(_: float) -> None:
        if run.stop.is_set():
            raise Interrupted

    def one(seed: int, is_pushed: bool) -> Arm:
        name = f"street_{seed}_{'pushed' if is_pushed else 'kept'}"
        settings = settings_of(run.base, seed, run.folder(name))
        arm = run_arm(run.scenario, settings, run.times, plans if is_pushed else (), tick)
        progress.advance(bar)
        return arm

    pool = ThreadPoolExecutor(n_cores())
    futures = {key: pool.submit(one, *key) for key in sorted(wanted)}
    try:
        _collect(run, futures)
    finally:
        run.stop.set()
        pool.shutdown(cancel_futures=True)
        _collect_done(run, futures)


def _collect(run: Run, futures: dict[tuple[int, bool], Future[Arm]]) -> None:
    for (seed, is_pushed), future in futures.items():
        (run.after if is_pushed else run.before)[seed] = future.result()


def _collect_done(run: Run, futures: dict[tuple[int, bool], Future[Arm]]) -> None:
    """Keep the arms that had ended when something went wrong."""
    for (seed, is_pushed), future in futures.items():
        if future.done() and not future.cancelled() and future.exception() is None:
            (run.after if is_pushed else run.before)[seed] = future.result()


def _bar(progress: Progress, title: str, from_s: float, to_s: float) -> Callable[[float], None]:
    """Return a tick that moves a bar over minutes of street time."""
    task = progress.add_task(title, total=round((to_s - from_s) / 60))
    return lambda time_s: progress.update(task, completed=round((time_s - from_s) / 60))
