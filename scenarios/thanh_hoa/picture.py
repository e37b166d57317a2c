"""The schematic's map as SVG: streets to the model's scale, names, kinds of signal, and the word SCHEMATIC."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from layout import LANE_M, LEGS, PLACES, ROAD_NAMES, TIMINGS
from roads import gates, n_lanes

SCALE = 0.42
MARGIN_PX = 150
STATUS = {
    "bac": "junction assumed",
    "ql47": "crossing: coarse geometry",
    "buu_dien": "crossing verified",
    "giua": "junction assumed",
    "ql45": "crossing: coarse geometry",
    "nguyen_trai": "order verified",
}


def draw(path: Path) -> None:
    """Write the picture."""
    places = {**{name: point for name, (point, _) in PLACES.items()}, **gates()}
    left, top = min(x for x, _ in places.values()) - 120, max(y for _, y in places.values())
    width = (max(x for x, _ in places.values()) - left) * SCALE + 2 * MARGIN_PX + 230
    height = (top - min(y for _, y in places.values())) * SCALE + 2 * MARGIN_PX - 70

    def at(name: str) -> tuple[float, float]:
        x, y = places[name]
        return (x - left) * SCALE + MARGIN_PX, (top - y) * SCALE + MARGIN_PX - 20

    body = [_roads(at), _names(at), _junctions(at), _frame(width, height)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif">'
    back = f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fbfaf7"/>'
    path.write_text("\n".join([head, back, *body, "</svg>"]) + "\n", encoding="utf-8")


def _roads(at) -> str:  # type: ignore[no-untyped-def]
    rows = []
    for junction, legs in LEGS.items():
        for other in legs.values():
            (x1, y1), (x2, y2) = at(junction), at(other)
            px = 2 * n_lanes(junction, other) * LANE_M * SCALE * 1.9
            rows.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="#b9b4a8" stroke-width="{px:.1f}"/>')
            rows.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="#fff" stroke-dasharray="6 5"/>')
    return "\n".join(rows)


def _names(at) -> str:  # type: ignore[no-untyped-def]
    rows = []
    for ends, name in ROAD_NAMES.items():
        one, other = sorted(ends)
        (x1, y1), (x2, y2) = at(one), at(other)
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        aside = 22 if name == "Nguyễn Trãi" else -16
        turn = f' transform="rotate(-90 {x + aside:.1f} {y:.1f})"' if abs(x1 - x2) < 1 else ""
        dx, dy = (aside, 0) if turn else (0, -14)
        style = 'font-size="13" fill="#5b5647" text-anchor="middle"'
        rows.append(f'<text x="{x + dx:.1f}" y="{y + dy:.1f}" {style}{turn}>{escape(name)}</text>')
    return "\n".join(rows)


def _junctions(at) -> str:  # type: ignore[no-untyped-def]
    rows = []
    for name, (_, title) in PLACES.items():
        x, y = at(name)
        rings, phases = len(TIMINGS[name].rings), len(TIMINGS[name].serves)
        kind = f"NEMA dual ring, {phases} phases" if rings > 1 else f"one ring, {phases} stages"
        fill = "#b3261e" if rings > 1 else "#1f6f54"
        rows.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" fill="{fill}" stroke="#fff" stroke-width="2"/>')
        anchor, dx = ("end", -18) if name == "nguyen_trai" else ("start", 18)
        rows.append(
            f'<g text-anchor="{anchor}"><text x="{x + dx:.1f}" y="{y + 26:.1f}" font-size="14" font-weight="bold"'
            f' fill="#222">{escape(title)}</text>'
            f'<text x="{x + dx:.1f}" y="{y + 43:.1f}" font-size="12" fill="#444">{kind} · {STATUS[name]}</text></g>'
        )
    return "\n".join(rows)


def _frame(width: float, height: float) -> str:
    bar = 200 * SCALE
    y = height - 40
    return "\n".join(
        [
            '<text x="30" y="48" font-size="30" font-weight="bold" fill="#b3261e">SCHEMATIC</text>',
            '<text x="30" y="72" font-size="14" fill="#222">Thanh Hóa: QL1A in town, as the model has it.</text>',
            '<text x="30" y="92" font-size="13" fill="#444">Order of places from sources; spacings, lanes,</text>',
            '<text x="30" y="109" font-size="13" fill="#444">signals and flows assumed. Not a survey.</text>',
            f'<path d="M30 {y:.0f}h{bar:.0f}" stroke="#222" stroke-width="3"/>',
            f'<text x="30" y="{y - 8:.0f}" font-size="12" fill="#222">200 m in the model (real B-C is 3.25 km)</text>',
            f'<path d="M{width - 60:.0f} 100v-50m-7 12l7 -12l7 12" stroke="#222" fill="none" stroke-width="2"/>',
            f'<text x="{width - 65:.0f}" y="40" font-size="14" fill="#222">N</text>',
        ]
    )
