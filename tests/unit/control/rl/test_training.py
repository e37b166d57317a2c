"""A training follows from its settings alone, however often it is broken off."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from control.core.policy import INPUTS
from control.policy_runs import Exercise
from control.rl.checkpoints import load_checkpoint, save_checkpoint
from control.rl.evolution import Evolution, EvolutionSettings, evolve, greedy_weights, pace, start_evolution
from control.rl.training import (
    CURVE,
    Judge,
    Training,
    TrainingSettings,
    progress_of,
    reason_to_stop,
    start_training,
    train_on,
    validations,
)
from tests.unit.control.test_policy_files import at_most
from tests.verify.test_policy_truths import make_crossing, make_exercise, poisson
from traffic.errors import BadWeights

SETTINGS = TrainingSettings(
    evolution=EvolutionSettings(n_pairs=4, n_exercises=2, seed=5), generations=6, every=2, patience=9
)


@pytest.fixture(scope="module")
def material() -> tuple[list[Exercise], list[Exercise]]:
    """Return three exercises to learn from, and one to judge by."""
    town, vph = make_crossing(), {"west": 700.0, "south": 300.0}
    rows = [make_exercise(town, town.model(poisson(vph, seed), 1800), vph) for seed in range(1, 5)]
    return rows[:3], rows[3:]


def run(
    material: tuple[list[Exercise], list[Exercise]],
    settings: TrainingSettings,
    *,
    n_threads: int = 1,
    go_on: Callable[[Training], Training] = lambda training: training,
) -> Training:
    with ThreadPoolExecutor(n_threads) as pool:
        judge = Judge(material[1], pool)
        training = start_training(settings, judge)
        while reason_to_stop(training, settings) is None:
            training = go_on(train_on(training, material[0], judge, settings, pool))
    return training


def same(one: Training, other: Training) -> bool:
    """Whether two trainings are equal to the bit, but for the time they took."""
    clock = CURVE.index("seconds")
    curves = [np.delete(row.curve, clock, axis=1) for row in (one, other)]
    states = [getattr(row.evolution, field.name) for field in fields(Evolution) for row in (one, other)]
    return (
        np.array_equal(*curves, equal_nan=True)
        and all(np.array_equal(a, b) for a, b in zip(states[::2], states[1::2], strict=True))
        and np.array_equal(one.best, other.best)
        and (one.best_ratio, one.best_generation) == (other.best_ratio, other.best_generation)
    )


def test_broken_off_after_every_generation_it_comes_to_the_same_weights(
    material: tuple[list[Exercise], list[Exercise]], tmp_path: Path
) -> None:
    def through_disk(training: Training) -> Training:
        save_checkpoint(tmp_path / "c.npz", training)
        return load_checkpoint(tmp_path / "c.npz")

    assert same(run(material, SETTINGS), run(material, SETTINGS, n_threads=2, go_on=through_disk))


def test_another_seed_comes_to_others(material: tuple[list[Exercise], list[Exercise]]) -> None:
    other = replace(SETTINGS, evolution=replace(SETTINGS.evolution, seed=6))
    assert not same(run(material, SETTINGS), run(material, other))


def test_the_best_by_validation_is_kept_and_the_curve_has_every_generation(
    material: tuple[list[Exercise], list[Exercise]],
) -> None:
    training = run(material, SETTINGS)
    judged = validations(training)
    assert judged[:, 0].tolist() == [0, 2, 4, 6]
    assert training.best_ratio == judged[:, 1].min()
    assert training.best_generation == judged[judged[:, 1].argmin(), 0]
    assert training.curve[:, 0].tolist() == list(range(7))
    rates = training.curve[1:, CURVE.index("rate")]
    assert rates == pytest.approx([0.05 * (1.0 - 0.9 * k / 6) for k in range(6)])


def test_greedy_weights_are_judged_as_greedy(material: tuple[list[Exercise], list[Exercise]]) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert Judge(material[1], pool).ratio(greedy_weights()) == 1.0


def test_a_training_that_no_longer_improves_ends_early(material: tuple[list[Exercise], list[Exercise]]) -> None:
    stuck = replace(
        SETTINGS,
        generations=1000,
        every=1,
        patience=3,
        evolution=replace(SETTINGS.evolution, rate=0.0, spread=1e-9),
    )
    training = run(material, stuck)
    assert training.evolution.generation == 3
    assert reason_to_stop(training, stuck) == "no better"


def test_with_minutes_pace_and_end_follow_the_clock(material: tuple[list[Exercise], list[Exercise]]) -> None:
    timed = replace(SETTINGS, generations=None, minutes=2.0)
    with ThreadPoolExecutor(1) as pool:
        training = start_training(timed, Judge(material[1], pool))
    assert progress_of(replace(training, seconds=30.0), timed) == 0.25
    assert reason_to_stop(replace(training, seconds=119.0), timed) is None
    assert reason_to_stop(replace(training, seconds=120.0), timed) == "minutes"


@pytest.mark.parametrize(
    ("progress", "rate", "spread"),
    [(-1.0, 0.2, 0.4), (0.0, 0.2, 0.4), (0.5, 0.11, 0.3), (1.0, 0.02, 0.2), (9, 0.02, 0.2)],
)
def test_rate_and_spread_fall_evenly_to_their_share(progress: float, rate: float, spread: float) -> None:
    settings = EvolutionSettings(rate=0.2, last_rate=0.1, spread=0.4, last_spread=0.5)
    assert pace(settings, progress) == pytest.approx((rate, spread))


def test_a_step_is_as_large_as_its_rate(material: tuple[list[Exercise], list[Exercise]]) -> None:
    start = start_evolution(1)
    with ThreadPoolExecutor(1) as pool:
        after, tried = evolve(start, material[0], EvolutionSettings(n_pairs=4, rate=0.08), pool, 0.5)
    moved = np.abs(after.weights - start.weights)
    assert tried.rate == pytest.approx(0.044) and moved.max() == pytest.approx(tried.rate, rel=1e-3)


def training_of(**changes: object) -> Training:
    weights = greedy_weights()
    start, zero = weights.astype(float), np.zeros(weights.shape)
    evolution = Evolution(start, zero, zero, start, 3)
    base = Training(
        evolution=evolution,
        best=weights,
        best_ratio=1.0,
        best_generation=0,
        seconds=1.0,
        curve=np.zeros((4, len(CURVE))),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def spoil_inputs(path: Path) -> None:
    with np.load(path) as arrays:
        rows = dict(arrays)
    rows["inputs"] = np.array(["speed", *INPUTS[1:]])
    np.savez(path, **rows)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "half a file": (lambda path: path.write_bytes(path.read_bytes()[:900]), "own"),
    "empty": (lambda path: path.write_bytes(b""), "own"),
    "a pickle": (lambda path: path.write_bytes(b"\x80\x04N."), "own"),
    "another npz": (lambda path: np.savez(path, weights=np.zeros(3)), "own"),
    "other inputs": (spoil_inputs, "another architecture"),
    "not a number": (lambda path: save_checkpoint(path, training_of(best_ratio=np.nan)), "not finite"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "own"),
}


@pytest.mark.parametrize(("spoil", "says"), BAD.values(), ids=BAD)
def test_a_bad_checkpoint_is_one_line(tmp_path: Path, spoil: Callable[[Path], object], says: str) -> None:
    path = tmp_path / "checkpoint.npz"
    save_checkpoint(path, training_of())
    spoil(path)
    with pytest.raises(BadWeights, match=says) as caught:
        load_checkpoint(path)
    assert "\n" not in caught.value.line


@pytest.mark.parametrize("n_bytes", [0, 2000, 20000])
def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path, n_bytes: int) -> None:
    path = tmp_path / "checkpoint.npz"
    save_checkpoint(path, training_of())
    with at_most(n_bytes), pytest.raises(BadWeights, match=f"--resume {tmp_path}"):
        save_checkpoint(path, training_of(seconds=99.0))
    assert load_checkpoint(path).seconds == 1.0
    assert [row.name for row in tmp_path.iterdir()] == ["checkpoint.npz"]
