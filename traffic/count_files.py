"""Counts as CSV, one row per movement, class and period, the columns of `TurnCount`; empty is unknown, not 0."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from traffic.counts import Health, TurnCount, VehicleClass
from traffic.errors import BadScenario

HEADER = ("movement", "vehicle_class", "start_s", "period_s", "count", "health", "is_censored")
_MAX_FAULTS = 5


def read_counts(path: Path) -> list[TurnCount]:
    """Read counts.

    Raises
    ------
    BadScenario
        With the first faults found: a file that cannot be read, other columns, nonsense in a row, no row at all.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadScenario(str(path), error, "must be CSV", "mend the file") from error
    if not rows or tuple(rows[0]) != HEADER:
        found = ",".join(rows[0]) if rows else "an empty file"
        raise BadScenario(str(path), found, f"the first line must be {','.join(HEADER)}", "mend the file")
    counts, faults = [], []
    for line, row in enumerate(rows[1:], start=2):
        try:
            counts.append(_count(dict(zip(HEADER, row, strict=True))))
        except ValueError as error:
            faults.append(f"line {line}: {error}")
    if faults:
        shown = "; ".join(faults[:_MAX_FAULTS])
        raise BadScenario(str(path), shown, f"{len(faults)} lines at fault", "mend the file")
    if not counts:
        raise BadScenario(str(path), "no counts", "needs at least one", "count first")
    return counts


def _count(row: Mapping[str, str]) -> TurnCount:
    start_s, period_s = float(row["start_s"]), float(row["period_s"])
    if not (0.0 <= start_s < float("inf") and 0.0 < period_s < float("inf")):
        raise ValueError(f"start {start_s} s, period {period_s} s: must be >= 0 and > 0")
    if row["is_censored"] not in ("True", "False"):
        raise ValueError(f"is_censored {row['is_censored']!r} must be True or False")
    if not row["movement"]:
        raise ValueError("no movement")
    return TurnCount(
        movement=row["movement"],
        vehicle_class=VehicleClass(row["vehicle_class"]),
        start_s=start_s,
        period_s=period_s,
        count=int(row["count"]) if row["count"] else None,
        health=Health(row["health"]),
        is_censored=row["is_censored"] == "True",
    )


def write_counts(path: Path, counts: Iterable[TurnCount]) -> None:
    """Write counts in the order given."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for row in counts:
            number = "" if row.count is None else row.count
            spans = (f"{row.start_s:g}", f"{row.period_s:g}")
            writer.writerow((row.movement, row.vehicle_class.value, *spans, number, row.health.value, row.is_censored))
