"""An evolution strategy in which every junction evolves on its own, all of them in the same runs.

::

    offspring   splits and offsets of all junctions moved at random, in mirrored pairs
    selection   at each junction the offspring that lost least around it, whatever they did elsewhere
    step size   per junction, longer while its steps go one way, shorter while they go to and fro

With one selection for the whole network the luck of fifteen junctions would hide what the sixteenth did.

References
----------
N. Hansen, The CMA Evolution Strategy: A Tutorial, 2016 (weighted recombination, cumulative step-size adaptation);
M. Potter, K. De Jong, A Cooperative Coevolutionary Approach to Function Optimization, 1994.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np

from control.optimise.score import Judge
from control.optimise.space import Genome, Site, Times
from traffic.snapshot import FloatArray

N_OFFSPRING = 16
SPLIT_STEP_S, OFFSET_STEP_S = 2.0, 4.0
"""First step of a split and of an offset, seconds."""
LEAST_STEP, LONGEST_STEP = 0.25, 2.0
"""Bounds of the step size, as shares of the first step; below the least one whole seconds no longer change."""
PATIENCE = 12
"""Generations without a better plan after which the search ends."""


@dataclass(slots=True)
class _Clan:
    """One junction's mean, step size and path; the mean is splits, then offset, in units of the first steps."""

    site: Site
    cycle_s: int
    order: int
    mean: FloatArray
    path: FloatArray
    step: float = 1.0

    def times(self, point: FloatArray) -> Times | None:
        """Return legal times near a point."""
        wish_s = (SPLIT_STEP_S * point[:-1]).tolist()
        return self.site.project(wish_s, self.cycle_s, OFFSET_STEP_S * float(point[-1]), self.order)

    def learn(self, moves: FloatArray, lost_s: FloatArray) -> None:
        """Move the mean towards the moves, shape (n, n_dim), by which least was lost, and adapt the step."""
        n_dim, weights = moves.shape[1], _weights(len(moves))
        best = np.argsort(lost_s, kind="stable")[: len(weights)]
        step = weights @ moves[best]
        mass = 1.0 / float((weights**2).sum())
        self.mean = self.mean + self.step * step
        rate = (mass + 2.0) / (n_dim + mass + 5.0)
        self.path = (1.0 - rate) * self.path + sqrt(rate * (2.0 - rate) * mass) * step
        expected = sqrt(n_dim) * (1.0 - 1.0 / (4.0 * n_dim) + 1.0 / (21.0 * n_dim**2))
        pull = rate / (1.0 + rate) * (float(np.linalg.norm(self.path)) / expected - 1.0)
        self.step = min(LONGEST_STEP, max(LEAST_STEP, self.step * exp(pull)))


def evolution(score: Judge, start: Genome, rng: np.random.Generator) -> Iterator[Genome]:
    """Yield the best plan so far, generation by generation, until nothing gains or the budget is spent."""
    clans = [_clan(site, times) for site, times in zip(score.space.sites, start, strict=True)]
    best, best_score, since = start, float(score([start]).score[0]), 0
    while not score.is_spent and since < PATIENCE:
        moves = [_mirrored(rng, len(clan.mean)) for clan in clans]
        genomes = [_genome(clans, [row[k] for row in moves], start) for k in range(N_OFFSPRING)]
        middle = _genome(clans, [np.zeros(len(clan.mean)) for clan in clans], start)
        scores = score([*genomes, middle])
        for place, (clan, row) in enumerate(zip(clans, moves, strict=True)):
            lost_s = scores.around_s[:-1, place] if len(clans) > 1 else scores.score[:-1]
            clan.learn(row, lost_s)
        place, since = int(scores.score.argmin()), since + 1
        if scores.score[place] < best_score:
            best, best_score, since = [*genomes, middle][place], float(scores.score[place]), 0
        yield best


def _clan(site: Site, times: Times) -> _Clan:
    mean = np.array([*(split / SPLIT_STEP_S for split in times.splits_s), times.offset_s / OFFSET_STEP_S])
    return _Clan(site, times.cycle_s, times.order, mean, np.zeros(len(mean)))


def _mirrored(rng: np.random.Generator, n_dim: int) -> FloatArray:
    half = rng.standard_normal((N_OFFSPRING // 2, n_dim))
    return np.concatenate([half, -half])


def _genome(clans: list[_Clan], moves: list[FloatArray], otherwise: Genome) -> Genome:
    """Return the plans at a move from each clan's mean; where none is legal there, the start's."""
    rows = [clan.times(clan.mean + clan.step * move) for clan, move in zip(clans, moves, strict=True)]
    return tuple(row or other for row, other in zip(rows, otherwise, strict=True))


def _weights(n: int) -> FloatArray:
    """Return the weights of the better half, the best one first, sum 1."""
    half = n // 2
    raw = np.array([log(half + 0.5) - log(k + 1) for k in range(half)])
    weights: FloatArray = raw / raw.sum()
    return weights
