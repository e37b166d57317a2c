"""The chart of a benchmark: delay by scenario and control; diamond and bar for mean and interval, a dot a seed.

::

    fixed          |--<>--|    73.8      number: the mean
                    .  ...  o            o worst seed
    max_pressure |-<>-|        29.5      logarithmic where the delays of a scenario are far apart
                  . .. o
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ops.benchmark_rows import Cell
from ops.benchmark_set import FIXED
from ops.benchmark_table import number
from ops.evaluate import delays_of
from ops.report_svg import AFTER, BEFORE, FAINT, INK, as_svg, grid, style
from ops.statistics import mean_interval

_TITLE = "Delay by scenario and control"
_COLUMNS = 3
_FAR_APART = 5.0
"""From this ratio of the largest to the smallest delay on the axis is logarithmic."""
_LOOKS = {"legacy": (BEFORE, "o", -0.25), "safe": (AFTER, "s", 0.14)}
_SEEDS_BELOW = 0.14
"""How far below its mean a control's seeds are, in lines."""
_FAMILIES = {"static": FIXED, "static_safe": FIXED, "actuated_safe": "actuated"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One control under one protocol: its delays by seed, s/veh; none without a run."""

    family: str
    protocol: str
    delays_s: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One scenario: its marks, and the controls in order from the top."""

    scenario: str
    families: tuple[str, ...]
    marks: tuple[Mark, ...]

    @property
    def is_logarithmic(self) -> bool:
        """Whether its delays are too far apart for a linear axis."""
        delays = [delay_s for mark in self.marks for delay_s in mark.delays_s]
        return bool(delays) and min(delays) > 0.0 and max(delays) > _FAR_APART * min(delays)


def panels_of(cells: Sequence[Cell]) -> list[Panel]:
    """Return a panel a scenario; static and static_safe share a line, and so do the actuated."""
    panels = []
    for scenario in dict.fromkeys(cell.scenario for cell in cells):
        marks = tuple(
            Mark(
                family=_FAMILIES.get(control, control),
                protocol=cell.protocol,
                delays_s=tuple(delay_s for delay_s in delays_of(runs).values() if isfinite(delay_s)),
            )
            for cell in cells
            if cell.scenario == scenario
            for control, runs in cell.runs.items()
        )
        families = tuple(dict.fromkeys(mark.family for mark in marks))
        panels.append(Panel(scenario=scenario, families=families, marks=marks))
    return panels


def benchmark_chart(panels: Sequence[Panel]) -> str:
    """Return the chart as SVG."""
    with style("benchmark"):
        return as_svg(draw(panels), "benchmark", _TITLE)


def draw(panels: Sequence[Panel]) -> Figure:
    """Return the figure, a panel a scenario, three in a row at most."""
    columns = min(_COLUMNS, len(panels))
    n_rows = -(-len(panels) // columns)
    lines = max(len(panel.families) for panel in panels)
    figure = Figure(figsize=(1.4 + 3.5 * columns, 0.8 + n_rows * (0.9 + 0.46 * lines)), layout="constrained")
    axes = figure.subplots(n_rows, columns, squeeze=False).ravel()
    for axis, panel in zip(axes, panels, strict=False):
        _draw_panel(axis, panel)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    figure.legend(handles=_legend(panels), loc="outside upper center", ncols=5, frameon=False, fontsize=8.5)
    return figure


def _draw_panel(axis: Axes, panel: Panel) -> None:
    axis.set_title(panel.scenario, fontsize=10.0, fontweight="bold", loc="left")
    if panel.is_logarithmic:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
    for mark in panel.marks:
        _draw_mark(axis, mark, panel.families.index(mark.family))
    delays = [delay_s for mark in panel.marks for delay_s in mark.delays_s]
    if delays:
        axis.set_xlim(*((min(delays) / 1.25, max(delays) * 1.4) if panel.is_logarithmic else (0.0, max(delays) * 1.2)))
    axis.set_ylim(len(panel.families) - 0.5, -0.5)
    axis.set_yticks(range(len(panel.families)), panel.families)
    axis.tick_params(axis="y", length=0)
    for place in range(1, len(panel.families)):
        axis.axhline(place - 0.5, color=FAINT, linewidth=0.5, zorder=0)
    axis.set_xlabel("delay, s/veh" + (", logarithmic" if panel.is_logarithmic else ""))
    grid(axis, "x")


def _draw_mark(axis: Axes, mark: Mark, line: int) -> None:
    colour, marker, shift = _LOOKS[mark.protocol]
    y = line + shift
    if not mark.delays_s:
        axis.text(0.01, y, f"{mark.protocol}: no run", transform=axis.get_yaxis_transform(), va="center", fontsize=7.5)
        return
    mean, low, high = mean_interval(mark.delays_s)
    below = y + _SEEDS_BELOW
    axis.scatter(mark.delays_s, [below] * len(mark.delays_s), s=8, color=colour, alpha=0.6, linewidths=0, zorder=2)
    axis.scatter([max(mark.delays_s)], [below], s=26, facecolors="none", edgecolors=colour, linewidths=0.9, zorder=3)
    error = [[mean - low], [high - mean]] if isfinite(low) else None
    axis.errorbar(
        [mean], [y], xerr=error, color=colour, marker=marker, markersize=4.5, capsize=2.5, linewidth=1.3, zorder=4
    )
    edge = axis.get_yaxis_transform()
    axis.text(1.02, y + 0.07, number(mean), transform=edge, va="center", fontsize=7.5, color=colour)


def _legend(panels: Sequence[Panel]) -> list[Line2D]:
    protocols = dict.fromkeys(mark.protocol for panel in panels for mark in panel.marks)
    means = [
        Line2D(
            [], [], color=_LOOKS[name][0], marker=_LOOKS[name][1], markersize=5, label=f"{name}: mean, 95 % interval"
        )
        for name in protocols
    ]
    seed = Line2D([], [], color=INK, marker="o", markersize=3, alpha=0.6, linestyle="none", label="a seed")
    worst = Line2D([], [], color=INK, marker="o", markerfacecolor="none", linestyle="none", label="worst seed")
    return [*means, seed, worst]
