"""The whole search: many starts along coordinates, the better half of them further, evolution of the best.

::

    starts --score--> eight of different cycles
      --coordinates--> the better four --coordinates--> the better two --coordinates--> the best
      --evolution--> --coordinates--> and so on with the next best while the budget lasts

What comes of every start is a finalist. They differ in their cycles on purpose: plans that are alike share what the
queue model gets wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from control.optimise.coordinates import coordinates
from control.optimise.evolution import evolution
from control.optimise.score import Score
from control.optimise.space import Genome

N_STARTS, N_ROUNDS = 8, 3
COORDINATES_SHARE, EVOLUTION_SHARE = 0.55, 0.30
"""Shares of the budget for all rounds together, and for the evolution of the best one."""
APART = 0.06
"""Least difference between the cycles of two starts, as a ratio."""


@dataclass(slots=True)
class Climber:
    """One start and what has come of it; `steps` goes on from there."""

    genome: Genome
    score: float
    steps: Iterator[Genome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search has so far: its stage, and what came of each start, the best one first."""

    stage: str
    climbers: tuple[Climber, ...]

    @property
    def best(self) -> Genome:
        """The best plan."""
        return self.climbers[0].genome

    @property
    def score(self) -> float:
        """Its score."""
        return self.climbers[0].score


def search(score: Score, starts: Iterable[Genome], near: Sequence[set[int]], *, seed: int) -> Iterator[Found]:
    """Yield what is found, better and better, until the budget is spent; `near` as `around.neighbours` has it.

    Raises
    ------
    ValueError
        If there is no start.
    """
    pool = list(dict.fromkeys(starts))
    if not pool:
        raise ValueError("a search needs a plan to start from")
    scores = dict(zip(pool, score(pool).score.tolist(), strict=True))
    ranked = sorted(pool, key=lambda genome: scores[genome])
    climbers = [Climber(row, scores[row], coordinates(score, row, near)) for row in apart(ranked, N_STARTS)]
    yield _found("starts", climbers)
    left_s = score.budget_s - score.spent_s
    yield from _tournament(score, climbers, left_s * COORDINATES_SHARE)
    for place, climber in enumerate(sorted(climbers, key=_by_score)):
        climber.steps = evolution(score, climber.genome, np.random.default_rng([seed, place]))
        yield from _climb(score, climber, climbers, left_s * EVOLUTION_SHARE, "evolution")
        climber.steps = coordinates(score, climber.genome, near)
        yield from _climb(score, climber, climbers, left_s, "coordinates again")


def apart(ranked: Sequence[Genome], n: int) -> list[Genome]:
    """Return the first `n` plans whose longest cycles differ; fewer where there are not so many."""
    chosen: list[Genome] = []
    for genome in ranked:
        cycle_s = _cycle_s(genome)
        if len(chosen) < n and all(abs(cycle_s - _cycle_s(other)) > APART * cycle_s for other in chosen):
            chosen.append(genome)
    return chosen


def _tournament(score: Score, climbers: list[Climber], budget_s: float) -> Iterator[Found]:
    """Let all climb, then the better half, then the better half of these."""
    end_s, racing = score.spent_s + budget_s, list(climbers)
    for round_ in range(N_ROUNDS):
        until_s = end_s - budget_s * (N_ROUNDS - 1 - round_) / N_ROUNDS
        for place, climber in enumerate(racing):
            share_s = (until_s - score.spent_s) / (len(racing) - place)
            yield from _climb(score, climber, climbers, share_s, f"{len(racing)} starts")
        racing = sorted(racing, key=_by_score)[: max(1, len(racing) // 2)]


def _climb(score: Score, climber: Climber, climbers: Sequence[Climber], share_s: float, stage: str) -> Iterator[Found]:
    """Yield after every step of a climber, until it does not go on or has spent its share."""
    end_s = min(score.budget_s, score.spent_s + share_s)
    while score.spent_s < end_s:
        genome = next(climber.steps, None)
        if genome is None:
            return
        value = float(score([genome]).score[0])
        if value < climber.score:
            climber.genome, climber.score = genome, value
        yield _found(stage, climbers)


def _found(stage: str, climbers: Sequence[Climber]) -> Found:
    return Found(stage=stage, climbers=tuple(sorted(climbers, key=_by_score)))


def _by_score(climber: Climber) -> float:
    return climber.score


def _cycle_s(genome: Genome) -> int:
    return max(times.cycle_s for times in genome)
