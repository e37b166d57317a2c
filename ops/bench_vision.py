"""The command `bench vision`: counting beside plain `yolo track` on the same frames, in turn, in CPU time."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from ops.bench_loop import cpu_model
from ops.bounds import check_number
from ops.count import PACKAGES
from ops.provenance import command_line, commit, versions
from vision.camera import Camera, fit_camera
from vision.camera_file import CameraFile, LineFile
from vision.counter import Counter
from vision.finder import Finder, load_finder
from vision.health import HealthWatch
from vision.plain_track import PlainTrack
from vision.source import open_source
from vision.tracker import Tracker
from vision.weights import find_weights


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchVisionOptions:
    """What is measured: `n_frames` frames, every `stride`-th, `repeats` times in turn with the peer."""

    image_size: int = 416
    stride: int = 2
    n_frames: int = 200
    repeats: int = 5
    weights: str | None = None


def run_bench_vision(video: Path, options: BenchVisionOptions | None = None) -> dict[str, Any]:
    """Measure one video.

    Returns
    -------
    dict
        Keys of the command `bench vision` in `ops.keys`.

    Raises
    ------
    BadInput
        If the video, the weights or an option is not what it should be.
    """
    options = options or BenchVisionOptions()
    check_number("--repeats", options.repeats, 1)
    check_number("--frames", options.n_frames, 10)
    weights = find_weights(options.weights)
    camera = _camera(video, options.image_size)
    finder = load_finder(weights, options.image_size, camera.class_map)
    peers = {name: PlainTrack(video, weights, options.image_size, runtime=name) for name in ("torch", "openvino")}
    ours: list[dict[str, float]] = []
    theirs: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(options.repeats):
        ours.append(_count_ms(video, camera, finder, options))
        for name, peer in peers.items():
            theirs[name].append(peer.cpu_ms(options.stride, options.n_frames))
    whole = [row["whole"] for row in ours]
    ratios = {name: sorted(them / us for them, us in zip(rows, whole, strict=True)) for name, rows in theirs.items()}
    return {
        "video": str(video),
        "rows": [{"stage": name, "cpu_ms": median(row[name] for row in ours)} for name in ours[0]],
        "fps_per_core": 1000.0 / median(whole),
        "ratio_plain": median(ratios["torch"]),
        "ratio_plain_range": [ratios["torch"][0], ratios["torch"][-1]],
        "ratio_plain_openvino": median(ratios["openvino"]),
        "ratio_plain_openvino_range": [ratios["openvino"][0], ratios["openvino"][-1]],
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "image_size": options.image_size,
        "frames": options.n_frames,
        "repeats": options.repeats,
        "cpu": cpu_model(),
        "has_amx": "amx_tile" in Path("/proc/cpuinfo").read_text(encoding="utf-8"),
        "load": os.getloadavg()[0],
        "command": command_line(),
        "commit": commit(),
        "versions": versions(PACKAGES),
    }


def _camera(video: Path, image_size: int) -> Camera:
    """Return a camera with one line across the middle."""
    line = LineFile(name="middle", points=((0.0, 0.5), (1.0, 0.5)))
    source = open_source(video)
    source.close()
    return fit_camera(CameraFile(version=1, name="bench", relative=True, lines=[line], image_size=image_size),
                      source.size, str(video))  # fmt: skip


def _count_ms(video: Path, camera: Camera, finder: Finder, options: BenchVisionOptions) -> dict[str, float]:
    """Return CPU milliseconds a frame from decoding to count, whole and by stage; the first frame is left out."""
    source = open_source(video)
    rate = source.frames_per_s / options.stride
    tracker, counter, health = Tracker(rate, camera.min_confidence), Counter(camera), HealthWatch(rate)
    frames = islice(source.frames(options.stride), options.n_frames + 1)
    finder.find(next(frames).image)
    stages = dict.fromkeys(("decode", "health", "find", "track and count"), 0.0)
    n, began_s = 0, time.process_time()
    at_s = began_s
    for frame in frames:
        marks = [time.process_time()]
        health.see(frame)
        marks.append(time.process_time())
        boxes = finder.find(frame.image)
        marks.append(time.process_time())
        counter.update(frame.time_s, tracker.follow(boxes))
        marks.append(time.process_time())
        for name, start_s, end_s in zip(stages, [at_s, *marks[:-1]], marks, strict=True):
            stages[name] += end_s - start_s
        at_s, n = marks[-1], n + 1
    source.close()
    whole_s = time.process_time() - began_s
    return {name: 1000.0 * spent_s / n for name, spent_s in (stages | {"whole": whole_s}).items()}
