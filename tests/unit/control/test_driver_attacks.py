"""Controllers that lie, or are edited while a plan of ours runs."""

from __future__ import annotations

import pytest

from control.drivers.ber import Oid, Value
from control.drivers.objects import oid
from tests.unit.control.test_ntcip import JUNCTION, SPLITS_S, Bench
from tests.unit.traffic.factories import make_plan
from traffic.errors import ControllerFault, UnsafeCommand


@pytest.mark.parametrize("backup_s", [0, 60000])
def test_a_fail_safe_that_was_turned_off_ends_the_lease(backup_s: int) -> None:
    bench = Bench()
    bench.push()
    bench.run(20)
    bench.controller.put("unitBackupTime", backup_s)
    with pytest.raises(ControllerFault, match=f"fail-safe time-out is now {backup_s} s"):
        bench.driver.refresh()
    assert bench.controller.see("systemPatternControl") == 0


@pytest.mark.parametrize("name", ["maxPatterns", "maxTimebaseAscActions", "maxRings", "maxPhases"])
def test_a_controller_that_claims_a_million_rows_is_not_asked_for_them(name: str) -> None:
    bench = Bench()
    bench.controller.put(name, 1_000_000)
    with pytest.raises(ControllerFault, match=name):
        bench.driver.identify()
    assert bench.wire.requests < 100


def test_a_reserved_pattern_without_a_split_number_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    told = bench.controller.get

    def lie(name: Oid) -> Value | None:
        return b"seven" if name == oid("patternSplitNumber", 7) else told(name)

    monkeypatch.setattr(bench.controller, "get", lie)
    with pytest.raises(ControllerFault, match=r"patternSplitNumber\.7"):
        bench.driver.identify()


def test_another_masters_standing_lease_is_not_taken_over() -> None:
    bench = Bench()
    bench.controller.put("systemPatternControl", 3)
    before = len(bench.controller.sets)
    with pytest.raises(UnsafeCommand, match="another master's lease stands"):
        bench.push()
    assert len(bench.controller.sets) == before


def test_a_master_that_comes_between_load_and_select_is_not_overwritten() -> None:
    bench = Bench()
    read = bench.driver.load(make_plan(JUNCTION, SPLITS_S, 100, 10))
    bench.controller.put("systemPatternControl", 3)
    with pytest.raises(UnsafeCommand, match="another master's lease stands"):
        bench.driver.select(read.pattern.number)
    assert bench.controller.see("systemPatternControl") == 3
