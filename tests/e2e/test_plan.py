"""`plan` and `bench plan` on a generated grid with a real SUMO. Nothing here tests speed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from control.guard import plan_faults
from ops.bench_plan import BenchPlanOptions, run_bench_plan
from ops.keys import keys_of
from ops.plan import PlanOptions, run_plan
from ops.plan_design import open_design
from ops.scenario_folder import open_scenario
from sim.netfile import read_netfile
from sim.programs import program_of_plan
from sim.tls_tools import coordinated_programs
from tests.e2e.generated_town import make_scenario
from traffic.errors import BadInput, BadScenario
from traffic.saved import read_signals

ROOT = Path(__file__).resolve().parents[2]
SMALL = PlanOptions(seeds=2, verify=5, budget_s=1.0, jobs=2)


def make_folder(folder: Path, *, begin_s: float | None = None) -> Path:
    """Write our generated town as a stranger would bring it: a folder with a SUMO configuration."""
    scenario = make_scenario(folder, end_s=417.0)
    files = f'<net-file value="{scenario.network.name}"/><route-files value="{scenario.routes[0].name}"/>'
    first_s = scenario.begin_s if begin_s is None else begin_s
    period = f'<begin value="{first_s}"/><end value="{first_s + 360.0}"/>'
    text = f"<configuration><input>{files}</input><time>{period}</time></configuration>"
    (folder / "town.sumocfg").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def searched(town: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run_plan(str(town), replace(SMALL, out=tmp_path_factory.mktemp("out")))


def names_of(result: dict[str, Any]) -> set[str]:
    """Return the keys of a result as the data dictionary writes them."""
    flat = {
        name for name, value in result.items() if not (isinstance(value, list) and value and type(value[0]) is dict)
    }
    return flat | {f"{name}[].{key}" for name in set(result) - flat for key in result[name][0]}


def test_every_key_of_a_plan_stands_in_the_dictionary(searched: dict[str, Any]) -> None:
    assert names_of(searched) == {key.name for key in keys_of("plan")}


def test_what_is_written_is_legal_and_the_same_in_both_forms(searched: dict[str, Any], town: Path) -> None:
    scenario = open_scenario(str(town))
    design = open_design(scenario)
    junctions, plans = read_signals(Path(searched["signals"]), design.network.crossings)
    programs = read_netfile(scenario.network, [Path(searched["programs"])]).programs
    assert sorted(plan.junction for plan in plans) == sorted(design.junctions)
    for plan in plans:
        assert plan_faults(design.junctions[plan.junction], plan, design.limits) == []
        wanted, read = program_of_plan(junctions[plan.junction], plan), programs[plan.junction]
        assert (read.offset_s, read.intervals) == (wanted.offset_s, wanted.intervals)


def test_sumo_judged_the_candidates_on_the_same_seeds(searched: dict[str, Any]) -> None:
    record = json.loads(Path(searched["out"]).read_text("utf-8"))
    assert {"installed", "search-1"} <= set(record["delays_s"])
    assert {len(row) for row in record["delays_s"].values()} == {SMALL.verify}
    assert None not in record["delays_s"]["installed"]
    assert record["settings"]["seed"] == SMALL.seed
    assert record["versions"]["eclipse-sumo"]
    assert searched["partial"] is False
    kept = [row for row in searched["candidates"] if row["name"] == searched["chosen"]]
    assert len(kept) == 1


def test_the_same_seed_gives_the_same_plan_with_any_number_of_threads(town: Path, tmp_path: Path) -> None:
    rows = [
        run_plan(str(town), replace(SMALL, verify=0, jobs=jobs, out=tmp_path / str(jobs)))["rows"] for jobs in (1, 2)
    ]
    assert rows[0] == rows[1]


def test_webster_is_a_method_of_the_same_command(town: Path, tmp_path: Path) -> None:
    result = run_plan(str(town), PlanOptions(method="webster", verify=0, out=tmp_path))
    assert (result["chosen"], result["plans_tried"]) == ("webster", 0)
    assert len(result["rows"]) == 4


def test_a_designed_order_is_marked_as_a_new_installation_or_is_the_old_one(town: Path, tmp_path: Path) -> None:
    result = run_plan(str(town), replace(SMALL, verify=0, may_reorder=True, out=tmp_path))
    design = open_design(open_scenario(str(town)))
    before = {name: [" ".join(map(str, ring)) for ring in row.rings] for name, row in design.junctions.items()}
    is_new = any(row["rings"] != before[row["junction"]] for row in result["rows"])
    assert result["new_installation"] == is_new


def test_signals_of_a_scenario_are_read_and_its_limits_kept(tmp_path: Path) -> None:
    result = run_plan("thanh_hoa", PlanOptions(seeds=1, verify=0, budget_s=1.0, out=tmp_path))
    design = open_design(open_scenario("thanh_hoa"))
    _, plans = read_signals(Path(result["signals"]), design.network.crossings)
    assert [
        fault for plan in plans for fault in plan_faults(design.junctions[plan.junction], plan, design.limits)
    ] == []
    assert {plan.pattern.number for plan in plans} == {plan.pattern.number for plan in design.installed.values()}
    assert all(60 <= row["cycle_s"] <= 120 for row in result["rows"])


BAD = {
    "no seeds": ({"seeds": 0}, "--seeds"),
    "seeds that are not for search": ({"seeds": 100}, "--seeds"),
    "no seed left for SUMO": ({"seeds": 90, "verify": 10}, "--verify"),
    "no budget": ({"budget_s": 0.0}, "--budget"),
    "unknown budget": ({"budget_s": float("nan")}, "--budget"),
    "unknown method": ({"method": "luck"}, "--method"),
    "an order by Webster": ({"method": "webster", "may_reorder": True}, "--stage-order"),
    "no processes": ({"jobs": 0}, "--jobs"),
    "a folder that cannot be made": ({"out": Path(__file__) / "out"}, "--out"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_option_is_one_line(name: str, town: Path) -> None:
    changes, where = BAD[name]
    with pytest.raises(BadInput) as caught:
        run_plan(str(town), replace(SMALL, **changes))  # type: ignore[arg-type]
    assert caught.value.line.startswith(where)


def test_a_period_without_demand_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="no demand in 5000-5360 s"):
        run_plan(str(make_folder(tmp_path, begin_s=5000.0)), replace(SMALL, out=tmp_path))


def test_a_volume_that_is_no_number_is_one_line(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    routes = next(folder.glob("*.rou.xml"))
    routes.write_text(routes.read_text("utf-8").replace('vehsPerHour="300"', 'vehsPerHour="nan"'), "utf-8")
    with pytest.raises(BadInput, match="unknown"):
        run_plan(str(folder), replace(SMALL, out=tmp_path / "out"))


def test_sumos_tools_without_vehicles_are_one_line(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    routes = next(folder.glob("*.rou.xml"))
    routes.write_text("<routes></routes>", "utf-8")
    scenario = open_scenario(str(folder))
    with pytest.raises(BadScenario, match="tlsCycleAdaptation") as caught:
        coordinated_programs(scenario, tmp_path / "tools", yellow_s=3, min_green_s=5, has_one_cycle=True)
    assert "\n" not in caught.value.line


def test_ctrl_c_leaves_the_best_so_far_and_says_so(town: Path, tmp_path: Path) -> None:
    code = "from ops.cli import main; main()"
    words = ["plan", str(town), "--seeds", "2", "--budget", "5000", "--out", str(tmp_path), "--json"]
    child = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "FORCE_COLOR": "1"},
    )
    assert child.stderr is not None
    until = time.monotonic() + 300.0
    seen = ""
    while "s/veh" not in seen and time.monotonic() < until:
        seen += child.stderr.read(1)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=300.0)
    assert child.returncode == 130
    assert json.loads(out)["error"]["kind"] == "Interrupted"
    record = json.loads((tmp_path / "plan.json").read_text("utf-8"))
    assert record["partial"] is True
    assert "not verified" in record["why"]
    assert (tmp_path / "signals.json").is_file()
    assert (tmp_path / "plans.add.xml").is_file()


def test_the_comparison_has_a_row_for_everybody(town: Path, tmp_path: Path) -> None:
    options = BenchPlanOptions(seeds=2, plan=replace(SMALL, verify=2), out=tmp_path)
    result = run_bench_plan([str(town)], options)
    assert names_of(result) == {key.name for key in keys_of("bench plan")}
    rows = {row["control"]: row for row in result["rows"]}
    assert list(rows) == ["plan", "static", "webster", "sumo_tools", "sumo_tools_own"]
    record = json.loads(Path(result["out"]).read_text("utf-8"))
    (delays_s,) = record["delays_s"].values()
    for name in ("static", "webster", "sumo_tools", "sumo_tools_own"):
        difference_s = sum(a - b for a, b in zip(delays_s["plan"], delays_s[name], strict=True)) / 2
        assert rows[name]["difference_s"] == pytest.approx(difference_s)
        assert rows[name]["beaten"] == (rows[name]["difference_ci95_s"][1] < 0.0)
    assert result["won"] == int(all(row["beaten"] is not False for row in rows.values()))
