"""Charts of the report: before and after, candidates, counts against truth."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, sqrt

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ops.judge import KEEP
from ops.report_data import DELAY, DELAY_LOG, CandidateRow, CountRow, DemoResult, FitRow, Measure
from ops.report_svg import ACCENT, AFTER, BEFORE, FAINT, INK, as_svg, grid, style
from ops.report_words import TEXT, label, number
from ops.statistics import Paired, mean_interval, paired_difference

FloatArray = npt.NDArray[np.float64]
GEH_GOOD = 5.0


def before_after_chart(result: DemoResult) -> str:
    """Return paired dots of each seed, by trip records and by event log, and the paired differences beside them."""
    sources = [(key, m) for key in (DELAY, DELAY_LOG) if (m := result.measure(key)) is not None]
    sources = [(key, m) for key, m in sources if any(map(isfinite, m.before))]
    if not sources:
        return ""
    with style("effect"):
        figure = Figure(figsize=(9.4, 3.9))
        n = len(sources)
        axes = figure.subplots(1, n + 1, width_ratios=[1.0] * n + [1.25], squeeze=False)[0]
        for axis, (key, measure) in zip(axes, sources, strict=False):
            _slopes(axis, measure, "by_trips" if key == DELAY else "by_log")
        _differences(axes[-1], sources)
        axes[0].set_ylabel(label("delay_axis"))
        figure.tight_layout(w_pad=2.0)
        return as_svg(figure, "effect", label("effect"))


def _slopes(axis: Axes, measure: Measure, name: str) -> None:
    axis.set_title("\n".join(TEXT[name]), fontsize=9.0)
    axis.set_xlim(-0.4, 1.4)
    axis.set_xticks([0, 1], ["\n".join(TEXT["before"]), "\n".join(TEXT["after"])])
    for before, after in zip(measure.before, measure.after or [np.nan] * len(measure.before), strict=True):
        axis.plot([0, 1], [before, after], color=FAINT, linewidth=1.0, zorder=1)
    for place, values, colour, marker in ((0, measure.before, BEFORE, "o"), (1, measure.after, AFTER, "s")):
        axis.scatter([place] * len(values), values, s=22, color=colour, marker=marker, zorder=2)
        mean, low, high = mean_interval(values)
        shift = place + (-0.2 if place == 0 else 0.2)
        if isfinite(mean):
            error = [[mean - low], [high - mean]] if isfinite(low) else None
            axis.errorbar([shift], [mean], yerr=error, color=colour, marker="D", markersize=6, capsize=4, linewidth=1.6)
            axis.annotate(
                number(mean), (shift, mean), (-6 if place == 0 else 6, 0), textcoords="offset points",
                ha="right" if place == 0 else "left", va="center", fontsize=9.0, fontweight="bold", color=colour,
            )  # fmt: skip
    axis.set_xlim(-0.75, 1.75)
    axis.set_ylim(bottom=0.0)
    grid(axis, "y")


def _differences(axis: Axes, sources: Sequence[tuple[str, Measure]]) -> None:
    """Draw after - before per seed and its mean with interval, one row a source."""
    names = {DELAY: "by_trips", DELAY_LOG: "by_log"}
    rows = [(_two_lines(names[key]), m.paired) for key, m in sources]
    points = [np.subtract(m.after, m.before) if m.after else np.array([]) for _, m in sources]
    _forest(axis, rows, points, [AFTER] * len(rows))
    axis.set_xlabel(label("difference_axis"))
    axis.set_title("\n".join(TEXT["mean_ci"]), fontsize=9.0)


def _forest(
    axis: Axes, rows: Sequence[tuple[str, Paired | None]], points: Sequence[FloatArray], colours: Sequence[str]
) -> None:
    """Draw one row a comparison: dots per seed, diamond and bar for mean and interval, the line of no effect."""
    span = max((float(np.abs(p[np.isfinite(p)]).max(initial=0.0)) for p in points), default=0.0)
    span = max([span, 1.0, *(abs(edge) for _, p in rows if p for edge in (p.low, p.high) if isfinite(edge))]) * 1.15
    axis.axvspan(-span, 0.0, color="#e6f3ee", zorder=0)
    axis.axvline(0.0, color=INK, linewidth=1.0)
    for place, ((_, paired), dots, colour) in enumerate(zip(rows, points, colours, strict=True)):
        axis.scatter(dots, np.full(len(dots), place + 0.2), s=16, color=colour, alpha=0.55, linewidths=0)
        if paired is None or not isfinite(paired.difference):
            continue
        error = [[paired.difference - paired.low], [paired.high - paired.difference]] if isfinite(paired.low) else None
        axis.errorbar(
            [paired.difference], [place], xerr=error, color=colour, marker="D", markersize=7, capsize=4, linewidth=2.0
        )
        text = number(paired.difference, sign=True)
        axis.annotate(
            text, (paired.difference, place), (0, 8), textcoords="offset points", ha="center", fontsize=9.0,
            fontweight="bold", color=colour,
        )  # fmt: skip
    axis.set_xlim(-span, span)
    axis.set_ylim(len(rows) - 0.5, -0.85)
    axis.set_yticks(range(len(rows)), [name for name, _ in rows])
    for x, side, key, text in ((0.01, "left", "better_side", "← {}"), (0.99, "right", "worse_side", "{} →")):
        axis.text(
            x, 0.99, text.format("\n".join(TEXT[key])), transform=axis.transAxes, ha=side, va="top", fontsize=8.0,
            color="#56626e",
        )  # fmt: skip
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0)
    grid(axis, "x")


def _two_lines(key: str) -> str:
    return "\n".join(TEXT[key])


def candidates_chart(candidates: Sequence[CandidateRow]) -> str:
    """Return the paired difference of each candidate to the old plan, over the twin's seeds."""
    keep = next((row for row in candidates if row.name == KEEP), None)
    judged = [row for row in candidates if row.delays_s and row.name != KEEP]
    if keep is None or not keep.delays_s or not judged:
        return ""
    with style("candidates"):
        figure = Figure(figsize=(9.4, 1.3 + 0.62 * len(judged)))
        axis = figure.subplots()
        rows = [(row.name, paired_difference(keep.delays_s, row.delays_s)) for row in judged]
        points = [np.subtract(row.delays_s, keep.delays_s) for row in judged]
        _forest(axis, rows, points, [AFTER if row.is_chosen else "#6b7680" for row in judged])
        axis.set_xlabel(label("against_keep"))
        return as_svg(figure, "candidates", label("candidates"))


def counts_chart(counts: Sequence[CountRow]) -> str:
    """Return historic and counted against true flow per movement, on square-root axes, with the GEH 5 lines."""
    known = [row for row in counts if row.true_veh is not None]
    true = np.array([row.flow_vph(row.true_veh) for row in known])
    series = [
        (np.array([row.flow_vph(row.historic_veh) for row in known]), BEFORE, "s", "historic", False),
        (np.array([row.flow_vph(row.counted_veh) for row in known]), AFTER, "o", "counted", True),
    ]
    if not known or not any(np.isfinite(values).any() for values, *_ in series):
        return ""
    with style("counts"):
        figure = Figure(figsize=(5.6, 5.2))
        axis = figure.subplots()
        for values, colour, marker, name, is_full in series:
            face = colour if is_full else "none"
            axis.scatter(
                true, values, s=26, marker=marker, facecolors=face, edgecolors=colour, linewidths=1.2, label=label(name)
            )
        _geh_axes(axis, np.concatenate([true, *(values for values, *_ in series)]))
        axis.set_xlabel(f"{label('truth')}, veh/h · xe/giờ")
        axis.set_ylabel("veh/h · xe/giờ")
        return as_svg(figure, "counts", label("counts"))


def fit_chart(fit: Sequence[FitRow]) -> str:
    """Return fitted against counted flow, those used and those held out told apart."""
    if not any(isfinite(row.geh) for row in fit):
        return ""
    with style("fit"):
        figure = Figure(figsize=(5.6, 5.2))
        axis = figure.subplots()
        for held_out, colour, marker, name in ((False, AFTER, "o", "used"), (True, ACCENT, "D", "held_out")):
            rows = [row for row in fit if row.is_held_out is held_out]
            axis.scatter(
                [row.counted_vph for row in rows], [row.fitted_vph for row in rows], s=26, color=colour,
                marker=marker, label=f"{label(name)} ({len(rows)})",
            )  # fmt: skip
        _geh_axes(axis, np.array([v for row in fit for v in (row.counted_vph, row.fitted_vph)]))
        axis.set_xlabel(label("counted_vph"))
        axis.set_ylabel(label("fitted"))
        return as_svg(figure, "fit", label("fit"))


def _geh_axes(axis: Axes, values: FloatArray) -> None:
    """Give both axes a square-root scale, on which GEH is nearly a distance, and draw y = x and GEH 5."""
    top = max(100.0, float(np.nanmax(values)) * 1.08)
    for set_scale in (axis.set_xscale, axis.set_yscale):
        set_scale("function", functions=(_root, np.square))
    flow = np.square(np.linspace(0.0, sqrt(top), 120))
    low, high = geh_bounds(flow, GEH_GOOD)
    axis.fill_between(flow, low, high, color="#eef2f5", zorder=0)
    axis.plot(flow, flow, color=INK, linewidth=0.9, zorder=1)
    axis.plot(flow, high, color=INK, linewidth=0.8, linestyle="--", zorder=1, label="GEH = 5")
    axis.plot(flow, low, color=INK, linewidth=0.8, linestyle="--", zorder=1)
    ticks = [t for t in (0, 25, 100, 250, 500, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12000) if t <= top]
    axis.set_xticks(ticks)
    axis.set_yticks(ticks)
    axis.set_xlim(0.0, top)
    axis.set_ylim(0.0, top)
    axis.set_aspect("equal")
    axis.tick_params(labelsize=8.0)
    grid(axis)
    axis.legend(loc="upper left", fontsize=8.0, framealpha=0.95)


def _root(values: FloatArray) -> FloatArray:
    roots: FloatArray = np.sqrt(np.maximum(values, 0.0))
    return roots


def geh_bounds(flow_vph: FloatArray, limit: float) -> tuple[FloatArray, FloatArray]:
    """Return the flows below and above `flow_vph` whose GEH against it is `limit`.

    From 2 (m - c)^2 / (m + c) = G^2: m = c + G^2/4 -+ G/4 sqrt(G^2 + 16 c), not below 0.
    """
    middle = flow_vph + limit**2 / 4.0
    half = limit / 4.0 * np.sqrt(limit**2 + 16.0 * flow_vph)
    return np.maximum(0.0, middle - half), middle + half
