"""Several cameras at once: one process a camera, one thread each; one that fails does not stop the others."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ops.count import CountOptions, run_count
from sim.ensemble import Outcome, run_many
from traffic.errors import BadInput
from vision.stream import shown

NOTE = ".progress.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraJob:
    """One camera: what it sees, its file, and where its results go."""

    video: str
    camera: Path
    out: Path


def run_count_many(
    videos: Sequence[str],
    cameras: Sequence[Path],
    weights: str | None = None,
    out: Path | None = None,
    options: CountOptions | None = None,
) -> dict[str, Any]:
    """Count several cameras, each into a folder of its own under `out`.

    Returns
    -------
    dict
        Keys of the command `count` in `ops.keys`, `cameras` among them; exit code 1 if one of them failed.

    Raises
    ------
    BadInput
        If there is not one camera file a video.
    KeyboardInterrupt
        If interrupted; every camera keeps what it saved last, at most a minute before.
    """
    if len(videos) != len(cameras):
        raise BadInput("count", f"{len(videos)} videos, {len(cameras)} camera files", "one file a video", "pair them")
    options, folder = options or CountOptions(), out or Path("counts")
    jobs = [
        CameraJob(video=str(video), camera=camera, out=folder / f"{number:02d}_{camera.stem}")
        for number, (video, camera) in enumerate(zip(videos, cameras, strict=True), start=1)
    ]
    work = partial(_count_one, weights=weights, options=options)
    with _shown([job.out / NOTE for job in jobs], is_quiet=options.is_quiet):
        outcomes = list(run_many(jobs, work, jobs=len(jobs)))
    rows = [_row(outcome) for outcome in outcomes]
    failed = [row for row in rows if row["error"] is not None]
    return {"cameras": rows, "out": str(folder), "partial": bool(failed), "exit_code": int(bool(failed))}


def _count_one(job: CameraJob, *, weights: str | None, options: CountOptions) -> dict[str, Any]:
    """Count one camera, in a worker."""
    job.out.mkdir(parents=True, exist_ok=True)
    note = job.out / NOTE
    try:
        return run_count(job.video, job.camera, weights, job.out, replace(options, is_quiet=True, note=note))
    finally:
        note.unlink(missing_ok=True)


def _row(outcome: Outcome[CameraJob, dict[str, Any]]) -> dict[str, Any]:
    job, result = outcome.spec, outcome.result or {}
    counted = sum(row["count"] for row in result.get("rows", []))
    return {
        "camera": job.camera.stem,
        "video": shown(job.video),
        "counted": counted if result else None,
        "healthy_share": result.get("healthy_share"),
        "fps_per_core": result.get("fps_per_core"),
        "out": str(job.out),
        "error": outcome.error.line if outcome.error else None,
    }


@contextmanager
def _shown(notes: Sequence[Path], *, is_quiet: bool) -> Any:
    """Show a bar a camera on stderr, from the notes that the workers write."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    stop = threading.Event()
    with Progress(*columns, console=Console(stderr=True), disable=is_quiet, refresh_per_second=2) as bar:
        tasks = [bar.add_task(note.parent.name, total=None, told="starting") for note in notes]

        def look() -> None:
            while not stop.wait(0.5):
                for task, note in zip(tasks, notes, strict=True):
                    try:
                        facts = json.loads(note.read_text(encoding="utf-8"))
                    except (OSError, ValueError):
                        continue
                    told = f"{facts['fps']:.1f} fps, {facts['counted']} counted, camera {facts['health']}"
                    bar.update(task, completed=facts["frames"], total=facts["total"], told=told)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
