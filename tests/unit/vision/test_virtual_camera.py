"""A virtual camera errs as often as its noise says, and never turns blindness into an empty road."""

from __future__ import annotations

import numpy as np
import pytest

from traffic.counts import Health, Passage, TurnCount, VehicleClass
from traffic.errors import BadInput
from traffic.ports import CountSource
from vision.health import Outage
from vision.virtual_camera import PERFECT, CameraNoise, Periods, VirtualCamera

CAR, TRUCK, MOTORCYCLE = VehicleClass.CAR, VehicleClass.TRUCK, VehicleClass.MOTORCYCLE
SHORT = Periods(period_s=100.0, classes=(CAR, TRUCK, MOTORCYCLE))


def make_passages(n: int, *, name: VehicleClass = CAR, end_s: float = 100.0, movement: str = "j:a>b") -> list[Passage]:
    times = np.linspace(0.0, end_s, n, endpoint=False)
    return [
        Passage(time_s=float(t), vehicle=f"v{i}", vehicle_class=name, movement=movement) for i, t in enumerate(times)
    ]


def make_camera(noise: CameraNoise = PERFECT, *, seed: int = 1, outages: tuple[Outage, ...] = ()) -> VirtualCamera:
    return VirtualCamera(["j:a>b"], noise, np.random.default_rng(seed), SHORT, outages)


def count_of(rows: list[TurnCount], name: VehicleClass) -> list[int | None]:
    return [row.count for row in rows if row.vehicle_class is name]


def test_a_perfect_camera_counts_every_passage_in_its_period() -> None:
    camera = make_camera()
    source: CountSource = camera
    camera.see(make_passages(30, end_s=300.0), until_s=300.0)
    assert count_of(list(source.counts(0.0, 300.0)), CAR) == [10, 10, 10]
    assert count_of(list(source.counts(0.0, 300.0)), TRUCK) == [0, 0, 0]


def test_a_movement_out_of_view_is_not_counted() -> None:
    camera = make_camera()
    camera.see(make_passages(5, movement="j:c>d"), until_s=100.0)
    assert {row.movement: row.count for row in camera.counts(0.0, 100.0)} == {"j:a>b": 0}


def test_a_period_that_is_not_over_is_not_counted() -> None:
    camera = make_camera()
    camera.see(make_passages(30, end_s=250.0), until_s=250.0)
    assert {row.start_s for row in camera.counts(0.0, 1000.0)} == {0.0, 100.0}


def test_only_periods_that_lie_within_the_span_are_returned() -> None:
    camera = make_camera()
    camera.see([], until_s=500.0)
    assert {row.start_s for row in camera.counts(150.0, 450.0)} == {200.0, 300.0}
    assert {row.start_s for row in camera.counts(200.0, 400.0)} == {200.0, 300.0}


def test_an_outage_makes_every_period_it_touches_unknown() -> None:
    camera = make_camera(outages=(Outage(start_s=150.0, end_s=160.0, health=Health.DARK),))
    camera.see(make_passages(30, end_s=300.0), until_s=300.0)
    rows = camera.counts(0.0, 300.0)
    assert count_of(rows, CAR) == [10, None, 10]
    assert [row.health for row in rows if row.vehicle_class is CAR] == [Health.OK, Health.DARK, Health.OK]


def test_the_same_seed_gives_the_same_counts() -> None:
    first, second = make_camera(CameraNoise(), seed=3), make_camera(CameraNoise(), seed=3)
    for camera in (first, second):
        camera.see(make_passages(500, name=MOTORCYCLE), until_s=100.0)
    assert first.counts(0.0, 100.0) == second.counts(0.0, 100.0)


def test_feeding_passages_one_by_one_changes_nothing() -> None:
    at_once, one_by_one = make_camera(CameraNoise()), make_camera(CameraNoise())
    passages = make_passages(200)
    at_once.see(passages, until_s=100.0)
    for passage in passages:
        one_by_one.see([passage])
    one_by_one.see([], until_s=100.0)
    assert at_once.counts(0.0, 100.0) == one_by_one.counts(0.0, 100.0)


@pytest.mark.parametrize("name", [CAR, TRUCK, MOTORCYCLE], ids=str)
def test_a_count_divided_by_the_detection_rate_is_unbiased_over_all_classes(name: VehicleClass) -> None:
    n, noise = 20_000, CameraNoise()
    camera = VirtualCamera(["j:a>b"], noise, np.random.default_rng(7), Periods(classes=tuple(VehicleClass)))
    camera.see(make_passages(n, name=name), until_s=900.0)
    total = sum(row.count or 0 for row in camera.counts(0.0, 900.0))
    rate = noise.detection_rate[name]
    # four standard deviations of a sum of independent records; a record's variance is below 0.25
    assert total / rate == pytest.approx(n, abs=4 * (0.25 * n) ** 0.5 / rate)


def test_classes_are_confused_as_often_as_the_noise_says() -> None:
    n, noise = 20_000, CameraNoise()
    camera = VirtualCamera(["j:a>b"], noise, np.random.default_rng(7), Periods(classes=tuple(VehicleClass)))
    camera.see(make_passages(n, name=TRUCK), until_s=900.0)
    expected = noise.expected_reads(TRUCK)
    for row in camera.counts(0.0, 900.0):
        mean = n * expected[row.vehicle_class]
        assert row.count == pytest.approx(mean, abs=5 * max(mean, 1.0) ** 0.5)


def test_expected_reads_sum_to_the_detection_rate() -> None:
    noise = CameraNoise()
    for name in VehicleClass:
        assert sum(noise.expected_reads(name).values()) == pytest.approx(noise.detection_rate[name])


@pytest.mark.parametrize(
    "noise",
    [
        {"miss_rate": {CAR: 1.2}},
        {"double_rate": {CAR: -0.1}},
        {"confusion": {CAR: {TRUCK: 0.6, MOTORCYCLE: 0.6}}},
    ],
    ids=["missed", "doubled", "confused"],
)
def test_a_rate_that_is_no_share_is_refused(noise: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="camera noise"):
        CameraNoise(**noise)  # type: ignore[arg-type]
