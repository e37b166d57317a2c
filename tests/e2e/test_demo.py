"""The whole loop at a small size: real SUMO, real processes, real SNMP; nothing here asserts an improvement."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import pytest

from ops.arms import Times, run_arm, settings_of
from ops.demo import DemoOptions, run_demo
from ops.keys import keys_of
from ops.plan_runs import open_signals
from ops.report import run_report
from ops.street_settings import StreetSettings
from traffic.errors import BadInput
from traffic.events import EventCode
from traffic.scenario import Scenario, read_scenario

ROOT = Path(__file__).resolve().parents[2]
SMALL = DemoOptions(seeds=2, twin_seeds=4, warm_up_s=120.0, count_s=300.0, window_s=120.0)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return read_scenario(ROOT / "scenarios" / "thanh_hoa")


def street_of(scenario: Scenario, times: Times, folder: Path) -> StreetSettings:
    base = StreetSettings(
        scenario=str(scenario.folder),
        folder="",
        shift_seed=3,
        day_seed=0,
        driver_seed=0,
        spread=0.5,
        end_s=times.end_s,
        count_period_s=60.0,
    )
    return settings_of(base, 100, folder)


def test_the_loop_ends_with_a_report_and_every_documented_key(tmp_path: Path) -> None:
    row = run_demo(replace(SMALL, out=tmp_path))
    assert set(row) == {key.name for key in keys_of("demo")}
    assert row["seeds"] == 2 and row["scenario"] == "thanh_hoa"
    assert row["delay_before_s"] > 0 and row["delay_after_s"] > 0
    assert row["count_abs_error_pct"] < 20
    assert row["readback_equal"] is (True if row["plans_pushed"] else None)
    report = (tmp_path / "report.html").read_bytes()
    assert b"SCHEMATIC" in report
    run_report(tmp_path / "result.json", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == report


def test_a_pushed_plan_is_read_back_confirmed_and_timed_by_the_controllers(scenario: Scenario, tmp_path: Path) -> None:
    times = Times.of(scenario, warm_up_s=60.0, count_s=60.0, window_s=60.0)
    times = replace(times, end_s=times.push_s + 600.0)
    _, installed = open_signals(scenario)
    plans = [
        replace(plan, pattern=replace(plan.pattern, offset_s=(plan.pattern.offset_s + 9) % plan.pattern.cycle_s))
        for plan in installed.values()
    ]
    arm = run_arm(scenario, street_of(scenario, times, tmp_path / "pushed"), times, plans)
    assert arm.fault == ""
    assert arm.read_back == {plan.junction: True for plan in plans}
    assert {r.junction for r in arm.audit if r.kind == "confirmed"} == set(installed)
    for plan in plans:
        greens = [
            event.time_ds
            for event in arm.events
            if event.junction == plan.junction
            and event.code is EventCode.BEGIN_GREEN
            and event.parameter == plan.split.splits[0].phase
            and event.time_ds > (times.push_s + 270.0) * 10
        ]
        gaps_ds = {later - sooner for sooner, later in pairwise(greens)}
        assert gaps_ds == {plan.pattern.cycle_s * 10}


def test_two_runs_of_one_seed_are_the_same_street(scenario: Scenario, tmp_path: Path) -> None:
    times = Times.of(scenario, warm_up_s=60.0, count_s=60.0, window_s=60.0)
    times = replace(times, end_s=times.push_s + 60.0)
    one, other = (run_arm(scenario, street_of(scenario, times, tmp_path / name), times) for name in ("a", "b"))
    assert one.events == other.events and len(one.events) > 100
    assert one.counts == other.counts and one.truth == other.truth
    assert one.trips.ids == other.trips.ids
    assert one.trips.time_loss_s.tolist() == other.trips.time_loss_s.tolist()


def streets_running(folder: Path) -> list[str]:
    """Return the command lines of street processes that still run for this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if "ops.street" in line and str(folder) in line:
                found.append(line)
    return found


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (replace(SMALL, scenario="grid"), "no signals.json"),
        (replace(SMALL, twin_seeds=1), "at least 1 and 2"),
        (replace(SMALL, video=Path("clip.mp4")), "--video or --camera alone"),
        (replace(SMALL, window_s=9000.0), "shorten"),
        (replace(SMALL, scenario="../thanh_hoa"), r"contains \.\."),
    ],
    ids=["no signals", "one twin seed", "video alone", "too long", "dots"],
)
def test_bad_options_are_refused_before_a_street_starts(options: DemoOptions, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said):
        run_demo(replace(options, out=tmp_path / "out"))
    assert not list(tmp_path.rglob("street.json"))


def test_a_held_street_ends_when_its_harness_is_killed(scenario: Scenario, tmp_path: Path) -> None:
    times = Times.of(scenario, warm_up_s=60.0, count_s=60.0, window_s=60.0)
    settings = street_of(scenario, times, tmp_path / "orphan")
    code = "\n".join(
        [
            "import json, sys, time",
            "from ops.street_process import StreetProcess",
            "from ops.street_settings import StreetSettings",
            "street = StreetProcess(StreetSettings(**json.loads(sys.argv[1])))",
            "print('up', flush=True)",
            "time.sleep(600)",
        ]
    )
    command = [sys.executable, "-c", code, json.dumps(asdict(settings))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None and harness.stdout.readline() == "up\n"
        assert streets_running(tmp_path)
        harness.kill()
    deadline = time.monotonic() + 60.0
    while streets_running(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not streets_running(tmp_path)
