"""Random programs that a ring can show: what Hypothesis draws for the round trip."""

from __future__ import annotations

from hypothesis import strategies as st

from sim.netfile import NativeInterval, Program
from traffic.ids import JunctionId
from traffic.network import Crossing

GREEN = "Gg"


def make_crossing(n_links: int, name: str = "J") -> Crossing:
    return Crossing(
        id=JunctionId(name),
        nodes=(name,),
        position=(0.0, 0.0),
        n_links=n_links,
        approaches=(),
        conflicts=frozenset(),
        permissive=frozenset(),
    )


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw stages, and between them nothing, yellow, or yellow and red; rotated and offset at random.

    A link that is green in two stages in a row stays green between them or not; every link is red in
    some stage.
    """
    n_links, n_stages = draw(st.integers(1, 6)), draw(st.integers(2, 6))
    greens = [_stage(draw, n_links) for _ in range(n_stages)]
    for link in range(n_links):
        if all(stage[link] in GREEN for stage in greens):
            greens[draw(st.integers(0, n_stages - 1))][link] = draw(st.sampled_from("rs"))
    intervals: list[NativeInterval] = []
    for place, stage in enumerate(greens):
        after = greens[(place + 1) % len(greens)]
        intervals.append(_interval(draw, 2, 60, stage))
        intervals += _change(draw, stage, after)
    turn = draw(st.integers(0, len(intervals) - 1))
    return Program(
        junction="J",
        offset_s=float(draw(st.integers(-300, 90_000))),
        intervals=tuple(intervals[turn:] + intervals[:turn]),
    )


def _stage(draw: st.DrawFn, n_links: int) -> list[str]:
    return [draw(st.sampled_from("GGgrrrs")) for _ in range(n_links)]


def _interval(draw: st.DrawFn, least_s: int, most_s: int, lamps: list[str]) -> NativeInterval:
    return NativeInterval(duration_s=float(draw(st.integers(least_s, most_s))), lamps="".join(lamps))


def _change(draw: st.DrawFn, stage: list[str], after: list[str]) -> list[NativeInterval]:
    """Return the intervals between two stages; empty, so that greens end at once, or with a yellow in them."""
    yellow, red = [], []
    for before, then in zip(stage, after, strict=True):
        if before not in GREEN:
            letter = draw(st.sampled_from("rrs"))
            yellow.append(letter)
            red.append(letter)
        elif then in GREEN and draw(st.booleans()):
            yellow.append(before)
            red.append(before)
        else:
            yellow.append("y")
            red.append(draw(st.sampled_from("rrs")) if then not in GREEN else "r")
    if "y" not in yellow or draw(st.integers(0, 3)) == 0:
        return []
    rows = [_interval(draw, 3, 6, yellow)]
    if draw(st.booleans()):
        rows.append(_interval(draw, 1, 4, red))
    return rows
