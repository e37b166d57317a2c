"""What a benchmark found, to be read: a table of delays and one of everything else a protocol, and statements.

The same cells make the Markdown page and what is shown on the screen; an unknown number is None (`console.plain`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]
_FAULTS = (
    ("not departed", "not_departed"),
    ("refused", "guard_refused"),
    ("forced", "guard_forced"),
    ("released", "guard_released"),
    ("green to red", "direct_green_to_red"),
    ("intergreens", "intergreen_violations"),
    ("conflicts", "conflicting_greens"),
    ("longest red, s", "longest_red_s"),
)
_NOTE = (
    "Delay per vehicle in s, all vehicles counted: mean over seeds ± half the 95 % interval (worst seed). "
    "Differences are paired by seed, negative = better. Refused, forced and released is what the guard did, all seeds "
    "together; so are greens that ended without yellow, too short intergreens and conflicting greens, counted from the "
    "lamps shown. The longest red is of links that are ever green, whether anybody waited there or not."
)
_WIDTH = 200
"""Columns where the output is no terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """One table: its head and its rows, all text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def delays_table(rows: Sequence[Row]) -> Cells:
    """Return a row a scenario and a column a control: mean ± half the interval (worst seed), the best mean in **."""
    controls = list(dict.fromkeys(row["control"] for row in rows))
    lines = []
    for scenario in dict.fromkeys(row["scenario"] for row in rows):
        found = {row["control"]: row for row in rows if row["scenario"] == scenario}
        most = max(row["seeds"] for row in found.values())
        known = [row["delay_s"] for row in found.values() if row["delay_s"] is not None and row["seeds"] == most]
        best = min(known, default=None)
        lines.append((scenario, *(_delay(found.get(name), best, most) for name in controls)))
    return Cells(head=("scenario", *controls), rows=tuple(lines))


def _delay(row: Row | None, best: float | None, most: int) -> str:
    if row is None:
        return "-"
    if row["delay_s"] is None:
        return "failed"
    text = f"{number(row['delay_s'])}{_half(row['delay_ci95_s'])} ({number(row['delay_worst_s'])})"
    if row["seeds"] < most:
        return f"{text}, {row['seeds']} seeds only"
    return f"**{text}**" if row["delay_s"] == best else text


def _half(interval: Sequence[float | None] | None) -> str:
    low, high = interval or (None, None)
    return "" if low is None or high is None else f" ± {number((high - low) / 2.0)}"


def details_table(rows: Sequence[Row]) -> Cells:
    """Return a row a scenario and control: the paired difference, vehicles and lamps."""
    first = rows[0]["control"] if rows else "the first"
    head = ("scenario", "control", "seeds", f"difference to {first}, s", *(name for name, _ in _FAULTS), "error")
    lines = [
        (
            row["scenario"],
            row["control"],
            str(row["seeds"]),
            _difference(row),
            *(number(row[key]) for _, key in _FAULTS),
            f"{row['failed']} failed: {row['error']}" if row["failed"] else "",
        )
        for row in rows
    ]
    return Cells(head=head, rows=tuple(lines))


def _difference(row: Row) -> str:
    if row["difference_s"] is None:
        return "-"
    return f"{row['difference_s']:+.1f}{_interval(row['difference_ci95_s'])}"


def _interval(interval: Sequence[float | None] | None) -> str:
    low, high = interval or (None, None)
    return "" if low is None or high is None else f" [{low:+.1f}, {high:+.1f}]"


def sentence(statement: Row) -> str:
    """Return a statement in words."""
    best = f"{statement['scenario']}, {statement['protocol']}: best is {statement['best']}"
    best += f" with {number(statement['best_delay_s'])} s"
    if statement["as_good"]:
        best += f" (not told apart from it: {', '.join(statement['as_good'])})"
    subject = statement["subject"]
    if statement["subject_delay_s"] is None:
        return f"{best}; {subject} has no run."
    against = [
        f"{statement[f'{key}_change_pct']:+.1f}{_interval(statement[f'{key}_change_ci95_pct'])} % to {words}"
        for key, words in (("actuated", "actuated"), ("max_pressure", "max pressure"))
        if statement[f"{key}_change_pct"] is not None
    ]
    if not against:
        return f"{best}; {subject} has neither actuated nor max pressure beside it."
    verdict = "at least 10 % better" if statement["reached"] else "**not** at least 10 % better"
    doubt = ", and the interval says so" if statement["sure"] else ", by the mean only" if statement["reached"] else ""
    return f"{best}; {subject} is {verdict}{doubt}: {', '.join(against)}."


def number(value: float | None) -> str:
    """Return a number as a cell: one digit behind the point below 1000, counts bare, - where it is unknown."""
    if value is None:
        return "-"
    if isinstance(value, int) or abs(value) >= 1000.0:
        return f"{value:.0f}"
    return f"{value:.1f}"


def markdown(result: Row) -> str:
    """Return the page of a benchmark."""
    demand = f"demand seeds {result['demand_seed']} and up" if result["demand_seed"] else "the demand as it is"
    lines = ["# Benchmark", "", f"`{shlex.join(result['command'])}`", ""]
    lines += [f"Commit {result['commit'] or 'unknown'}; {result['seeds']} seeds, {demand}. {_NOTE}", ""]
    if result["partial"]:
        lines += ["**Partial**: it was interrupted, or some runs failed.", ""]
    if result["chart"]:
        lines += [f"![Delay by scenario and control]({result['chart'].rsplit('/', 1)[-1]})", ""]
    for protocol in result["protocols"]:
        rows = [row for row in result["rows"] if row["protocol"] == protocol]
        if rows:
            lines += [f"## {protocol}", "", *_lines(delays_table(rows)), ""]
            lines += [f"- {sentence(row)}" for row in result["statements"] if row["protocol"] == protocol]
            lines += ["", *_lines(details_table(rows)), ""]
    return "\n".join(lines)


def _lines(cells: Cells) -> list[str]:
    body = [cells.head, tuple("---" for _ in cells.head), *cells.rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in body]


def screen(result: Row) -> str:
    """Return what people read in a terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    with console.capture() as captured:
        for protocol in result["protocols"]:
            rows = [row for row in result["rows"] if row["protocol"] == protocol]
            if rows:
                console.print(
                    _shown(delays_table(rows), f"{protocol}: delay, s/veh, mean ± half the interval (worst seed)")
                )
                console.print(_shown(details_table(rows), f"{protocol}: differences, vehicles, lamps"))
        for statement in result["statements"]:
            console.print(_text(sentence(statement)))
        for name in ("partial", "table", "chart", "out"):
            console.print(Text(f"{name}: {'yes' if result[name] is True else result[name] or 'no'}"), soft_wrap=True)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _shown(cells: Cells, title: str) -> Table:
    table = Table(title=title, title_justify="left")
    used = [n for n, name in enumerate(cells.head) if name != "error" or any(row[n] for row in cells.rows)]
    for n in used:
        table.add_column(
            cells.head[n], justify="left" if cells.head[n] in ("scenario", "control", "error") else "right"
        )
    for row in cells.rows:
        table.add_row(*(_text(row[n]) for n in used))
    return table


def _text(words: str) -> Text:
    """Return words in which what stands in ** is bold."""
    text = Text()
    for place, part in enumerate(words.split("**")):
        text.append(part, style="bold" if place % 2 else "")
    return text
