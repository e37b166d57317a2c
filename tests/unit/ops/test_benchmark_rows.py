"""Rows, statements, table and chart of a benchmark, from runs whose delays are given."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ops.benchmark_chart import benchmark_chart, panels_of
from ops.benchmark_rows import ROW_KEYS, Cell, rows_of, statements_of
from ops.benchmark_table import delays_table, details_table, markdown, number, screen, sentence
from ops.console import plain
from tests.unit.ops.test_evaluate import make_run
from traffic.errors import BadScenario

STATIC, ACTUATED, PRESSURE, POLICY = (40.0, 42.0, 44.0), (30.0, 33.0, 33.0), (20.0, 21.0, 22.0), (17.0, 18.0, 19.0)


def make_cell(delays_s: Mapping[str, Sequence[float]], *, scenario: str = "town", protocol: str = "safe") -> Cell:
    runs = {name: [make_run(name, seed, delay) for seed, delay in enumerate(row)] for name, row in delays_s.items()}
    return Cell(scenario=scenario, protocol=protocol, runs=runs)


def make_safe() -> Cell:
    return make_cell({"static_safe": STATIC, "actuated_safe": ACTUATED, "max_pressure": PRESSURE, "universal": POLICY})


def make_result(cells: Sequence[Cell], **changes: Any) -> dict[str, Any]:
    result = {
        "protocols": ["legacy", "safe"],
        "seeds": 3,
        "demand_seed": 0,
        "rows": rows_of(cells),
        "statements": statements_of(cells, "universal"),
        "partial": False,
        "command": ["run.py", "benchmark"],
        "commit": "abc",
        "table": "out/benchmark.md",
        "chart": "out/benchmark.svg",
        "out": "out/benchmark.json",
    }
    return {**plain(result), **changes}


def test_a_row_has_the_keys_of_evaluate_and_is_compared_with_its_scenarios_first_control() -> None:
    cells = [make_safe(), make_cell({"static": (90.0, 90.0), "greedy": (80.0, 81.0)}, protocol="legacy")]
    rows = rows_of(cells)
    assert [(row["protocol"], row["control"]) for row in rows[3:]] == [
        ("safe", "universal"),
        ("legacy", "static"),
        ("legacy", "greedy"),
    ]
    assert all(tuple(row) == ROW_KEYS for row in rows)
    assert rows[3]["difference_s"] == -24.0
    assert rows[5]["difference_s"] == pytest.approx(-9.5)
    assert {(row["failed"], row["error"]) for row in rows} == {(0, None)}


def test_a_control_that_fails_has_a_row_with_one_line_and_no_numbers() -> None:
    cell = make_cell({"static": STATIC, "greedy": (), "mpc": (30.0, 31.0), "universal": ()})
    cell.errors["greedy"] = [BadScenario("junction a", 17, "16 phases", "split it")] * 3
    cell.errors["mpc"] = [BadScenario("junction b", 1)]
    static, greedy, mpc = rows_of([cell])
    assert (greedy["seeds"], greedy["failed"], greedy["delay_s"]) == (0, 3, None)
    assert greedy["error"] == "junction a: 17 (16 phases); split it"
    assert (mpc["seeds"], mpc["failed"], mpc["difference_s"]) == (2, 1, pytest.approx(-10.5))
    assert static["error"] is None


def test_without_a_run_of_the_first_control_there_is_no_difference() -> None:
    cell = make_cell({"static": (), "greedy": (30.0, 31.0)})
    cell.errors["static"] = [BadScenario("junction a", 17)]
    assert plain(rows_of([cell]))[1]["difference_s"] is None


def test_a_statement_names_the_best_and_how_far_the_subject_is_ahead() -> None:
    (found,) = statements_of([make_safe()], "universal")
    assert (found["best"], found["best_delay_s"], found["as_good"]) == ("universal", 18.0, [])
    assert found["actuated_change_pct"] == pytest.approx(100 * (18 - 32) / 32)
    assert found["max_pressure_change_pct"] == pytest.approx(100 * -3 / 21)
    assert found["max_pressure_change_ci95_pct"] == pytest.approx([100 * -3 / 21] * 2)
    assert (found["reached"], found["sure"]) == (True, True)


SUBJECTS = {
    "sure": ((17.0, 18.0, 19.0), True, True),
    "by the mean only": ((15.0, 18.0, 23.0), True, False),
    "9 per cent": ((18.2, 19.11, 20.02), False, False),
    "worse": ((25.0, 26.0, 27.0), False, False),
}


@pytest.mark.parametrize(("delays_s", "reached", "sure"), SUBJECTS.values(), ids=SUBJECTS)
def test_ten_per_cent_less_than_both_rivals_is_asked_for(
    delays_s: tuple[float, ...], reached: bool, sure: bool
) -> None:
    cell = make_cell({"actuated_safe": ACTUATED, "max_pressure": PRESSURE, "universal": delays_s})
    (found,) = statements_of([cell], "universal")
    assert (found["reached"], found["sure"]) == (reached, sure)


def test_a_subject_is_no_rival_of_itself_and_one_without_rivals_is_not_judged() -> None:
    (found,) = statements_of([make_safe()], "max_pressure")
    assert found["max_pressure_change_pct"] is None
    assert found["actuated_change_pct"] == pytest.approx(100 * -11 / 32)
    (alone,) = statements_of([make_cell({"static": STATIC, "greedy": PRESSURE})], "greedy")
    assert (alone["reached"], alone["sure"], alone["best"]) == (None, None, "greedy")
    assert "neither" in sentence(plain(alone))
    (missing,) = statements_of([make_cell({"static": STATIC, "universal": ()})], "universal")
    assert "universal has no run" in sentence(plain(missing))


def test_under_safe_the_subject_and_its_rivals_are_the_safe_ones() -> None:
    (found,) = statements_of([make_safe()], "actuated")
    assert found["subject"] == "actuated_safe"
    assert found["subject_delay_s"] == 32.0


def test_who_ran_on_fewer_seeds_is_not_best_and_who_is_within_the_noise_is_named() -> None:
    cell = make_cell(
        {"static": STATIC, "greedy": (20.0, 22.0, 24.0), "mpc": (1.0,), "max_pressure": (24.0, 22.0, 23.0)}
    )
    (found,) = statements_of([cell], "greedy")
    assert (found["best"], found["as_good"]) == ("greedy", ["max_pressure"])


def test_one_seed_tells_nobody_apart() -> None:
    (found,) = statements_of([make_cell({"max_pressure": (40.0,), "universal": (20.0,)})], "universal")
    assert (found["best"], found["as_good"]) == ("universal", ["max_pressure"])
    assert (found["reached"], found["sure"]) == (True, False)
    assert "by the mean only: -50.0 % to max pressure" in sentence(plain(found))


def test_the_table_of_delays_has_scenarios_as_rows_and_the_best_in_bold() -> None:
    cell = make_cell({"static": STATIC, "greedy": PRESSURE, "mpc": (1.0,), "universal": ()})
    cell.errors["universal"] = [BadScenario("town", "|x|")]
    other = make_cell({"static": (1469.4,)}, scenario="village")
    cells = delays_table(plain(rows_of([cell, other])))
    assert cells.head == ("scenario", "static", "greedy", "mpc", "universal")
    assert cells.rows[0][1:] == ("42.0 ± 5.0 (44.0)", "**21.0 ± 2.5 (22.0)**", "1.0 (1.0), 1 seeds only", "failed")
    assert cells.rows[1] == ("village", "**1469 (1469)**", "-", "-", "-")


def test_details_have_the_difference_the_faults_and_the_error() -> None:
    cell = make_cell({"static": STATIC, "greedy": PRESSURE, "universal": ()})
    cell.errors["universal"] = [BadScenario("town", "|x|")]
    rows = plain(rows_of([cell]))
    details = details_table(rows)
    row = dict(zip(details.head, details.rows[1], strict=True))
    assert row["difference to static, s"] == "-21.0 [-23.5, -18.5]"
    assert (row["not departed"], row["green to red"], row["longest red, s"]) == ("2.0", "3", "62.0")
    assert details.rows[2][-1] == "1 failed: town: |x|"


def test_the_page_has_a_section_a_protocol_with_two_tables_and_whole_rows() -> None:
    bad = make_cell({"static": STATIC, "universal": ()}, protocol="legacy")
    bad.errors["universal"] = [BadScenario("town", "|x|")]
    page = markdown(make_result([make_safe(), bad], partial=True))
    lines = page.splitlines()
    assert [line for line in lines if line.startswith("## ")] == ["## legacy", "## safe"]
    assert "`run.py benchmark`" in lines and "![Delay by scenario and control](benchmark.svg)" in lines
    assert "town: \\|x\\|" in page and "**Partial**" in page
    tables = [line.replace("\\|", "").count("|") for line in lines if line.startswith("|")]
    assert len(tables) == 3 + 4 + 3 + 6 and len(set(tables[7:10])) == len(set(tables[10:])) == 1
    assert "- town, safe: best is universal with 18.0 s; universal is at least 10 % better" in page


def test_what_is_seen_in_a_terminal_names_every_control_the_verdict_and_the_files() -> None:
    text = screen(make_result([make_safe()]))
    for word in ("static_safe", "universal", "18.0 ± 2.5 (19.0)", "at least 10 % better", "out/benchmark.md"):
        assert word in text
    assert "**" not in text and "error" not in text


def test_the_chart_has_a_panel_a_scenario_a_line_a_control_and_a_mark_a_protocol() -> None:
    legacy = make_cell({"static": STATIC, "universal": ()}, protocol="legacy")
    panels = panels_of([legacy, make_safe(), make_cell({"static": (20.0, 500.0)}, scenario="village")])
    assert [panel.scenario for panel in panels] == ["town", "village"]
    town, village = panels
    assert town.families == ("fixed", "universal", "actuated", "max_pressure")
    assert [(mark.family, mark.protocol) for mark in town.marks[:3]] == [
        ("fixed", "legacy"),
        ("universal", "legacy"),
        ("fixed", "safe"),
    ]
    assert town.marks[0].delays_s == STATIC and town.marks[1].delays_s == ()
    assert (town.is_logarithmic, village.is_logarithmic) == (False, True)
    picture = ET.fromstring(benchmark_chart(panels))
    assert picture.tag.endswith("svg") and len(list(picture.iter())) > 100


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "-"), (3, "3"), (3.25, "3.2"), (999.9, "999.9"), (1469.4, "1469"), (0, "0")]
)
def test_numbers_as_cells(value: float | None, shown: str) -> None:
    assert number(value) == shown
