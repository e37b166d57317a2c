from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.traffic.factories import make_crossing, make_dual_ring, make_plan, make_single_ring
from traffic.errors import BadScenario
from traffic.saved import read_signals, write_signals


def saved_pair(folder: Path) -> Path:
    junctions = [make_single_ring(), make_dual_ring()]
    plan = make_plan(junctions[1], (15, 30, 15, 30, 20, 25, 10, 35), 90, offset_s=7)
    write_signals(folder / "signals.json", junctions, [plan], "test")
    return folder / "signals.json"


def test_signals_come_back_as_they_were_written(tmp_path: Path) -> None:
    junctions = {j.id: j for j in (make_single_ring(), make_dual_ring())}
    crossings = {identity: make_crossing(junction) for identity, junction in junctions.items()}
    read, plans = read_signals(saved_pair(tmp_path), crossings)
    assert read == junctions
    assert plans[0].pattern.offset_s == 7
    assert {identity: j.config_hash for identity, j in read.items()} == {i: j.config_hash for i, j in junctions.items()}


def test_all_faults_of_the_file_are_listed_at_once(tmp_path: Path) -> None:
    path = saved_pair(tmp_path)
    saved = json.loads(path.read_text())
    saved["junctions"][0]["colour"] = "green"
    saved["plans"][0]["cycle_s"] = 300
    path.write_text(json.dumps(saved))
    with pytest.raises(BadScenario) as caught:
        read_signals(path, {})
    assert "colour" in caught.value.line and "cycle_s" in caught.value.line and "\n" not in caught.value.line


def test_faults_of_a_junction_are_named(tmp_path: Path) -> None:
    path = saved_pair(tmp_path)
    saved = json.loads(path.read_text())
    saved["junctions"][0]["rings"] = [[1, 2]]
    saved["junctions"][0]["overlaps"][0]["link_indices"] = [5]
    path.write_text(json.dumps(saved))
    crossings = {j.id: make_crossing(j) for j in (make_single_ring(), make_dual_ring())}
    with pytest.raises(BadScenario, match=r"rings hold \[1, 2\].*every link index"):
        read_signals(path, crossings)


def test_signals_of_another_network_are_refused(tmp_path: Path) -> None:
    junction = make_single_ring()
    with pytest.raises(BadScenario, match=r"unknown to the network: \['d'\]"):
        read_signals(saved_pair(tmp_path), {junction.id: make_crossing(junction)})


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"], ids=["empty", "truncated", "list", "nul"])
def test_a_broken_file_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "signals.json"
    path.write_text(text)
    with pytest.raises(BadScenario) as caught:
        read_signals(path, {})
    assert str(path) in caught.value.line and "\n" not in caught.value.line
