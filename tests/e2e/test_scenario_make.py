"""The scripts of our scenarios make what is checked in, and the streets flow under the programs they carry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest

from ops.scenario_folder import SCENARIOS, open_scenario
from sim.netconvert import find_tool
from sim.network import read_network
from sim.programs import program_of_plan
from sim.programs import read_signals as read_programs
from traffic.saved import read_signals

MADE = {
    "thanh_hoa": ("thanh_hoa.net.xml", "thanh_hoa.rou.xml", "signals.json", "counts.csv", "cameras.toml", "map.svg"),
    "grid": ("grid.net.xml", "grid.rou.xml"),
    "arterial": ("arterial.net.xml", "arterial.rou.xml"),
}


@pytest.mark.parametrize("name", MADE)
def test_make_gives_the_bytes_that_are_checked_in(tmp_path: Path, name: str) -> None:
    script = str(SCENARIOS / name / "make.py")
    code = "import runpy, pathlib, sys; runpy.run_path(sys.argv[1])['main'](pathlib.Path(sys.argv[2]))"
    command = [sys.executable, "-B", "-c", code, script, str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    for file in MADE[name]:
        assert (tmp_path / file).read_bytes() == (SCENARIOS / name / file).read_bytes(), file


def test_the_networks_programs_show_the_old_plan_second_by_second() -> None:
    scenario = open_scenario("thanh_hoa")
    network = read_network(scenario.network, scenario.additional)
    native = read_programs(scenario.network, network).programs
    assert scenario.signals is not None
    junctions, plans = read_signals(scenario.signals, network.crossings)
    assert {plan.junction for plan in plans} == set(native)
    for plan in plans:
        ours, theirs = program_of_plan(junctions[plan.junction], plan), native[plan.junction]
        begin_s = int(scenario.begin_s)
        for time_s in range(begin_s, begin_s + plan.pattern.cycle_s):
            assert ours.lamps_at(time_s) == theirs.lamps_at(time_s), (plan.junction, time_s)


@pytest.mark.parametrize("name", MADE)
def test_streets_flow_under_their_own_programs(tmp_path: Path, name: str) -> None:
    scenario = open_scenario(name)
    end_s = scenario.begin_s + 900.0
    command = [str(find_tool("sumo")), "-n", str(scenario.network), "-r", ",".join(map(str, scenario.routes))]
    command += ["-a", ",".join(map(str, scenario.additional)), "-b", str(scenario.begin_s), "-e", str(end_s)]
    command += ["--time-to-teleport", "-1", "--no-step-log", "--no-warnings", "--seed", "101"]
    command += ["--step-length", str(scenario.step_s), "--summary-output", str(tmp_path / "summary.xml")]
    if scenario.lateral_resolution_m is not None:
        command += ["--lateral-resolution", str(scenario.lateral_resolution_m)]
    if scenario.ignore_junction_blocker_s is not None:
        command += ["--ignore-junction-blocker", str(scenario.ignore_junction_blocker_s)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    last = list(parse(tmp_path / "summary.xml").getroot())[-1].attrib
    assert int(last["waiting"]) <= 10
    assert int(last["ended"]) > int(last["running"])
    assert int(last["halting"]) < 0.75 * int(last["running"])
