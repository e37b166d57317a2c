"""The command `count`: turning movement counts out of a video, with pictures to audit them by."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ops.count_files import write_counts, write_table
from ops.provenance import command_line, commit, versions
from traffic.errors import BadVideo
from vision.camera import Camera, fit_camera, read_camera
from vision.counter import Counter, Crossing, line_totals, turn_counts
from vision.draw import VideoWriter, annotate, save_picture
from vision.finder import Finder, load_finder
from vision.slit_scan import SlitScan
from vision.source import Frame, FrameSource, open_source
from vision.tracker import Tracker
from vision.weights import find_weights

_PACKAGES = ("nga-tu", "numpy", "opencv-python", "openvino", "torch", "ultralytics", "lap")
_CROSSING_COLUMNS = (
    *("line", "direction", "movement", "vehicle_class"),
    *("time_s", "place", "track", "share"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountOptions:
    """What `count` keeps beside the numbers.

    Attributes
    ----------
    has_slit_scan
        Keep the pixels under each line, as a picture of line x time.
    has_video
        Keep every frame, with boxes and counts drawn on it.
    is_quiet
        Show no progress bar.
    """

    has_slit_scan: bool = True
    has_video: bool = False
    is_quiet: bool = False


def run_count(
    video: Path,
    camera: Path,
    weights: str | None = None,
    out: Path | None = None,
    options: CountOptions | None = None,
    finder: Finder | None = None,
) -> dict[str, Any]:
    """Count what crosses a camera's lines in a video and write the results into a folder.

    Parameters
    ----------
    video
        A video file, or a folder of images.
    camera
        The camera file.
    weights
        Path, name or folder of models; None takes the shipped model.
    out
        Folder for the results; None makes `<video>_counts` where the command runs.
    options
        What to keep beside the numbers.
    finder
        What finds road users; None loads `weights`.

    Returns
    -------
    dict
        Keys of the command `count` in `ops.keys`.

    Raises
    ------
    BadVideo
        If the video or the camera file is at fault. What was counted before a video broke off is
        kept, marked as partial.
    BadWeights
        If there are no weights or they do not load.
    KeyboardInterrupt
        If interrupted; what was counted is kept, marked as partial.
    """
    saved = read_camera(camera)
    source = open_source(video, frames_per_s=saved.frames_per_s)
    folder = out or Path(f"{video.stem}_counts")
    with ExitStack() as stack:
        stack.callback(source.close)
        fitted = fit_camera(saved, source.size, str(video))
        about: dict[str, Any] = {"video": str(video), "camera": asdict(fitted), "weights": None}
        if finder is None:
            found = find_weights(weights)
            about["weights"] = {"path": str(found.path), "kind": str(found.kind), "sha256": found.sha256}
            finder = load_finder(found, fitted.image_size, fitted.class_map)
        about |= {"command": command_line(), "commit": commit(), "versions": versions(_PACKAGES)}
        _make_folder(folder)
        run = CountRun(fitted, source, finder, folder, options or CountOptions())
        stack.callback(run.close)
        try:
            run.watch(source)
        except (BadVideo, KeyboardInterrupt) as error:
            if run.n_frames or isinstance(error, KeyboardInterrupt):
                run.save(about, broken_by=str(error) or "interrupted")
            raise
        return {"video": str(video), **run.save(about), "out": str(folder)}


class CountRun:
    """One pass over a source: the tracker, the counter and the pictures that grow with it."""

    def __init__(
        self, camera: Camera, source: FrameSource, finder: Finder, folder: Path, options: CountOptions
    ) -> None:
        self.n_frames = 0
        self._camera, self._finder, self._folder, self._options = camera, finder, folder, options
        rate = source.frames_per_s / camera.frame_stride
        self._frame_s = camera.frame_stride / source.frames_per_s
        self._tracker = Tracker(rate, camera.min_confidence)
        self._counter = Counter(camera)
        self._scans = [SlitScan(line, camera.size, rate) for line in camera.lines] if options.has_slit_scan else []
        self._pages = [0] * len(self._scans)
        self._video = VideoWriter(folder / "annotated.mp4", camera.size, rate) if options.has_video else None
        self._watched_s, self._cpu_s = 0.0, 0.0

    def watch(self, source: FrameSource) -> None:
        """Count to the end of the source."""
        n_steps = None if source.n_frames is None else -(-source.n_frames // self._camera.frame_stride)
        start_cpu_s = time.process_time()
        with progress(n_steps, is_quiet=self._options.is_quiet) as show:
            for frame in source.frames(self._camera.frame_stride):
                self._step(frame)
                self._cpu_s = time.process_time() - start_cpu_s
                show(self._counter.n_counted)

    def save(self, about: dict[str, Any], broken_by: str | None = None) -> dict[str, Any]:
        """Write everything; return the rows and the speed."""
        crossings = self._counter.crossings()
        rows = line_totals(crossings, self._camera)
        speed = self.n_frames / self._cpu_s if self._cpu_s > 0 else None
        result = {"rows": rows, "fps_per_core": speed, "partial": broken_by is not None}
        about = {
            **about,
            **result,
            "broken_by": broken_by,
            "frames": self.n_frames,
            "watched_s": self._watched_s,
            "options": asdict(self._options),
        }
        counts = turn_counts(crossings, self._camera, self._watched_s)
        write_counts(self._folder, counts, about)
        write_table(self._folder / "crossings.csv", _CROSSING_COLUMNS, [asdict(row) for row in crossings])
        for number, scan in enumerate(self._scans):
            while not scan.is_empty:
                self._save_page(number, crossings)
        return result

    def close(self) -> None:
        """Finish the annotated video."""
        if self._video is not None:
            self._video.close()

    def _step(self, frame: Frame) -> None:
        tracks = self._tracker.follow(self._finder.find(frame.image))
        self._counter.update(frame.time_s, tracks)
        self.n_frames += 1
        self._watched_s = frame.time_s + self._frame_s
        for number, scan in enumerate(self._scans):
            scan.add(frame)
            if scan.is_page_due:
                self._save_page(number, self._counter.crossings())
        if self._video is not None:
            self._video.write(annotate(frame.image, self._camera, tracks, self._totals()))

    def _totals(self) -> list[str]:
        rows = line_totals(self._counter.crossings(), self._camera)
        return [f"{row['line']} {row['direction']}: {row['count']} {row['class']}" for row in rows if row["count"]]

    def _save_page(self, number: int, crossings: list[Crossing]) -> None:
        self._pages[number] += 1
        name = re.sub(r"[^\w-]+", "_", self._camera.lines[number].name)
        file = f"slit_scan_{number + 1}_{name}_{self._pages[number]:03d}.png"
        save_picture(self._folder / file, self._scans[number].take_page(crossings))


@contextmanager
def progress(n_steps: int | None, *, is_quiet: bool) -> Iterator[Any]:
    """Show frames a second and the count so far on stderr; yields what is called after each frame."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("counting"), BarColumn(), TextColumn("{task.completed} frames"),
               TextColumn("{task.fields[speed]:.1f} fps, {task.fields[counted]} counted"),
               TimeRemainingColumn())  # fmt: skip
    start_s = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), disable=is_quiet, refresh_per_second=2) as bar:
        task = bar.add_task("count", total=n_steps, speed=0.0, counted=0)

        def show(counted: int) -> None:
            bar.advance(task)
            done = bar.tasks[0].completed
            bar.update(task, speed=done / max(time.monotonic() - start_s, 1e-9), counted=counted)

        yield show


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadVideo(str(folder), "cannot be made", str(error), "give another folder with --out") from error
