"""A street in a process of its own: the same street every time, honest wires, and an end that leaves nothing behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from ops.arms import Arm, Times, run_arm
from ops.plan_runs import open_signals
from ops.street_process import StreetProcess
from ops.street_settings import READY, TRUTH, StreetSettings
from sim.launch import TRIPS
from traffic.count_files import read_counts
from traffic.errors import PlantLost
from traffic.events import Event, EventCode
from traffic.scenario import Scenario, read_scenario
from traffic.signals import Plan

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = read_scenario(ROOT / "scenarios" / "thanh_hoa")
BEGIN_S = SCENARIO.begin_s


def make_settings(folder: Path, **changes: object) -> StreetSettings:
    fields: dict[str, object] = {
        "scenario": str(SCENARIO.folder),
        "folder": str(folder),
        "shift_seed": 3,
        "day_seed": 100,
        "driver_seed": 100,
        "end_s": BEGIN_S + 300.0,
        "count_period_s": 60.0,
    }
    return StreetSettings(**{**fields, **changes})  # type: ignore[arg-type]


def make_times(scenario: Scenario = SCENARIO) -> Times:
    """Return a timetable of five minutes; the push comes after two."""
    times = Times.of(scenario, warm_up_s=60.0, count_s=60.0, window_s=60.0)
    return replace(times, end_s=times.push_s + 180.0)


def other_plans() -> list[Plan]:
    """Return the installed plans, each begun nine seconds later."""
    return [
        replace(plan, pattern=replace(plan.pattern, offset_s=(plan.pattern.offset_s + 9) % plan.pattern.cycle_s))
        for plan in open_signals(SCENARIO)[1].values()
    ]


@pytest.fixture(scope="module")
def arms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Arm]:
    """Return one day of the street three times: pushed, pushed again, and not."""
    folder = tmp_path_factory.mktemp("arms")
    times, plans = make_times(), other_plans()
    wanted = {"pushed": plans, "again": plans, "kept": []}
    return {
        name: run_arm(SCENARIO, make_settings(folder / name, end_s=times.end_s), times, sent)
        for name, sent in wanted.items()
    }


def test_two_pushed_runs_of_one_seed_are_the_same_street(arms: dict[str, Arm]) -> None:
    one, other = arms["pushed"], arms["again"]
    assert one.fault == other.fault == ""
    assert one.read_back == other.read_back and set((one.read_back or {}).values()) == {True}
    assert one.events == other.events and len(one.events) > 500
    assert one.counts == other.counts and one.truth == other.truth
    assert one.trips.ids == other.trips.ids
    for column in ("scheduled_s", "duration_s", "time_loss_s", "depart_delay_s"):
        assert getattr(one.trips, column).tolist() == getattr(other.trips, column).tolist()


def test_until_the_push_both_arms_are_the_same_street_and_after_it_they_are_not(arms: dict[str, Arm]) -> None:
    push_ds = round(make_times().push_s * 10)
    pushed, kept = ([e for e in arms[name].events if e.time_ds <= push_ds] for name in ("pushed", "kept"))
    assert pushed == kept and len(kept) > 100
    assert arms["pushed"].events != arms["kept"].events
    days = [dict(zip(arms[n].trips.ids, arms[n].trips.scheduled_s.tolist(), strict=True)) for n in ("pushed", "kept")]
    assert days[0] == days[1]
    assert arms["kept"].read_back is None and not [r for r in arms["kept"].audit if r.kind == "push"]


def test_the_log_is_in_order_of_time_and_its_signals_never_skip_yellow(arms: dict[str, Arm]) -> None:
    events = arms["pushed"].events
    assert all(one.time_ds <= other.time_ds for one, other in pairwise(events))
    phases = {(e.junction, e.parameter) for e in events if e.code is EventCode.BEGIN_GREEN}
    for junction, phase in phases:
        codes = [
            e.code
            for e in events
            if (e.junction, e.parameter) == (junction, phase)
            and e.code in (EventCode.BEGIN_GREEN, EventCode.BEGIN_YELLOW)
        ]
        assert all(one is not other for one, other in pairwise(codes))


def test_counts_and_events_come_over_http_and_the_truth_does_not(tmp_path: Path) -> None:
    with StreetProcess(make_settings(tmp_path)) as street:
        client = street.client
        heard: list[Event] = []
        for minute in range(1, 4):
            assert client.run_until(BEGIN_S + 60.0 * minute - 10.0) == BEGIN_S + 60.0 * minute - 10.0
            heard += client.events(heard[-1].time_ds if heard else -1)
            assert {row.start_s for row in client.counts(0.0, 1e9)} == {BEGIN_S + 60.0 * k for k in range(minute - 1)}
        assert heard == client.events() and len(heard) > 100
        assert {row.count for row in client.counts(0.0, 1e9)} > {0, 1}
        assert set(client.about()) == {"scenario", "time_s", "step_s", "controllers", "detection_rate"}
        for path in ("/truth", f"/{TRUTH}", f"/counts/../{TRUTH}"):
            with pytest.raises(PlantLost, match="HTTP 400"):
                client._ask("GET", path)
        counted = client.counts(0.0, 1e9)
        assert not (tmp_path / TRUTH).exists()
        street.finish()
    truth = [row for row in read_counts(tmp_path / TRUTH) if row.start_s + row.period_s <= BEGIN_S + 120.0]
    seen, passed = sum(row.count or 0 for row in counted), sum(row.count or 0 for row in truth)
    assert 0.7 * passed < seen < passed
    assert (tmp_path / TRIPS).read_text(encoding="utf-8").rstrip().endswith("</tripinfos>")


def test_a_street_runs_forwards_only_and_not_beyond_its_end(tmp_path: Path) -> None:
    with StreetProcess(make_settings(tmp_path, end_s=BEGIN_S + 20.0)) as street:
        assert street.client.run_until(BEGIN_S + 10.0) == BEGIN_S + 10.0
        assert street.client.run_until(BEGIN_S - 100.0) == BEGIN_S + 10.0
        assert street.client.run_until(1e9) == BEGIN_S + 20.0
        street.finish()


def test_a_street_at_its_own_speed_is_not_moved_by_a_harness(tmp_path: Path) -> None:
    with StreetProcess(make_settings(tmp_path, speed=50.0)) as street:
        with pytest.raises(PlantLost, match="runs at its own speed"):
            street.client.run_until(BEGIN_S + 60.0)
        deadline = time.monotonic() + 60.0
        while street.client.about()["time_s"] < BEGIN_S + 20.0 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert street.client.about()["time_s"] >= BEGIN_S + 20.0
        street.finish()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"speed": 101.0}, "--speed: 101 (at most 100 with this lease)"),
        ({"step_s": 1.0}, "step of the street: 1 s (at most 0.5 s)"),
        ({"step_s": 0.3}, "step"),
        ({"scenario": "nowhere"}, "nowhere"),
        ({"http_port": 70_000}, "--http-port: 70000"),
    ],
    ids=["too fast", "too coarse", "uneven", "no scenario", "no port"],
)
def test_a_street_that_cannot_run_says_why_in_one_line(changes: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(PlantLost) as caught:
        StreetProcess(make_settings(tmp_path, **changes))
    assert said in caught.value.line and "Traceback" not in caught.value.line
    assert "Traceback" not in (tmp_path / "street.log").read_text(encoding="utf-8")
    assert not (tmp_path / READY).exists()


def killer(folder: Path, at_s: float) -> Callable[[float], None]:
    """Return a tick that kills the street of this folder at a time of its clock."""

    def tick(time_s: float) -> None:
        if time_s >= at_s:
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit() and is_street(entry, folder):
                    os.kill(int(entry.name), signal.SIGKILL)

    return tick


def is_street(entry: Path, folder: Path) -> bool:
    try:
        line = (entry / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return "ops.street\0" in line and str(folder) in line


def test_a_street_that_is_killed_is_named_in_one_line_and_leaves_no_orphan(tmp_path: Path) -> None:
    times = make_times()
    with pytest.raises(PlantLost) as caught:
        run_arm(SCENARIO, make_settings(tmp_path), times, other_plans(), killer(tmp_path, times.push_s + 60.0))
    assert "signal 9" in caught.value.line and str(tmp_path) in caught.value.line
    assert "\n" not in caught.value.line
    assert not [entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and is_street(entry, tmp_path)]
    assert not (tmp_path / TRUTH).exists()


def test_a_street_that_died_is_no_clean_finish(tmp_path: Path) -> None:
    with StreetProcess(make_settings(tmp_path)) as street:
        killer(tmp_path, 0.0)(BEGIN_S)
        with pytest.raises(PlantLost, match="no answer"):
            street.finish()
