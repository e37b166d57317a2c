from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from control.guard import plan_faults
from control.optimise.around import colours, links_around, neighbours
from control.optimise.coordinates import coordinates
from control.optimise.evolution import evolution
from control.optimise.score import Score
from control.optimise.search import apart, search
from control.optimise.space import Genome
from tests.unit.control.optimise.towns import LIMITS, make_street
from traffic.ids import JunctionId

Way = Callable[[Score, Genome], Iterator[Genome]]
NEAR = [{1}, {0}]
WAYS: dict[str, Way] = {
    "coordinates": lambda score, start: coordinates(score, start, NEAR),
    "evolution": lambda score, start: evolution(score, start, np.random.default_rng(1)),
}


def last(rows: Iterator[Genome]) -> Genome:
    *_, genome = rows
    return genome


@pytest.mark.parametrize("name", WAYS)
def test_a_search_gives_the_busy_street_the_green(name: str) -> None:
    _, (score,) = make_street()
    start = score.space.installed
    best = last(WAYS[name](score, start))
    before, after = score([start, best]).delay_s.mean(axis=1)
    assert after < 0.8 * before
    assert all(times.splits_s[0] > 1.3 * times.splits_s[1] for times in best)


@pytest.mark.parametrize("name", WAYS)
def test_every_plan_on_the_way_is_legal_for_the_guard(name: str) -> None:
    town, (score,) = make_street()
    for genome in WAYS[name](score, score.space.installed):
        plans = score.space.plans_of(genome)
        assert [fault for key, plan in plans.items() for fault in plan_faults(town.junctions[key], plan, LIMITS)] == []


def test_the_same_seed_gives_the_same_plan_whatever_the_threads() -> None:
    found = []
    for n_threads in (1, 2):
        _, (score,) = make_street()
        score.n_threads = n_threads
        *_, row = search(score, [score.space.installed], NEAR, seed=7)
        found.append((row.best, row.score, score.n_plans))
    assert found[0] == found[1]


def test_a_search_ends_soon_after_its_budget() -> None:
    _, (score,) = make_street()
    score.budget_s = 0.02
    *_, row = search(score, [score.space.installed], NEAR, seed=7)
    assert score.spent_s < 0.2
    assert score.budget_s == 0.02
    assert row.score <= float(score([score.space.installed]).score[0])


def test_what_is_found_never_gets_worse() -> None:
    _, (score,) = make_street()
    scores = [row.score for row in search(score, [score.space.installed], NEAR, seed=7)]
    assert scores == sorted(scores, reverse=True)


def test_a_search_without_a_start_is_refused() -> None:
    _, (score,) = make_street()
    with pytest.raises(ValueError, match="start"):
        next(search(score, [], NEAR, seed=1))


def test_the_core_is_given_what_the_plans_say() -> None:
    town, (score,) = make_street()
    (model,) = score.models
    genome = score.space.installed
    by_search = score([genome]).delay_s[0, 0]
    assert by_search == model.run([town.plans], seed=1).delay_s[0, 0]


def test_time_lost_around_one_junction_is_all_there_is() -> None:
    _, (score,) = make_street(1)
    scores = score([score.space.installed])
    assert scores.around_s[0, 0] == pytest.approx(scores.delay_s[0, 0])


def test_links_around_a_junction_reach_to_the_next_signal() -> None:
    town, _ = make_street(3)
    assert links_around(town.network, JunctionId("j1")) == {"m1", "m2", "in1", "out1"}
    assert neighbours(town.network, [JunctionId(name) for name in ("j0", "j1", "j2")]) == [{1}, {0, 2}, {1}]


def test_no_two_of_one_colour_are_neighbours() -> None:
    near = [{1, 2}, {0, 2}, {0, 1}, set()]
    classes = colours(near)
    assert sorted(place for row in classes for place in row) == [0, 1, 2, 3]
    assert all(not near[place] & set(row) for row in classes for place in row)


def test_starts_have_cycles_that_differ() -> None:
    _, (score,) = make_street()
    installed = score.space.installed
    rows = [score.space.with_cycle(installed, cycle_s) for cycle_s in (60, 61, 90, 62, 91)]
    ranked = [row for row in rows if row is not None]
    assert [genome[0].cycle_s for genome in apart(ranked, 3)] == [60, 90]
