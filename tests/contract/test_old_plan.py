"""The scenario's old plan is the method's own answer to history: equal flows give it back, and nothing else to push."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.candidates import design, flows_mcu_h, make_candidates
from ops.judge import KEEP
from ops.plan_runs import open_signals
from traffic.count_files import read_counts
from traffic.counts import TurnCount
from traffic.scenario import read_scenario

SCENARIO = read_scenario(Path(__file__).resolve().parents[2] / "scenarios" / "thanh_hoa")
PEAK_S = (SCENARIO.begin_s + 900.0, SCENARIO.begin_s + 2700.0)
"""The two busiest quarters of an hour, for which the old plan was made."""


def historic_counts(from_s: float, to_s: float) -> list[TurnCount]:
    assert SCENARIO.counts is not None
    return [row for row in read_counts(SCENARIO.counts) if from_s <= row.start_s and row.start_s + row.period_s <= to_s]


def test_the_method_gives_the_old_plan_back_for_the_historic_peak() -> None:
    town, installed = open_signals(SCENARIO)
    flows = flows_mcu_h(historic_counts(*PEAK_S), SCENARIO.mcu)
    made = design(SCENARIO, town, flows)
    for name, old in installed.items():
        assert made[name].pattern.cycle_s == old.pattern.cycle_s
        assert made[name].pattern.offset_s == old.pattern.offset_s
        assert {s.phase: s.split_s for s in made[name].split.splits} == {s.phase: s.split_s for s in old.split.splits}


def test_for_the_historic_peak_there_is_nothing_to_push() -> None:
    town, installed = open_signals(SCENARIO)
    candidates, refused = make_candidates(
        SCENARIO, town, installed, flows_mcu_h(historic_counts(*PEAK_S), SCENARIO.mcu)
    )
    assert [row.name for row in candidates] == [KEEP] and not refused


@pytest.mark.parametrize("quarter", range(4))
def test_for_any_historic_quarter_every_candidate_is_one_that_the_guard_allows(quarter: int) -> None:
    town, installed = open_signals(SCENARIO)
    from_s = SCENARIO.begin_s + 900.0 * quarter
    flows = flows_mcu_h(historic_counts(from_s, from_s + 900.0), SCENARIO.mcu)
    candidates, refused = make_candidates(SCENARIO, town, installed, flows)
    assert not refused and candidates[0].name == KEEP
    for row in candidates:
        assert set(row.plans) == set(installed)
