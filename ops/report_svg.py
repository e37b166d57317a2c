"""Figures as inline SVG: letters as paths, ids of their own, the same bytes for the same figure."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito, Color Universal Design, 2008: told apart by colour-blind readers.
BEFORE, AFTER, ACCENT = "#b35900", "#0072b2", "#cc79a7"
GREEN, YELLOW, RED = "#009e73", "#f0c808", "#c8102e"
INK, FAINT = "#1d2733", "#c9d1d9"

STYLE = {
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@contextmanager
def style(name: str) -> Iterator[None]:
    """Set our look for the drawing of one figure; `name` seeds its ids."""
    settings: Any = {**STYLE, "svg.hashsalt": name}
    with matplotlib.rc_context(settings):
        yield


def as_svg(figure: Figure, name: str, title: str) -> str:
    """Return the figure as an `<svg>` element with a title for those who cannot see it."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", pad_inches=0.05, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = text.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", text)
    head = f'<svg class="chart" role="img" aria-label="{_escaped(title)}"'
    return text.replace("<svg", head, 1)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def grid(axes: Axes, axis: str = "both") -> None:
    """Draw faint lines behind the data."""
    axes.grid(visible=True, axis=axis, color=FAINT, linewidth=0.6)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
