"""The whole search: many starts, coordinates from the best of them, evolution, coordinates again.

::

    starts --score--> the best of different cycles
                        |-- coordinates --> one each --> the best --evolution--> --coordinates--> finalists

Finalists differ in their cycles on purpose: plans that are alike share what the queue model gets wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from control.optimise.coordinates import coordinates
from control.optimise.evolution import evolution
from control.optimise.score import Score
from control.optimise.space import Genome

N_STARTS = 3
FIRST_SHARE, EVOLUTION_SHARE = 0.55, 0.30
"""Shares of the budget for the coordinates of all starts together, and for evolution; the rest comes last."""
APART = 0.06
"""Least difference between the cycles of two starts, as a ratio."""


@dataclass(slots=True)
class Found:
    """What a search has so far: the best plan, and the best that came of each start, by the name of how it was made."""

    best: Genome
    score: float
    stage: str
    finalists: dict[str, Genome] = field(default_factory=dict)


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
    scores = score(pool).score.tolist()
    ranked = [genome for _, genome in sorted(zip(scores, pool, strict=True), key=lambda row: row[0])]
    found = Found(best=ranked[0], score=min(scores), stage="starts", finalists={"start": ranked[0]})
    yield found
    chosen = apart(ranked, N_STARTS)
    whole_s, left_s = score.budget_s, score.budget_s - score.spent_s
    for number, start in enumerate(chosen, start=1):
        score.budget_s = whole_s - left_s * (1.0 - FIRST_SHARE * number / len(chosen))
        yield from _follow(found, score, coordinates(score, start, near), f"coordinates {number}")
    score.budget_s = whole_s - left_s * (1.0 - FIRST_SHARE - EVOLUTION_SHARE)
    yield from _follow(found, score, evolution(score, found.best, np.random.default_rng(seed)), "evolution")
    score.budget_s = whole_s
    yield from _follow(found, score, coordinates(score, found.best, near), "coordinates at the end")


def apart(ranked: Sequence[Genome], n: int) -> list[Genome]:
    """Return the first `n` plans whose longest cycles differ; the best ones of the rest where too few do."""
    chosen: list[Genome] = []
    for genome in ranked:
        cycle_s = _cycle_s(genome)
        if len(chosen) < n and all(abs(cycle_s - _cycle_s(other)) > APART * cycle_s for other in chosen):
            chosen.append(genome)
    return chosen


def _cycle_s(genome: Genome) -> int:
    return max(times.cycle_s for times in genome)


def _follow(found: Found, score: Score, genomes: Iterator[Genome], stage: str) -> Iterator[Found]:
    """Yield after every step; the last plan of the stage is a finalist."""
    for genome in genomes:
        value = float(score([genome]).score[0])
        found.stage, found.finalists[stage] = stage, genome
        if value < found.score:
            found.best, found.score = genome, value
        yield found
