"""Turning movement counts as files: CSV, Parquet and JSON with the same columns.

`count` is empty (null) where the camera was not healthy: unknown is not 0.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from traffic.counts import TurnCount

COLUMNS = tuple(field.name for field in fields(TurnCount))
FORMATS = ("csv", "parquet", "json")


def rows_of(counts: Sequence[TurnCount]) -> list[dict[str, Any]]:
    """Return one plain dictionary a count."""
    return [asdict(row) | {"vehicle_class": str(row.vehicle_class), "health": str(row.health)} for row in counts]


def write_counts(folder: Path, counts: Sequence[TurnCount], about: Mapping[str, Any]) -> list[Path]:
    """Write counts.csv, counts.parquet and counts.json; the last two carry `about` with them."""
    rows = rows_of(counts)
    write_table(folder / "counts.csv", COLUMNS, rows)
    (folder / "counts.json").write_text(
        json.dumps({**about, "counts": rows}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    _write_parquet(folder / "counts.parquet", rows, about)
    return [folder / f"counts.{suffix}" for suffix in FORMATS]


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _write_parquet(path: Path, rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> None:
    import pyarrow
    import pyarrow.parquet

    types = {
        "movement": pyarrow.string(),
        "vehicle_class": pyarrow.string(),
        "start_s": pyarrow.float64(),
        "period_s": pyarrow.float64(),
        "count": pyarrow.int64(),
        "health": pyarrow.string(),
        "is_censored": pyarrow.bool_(),
    }
    schema = pyarrow.schema(
        [(name, types[name]) for name in COLUMNS], metadata={"about": json.dumps(about, ensure_ascii=False)}
    )
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), path)
