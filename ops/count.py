"""The command `count`: turning movement counts out of a video or a live camera, with pictures to audit them by."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ops.count_files import write_counts, write_table
from ops.count_measures import lane_rows, line_rows, read_greens
from ops.count_progress import progress
from ops.provenance import command_line, commit, versions
from traffic.counts import Health
from traffic.errors import BadVideo
from vision.camera import Camera, fit_camera
from vision.camera_file import CameraFile, read_camera
from vision.counter import Counter
from vision.crossings import Crossing, line_totals, turn_counts
from vision.draw import VideoWriter, annotate, blurred, save_picture
from vision.finder import Finder, load_finder
from vision.health import HealthWatch
from vision.measure import Green, LaneWatch
from vision.slit_scan import SlitScan
from vision.source import Frame, FrameSource, open_source
from vision.stream import Stream, is_stream, shown
from vision.tracker import Tracker
from vision.weights import find_weights

PACKAGES = ("nga-tu", "numpy", "opencv-python", "openvino", "torch", "ultralytics", "lap")
_CROSSING_COLUMNS = (
    *("line", "direction", "movement", "vehicle_class"),
    *("time_s", "place", "track", "share", "speed_kph"),
)
_MEASURE_COLUMNS = ("kind", "name", "lane", "measure", "place", "value", "unit", "n")
SAVE_EVERY_S = 60.0
"""How often a run that goes on is saved, seconds of wall time: a kill loses no more than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountOptions:
    """What `count` keeps beside the numbers.

    Attributes
    ----------
    has_slit_scan
        Keep the pixels under each line, as a picture of line x time.
    has_video
        Keep every frame, with boxes and counts drawn on it, blurred so that no face and no plate can be read.
    is_sharp
        Do not blur it.
    duration_s
        Seconds after which a live camera is let go; None goes on until Ctrl-C.
    signals
        A file of signal states, for measures by green and by cycle.
    image_size
        Longer side of the network's input in place of the camera file's.
    is_quiet
        Show no progress bar.
    note
        File that holds the progress instead, for who watches several cameras.
    """

    has_slit_scan: bool = True
    has_video: bool = False
    is_sharp: bool = False
    duration_s: float | None = None
    signals: Path | None = None
    image_size: int | None = None
    is_quiet: bool = False
    note: Path | None = None


def run_count(
    video: Path | str,
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
        A video file, a folder of images, a webcam's number, or the address of a network camera.
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
    options = options or CountOptions()
    saved = read_camera(camera)
    greens = read_greens(options.signals) if options.signals else {}
    named = shown(str(video))
    with ExitStack() as stack:
        source = _open(str(video), saved, options)
        stack.callback(source.close)
        fitted = fit_camera(saved, source.size, named, image_size=options.image_size)
        about: dict[str, Any] = {"video": named, "camera": asdict(fitted), "weights": None}
        if finder is None:
            found = find_weights(weights)
            about["weights"] = {"path": str(found.path), "kind": str(found.kind), "sha256": found.sha256}
            finder = load_finder(found, fitted.image_size, fitted.class_map)
        about |= {"command": command_line(), "commit": commit(), "versions": versions(PACKAGES)}
        folder = out or Path(f"{saved.name if is_stream(str(video)) else Path(video).stem}_counts")
        _make_folder(folder)
        run = CountRun(fitted, source, finder, folder, options, greens)
        stack.callback(run.close)
        try:
            run.watch(source, about)
        except (BadVideo, KeyboardInterrupt) as error:
            if run.n_frames or isinstance(error, KeyboardInterrupt):
                run.save(about, broken_by=str(error) or "interrupted")
            raise
        return {"video": named, **run.save(about), "out": str(folder)}


def _open(video: str, saved: CameraFile, options: CountOptions) -> FrameSource:
    if is_stream(video):
        return Stream(video, frames_per_s=saved.frames_per_s, duration_s=options.duration_s)
    return open_source(Path(video), frames_per_s=saved.frames_per_s)


class CountRun:
    """One pass over a source: the tracker, the counter, the watches and the pictures that grow with it."""

    def __init__(
        self,
        camera: Camera,
        source: FrameSource,
        finder: Finder,
        folder: Path,
        options: CountOptions,
        greens: dict[str, list[Green]],
    ) -> None:
        self.n_frames = 0
        self._camera, self._finder, self._folder, self._options, self._greens = camera, finder, folder, options, greens
        rate = source.frames_per_s / camera.frame_stride
        self._frame_s = camera.frame_stride / source.frames_per_s
        self._tracker = Tracker(rate, camera.min_confidence)
        self._counter, self._health, self._lanes = Counter(camera), HealthWatch(rate), LaneWatch(camera)
        self._scans = [SlitScan(line, camera.size, rate) for line in camera.lines] if options.has_slit_scan else []
        self._pages = [0] * len(self._scans)
        self._video = VideoWriter(folder / "annotated.mp4", camera.size, rate) if options.has_video else None
        self._watched_s, self._cpu_s = 0.0, 0.0

    def watch(self, source: FrameSource, about: dict[str, Any]) -> None:
        """Count to the end of the source; what was counted is saved every minute."""
        n_steps = None if source.n_frames is None else -(-source.n_frames // self._camera.frame_stride)
        start_cpu_s, saved_s = time.process_time(), time.monotonic()
        with progress(n_steps, is_quiet=self._options.is_quiet, note=self._options.note) as show:
            for frame in source.frames(self._camera.frame_stride):
                health = self._step(frame)
                self._cpu_s = time.process_time() - start_cpu_s
                show(self._counter.n_counted, health)
                if time.monotonic() - saved_s > SAVE_EVERY_S:
                    self.save(about, broken_by="still running", has_pages=False)
                    saved_s = time.monotonic()
        if isinstance(source, Stream):
            self._watched_s = source.now_s

    def save(self, about: dict[str, Any], broken_by: str | None = None, *, has_pages: bool = True) -> dict[str, Any]:
        """Write everything; return the rows and the speed."""
        crossings = self._counter.crossings()
        outages = self._health.outages(self._watched_s)
        speed = self.n_frames / self._cpu_s if self._cpu_s > 0 else None
        unwell_s = sum(row.end_s - row.start_s for row in outages)
        result = {
            "rows": line_totals(crossings, self._camera),
            "fps_per_core": speed,
            "outages": [asdict(row) for row in outages],
            "healthy_share": max(0.0, 1.0 - unwell_s / self._watched_s) if self._watched_s else None,
            "partial": broken_by is not None,
        }
        about = {
            **about,
            **result,
            "broken_by": broken_by,
            "frames": self.n_frames,
            "watched_s": self._watched_s,
            "options": asdict(self._options),
        }
        counts = turn_counts(crossings, self._camera, self._watched_s, outages)
        write_counts(self._folder, counts, about)
        write_table(self._folder / "crossings.csv", _CROSSING_COLUMNS, [asdict(row) for row in crossings])
        measures = [*line_rows(self._camera, crossings, self._greens), *lane_rows(self._lanes)]
        write_table(self._folder / "measures.csv", _MEASURE_COLUMNS, measures)
        for number, scan in enumerate(self._scans):
            while has_pages and not scan.is_empty:
                self._save_page(number, crossings)
        return result

    def close(self) -> None:
        """Finish the annotated video."""
        if self._video is not None:
            self._video.close()

    def _step(self, frame: Frame) -> Health:
        health = self._health.see(frame)
        tracks = self._tracker.follow(self._finder.find(frame.image))
        users = self._counter.update(frame.time_s, tracks)
        self._lanes.see(frame.time_s, users)
        self.n_frames += 1
        self._watched_s = frame.time_s + self._frame_s
        for number, scan in enumerate(self._scans):
            scan.add(frame)
            if scan.is_page_due:
                self._save_page(number, self._counter.crossings())
        if self._video is not None:
            image = frame.image if self._options.is_sharp else blurred(frame.image)
            self._video.write(annotate(image, self._camera, tracks, self._totals()))
        return health

    def _totals(self) -> list[str]:
        rows = line_totals(self._counter.crossings(), self._camera)
        return [f"{row['line']} {row['direction']}: {row['count']} {row['class']}" for row in rows if row["count"]]

    def _save_page(self, number: int, crossings: list[Crossing]) -> None:
        self._pages[number] += 1
        name = re.sub(r"[^\w-]+", "_", self._camera.lines[number].name)
        file = f"slit_scan_{number + 1}_{name}_{self._pages[number]:03d}.png"
        save_picture(self._folder / file, self._scans[number].take_page(crossings))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadVideo(str(folder), "cannot be made", str(error), "give another folder with --out") from error
