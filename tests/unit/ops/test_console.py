from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from ops.console import one_line, readable, run_command
from traffic.errors import BadScenario


def leave(work: Any, capsys: pytest.CaptureFixture[str], *, as_json: bool) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of one command."""
    with pytest.raises(typer.Exit) as left:
        run_command(work, as_json=as_json)
    out, err = capsys.readouterr()
    return left.value.exit_code, out, err


def raiser(error: BaseException) -> Any:
    def work() -> Mapping[str, Any]:
        raise error

    return work


BROKEN = BadScenario("scenarios/x/scenario.toml", "two\nlines", "one", "mend it")


def test_a_result_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = leave(lambda: {"name": "Thanh Hóa", "text": "a\nb"}, capsys, as_json=True)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert json.loads(out) == {"name": "Thanh Hóa", "text": "a\nb"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("nan")], ids=["nan", "inf", "numpy"])
def test_what_is_no_number_is_null(value: float) -> None:
    assert one_line({"delay_s": value, "ci": [value]}) == '{"delay_s": null, "ci": [null]}'


def test_arrays_paths_and_sets_become_plain() -> None:
    assert one_line({"a": np.arange(3), "p": Path("x/y"), "s": {1}}) == '{"a": [0, 1, 2], "p": "x/y", "s": [1]}'


def test_an_exit_status_of_the_command_is_kept_and_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = leave(lambda: {"faults": 2, "exit_code": 1}, capsys, as_json=True)
    assert (code, json.loads(out)) == (1, {"faults": 2})


def test_our_error_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = leave(raiser(BROKEN), capsys, as_json=False)
    assert (code, out) == (1, "")
    assert err == "error: scenarios/x/scenario.toml: two lines (one); mend it\n"


def test_our_error_is_one_json_object_with_its_five_parts(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = leave(raiser(BROKEN), capsys, as_json=True)
    assert (code, out.count("\n")) == (1, 1)
    error = json.loads(out)["error"]
    assert error == {
        "kind": "BadScenario",
        "where": "scenarios/x/scenario.toml",
        "value": "two\nlines",
        "limit": "one",
        "next": "mend it",
    }


def test_ctrl_c_is_one_line_and_130(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = leave(raiser(KeyboardInterrupt()), capsys, as_json=False)
    assert (code, out, err.count("\n")) == (130, "", 1)


def test_a_fault_of_ours_is_one_line_and_leaves_its_traceback_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = leave(raiser(ZeroDivisionError("a\nb")), capsys, as_json=True)
    log = re.search(r"log (\S+\.log)", err)
    assert code == 1 and err.count("\n") == 1 and log is not None
    traceback = Path(log.group(1)).read_text("utf-8")
    Path(log.group(1)).unlink()
    assert "ZeroDivisionError" in traceback and "test_console.py" in traceback
    assert json.loads(out)["error"]["kind"] == "Unexpected"


def test_people_get_lines_and_tables() -> None:
    text = readable({"partial": False, "rows": [{"control": "static", "ci": [1.0, None]}, {"control": "a", "ci": []}]})
    assert text.splitlines() == ["partial: no", "control  ci", "static   1, unknown", "a"]
