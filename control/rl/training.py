"""A training: generation after generation, judged now and then on exercises that it never learns from.

::

    exercises --evolve--> weights --every so many generations--> judge --> the best so far
                             |                                     |
                             +-------- Training: all that is needed to go on, one value

With a number of generations the outcome follows from the seed alone, however often it is broken off and taken up
again, and whatever the number of threads. With minutes, pace and length follow the clock.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from control.policy_runs import Exercise, Weights, delays
from control.rl.evolution import Evolution, EvolutionSettings, evolve, greedy_weights, start_evolution
from traffic.snapshot import FloatArray

CURVE = ("generation", "seconds", "delay_s", "difference", "rate", "spread", "validation")
"""Columns of the learning curve; `validation` is NaN in generations that were not judged."""
_VALIDATION = CURVE.index("validation")
_JUDGE_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How long a training goes on.

    Attributes
    ----------
    generations
        So many, or for `minutes` if None.
    minutes
        Of training, judging included; making the exercises is not.
    every
        Generations from one judgement to the next.
    patience
        It stops after so many judgements in a row that were no better than the best.
    """

    evolution: EvolutionSettings = EvolutionSettings()
    generations: int | None = None
    minutes: float = 10.0
    every: int = 10
    patience: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Where a training stands.

    Attributes
    ----------
    best
        The weights that were judged best, shape (N_ROWS, N_CELLS).
    best_ratio
        Their delay on the validation exercises over that of greedy control.
    seconds
        Time spent.
    curve
        Shape (n, len(CURVE)).
    """

    evolution: Evolution
    best: Weights
    best_ratio: float
    best_generation: int
    seconds: float
    curve: FloatArray


class Judge:
    """Exercises for validation, with what greedy control loses on them."""

    def __init__(self, exercises: Sequence[Exercise], pool: ThreadPoolExecutor, *, n_replicas: int = 2) -> None:
        self._exercises, self._pool, self._n_replicas = exercises, pool, n_replicas
        self._greedy_s = self._delays(greedy_weights())

    @property
    def greedy_s(self) -> float:
        """Geometric mean of greedy control's delay over the exercises, s/veh."""
        return float(np.exp(np.log(self._greedy_s).mean()))

    def ratio(self, weights: Weights) -> float:
        """Return the geometric mean of delay over that of greedy control; lower is better."""
        return float(np.exp(np.log(self._delays(weights) / self._greedy_s).mean()))

    def _delays(self, weights: Weights) -> FloatArray:
        def one(exercise: Exercise) -> float:
            return float(delays(exercise, weights[None], seed=_JUDGE_SEED, n_replicas=self._n_replicas)[0])

        found: FloatArray = np.maximum(1e-3, np.array(list(self._pool.map(one, self._exercises))))
        return found


def start_training(settings: TrainingSettings, judge: Judge) -> Training:
    """Return a training that has judged what it starts from."""
    evolution = start_evolution(settings.evolution.seed)
    weights = evolution.weights.astype(np.float32)
    ratio = judge.ratio(weights)
    row = np.full((1, len(CURVE)), np.nan)
    row[0, [0, 1, _VALIDATION]] = 0.0, 0.0, ratio
    return Training(evolution=evolution, best=weights, best_ratio=ratio, best_generation=0, seconds=0.0, curve=row)


def train_on(
    before: Training,
    exercises: Sequence[Exercise],
    judge: Judge,
    settings: TrainingSettings,
    pool: ThreadPoolExecutor,
) -> Training:
    """Return the training one generation on, judged if that is due."""
    begun_s = time.monotonic()
    evolution, tried = evolve(before.evolution, exercises, settings.evolution, pool, progress_of(before, settings))
    best, ratio, best_generation, found = before.best, before.best_ratio, before.best_generation, np.nan
    now = replace(before, evolution=evolution, seconds=before.seconds + time.monotonic() - begun_s)
    if evolution.generation % settings.every == 0 or progress_of(now, settings) >= 1.0:
        weights = evolution.mean.astype(np.float32)
        found = judge.ratio(weights)
        if found < ratio:
            best, ratio, best_generation = weights, found, evolution.generation
    seconds = before.seconds + time.monotonic() - begun_s
    row = (evolution.generation, seconds, tried.delay_s, tried.difference, tried.rate, tried.spread, found)
    return Training(
        evolution=evolution,
        best=best,
        best_ratio=ratio,
        best_generation=best_generation,
        seconds=seconds,
        curve=np.vstack([before.curve, row]),
    )


def progress_of(training: Training, settings: TrainingSettings) -> float:
    """Return the share of the training that is done."""
    if settings.generations is not None:
        return training.evolution.generation / settings.generations
    return training.seconds / (60.0 * settings.minutes)


def reason_to_stop(training: Training, settings: TrainingSettings) -> str | None:
    """Return why a training is over, None while it is not."""
    if progress_of(training, settings) >= 1.0:
        return "minutes" if settings.generations is None else "generations"
    judged = validations(training)
    since = judged[judged[:, 0] > training.best_generation]
    return "no better" if len(since) >= settings.patience else None


def validations(training: Training) -> FloatArray:
    """Return (generation, ratio to greedy) of all judgements, shape (n, 2)."""
    judged = training.curve[~np.isnan(training.curve[:, _VALIDATION])]
    return judged[:, [0, _VALIDATION]]
