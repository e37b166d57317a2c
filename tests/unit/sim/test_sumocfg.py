"""Folders with a SUMO configuration: what is read, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.sumocfg import open_folder
from tests.unit.sim.net_files import write_net
from traffic.errors import BadScenario

CONFIGURATION = """<configuration><input><net-file value="{net}"/><route-files value="small.rou.xml"/></input>
<time><begin value="0:10:00"/><end value="3600"/></time>{more}</configuration>"""


def write_folder(folder: Path, *, net: str = "small.net.xml", more: str = "") -> Path:
    write_net(folder)
    (folder / "small.rou.xml").write_text("<routes/>", encoding="utf-8")
    (folder / "small.sumocfg").write_text(CONFIGURATION.format(net=net, more=more), encoding="utf-8")
    return folder


def test_network_routes_and_period_are_read(tmp_path: Path) -> None:
    scenario = open_folder(write_folder(tmp_path))
    assert (scenario.name, scenario.begin_s, scenario.end_s) == ("small", 600.0, 3600.0)
    assert scenario.network.name == "small.net.xml"
    assert [path.name for path in scenario.routes] == ["small.rou.xml"]


@pytest.mark.parametrize(
    ("net", "more", "says"),
    [
        pytest.param("/etc/passwd", "", "own folder", id="absolute input"),
        pytest.param("../small.net.xml", "", "own folder", id="input above the folder"),
        pytest.param("other.net.xml", "", "not there", id="input not there"),
        pytest.param(
            "small.net.xml", '<output><tripinfo-output value="/tmp/x"/></output>', "tripinfo-output", id="output"
        ),
        pytest.param("small.net.xml", '<processing><step-length value="9"/></processing>', "step-length", id="option"),
        pytest.param("small.net.xml", '<time><end value="30"/></time>', "must be above begin", id="end before begin"),
        pytest.param("small.net.xml", '<time><end value="late"/></time>', "must be seconds", id="end is no time"),
    ],
)
def test_a_bad_configuration_is_one_clear_line(tmp_path: Path, net: str, more: str, says: str) -> None:
    with pytest.raises(BadScenario) as caught:
        open_folder(write_folder(tmp_path, net=net, more=more))
    assert says in caught.value.line
    assert "\n" not in caught.value.line


def test_an_entity_in_a_configuration_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    text = '<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]><configuration>&x;</configuration>'
    (folder / "small.sumocfg").write_text(text, encoding="utf-8")
    with pytest.raises(BadScenario, match="entities"):
        open_folder(folder)


def test_names_that_are_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match=r"contains \.\."):
        open_folder(tmp_path / ".." / "nowhere")
    with pytest.raises(BadScenario, match="not there"):
        open_folder(tmp_path / "nowhere")
    with pytest.raises(BadScenario, match="needs exactly one"):
        open_folder(tmp_path)
