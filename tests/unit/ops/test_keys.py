from __future__ import annotations

from pathlib import Path

import pytest
import typer

from ops.cli import app
from ops.keys import DICTIONARY, keys_of
from ops.keys_page import keys_page

ROOT = Path(__file__).resolve().parents[3]
ISSUE = {
    "demo": "scenario seeds delay_before_s delay_after_s delay_change_pct delay_change_ci95_pct delay_log_change_pct "
    "plans_pushed plans_refused readback_equal count_abs_error_pct wall_s report",
    "count": "video rows[].line rows[].direction rows[].class rows[].count fps_per_core",
    "evaluate": "scenario protocol rows[].control rows[].seeds rows[].delay_s rows[].delay_resco_s rows[].delay_ci95_s "
    "rows[].delay_worst_s rows[].trip_time_s rows[].wait_s rows[].stops rows[].queue_veh rows[].arrived rows[].running "
    "rows[].not_departed rows[].teleports rows[].direct_green_to_red rows[].cpu_s",
}


def test_the_page_of_keys_is_made_from_the_dictionary() -> None:
    remedy = "run: python -m ops.keys_page > docs/keys.md"
    assert (ROOT / "docs" / "keys.md").read_text("utf-8") == keys_page(), remedy


def test_no_key_stands_twice_and_each_has_a_meaning() -> None:
    names = [(key.command, key.name) for key in DICTIONARY]
    assert len(names) == len(set(names))
    assert all(key.type and key.meaning for key in DICTIONARY)


@pytest.mark.parametrize("command", ISSUE)
def test_the_promised_keys_are_there(command: str) -> None:
    assert set(ISSUE[command].split()) <= {key.name for key in keys_of(command)}


def test_every_number_with_seconds_in_its_name_has_seconds_as_its_unit() -> None:
    timed = [key for key in DICTIONARY if key.name.endswith("_s") and key.type == "number"]
    assert timed
    assert {key.unit.split("/")[0] for key in timed} == {"s"}


def test_every_command_has_its_keys() -> None:
    group = typer.main.get_command(app)
    commands = {
        " ".join(filter(None, (name, inner)))
        for name, command in group.commands.items()
        for inner in (getattr(command, "commands", None) or [""])
    }
    assert commands == {key.command for key in DICTIONARY if "," not in key.command}
