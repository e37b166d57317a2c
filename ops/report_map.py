"""The network drawn from its geometry, every approach coloured by its control delay, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import hypot, isfinite

import matplotlib
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import BoundaryNorm, Colormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ops.report_data import DemoResult
from ops.report_svg import INK, as_svg, style
from ops.report_words import TEXT, label
from traffic.ids import JunctionId, LinkId
from traffic.network import Network, Point

LEVELS_S = (0.0, 10.0, 20.0, 35.0, 55.0, 80.0, 120.0)
"""Class limits of the colours: the HCM's for levels of service A-F, seconds per vehicle."""
GREY = "#aeb6be"
HALO = [withStroke(linewidth=2.4, foreground="white")]

Delays = Mapping[tuple[JunctionId, LinkId], float]


def map_chart(result: DemoResult) -> str:
    """Return the map, before beside after (above it where the network is wide); '' without approaches."""
    if not result.approaches:
        return ""
    before: Delays = {(row.junction, row.approach): row.delay_before_s for row in result.approaches}
    after: Delays = {(row.junction, row.approach): row.delay_after_s for row in result.approaches}
    arms = [("before", before)] + ([] if result.is_kept else [("after", after)])
    network = result.network
    x0, y0, x1, y1 = extent(network)
    is_wide = (x1 - x0) > 1.3 * (y1 - y0)
    rows, columns = (len(arms), 1) if is_wide else (1, len(arms))
    width = 9.4
    height = min(12.0, rows * (width / columns) * (y1 - y0) / (x1 - x0) + 0.9)
    with style("map"):
        colours = matplotlib.colormaps["YlOrRd"].with_extremes(over="#4a0012")
        norm = BoundaryNorm(LEVELS_S, colours.N, extend="max")
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        stub_m = stub_length_m(network)
        for axis, (arm, delays) in zip(axes, arms, strict=True):
            _roads(axis, network)
            _approaches(axis, network, delays, (colours, norm), stub_m)
            _names(axis, network)
            axis.set_xlim(x0, x1)
            axis.set_ylim(y0, y1)
            axis.set_aspect("equal")
            axis.axis("off")
            axis.set_title(label(arm), fontsize=10.0, fontweight="bold")
            _scale(axis, (x0, y0, x1, y1))
            if result.facts.is_schematic:
                axis.text(x1, y0, "SCHEMATIC\nSƠ ĐỒ", ha="right", va="bottom", fontsize=9.0, color="#8a5a00")
        scale = matplotlib.cm.ScalarMappable(norm=norm, cmap=colours)
        bar = figure.colorbar(scale, ax=list(axes), orientation="horizontal", shrink=0.5, aspect=40, pad=0.02)
        bar.set_label(label("delay_axis"), fontsize=8.5)
        bar.ax.tick_params(labelsize=8.0)
        return as_svg(figure, "map", label("map"))


def extent(network: Network) -> tuple[float, float, float, float]:
    """Return x and y bounds that hold every signalised junction and some of the roads around them, metres."""
    xs, ys = zip(*(crossing.position for crossing in network.crossings.values()), strict=True)
    margin = max(1.6 * stub_length_m(network), 0.09 * max(max(xs) - min(xs), max(ys) - min(ys)), 60.0)
    return min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin


def stub_length_m(network: Network) -> float:
    """Return how much of an approach is coloured: a third of the way between the nearest two junctions, 40-160 m."""
    places = [crossing.position for crossing in network.crossings.values()]
    nearest = min(
        (hypot(a[0] - b[0], a[1] - b[1]) for i, a in enumerate(places) for b in places[i + 1 :]), default=300.0
    )
    return min(160.0, max(40.0, 0.36 * nearest))


def _roads(axis: Axes, network: Network) -> None:
    """Draw every lane as a faint line."""
    lanes = [lane.shape for lane in network.lanes.values() if len(lane.shape) > 1]
    axis.add_collection(LineCollection(lanes, colors="#dfe4e9", linewidths=2.2, capstyle="round"))


def _approaches(
    axis: Axes, network: Network, delays: Delays, scale: tuple[Colormap, BoundaryNorm], stub_m: float
) -> None:
    colours, norm = scale
    for crossing in network.crossings.values():
        for approach in crossing.approaches:
            delay_s = delays.get((crossing.id, approach.link), float("nan"))
            lanes = [network.lanes[lane].shape for lane in approach.lanes if len(network.lanes[lane].shape) > 1]
            if not lanes:
                continue
            middle = tail(lanes[len(lanes) // 2], stub_m)
            colour = colours(norm(delay_s)) if isfinite(delay_s) else GREY
            xs, ys = zip(*middle, strict=True)
            axis.plot(xs, ys, color=INK, linewidth=6.4, solid_capstyle="butt", zorder=3)
            axis.plot(xs, ys, color=colour, linewidth=5.0, solid_capstyle="butt", zorder=4)
            _arrow(axis, middle)
            _value(axis, middle, f"{delay_s:.0f}" if isfinite(delay_s) else "?")


def _arrow(axis: Axes, line: Sequence[Point]) -> None:
    (xa, ya), (xb, yb) = line[-2], line[-1]
    length = hypot(xb - xa, yb - ya) or 1.0
    ux, uy = (xb - xa) / length, (yb - ya) / length
    axis.annotate(
        "", (xb, yb), (xb - 4 * ux, yb - 4 * uy), zorder=5,
        arrowprops={"arrowstyle": "-|>", "color": INK, "mutation_scale": 9.0, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip


def _value(axis: Axes, line: Sequence[Point], text: str) -> None:
    """Write the delay at the right-hand side of the approach, so that two ways of a road do not collide."""
    (xa, ya), (xb, yb) = line[0], line[-1]
    length = hypot(xb - xa, yb - ya) or 1.0
    ux, uy = (xb - xa) / length, (yb - ya) / length
    side = "left" if uy > 0.5 else "right" if uy < -0.5 else "center"
    at = (xa + 0.35 * (xb - xa), ya + 0.35 * (yb - ya))
    axis.annotate(
        text, at, (7.0 * uy, -11.0 * ux), textcoords="offset points", ha=side, va="center", fontsize=9.0,
        fontweight="bold", zorder=6, path_effects=HALO,
    )  # fmt: skip


def _names(axis: Axes, network: Network) -> None:
    for crossing in network.crossings.values():
        x, y = crossing.position
        axis.plot([x], [y], marker="o", markersize=4.5, color=INK, zorder=6)
        axis.annotate(
            display_name(crossing.name, crossing.id), (x, y), (8, -15), textcoords="offset points",
            fontsize=7.5, zorder=7, path_effects=HALO,
        )  # fmt: skip


def display_name(name: str, identity: str, most: int = 26) -> str:
    """Return a junction's name, cut short for a drawing; its id where it has none."""
    shown = name or identity
    return shown if len(shown) <= most else f"{shown[: most - 1].rstrip()}…"


def tail(line: Sequence[Point], length_m: float) -> list[Point]:
    """Return the last `length_m` of a line.

    Examples
    --------
    >>> tail([(0.0, 0.0), (100.0, 0.0)], 30.0)
    [(70.0, 0.0), (100.0, 0.0)]
    """
    kept, left = [line[-1]], length_m
    for near, far in pairwise(reversed(line)):
        span = hypot(far[0] - near[0], far[1] - near[1])
        if span >= left:
            share = left / span
            kept.append((near[0] + share * (far[0] - near[0]), near[1] + share * (far[1] - near[1])))
            break
        kept.append(far)
        left -= span
    return kept[::-1]


def _scale(axis: Axes, bounds: tuple[float, float, float, float]) -> None:
    """Draw a scale bar and a north arrow in the lower left and upper left corners."""
    x0, y0, x1, y1 = bounds
    length_m = max((step for step in (50, 100, 200, 500, 1000, 2000, 5000) if step < 0.3 * (x1 - x0)), default=20)
    left, low = x0 + 0.03 * (x1 - x0), y0 + 0.02 * (y1 - y0)
    axis.plot([left, left + length_m], [low, low], color=INK, linewidth=2.0, solid_capstyle="butt")
    axis.annotate(f"{length_m} m", (left, low), (0, 4), textcoords="offset points", fontsize=7.5)
    top = y1 - 0.02 * (y1 - y0)
    axis.annotate(
        "", (left, top), (left, top - 0.06 * (y1 - y0)), arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.4}
    )
    north = f"{TEXT['north'][0][0]}·{TEXT['north'][1]}"
    axis.annotate(north, (left, top), (5, -6), textcoords="offset points", fontsize=7.5)
