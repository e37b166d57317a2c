"""What every command shares: one line of JSON or readable text, one clear line for an error, the exit status."""

from __future__ import annotations

import json
import math
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from traffic.errors import TrafficError

INTERRUPTED = 130


def plain(value: Any) -> Any:
    """Return `value` made of JSON's own types; NaN and infinities become None."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # a numpy array or scalar
        return plain(value.tolist())
    return str(value)


def one_line(value: Any) -> str:
    """Return `value` as one line of JSON."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False)


def readable(result: Mapping[str, Any]) -> str:
    """Return a result as text for people: `name: value` lines, then each list of rows as a table.

    Examples
    --------
    >>> print(readable({"seeds": 2, "rows": [{"control": "static", "delay_s": 41.25}]}))
    seeds: 2
    control  delay_s
    static     41.25
    """
    lines, tables = [], []
    for name, value in plain(result).items():
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            tables.append(_table(value))
        else:
            lines.append(f"{name}: {_cell(value)}")
    return "\n".join(lines + tables)


def _cell(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    return str(value)


def _table(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0])
    cells = [names] + [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    is_number = [all(isinstance(row.get(name), int | float | None) for row in rows) for name in names]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in cells
    )


def run_command(
    work: Callable[[], Mapping[str, Any]],
    *,
    as_json: bool,
    show: Callable[[Mapping[str, Any]], str] = readable,
) -> None:
    """Do a command's work, print its result, for people as `show` has it, and leave with the right exit status.

    `work` may hold an `exit_code` in its result, which is taken out before printing.

    Raises
    ------
    typer.Exit
        Always, with the exit status.
    """
    try:
        result = dict(work())
    except TrafficError as error:
        _say_error(error.as_json(), error.line, as_json=as_json)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        line = "interrupted; controllers were released, partial results are kept and marked"
        _say_error(_bare("Interrupted", "interrupted"), line, as_json=as_json)
        raise typer.Exit(INTERRUPTED) from error
    except Exception as error:  # the one top loop: whatever it was, one line and a log
        fault = _write_traceback(error)
        _say_error(fault, f"{fault['where']}: {fault['value']}; {fault['next']}", as_json=as_json)
        raise typer.Exit(1) from error
    code = int(result.pop("exit_code", 0))
    sys.stdout.write((one_line(result) if as_json else show(plain(result))) + "\n")
    raise typer.Exit(code)


def _bare(kind: str, where: str) -> dict[str, str | None]:
    return {"kind": kind, "where": where, "value": None, "limit": "", "next": ""}


def _write_traceback(error: Exception) -> dict[str, str | None]:
    """Save the traceback and return what `--json` prints under `error`."""
    with tempfile.NamedTemporaryFile("w", prefix="nga-tu-", suffix=".log", delete=False) as log:
        log.write("".join(traceback.format_exception(error)))
    value = " ".join(f"{type(error).__name__}: {error}".split())
    fault = _bare("Unexpected", "a fault of ours")
    return fault | {"value": value, "next": f"please report it with the log {Path(log.name)}"}


def _say_error(fault: Mapping[str, str | None], line: str, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(one_line({"error": fault}) + "\n")
    sys.stderr.write(f"error: {line}\n")
