"""The command `vision eval`: counts of a folder of clips beside their truth, event by event."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from ops.count import PACKAGES
from ops.provenance import command_line, commit, versions
from ops.statistics import wilson
from traffic.counts import VehicleClass, geh
from traffic.errors import BadVideo
from vision.camera import Camera, fit_camera
from vision.camera_file import CameraFile, LineFile, read_camera
from vision.counter import Counter
from vision.crossings import Crossing
from vision.finder import Finder, load_finder
from vision.measure import LaneLooks, LaneWatch
from vision.plain_track import PlainTrack
from vision.source import open_source
from vision.tracker import Tracker
from vision.truth import TOLERANCE_S, TURN_TOLERANCE_S, TruthClip, TruthLine, match_times, read_truth, weighted_rmse
from vision.weights import find_weights

CARS_AND_HEAVY = (VehicleClass.CAR, VehicleClass.BUS, VehicleClass.TRUCK)
_PLAIN_FRAMES = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalOptions:
    """How clips are counted, None as the camera file or its defaults have it.

    `n_plain` frames are also given to plain `yolo track`; 0 leaves it out.
    """

    image_size: int | None = None
    frame_stride: int | None = None
    weights: str | None = None
    n_plain: int = _PLAIN_FRAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was counted in one clip, and the CPU time that it took."""

    name: str
    clip: TruthClip
    camera: Camera
    crossings: tuple[Crossing, ...]
    lanes: Mapping[str, LaneLooks]
    n_frames: int
    cpu_s: float


def run_vision_eval(folder: Path, options: EvalOptions | None = None) -> dict[str, Any]:
    """Count every clip of a folder that has a truth, and compare.

    Returns
    -------
    dict
        Keys of the command `vision eval` in `ops.keys`.

    Raises
    ------
    BadVideo
        If there is no truth or a clip is at fault.
    BadWeights
        If there are no weights.
    """
    options = options or EvalOptions()
    truth = read_truth(folder)
    weights = find_weights(options.weights)
    watched = []
    for name, clip in truth.items():
        camera = fit_camera(camera_of(folder, name, clip, options), clip.size, name)
        finder = load_finder(weights, camera.image_size, camera.class_map)
        watched.append(watch_clip(name, folder / name, clip, camera, finder))
    rows = [row for one in watched for row in _rows(one)]
    first = watched[0]
    used = first.camera
    frame_ms = 1000.0 * first.cpu_s / first.n_frames
    plain = {
        runtime: PlainTrack(folder / first.name, weights, used.image_size, runtime=runtime).cpu_ms(
            used.frame_stride, options.n_plain
        )
        for runtime in (("torch", "openvino") if options.n_plain else ())
    }
    return {
        "folder": str(folder),
        "rows": rows,
        **pooled(rows),
        "overcount_stopped": sum(_twice_standing(one) for one in watched),
        "speed_error_kph": _mean_speed_error(watched),
        "queue_error_veh": _mean_queue_error(watched),
        "weighted_rmse": _finite(weighted_rmse({str(i): (row["truth"], row["count"]) for i, row in enumerate(rows)})),
        "fps_per_core": sum(one.n_frames for one in watched) / sum(one.cpu_s for one in watched),
        "ratio_plain": plain["torch"] / frame_ms if plain else None,
        "ratio_plain_openvino": plain["openvino"] / frame_ms if plain else None,
        "image_size": used.image_size,
        "frame_stride": used.frame_stride,
        "weights": {"path": str(weights.path), "sha256": weights.sha256},
        "command": command_line(),
        "commit": commit(),
        "versions": versions(PACKAGES),
    }


def camera_of(folder: Path, name: str, clip: TruthClip, options: EvalOptions) -> CameraFile:
    """Return the camera file of a clip, or one with the lines of its truth and defaults; options go before both."""
    asked = {"image_size": options.image_size, "frame_stride": options.frame_stride}
    changes: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
    if clip.camera is not None:
        return read_camera((folder / name).parent / clip.camera).model_copy(update=changes)
    lines = [LineFile(name=line.name, points=line.p) for line in clip.lines]
    return CameraFile(version=1, name=Path(name).stem, size=clip.size, lines=lines, **changes)


def watch_clip(name: str, path: Path, clip: TruthClip, camera: Camera, finder: Finder) -> Watched:
    """Count one clip; a first frame is looked at before the clock starts, so that loading is not in the speed."""
    source = open_source(path)
    if source.size != tuple(clip.size):
        raise BadVideo(
            str(path), f"{source.size[0]}x{source.size[1]}", f"its truth is for {clip.size}", "take that clip"
        )
    tracker = Tracker(source.frames_per_s / camera.frame_stride, camera.min_confidence)
    counter, lanes = Counter(camera), LaneWatch(camera)
    n_frames, start_s = 0, 0.0
    try:
        for frame in source.frames(camera.frame_stride):
            if n_frames == 0:
                finder.find(frame.image)
                start_s = time.process_time()
            lanes.see(frame.time_s, counter.update(frame.time_s, tracker.follow(finder.find(frame.image))))
            n_frames += 1
    finally:
        source.close()
    return Watched(name=name, clip=clip, camera=camera, crossings=tuple(counter.crossings()), lanes=lanes.lanes,
                   n_frames=n_frames, cpu_s=time.process_time() - start_s)  # fmt: skip


def _of_line(watched: Watched, line: TruthLine) -> list[Crossing]:
    """Return the crossings of a line in the direction and span that truth covers."""
    clip = watched.clip
    drawn = next(one for one in watched.camera.lines if one.name == line.name)
    direction = drawn.directions[int(line.is_to_right)]
    first_s, last_s = clip.frame_from / clip.fps, clip.frame_to / clip.fps
    return [
        row
        for row in watched.crossings
        if row.line == line.name and row.direction == direction and first_s <= row.time_s <= last_s
    ]


def _rows(watched: Watched) -> Iterator[dict[str, Any]]:
    """Yield one row a line (or turning movement) and class."""
    for line in watched.clip.lines:
        where = {"line": line.name, "direction": line.direction}
        yield from _compared(watched, where, line.events, _of_line(watched, line), TOLERANCE_S)
    for turn in watched.clip.turns:
        counted = [row for row in watched.crossings if (row.line, row.direction) == (turn.entry, turn.exit)]
        where = {"line": turn.entry, "direction": turn.exit}
        yield from _compared(watched, where, turn.events, counted, TURN_TOLERANCE_S)


def _compared(
    watched: Watched,
    where: dict[str, str],
    events: Mapping[VehicleClass, Sequence[float]],
    counted: Sequence[Crossing],
    tolerance_s: float,
) -> Iterator[dict[str, Any]]:
    clip = watched.clip
    hours = (clip.frame_to - clip.frame_from) / clip.fps / 3600.0
    names = {*events, *(row.vehicle_class for row in counted)} - {VehicleClass.PEDESTRIAN}
    for name in (name for name in VehicleClass if name in names):
        truth_s = [frame / clip.fps for frame in events.get(name, [])]
        match = match_times(truth_s, [row.time_s for row in counted if row.vehicle_class is name], tolerance_s)
        yield {
            "video": watched.name,
            **where,
            "class": str(name),
            "truth": match.n_truth,
            "count": match.n_counted,
            "matched": len(match.matched),
            "geh": geh(match.n_counted / hours, match.n_truth / hours),
        }


def pooled(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return recall and precision of cars with heavy vehicles, and of motorcycles, with Wilson's 95 % intervals."""
    made: dict[str, Any] = {}
    for key, classes in (("cars_heavy", CARS_AND_HEAVY), ("motorcycle", (VehicleClass.MOTORCYCLE,))):
        mine = [row for row in rows if row["class"] in classes]
        truth, count, matched = (sum(row[name] for row in mine) for name in ("truth", "count", "matched"))
        for measure, of in (("recall", truth), ("precision", count)):
            made[f"{measure}_{key}"] = matched / of if of else None
            made[f"{measure}_{key}_ci95"] = list(wilson(matched, of)) if of else None
    by_clip: dict[str, int] = {}
    for row in rows:
        if row["class"] in CARS_AND_HEAVY:
            wrong = row["truth"] + row["count"] - 2 * row["matched"]
            by_clip[row["video"]] = by_clip.get(row["video"], 0) + wrong
    return made | {"most_errors_a_clip_cars_heavy": max(by_clip.values(), default=0)}


def _twice_standing(watched: Watched) -> int:
    """Return how many counts without an event are where the count before them in that place was: it stood there."""
    n = 0
    for line in watched.clip.lines:
        rows = _of_line(watched, line)
        events_s = sorted(frame / watched.clip.fps for frames in line.events.values() for frame in frames)
        true = {place for _, place in match_times(events_s, [row.time_s for row in rows]).matched}
        n += sum(any(before.is_same_place(row) for before in rows[:i]) for i, row in enumerate(rows) if i not in true)
    return n


def _mean_speed_error(watched: Sequence[Watched]) -> float | None:
    """Return the mean of |speed - true speed| over matched road users, km/h; None where no speeds are known."""
    errors = []
    for one in watched:
        for line in one.clip.lines:
            counted = _of_line(one, line)
            for name, speeds in line.speeds_kph.items():
                mine = [row for row in counted if row.vehicle_class is name]
                truth_s = [frame / one.clip.fps for frame in line.events[name]]
                for i, j in match_times(truth_s, [row.time_s for row in mine]).matched:
                    measured = mine[j].speed_kph
                    if measured is not None:
                        errors.append(abs(measured - speeds[i]))
    return sum(errors) / len(errors) if errors else None


def _mean_queue_error(watched: Sequence[Watched]) -> float | None:
    """Return the mean of |queue - true queue| over lanes and seconds, vehicles; None where none is known."""
    errors = [
        abs(seen - true)
        for one in watched
        for name, truth in one.clip.queues_veh.items()
        for seen, true in zip(one.lanes[name].queue_veh, truth, strict=False)
    ]
    return sum(errors) / len(errors) if errors else None


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
