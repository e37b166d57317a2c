"""How far a count is: a bar on stderr, or a small file that another process reads."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from traffic.counts import Health
from traffic.files import write_whole

_NOTE_EVERY_S = 1.0


@contextmanager
def progress(
    n_steps: int | None, *, is_quiet: bool, note: Path | None = None
) -> Iterator[Callable[[int, Health], None]]:
    """Show frames a second, the count so far and the camera's health; yields what is called after each frame."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("counting"), BarColumn(), TextColumn("{task.completed} frames"),
               TextColumn("{task.fields[speed]:.1f} fps, {task.fields[counted]} counted{task.fields[state]}"),
               TimeRemainingColumn())  # fmt: skip
    start_s, noted_s = time.monotonic(), 0.0
    with Progress(*columns, console=Console(stderr=True), disable=is_quiet, refresh_per_second=2) as bar:
        task = bar.add_task("count", total=n_steps, speed=0.0, counted=0, state="")

        def show(counted: int, health: Health) -> None:
            nonlocal noted_s
            bar.advance(task)
            done, now_s = bar.tasks[0].completed, time.monotonic()
            speed = done / max(now_s - start_s, 1e-9)
            bar.update(task, speed=speed, counted=counted, state="" if health is Health.OK else f", camera {health}")
            if note is not None and now_s - noted_s > _NOTE_EVERY_S:
                noted_s = now_s
                facts = {"frames": done, "total": n_steps, "fps": speed, "counted": counted, "health": str(health)}
                write_whole(note, json.dumps(facts).encode())

        yield show
