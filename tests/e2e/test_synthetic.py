"""The synthetic camera: equal for equal seeds, its truth where its pixels are, counted by the shipped finder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ops.vision_eval import EvalOptions, run_vision_eval
from ops.vision_render import RenderOptions, run_vision_render
from traffic.counts import VehicleClass
from traffic.errors import BadInput, BadScenario, MissingTool
from vision.projection import Mount
from vision.synthetic.render import Light, Placed, Renderer
from vision.synthetic.scenes import random_road, random_scene
from vision.synthetic.street import street_mesh
from vision.synthetic.vehicles import fleet
from vision.training.drawn_images import drawn_images

SIZE = (320, 180)
MOUNT = Mount(x_m=0.0, y_m=0.0, height_m=7.0, heading_rad=0.0, pitch_rad=0.3, fov_deg=60.0, size=SIZE)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    road = random_road(np.random.default_rng(1))
    street = street_mesh(road, (0.0, 0.0), 1, reach_m=60.0)
    return Renderer(SIZE, fleet(1, n_of_each=2), street.ground, street.things[:0])


def placed(model: int, x_m: float, y_m: float = 0.0) -> Placed:
    return Placed(model=model, x_m=x_m, y_m=y_m, heading_rad=0.0, paint=(0.9, 0.1, 0.1))


def test_the_box_of_a_vehicle_is_where_its_pixels_are(renderer: Renderer) -> None:
    empty = renderer.draw(MOUNT, [], Light(), has_boxes=False).image
    picture = renderer.draw(MOUNT, [placed(4, 25.0)], Light(sun=(0.0, 0.0, 1.0)))
    changed = np.abs(picture.image.astype(int) - empty).max(axis=2) > 60
    rows, columns = np.nonzero(changed)
    seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert np.abs(seen - picture.boxes[0]).max() <= 3
    assert np.abs(picture.outlines[0] - picture.boxes[0]).max() <= 2 and picture.seen[0] > 0.9


def test_what_is_hidden_is_told(renderer: Renderer) -> None:
    names = [model.vehicle_class for model in fleet(1, n_of_each=2)]
    bus, motorcycle = names.index(VehicleClass.BUS), names.index(VehicleClass.MOTORCYCLE)
    picture = renderer.draw(MOUNT, [placed(bus, 30.0), placed(motorcycle, 33.0)], Light())
    assert picture.seen[0] > 0.9 and picture.seen[1] < 0.5
    assert picture.outlines[1, 2] > picture.outlines[1, 0]


def test_the_same_seed_draws_the_same_images_and_another_others() -> None:
    first, again = (list(drawn_images(3, 5)) for _ in range(2))
    assert all(
        np.array_equal(a.image, b.image) and np.array_equal(a.boxes, b.boxes) for a, b in zip(first, again, strict=True)
    )
    other = next(iter(drawn_images(1, 6)))
    assert other.image.shape != first[0].image.shape or not np.array_equal(other.image, first[0].image)


def test_no_two_road_users_of_a_scene_stand_in_one_another() -> None:
    rng = np.random.default_rng(4)
    models = fleet(4, n_of_each=2)
    scene = random_scene(rng, random_road(rng), models, SIZE)
    places = np.array([(user.x_m, user.y_m) for user in scene.users])
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 100.0 * np.eye(len(places))
    assert apart.min() > 0.5


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    options = RenderOptions(
        junction="giua", approach="buu_dien_giua", seconds=20.0, start_s=600.0, seed=301, is_quiet=True
    )
    run_vision_render("thanh_hoa", folder, options)
    return folder


def test_a_drawn_street_is_counted_by_the_shipped_finder(clip: Path) -> None:
    truth = json.loads((clip / "ground_truth.json").read_text(encoding="utf-8"))["clips"]["clip.mp4"]
    n_true = sum(len(frames) for line in truth["lines"] for frames in line["events"].values())
    result = run_vision_eval(clip, EvalOptions(n_plain=0))
    assert n_true >= 10
    assert result["recall_motorcycle"] >= 0.8 and result["precision_motorcycle"] >= 0.8
    assert result["overcount_stopped"] == 0
    assert result["speed_error_kph"] < 5.0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (RenderOptions(weather="snow"), BadInput, "--weather: snow"),
        (RenderOptions(seconds=0.0), BadInput, "--seconds: 0"),
        (RenderOptions(junction="nowhere"), BadInput, "--junction: nowhere"),
        (RenderOptions(junction="bac", approach="nowhere"), BadScenario, "no approach 'nowhere'"),
    ],
)
def test_bad_options_are_refused(options: RenderOptions, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        run_vision_render("thanh_hoa", tmp_path / "out", options)


def test_without_egl_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import moderngl

    def none(**_: object) -> None:
        raise Exception("(eglInitialize) cannot")

    monkeypatch.setattr(moderngl, "create_standalone_context", none)
    with pytest.raises(MissingTool, match="apt-get install libegl1"):
        Renderer(SIZE, [], np.zeros((0, 11), np.float32), np.zeros((0, 11), np.float32))
