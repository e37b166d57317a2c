"""Train the universal policy in the core: on generated towns, or on a scenario's own network.

::

    exercises --+-- to learn from --> evolution --+--> checkpoint, curve     every so many generations
                +-- to judge by ------------------+--> the best so far       at the end, and at Ctrl-C
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from control.policy_files import save_policy
from control.policy_runs import Exercise
from control.rl.checkpoints import load_checkpoint, save_checkpoint
from control.rl.evolution import EvolutionSettings
from control.rl.training import (
    Judge,
    Training,
    TrainingSettings,
    progress_of,
    reason_to_stop,
    start_training,
    train_on,
)
from ops.bounds import check_number, make_folder
from ops.scenario_folder import open_scenario
from ops.train_card import card_of, model_folder
from ops.train_curve import Events, write_picture, write_table
from ops.train_files import CHECKPOINT, MODEL, alone_in, read_settings, room_in, write_settings
from ops.train_scenario import scenario_exercises
from ops.train_set import exercises
from sim.ensemble import n_cores, stderr_progress
from traffic.errors import BadInput

GENERATED = "generated"
TOWNS = Path("runs") / "towns"
"""Where generated towns are kept, to be used again."""
FIRST_TO_JUDGE, LAST_OF_SCENARIO = 10001, 99
"""The first generated town that is judged by and never learned from; the last demand seed that may be looked at."""
DEMANDS = 2
"""Demand seeds of each generated town."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """Options of a training; None is the default, and what a resumed one has to leave at that.

    `towns` and `judged` are generated towns, or demand seeds of a scenario.
    """

    minutes: float | None = None
    generations: int | None = None
    seed: int | None = None
    towns: int | None = None
    judged: int | None = None
    every: int | None = None
    out: Path | None = None
    resume: Path | None = None
    model: str | None = None
    jobs: int | None = None
    training: TrainingSettings = TrainingSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a training folder is for: all that its weights follow from."""

    source: str
    towns: int
    judged: int
    training: TrainingSettings

    @property
    def is_generated(self) -> bool:
        """Whether it learns from generated towns."""
        return self.source == GENERATED


def run_train(source: str, options: TrainOptions) -> dict[str, Any]:
    """Train, and return what came of it; at Ctrl-C the best so far is kept.

    Raises
    ------
    BadInput
        If an option or the scenario is not what it should be, or the disk is full.
    """
    begun_s = time.monotonic()
    jobs = n_cores() if options.jobs is None else options.jobs
    check_number("--jobs", jobs, 1)
    shipped = None if options.model is None else model_folder(options.model)
    task = new_task(source, options) if options.resume is None else _resumed(source, options, options.resume)
    scenario = None if task.is_generated else open_scenario(source)
    name = source if scenario is None else scenario.name
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    folder = options.resume or options.out or Path("runs") / "train" / f"{name}-{stamp}"
    make_folder("--out", folder)
    with alone_in(folder), ThreadPoolExecutor(jobs) as pool:
        if options.resume is None:
            write_settings(folder, source, _saved(task))
        learned, judged = _made(task)
        training, judge = _train(folder, task, (learned, Judge(judged, pool)), pool)
        stopped = reason_to_stop(training, task.training)
        card = card_of(name, asdict(task), training, judge.greedy_s, stopped)
        digest = save_policy(folder / MODEL, training.best, card)
        with room_in(folder):
            write_picture(folder, training, f"{name}, seed {task.training.evolution.seed}")
        if stopped is None:
            raise KeyboardInterrupt
        if shipped is not None:
            save_policy(shipped, training.best, card)
    return {
        "source": name,
        "generations": training.evolution.generation,
        "best_generation": training.best_generation,
        "stopped": stopped,
        "train_s": training.seconds,
        "wall_s": time.monotonic() - begun_s,
        "out": str(folder),
        "model": str(shipped or folder / MODEL),
        "weights_sha256": digest,
        "greedy_delay_s": judge.greedy_s,
        "validation_ratio": training.best_ratio,
    }


def new_task(source: str, options: TrainOptions) -> Task:
    """Return the task that options ask for.

    Raises
    ------
    BadInput
        If a number is out of bounds.
    """
    if options.minutes is not None and options.generations is not None:
        raise BadInput("--minutes, --generations", "both", "one of them", "leave one out")
    most = 10000 if source == GENERATED else LAST_OF_SCENARIO - 1
    given = options.training
    chosen = replace(
        given,
        generations=options.generations,
        minutes=given.minutes if options.minutes is None else options.minutes,
        every=given.every if options.every is None else options.every,
        evolution=replace(given.evolution, seed=given.evolution.seed if options.seed is None else options.seed),
    )
    towns, judged = (80, 20) if source == GENERATED else (12, 4)
    task = Task(source=source, towns=options.towns or towns, judged=options.judged or judged, training=chosen)
    for name, value, low, high in (
        ("--minutes", chosen.minutes, 0.01, 10080.0),
        ("--generations", 1 if chosen.generations is None else chosen.generations, 1, 1_000_000),
        ("--seed", chosen.evolution.seed, 0, 2**31 - 1),
        ("--every", chosen.every, 1, 1_000_000),
        ("--towns", task.towns if options.towns is None else options.towns, 1, most),
        ("--judged", task.judged if options.judged is None else options.judged, 1, most),
    ):
        check_number(name, value, low, high)
    if not task.is_generated:
        check_number("--towns and --judged together", task.towns + task.judged, 2, LAST_OF_SCENARIO)
    return task


def _saved(task: Task) -> dict[str, Any]:
    return {key: value for key, value in asdict(task).items() if key != "source"}


def _resumed(source: str, options: TrainOptions, folder: Path) -> Task:
    """Return the task of a training that goes on, refusing options that would make another one of it."""
    found, settings = read_settings(folder)
    if found != source:
        raise BadInput("--resume", f"{folder} trains on {found}", f"not {source}", f"say: train {found}")
    given = [
        name
        for name in ("minutes", "generations", "seed", "towns", "judged", "every", "out")
        if getattr(options, name) is not None
    ]
    if given:
        named = ", ".join(f"--{name}" for name in given)
        raise BadInput("--resume", named, "settings come from the folder", "leave these out")
    try:
        training = settings.pop("training")
        evolution = EvolutionSettings(**training.pop("evolution"))
        return Task(source=source, training=TrainingSettings(evolution=evolution, **training), **settings)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"--resume {folder}", error, "settings of this version", "train anew") from error


def _made(task: Task) -> tuple[list[Exercise], list[Exercise]]:
    """Return the exercises to learn from and those to judge by."""
    if task.is_generated:
        learned = exercises(1, task.towns, TOWNS, n_demands=DEMANDS)
        judged = exercises(FIRST_TO_JUDGE, task.judged, TOWNS, n_demands=DEMANDS)
        n_learned, n_judged = task.towns * DEMANDS, task.judged * DEMANDS
    else:
        scenario, n_learned, n_judged = open_scenario(task.source), task.towns, task.judged
        learned = scenario_exercises(scenario, range(1, n_learned + 1))
        judged = scenario_exercises(scenario, range(LAST_OF_SCENARIO + 1 - n_judged, LAST_OF_SCENARIO + 1))
    with stderr_progress() as progress:
        bar = progress.add_task("exercises", total=n_learned + n_judged)

        def shown(rows: Iterable[Exercise]) -> list[Exercise]:
            found = []
            for row in rows:
                found.append(row)
                progress.advance(bar)
            return found

        return shown(learned), shown(judged)


def _train(
    folder: Path, task: Task, material: tuple[list[Exercise], Judge], pool: ThreadPoolExecutor
) -> tuple[Training, Judge]:
    """Return the training at its end, or where Ctrl-C broke it off; a checkpoint is written in either case."""
    learned, judge = material
    path, settings = folder / CHECKPOINT, task.training
    training = load_checkpoint(path) if path.exists() else start_training(settings, judge)
    with room_in(folder):
        events = Events(folder, training.evolution.generation)
    with _bar() as progress:
        bar = progress.add_task("training", total=1.0, said="")
        try:
            while reason_to_stop(training, settings) is None:
                training = train_on(training, learned, judge, settings, pool)
                said = f"generation {training.evolution.generation}, {training.best_ratio:.3f} of greedy"
                progress.update(bar, completed=progress_of(training, settings), said=said)
                if training.evolution.generation % settings.every == 0:
                    _keep(folder, training, events)
        except KeyboardInterrupt:
            progress.update(bar, said="keeping what there is")
        _keep(folder, training, events)
    events.close()
    return training, judge


def _keep(folder: Path, training: Training, events: Events) -> None:
    save_checkpoint(folder / CHECKPOINT, training)
    with room_in(folder):
        write_table(folder, training)
        events.add(training)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[said]}"))
    return Progress(*columns, console=stderr_progress().console)
