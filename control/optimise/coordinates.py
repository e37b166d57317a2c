"""Search along coordinates: cycle, then splits, offsets and half cycles, junction by junction, over and over.

::

    cycle      C-10 ... C+10 for all            --> the best
    splits     +8 s, -8 s for each phase        --> junctions of one colour (no two are neighbours) are moved at once,
    offsets    +-1 ... half a cycle                 each is judged by the time lost around it; then all that did good
    half       C <-> C / 2                          together are run, and kept if the whole network gains
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from control.optimise.around import colours
from control.optimise.score import Judge
from control.optimise.space import Genome, Site, Times

CYCLE_STEPS_S = (10, 5, 2, 1)
SPLIT_STEPS_S = (8, 4, 2, 1)
OFFSET_STEPS = (0.5, 0.3, 0.2, 0.1, 0.05)
"""Moves of an offset, as shares of the cycle; at the end single seconds."""
LEAST_GAIN = 1e-6

Moves = Callable[[Site, Times], list[Times]]


def coordinates(score: Judge, start: Genome, near: Sequence[set[int]]) -> Iterator[Genome]:
    """Yield better and better plans until no coordinate gains or the budget is spent; `near` is of `neighbours`."""
    best, classes = start, colours(near)
    for round_ in range(len(SPLIT_STEPS_S) + 4):
        step_s = SPLIT_STEPS_S[min(round_, len(SPLIT_STEPS_S) - 1)]
        before = best
        best = _try_cycles(score, best, CYCLE_STEPS_S[: round_ + 2])
        yield best
        for moves in (_offsets, _splits(step_s), _pairs, _halves, _other_orders):
            for members in classes:
                if score.is_spent:
                    return
                best = move_at_once(score, best, members, moves)
                yield best
        if best == before and step_s == SPLIT_STEPS_S[-1]:
            return


def move_at_once(score: Judge, best: Genome, members: Sequence[int], moves: Moves) -> Genome:
    """Return the plans with each member's best move, as far as the network as a whole gains by them."""
    sites = score.space.sites
    lists = {place: moves(sites[place], best[place]) for place in members}
    n_rows = max((len(row) for row in lists.values()), default=0)
    if not n_rows:
        return best
    trials = [best]
    for number in range(n_rows):
        trials.append(_with(best, {place: row[number] for place, row in lists.items() if number < len(row)}))
    scores = score(trials)
    if len(members) == 1:
        return trials[int(scores.score.argmin())]
    gains: dict[int, tuple[float, Times]] = {}
    for place, row in lists.items():
        around_s = scores.around_s[1 : len(row) + 1, place]
        if len(row) and around_s.min() < scores.around_s[0, place] - LEAST_GAIN:
            number = int(around_s.argmin())
            gains[place] = (float(scores.around_s[0, place] - around_s[number]), row[number])
    chosen = min(range(len(trials)), key=lambda k: scores.score[k])
    return _join(score, best, trials[chosen], gains)


def _join(score: Judge, best: Genome, other: Genome, gains: dict[int, tuple[float, Times]]) -> Genome:
    """Return the best of: all gaining moves together, the better half of them, ..., `other`, and none."""
    order = sorted(gains, key=lambda place: (-gains[place][0], place))
    trials = [best, other]
    n = len(order)
    while n:
        trials.append(_with(best, {place: gains[place][1] for place in order[:n]}))
        n //= 2
    return trials[int(score(trials).score.argmin())]


def _with(genome: Genome, changes: dict[int, Times]) -> Genome:
    return tuple(changes.get(place, times) for place, times in enumerate(genome))


def _try_cycles(score: Judge, best: Genome, steps_s: Sequence[int]) -> Genome:
    cycle_s = max(times.cycle_s for times in best)
    rows = [score.space.with_cycle(best, cycle_s + sign * step_s) for step_s in steps_s for sign in (-1, 1)]
    trials = [best, *(row for row in rows if row is not None)]
    return trials[int(score(trials).score.argmin())]


def _splits(step_s: int) -> Moves:
    """Return the moves that give a phase some seconds of all others, or take them."""

    def moves(site: Site, times: Times) -> list[Times]:
        found = []
        for place, split_s in enumerate(times.splits_s):
            for sign in (1, -1):
                share = (times.cycle_s - split_s - sign * step_s) / max(1, times.cycle_s - split_s)
                wish = [share * other for other in times.splits_s]
                wish[place] = split_s + sign * step_s
                found.append(site.project(wish, times.cycle_s, times.offset_s, times.order))
        return _new(found, times)

    return moves


def _pairs(site: Site, times: Times) -> list[Times]:
    """Return the moves of one second, or three, from one phase to the next but few."""
    found = []
    n = len(times.splits_s)
    for place in range(n):
        for other in {(place + 1) % n, (place + 2) % n, (place + n // 2) % n} - {place}:
            for seconds in (1, 3, -1, -3):
                wish = list(times.splits_s)
                wish[place] += seconds
                wish[other] -= seconds
                if min(wish) > 0:
                    found.append(site.project(wish, times.cycle_s, times.offset_s, times.order))
    return _new(found, times)


def _offsets(site: Site, times: Times) -> list[Times]:
    steps_s = [round(share * times.cycle_s) for share in OFFSET_STEPS] + [2, 1]
    rows = (times.offset_s + sign * step_s for step_s in steps_s for sign in (1, -1))
    return _new([site.project(times.splits_s, times.cycle_s, offset_s, times.order) for offset_s in rows], times)


def _halves(site: Site, times: Times) -> list[Times]:
    """Return the junction on half its cycle, or twice, as far as the site allows."""
    found = []
    for cycle_s in (times.cycle_s // 2 if times.cycle_s % 2 == 0 else 0, 2 * times.cycle_s):
        if site.shortest_s <= cycle_s <= site.longest_s:
            wish = [split * cycle_s / times.cycle_s for split in times.splits_s]
            found += [site.project(wish, cycle_s, times.offset_s + k * cycle_s / 4, times.order) for k in range(4)]
    return _new(found, times)


def _other_orders(site: Site, times: Times) -> list[Times]:
    rows = [order for order in range(len(site.orders)) if order != times.order]
    return _new([site.project(times.splits_s, times.cycle_s, times.offset_s, order) for order in rows], times)


def _new(rows: Sequence[Times | None], times: Times) -> list[Times]:
    return [row for row in dict.fromkeys(rows) if row is not None and row != times]
