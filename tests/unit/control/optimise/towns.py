"""A street of crossings whose best plan is obvious: nearly everybody drives along it."""

from __future__ import annotations

from collections.abc import Sequence

from control.limits import GuardLimits
from control.optimise.score import Score
from control.optimise.space import Space
from tests.unit.control.queue_towns import SmallTown, TownMaker, trips

LIMITS = GuardLimits(is_push=False)
END_S = 900


def make_street(n_crossings: int = 2, *, main_s: float = 2.5, side_s: float = 30.0) -> tuple[SmallTown, list[Score]]:
    """Return a one-way street with a side road at each crossing, half the green for either, and its judge.

    A vehicle departs every `main_s` seconds along the street, every `side_s` seconds on each side road.
    """
    town = TownMaker()
    names = [f"j{k}" for k in range(n_crossings)]
    for k in range(n_crossings + 1):
        town.road(f"m{k}", 300.0)
    journeys = list(trips([f"m{k}" for k in range(n_crossings + 1)], _times(main_s), "main"))
    for k, name in enumerate(names):
        town.road(f"in{k}", 200.0)
        town.road(f"out{k}", 200.0)
        town.way(f"m{k}", f"m{k + 1}", signal=(name, 0))
        town.way(f"in{k}", f"out{k}", signal=(name, 1))
        town.signal(name, (25, "Gr"), (25, "rG"))
        journeys += trips([f"in{k}", f"out{k}"], _times(side_s), f"side{k}")
    built = town.build()
    return built, [make_score(built, [built.model(journeys, END_S)])]


def make_score(town: SmallTown, models: Sequence[object], budget_s: float = 0.25) -> Score:
    space = Space(town.junctions, town.plans, LIMITS)
    return Score(models, space, seed=1, budget_s=budget_s)  # type: ignore[arg-type]


def _times(gap_s: float) -> list[float]:
    return [k * gap_s for k in range(int((END_S - 120) / gap_s))]
