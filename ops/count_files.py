"""Turning movement counts as files: CSV, Parquet and JSON with the same columns.

`count` is empty (null) where the camera was not healthy: unknown is not 0.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ops.console import plain
from traffic.counts import TurnCount
from traffic.files import write_whole

COLUMNS = tuple(field.name for field in fields(TurnCount))
FORMATS = ("csv", "parquet", "json")


def rows_of(counts: Sequence[TurnCount]) -> list[dict[str, Any]]:
    """Return one plain dictionary a count."""
    return [asdict(row) | {"vehicle_class": str(row.vehicle_class), "health": str(row.health)} for row in counts]


def write_counts(folder: Path, counts: Sequence[TurnCount], about: Mapping[str, Any]) -> list[Path]:
    """Write counts.csv, counts.parquet and counts.json; the last two carry `about` with them."""
    rows = rows_of(counts)
    write_table(folder / "counts.csv", COLUMNS, rows)
    text = json.dumps(plain({**about, "counts": rows}), indent=1, ensure_ascii=False) + "\n"
    write_whole(folder / "counts.json", text.encode("utf-8"))
    _write_parquet(folder / "counts.parquet", rows, about)
    return [folder / f"counts.{suffix}" for suffix in FORMATS]


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV with a header, whole or not at all; other keys of a row are left out."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode("utf-8"))


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
        [(name, types[name]) for name in COLUMNS], metadata={"about": json.dumps(plain(about), ensure_ascii=False)}
    )
    packed = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), packed)
    write_whole(path, packed.getvalue().to_pybytes())
