"""Many runs over a pool of processes: one libsumo a process, workers reused, results in order as they come.

The parent hands out specs and never runs SUMO itself, so that a worker killed from outside costs its own spec only.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Generic, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from traffic.errors import PlantLost, TrafficError

SpecT = TypeVar("SpecT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[SpecT, ResultT]):
    """What became of one spec: a result, or an error; neither if it was interrupted before its end."""

    spec: SpecT
    result: ResultT | None = None
    error: TrafficError | None = None

    @property
    def is_done(self) -> bool:
        """Whether there is a result."""
        return self.result is not None


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    task: int | None = None


def n_cores() -> int:
    """Return how many cores this process may use."""
    return max(1, len(os.sched_getaffinity(0)))


def run_many(
    specs: Iterable[SpecT],
    make_run: Callable[[SpecT], ResultT],
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    title: str = "runs",
    is_fresh: bool = False,
) -> Iterator[Outcome[SpecT, ResultT]]:
    """Yield the outcome of every spec, in order.

    Parameters
    ----------
    specs
        What to run; picklable.
    make_run
        A picklable function that runs one spec in a worker and returns a picklable result.
    jobs
        Worker processes; as many as there are cores if None.
    progress
        Where the bar is shown; see `stderr_progress`.
    title
        Words beside the bar.
    is_fresh
        Whether each run has a process of its own: some seconds more a run, but SUMO 1.28 gives the same for the same
        seed in a fresh process only (on cologne1 it has two answers, by what ran in the process before).

    Notes
    -----
    A `TrafficError` of a run is its outcome's error; so is the death of its worker, which is replaced. Ctrl-C ends
    the workers and yields what is done, the rest with neither result nor error; then KeyboardInterrupt goes on.
    """
    waiting = list(specs)
    bar = progress.add_task(title, total=len(waiting)) if progress else None
    outcomes: list[Outcome[SpecT, ResultT] | None] = [None] * len(waiting)
    workers: list[_Worker] = []
    place = 0
    is_interrupted = False
    try:
        pool = _serve(waiting, make_run, workers, min(jobs or n_cores(), len(waiting)), is_fresh=is_fresh)
        while place < len(waiting):
            try:
                task, result, error = next(pool)
            except KeyboardInterrupt:
                is_interrupted = True
                break
            outcomes[task] = Outcome(spec=waiting[task], result=result, error=error)
            if progress and bar is not None:
                progress.advance(bar)
            while place < len(waiting) and (outcome := outcomes[place]) is not None:
                place += 1
                yield outcome
    finally:
        _end(workers)
    if is_interrupted:
        for index in range(place, len(waiting)):
            yield outcomes[index] or Outcome(spec=waiting[index])
        raise KeyboardInterrupt


def _serve(
    specs: list[SpecT], make_run: Callable[[SpecT], ResultT], workers: list[_Worker], jobs: int, *, is_fresh: bool
) -> Iterator[tuple[int, ResultT | None, TrafficError | None]]:
    """Yield (place, result, error) as the workers finish."""
    tasks = deque(range(len(specs)))
    while tasks or any(worker.task is not None for worker in workers):
        while len(workers) < min(jobs, len(workers) + len(tasks)):
            workers.append(_start(make_run))
        for worker in list(workers):
            if worker.task is None and tasks:
                try:
                    worker.pipe.send(specs[tasks[0]])
                except ConnectionError:
                    workers.remove(worker)
                    continue
                worker.task = tasks.popleft()
        busy = {worker.pipe: worker for worker in workers if worker.task is not None}
        for pipe in wait(list(busy)):
            worker = busy[pipe]  # type: ignore[index]
            task = worker.task
            assert task is not None
            worker.task = None
            try:
                result, error = worker.pipe.recv()
            except (EOFError, ConnectionError):
                worker.process.join()
                workers.remove(worker)
                yield task, None, _death(worker.process.exitcode)
                continue
            if is_fresh:
                worker.pipe.close()
                workers.remove(worker)
            yield task, result, error


def _start(make_run: Callable[[SpecT], ResultT]) -> _Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, make_run), daemon=True)
    resource_tracker.ensure_running()  # as its own start lets signals in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    there.close()
    return _Worker(process, here)


def _work(pipe: Connection, make_run: Callable[[SpecT], ResultT]) -> None:
    """Run specs until the parent hangs up; Ctrl-C is the parent's to answer.

    The process comes with SIGINT blocked, so that its imports are not interrupted either.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    while True:
        try:
            spec = pipe.recv()
        except (EOFError, ConnectionError):
            return
        try:
            answer: tuple[ResultT | None, TrafficError | None] = (make_run(spec), None)
        except TrafficError as error:
            answer = (None, error)
        try:
            pipe.send(answer)
        except ConnectionError:
            return


def _death(code: int | None) -> PlantLost:
    how = f"killed by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
    return PlantLost("worker process", how, "its run has no result, the others go on", "run it again; is memory short?")


def _end(workers: Iterable[_Worker]) -> None:
    for worker in workers:
        worker.pipe.close()
        if worker.task is not None:
            worker.process.terminate()
    for worker in workers:
        worker.process.join(timeout=10)
        if worker.process.is_alive():
            worker.process.kill()


def stderr_progress() -> Progress:
    """Return a progress bar on stderr."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
