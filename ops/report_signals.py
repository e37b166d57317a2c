"""Ring-barrier and timing diagrams of one junction, old plan above new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ops.report_data import JunctionTiming
from ops.report_svg import GREEN, INK, RED, YELLOW, as_svg, style
from ops.report_words import TEXT, label, origin, turn_arrows
from traffic.ids import PhaseNumber
from traffic.lamps import Part, coordinated_start_ds, cycle_intervals, ring_timeline
from traffic.network import Network
from traffic.signals import GREEN_LETTERS, Junction, Overlap, Plan

PART_COLOURS = {Part.GREEN: "#cfe8de", Part.YELLOW: YELLOW, Part.RED_CLEAR: RED}
LAMP_COLOURS = {"G": GREEN, "g": "#7fceb6", "y": YELLOW, "r": "#f3d3d7", "s": "#c7a0d6"}
BAR_M = {"G": 0.68, "g": 0.68, "y": 0.68, "r": 0.16, "s": 0.34}
"""Height of a lamp's bar: red is a thin line, so that the diagram also reads in grey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A lamp letter from `begin_s` to `end_s` of the cycle."""

    begin_s: float
    end_s: float
    letter: str


def spans_of(junction: Junction, plan: Plan, link_index: int) -> list[Span]:
    """Return the lamps of one link over a cycle, from the coordinated green on, neighbours of one colour joined."""
    start_s, at_s = coordinated_start_ds(junction, plan) / 10.0, 0.0
    pieces: list[Span] = []
    intervals = cycle_intervals(junction, plan)
    cycle_s = sum(interval.duration_ds for interval in intervals) / 10.0
    for interval in intervals:
        begin_s, end_s = at_s - start_s, at_s - start_s + interval.duration_ds / 10.0
        at_s += interval.duration_ds / 10.0
        letter = interval.lamps[link_index]
        cuts = [begin_s, 0.0, end_s] if begin_s < 0.0 < end_s else [begin_s, end_s]
        for first, last in pairwise(cuts):
            shift = cycle_s if first < 0.0 else 0.0
            pieces.append(Span(begin_s=first + shift, end_s=last + shift, letter=letter))
    joined: list[Span] = []
    for piece in sorted(pieces, key=lambda span: span.begin_s):
        if joined and joined[-1].letter == piece.letter and abs(joined[-1].end_s - piece.begin_s) < 1e-6:
            joined[-1] = Span(begin_s=joined[-1].begin_s, end_s=piece.end_s, letter=piece.letter)
        else:
            joined.append(piece)
    return joined


def turns_of(network: Network, junction: Junction, overlaps: Iterable[Overlap]) -> str:
    """Return where the vehicles of some overlaps come from and where they turn, as "W·Tây ↑↱; E·Đông ↑"."""
    crossing = network.crossings[junction.id]
    wanted = {index for overlap in overlaps for index in overlap.link_indices}
    turns: dict[str, set[str]] = {}
    for approach in crossing.approaches:
        for movement in (network.movements[name] for name in approach.movements):
            if wanted & set(movement.link_indices):
                turns.setdefault(origin(approach.bearing_deg), set()).add(movement.direction)
    return "; ".join(f"{place} {turn_arrows(directions)}" for place, directions in turns.items()) or "–"


def phase_turns(network: Network, junction: Junction) -> dict[PhaseNumber, str]:
    """Return, by phase, which approaches and turns it serves."""
    return {
        phase.number: turns_of(network, junction, [o for o in junction.overlaps if phase.number in o.parents])
        for phase in junction.phases
    }


def _arms(timing: JunctionTiming) -> list[tuple[str, Plan]]:
    return [("old", timing.old)] + ([("new", timing.new)] if timing.new else [])


def ring_chart(timing: JunctionTiming, name: str) -> str:
    """Return the ring-barrier diagram: one strip a ring, splits to scale, old above new."""
    arms, n_rings = _arms(timing), len(timing.junction.rings)
    longest_s = max(plan.pattern.cycle_s for _, plan in arms)
    with style(name):
        figure = Figure(figsize=(8.6, len(arms) * (0.55 + 0.52 * n_rings) + 0.3))
        axes = figure.subplots(len(arms), 1, sharex=True, squeeze=False)[:, 0]
        for axis, (arm, plan) in zip(axes, arms, strict=True):
            _rings(axis, timing.junction, plan)
            title = f"{label(arm)}:  {plan.pattern.cycle_s} s"
            axis.set_title(title, loc="left", fontsize=9.0, fontweight="bold", pad=4)
            axis.set_xlim(0, longest_s)
        axes[-1].set_xlabel(label("cycle_time"))
        figure.tight_layout(h_pad=0.6)
        return as_svg(figure, name, label("rings"))


def _rings(axis: Axes, junction: Junction, plan: Plan) -> None:
    coordinated = coordinated_phases(junction, plan)
    for ring in range(len(junction.rings)):
        at_s, y = 0.0, -ring
        for span_ds, state in ring_timeline(junction, plan, ring):
            span_s = span_ds / 10.0
            colour = PART_COLOURS[state.part]
            axis.add_patch(Rectangle((at_s, y - 0.42), span_s, 0.84, facecolor=colour, edgecolor="none"))
            if state.part is Part.GREEN:
                star = " ★" if state.phase in coordinated else ""
                text = f"Φ{state.phase}{star}\n{plan.split.split_s(state.phase)} s"
                axis.text(at_s + span_s / 2, y, text, ha="center", va="center", fontsize=8.5)
                split_s = plan.split.split_s(state.phase)
                axis.add_patch(Rectangle((at_s, y - 0.42), split_s, 0.84, fill=False, edgecolor=INK, linewidth=0.8))
            at_s += span_s
    for time_s in barrier_times_s(junction, plan):
        axis.plot([time_s, time_s], [-len(junction.rings) + 0.5, 0.5], color=INK, linewidth=3.0, solid_capstyle="butt")
    axis.set_ylim(-len(junction.rings) + 0.45, 0.55)
    axis.set_yticks(
        [-ring for ring in range(len(junction.rings))],
        [f"{TEXT['ring'][0]}·{TEXT['ring'][1]} {ring + 1}" for ring in range(len(junction.rings))],
    )
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)


def barrier_times_s(junction: Junction, plan: Plan) -> list[float]:
    """Return when the rings cross their barriers, seconds after the start of the cycle, the cycle's end included."""
    at_s, times = 0.0, [0.0]
    for group in junction.barriers:
        members = [phase for phase in junction.rings[0] if phase in group]
        at_s += sum(split.split_s for split in plan.split.splits if split.phase in members)
        times.append(at_s)
    return times


def coordinated_phases(junction: Junction, plan: Plan) -> frozenset[PhaseNumber]:
    """Return the phases that the plan coordinates, else the one that is installed as such."""
    named = frozenset(split.phase for split in plan.split.splits if split.is_coordinated)
    return named or frozenset({junction.coordinated})


def lamp_chart(network: Network, timing: JunctionTiming, name: str) -> str:
    """Return the timing diagram: one row for links that move together, from the start of the coordinated green."""
    arms = _arms(timing)
    rows = distinct_rows(network, timing)
    longest_s = max(plan.pattern.cycle_s for _, plan in arms)
    with style(name):
        figure = Figure(figsize=(8.6, len(arms) * (0.5 + 0.27 * len(rows)) + 0.3))
        axes = figure.subplots(len(arms), 1, sharex=True, squeeze=False)[:, 0]
        for axis, (arm, plan) in zip(axes, arms, strict=True):
            for place, (_, index) in enumerate(rows):
                for span in spans_of(timing.junction, plan, index):
                    height = BAR_M[span.letter]
                    box = Rectangle(
                        (span.begin_s, place - height / 2), span.end_s - span.begin_s, height,
                        facecolor=LAMP_COLOURS[span.letter], edgecolor="none",
                    )  # fmt: skip
                    axis.add_patch(box)
            axis.set_yticks(range(len(rows)), [text for text, _ in rows], fontsize=8.0)
            axis.set_ylim(len(rows) - 0.5, -0.5)
            axis.set_xlim(0, longest_s)
            title = f"{label(arm)}:  {plan.pattern.cycle_s} s,  {label('offset_word')}: {plan.pattern.offset_s} s"
            axis.set_title(title, loc="left", fontsize=9.0, fontweight="bold", pad=4)
            axis.tick_params(axis="y", length=0)
            axis.grid(visible=True, axis="x", color="#dde3e8", linewidth=0.5)
            axis.set_axisbelow(True)
        axes[-1].set_xlabel(label("cycle_time"))
        figure.tight_layout(h_pad=0.6)
        return as_svg(figure, name, label("lamps"))


def distinct_rows(network: Network, timing: JunctionTiming) -> list[tuple[str, int]]:
    """Return (name, a link index) per overlap, the first green on top; overlaps that move alike share a row."""
    shared: dict[tuple[tuple[Span, ...], ...], list[Overlap]] = {}
    for overlap in timing.junction.overlaps:
        plans = [plan for _, plan in _arms(timing)]
        look = tuple(tuple(spans_of(timing.junction, plan, overlap.link_indices[0])) for plan in plans)
        shared.setdefault(look, []).append(overlap)
    in_order = sorted(shared.items(), key=lambda row: [s.begin_s for s in row[0][0] if s.letter in GREEN_LETTERS])
    return [(turns_of(network, timing.junction, overlaps), overlaps[0].link_indices[0]) for _, overlaps in in_order]
