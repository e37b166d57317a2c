"""The command `vision render`: the street of a scenario as a synthetic camera sees it, with truth and camera file."""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ops.console import plain
from ops.provenance import command_line, commit, versions
from ops.scenario_folder import open_scenario
from sim.ensemble import stderr_progress
from sim.launch import launch_of
from sim.network import read_network
from sim.street_lamps import LampStreet
from traffic.errors import BadInput
from traffic.files import write_whole
from traffic.ids import JunctionId, LinkId
from traffic.network import Network
from traffic.scenario import Scenario
from vision.camera import Area, fit_camera, mount_of
from vision.camera_file import CameraFile, camera_toml
from vision.draw import VideoWriter
from vision.synthetic.camera import LineTruth, SyntheticCamera, TurnTruth, View
from vision.synthetic.placing import Lens, approach_camera, junction_camera
from vision.synthetic.weather import WEATHERS
from vision.truth import TRUTH
from vision.turns import zone_of_each
from vision.zones import anchors

CLIP, CAMERA = "clip.mp4", "camera.toml"
_STANDING_KPH = 5.0
_PACKAGES = ("nga-tu", "moderngl", "opencv-python", "eclipse-sumo")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """What is drawn: `start_s` after the scenario's begin, `seconds` long; `seed` is of looks and drivers.

    `is_whole` looks over the whole junction, with zones and turns in place of a line; its lens is its own.
    """

    junction: str | None = None
    approach: str | None = None
    weather: str = "day"
    seconds: float = 60.0
    start_s: float = 300.0
    frames_per_s: float = 10.0
    seed: int = 100
    size: tuple[int, int] = (640, 360)
    height_m: float = 8.0
    fov_deg: float = 52.0
    is_whole: bool = False
    is_quiet: bool = False


def run_vision_render(scenario: str, out: Path, options: RenderOptions | None = None) -> dict[str, Any]:
    """Draw a clip of a scenario's street.

    Returns
    -------
    dict
        Keys of the command `vision render` in `ops.keys`.

    Raises
    ------
    BadInput
        If an option is out of range.
    BadScenario
        If the scenario or the approach is not there.
    MissingTool
        If there is no headless EGL.
    """
    options = options or RenderOptions()
    _check(options)
    opened = open_scenario(scenario)
    network = read_network(opened.network, opened.additional)
    junction, approach = _place(network, options)
    lens = Lens(height_m=options.height_m, fov_deg=options.fov_deg)
    saved = junction_camera(network, junction) if options.is_whole else approach_camera(
        network, junction, approach, options.size, lens
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / CAMERA, camera_toml(saved).encode("utf-8"))
    truth = _draw(opened, network, saved, out, options)
    about = {"command": command_line(), "commit": commit(), "versions": versions(_PACKAGES),
             "seed": options.seed, "weather": options.weather}  # fmt: skip
    clip = truth | {"sha256": hashlib.sha256((out / CLIP).read_bytes()).hexdigest(), "camera": CAMERA}
    text = json.dumps(plain({"about": about, "clips": {CLIP: clip}}), indent=1) + "\n"
    write_whole(out / TRUTH, text.encode("utf-8"))
    totals: Counter[str] = Counter()
    for row in [*clip["lines"], *clip["turns"]]:
        totals.update({name: len(frames) for name, frames in row["events"].items()})
    return {"clip": str(out / CLIP), "camera": str(out / CAMERA), "truth": str(out / TRUTH), "junction": junction,
            "approach": approach, "rows": [{"class": name, "crossed": n} for name, n in totals.items()]}  # fmt: skip


def _check(options: RenderOptions) -> None:
    if options.weather not in WEATHERS:
        raise BadInput("--weather", options.weather, f"one of {', '.join(WEATHERS)}", "give one of them")
    for name, value, low, high in (
        ("--seconds", options.seconds, 1, 7200), ("--start", options.start_s, 0, 86400),
        ("--fps", options.frames_per_s, 1, 30),
    ):  # fmt: skip
        if not low <= value <= high:
            raise BadInput(name, f"{value:g}", f"{low} to {high}", "give another")


def _place(network: Network, options: RenderOptions) -> tuple[JunctionId, LinkId]:
    """Return the approach that is looked at: the first of the first junction where none is named."""
    junction = JunctionId(options.junction) if options.junction else next(iter(network.crossings))
    if junction not in network.crossings:
        raise BadInput("--junction", junction, f"there are: {', '.join(network.crossings)}", "name one of them")
    approach = options.approach or network.crossings[junction].approaches[0].link
    return junction, LinkId(approach)


def _draw(scenario: Scenario, network: Network, saved: CameraFile, out: Path, options: RenderOptions) -> dict[str, Any]:
    """Simulate and draw; return the clip's truth."""
    assert saved.mount is not None and saved.size is not None
    fitted = fit_camera(saved, saved.size, CAMERA)
    camera = SyntheticCamera(network, mount_of(saved.mount, saved.size), WEATHERS[options.weather], options.seed)
    turns = TurnTruth(fitted.turns)
    lines = LineTruth(fitted.lines)
    queues: dict[str, list[int]] = {lane.name: [] for lane in fitted.lanes}
    step_s, n_frames = 1.0 / options.frames_per_s, round(options.seconds * options.frames_per_s)
    what = replace(launch_of(scenario, seed=options.seed), step_s=step_s)
    video = VideoWriter(out / CLIP, saved.size, options.frames_per_s)
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            LampStreet(what, network, Path(folder)) as street,
            stderr_progress() as progress,
        ):
            progress.disable = options.is_quiet
            street.simulation.step(scenario.begin_s + options.start_s)
            for index in progress.track(range(n_frames), description="drawing"):
                poses = street.poses()
                view = camera.look(poses)
                lines.see(index * step_s, view)
                turns.see(index * step_s, poses)
                if index % round(options.frames_per_s) == 0:
                    _note_queues(queues, fitted.lanes, view)
                video.write(view.image)
                street.step()
    finally:
        video.close()
        camera.close()
    return _truth(saved, (lines, turns), queues, options)


def _note_queues(queues: dict[str, list[int]], lanes: tuple[Area, ...], view: View) -> None:
    """Add how many stand in each lane now."""
    where = zone_of_each(anchors(view.outlines), lanes)
    for name, counts in queues.items():
        counts.append(
            sum(
                lane == name and 3.6 * pose.speed_mps < _STANDING_KPH
                for lane, pose in zip(where, view.poses, strict=True)
            )
        )


def _truth(
    saved: CameraFile, seen: tuple[LineTruth, TurnTruth], queues: dict[str, list[int]], options: RenderOptions
) -> dict[str, Any]:
    """Return what was true in the clip, in the form that `vision.truth` reads; times are frames."""
    lines, turns = seen
    rate = options.frames_per_s
    rows = []
    for line in saved.lines:
        ways = {event.is_to_right for event in lines.events if event.line == line.name} or {False}
        for is_to_right in sorted(ways):
            mine = [e for e in lines.events if e.line == line.name and e.is_to_right is is_to_right]
            names = sorted({event.vehicle_class for event in mine})
            rows.append({
                "name": line.name, "p": line.points, "direction": "to_right" if is_to_right else "to_left",
                "events": {str(n): [round(e.time_s * rate, 2) for e in mine if e.vehicle_class is n] for n in names},
                "speeds_kph": {str(n): [round(e.speed_kph, 2) for e in mine if e.vehicle_class is n] for n in names},
            })  # fmt: skip
    made = []
    for turn in saved.turns:
        mine_by_class: dict[str, list[float]] = {}
        for entry, exit_, name, time_s in turns.events:
            if (entry, exit_) == (turn.entry, turn.exit):
                mine_by_class.setdefault(str(name), []).append(round(time_s * rate, 2))
        made.append({"entry": turn.entry, "exit": turn.exit, "events": mine_by_class})
    return {"fps": rate, "size": saved.size, "frame_from": 0, "frame_to": math.ceil(options.seconds * rate),
            "lines": rows, "turns": made, "queues_veh": queues}  # fmt: skip
