"""Ctrl-C in every phase of a demo, and a street that is lost: what runs is ended, what is known is kept and marked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ops import demo
from ops.arms import Arm, run_arm
from ops.candidates import flows_mcu_h, make_candidates
from ops.demo import DemoOptions, run_demo
from ops.judge import KEEP, judge
from ops.loop import Choice
from ops.plan_runs import open_signals
from ops.report import run_report
from ops.street_settings import StreetSettings
from sim.calibrate import calibrate
from sim.sensors import counted_classes
from sim.street_demand import read_route_flows
from traffic.count_files import read_counts
from traffic.errors import PlantLost
from traffic.scenario import Scenario, read_scenario

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = read_scenario(ROOT / "scenarios" / "thanh_hoa")
SMALL = {"seeds": 2, "twin_seeds": 2, "warm_up_s": 120.0, "count_s": 180.0, "window_s": 60.0}
CODE = "\n".join(
    [
        "import signal, sys",
        "signal.signal(signal.SIGINT, signal.default_int_handler)",
        "from pathlib import Path",
        "from ops.console import run_command",
        "from ops.demo import DemoOptions, run_demo",
        "import typer",
        f"options = DemoOptions(out=Path(sys.argv[1]), **{SMALL!r})",
        "try:",
        "    run_command(lambda: run_demo(options), as_json=True)",
        "except typer.Exit as end:",
        "    sys.exit(end.exit_code)",
    ]
)


def is_counting(out: Path) -> bool:
    return (out / "street_100" / "street.json").exists()


def is_judging(out: Path) -> bool:
    """Whether a run of the twin has begun."""
    return any((out / "twin").glob("*_1/*"))


def is_comparing(out: Path) -> bool:
    """Whether the street of another day can be reached."""
    return any(out.glob("street_101_*/street.json"))


def children_for(out: Path) -> list[str]:
    """Return the command lines of processes that still run for this demo: streets, workers, itself.

    One that has ended and waits for its parent to hear of it has none.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                session = os.getsid(int(entry.name))
            except OSError:
                continue
            if line and (str(out) in line or session in SESSIONS):
                found.append(line)
    return found


SESSIONS: set[int] = set()


def interrupt(out: Path, is_time: Callable[[Path], bool]) -> tuple[int, str, str]:
    """Start a demo, press Ctrl-C (the whole foreground group gets it) when it is time; return what it left."""
    with subprocess.Popen(
        [sys.executable, "-c", CODE, str(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        SESSIONS.add(process.pid)
        try:
            deadline = time.monotonic() + 300.0
            while not is_time(out) and time.monotonic() < deadline:
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.05)
            os.killpg(process.pid, signal.SIGINT)
            stdout, stderr = process.communicate(timeout=120)
        finally:
            process.kill()
    return process.returncode, stdout, stderr


@pytest.mark.parametrize(
    ("is_time", "is_kept"),
    [(is_counting, False), (is_judging, False), (is_comparing, True)],
    ids=["cameras count", "twin judges", "arms are compared"],
)
def test_ctrl_c_ends_everything_and_keeps_what_is_known(
    is_time: Callable[[Path], bool], is_kept: bool, tmp_path: Path
) -> None:
    code, stdout, stderr = interrupt(tmp_path, is_time)
    assert code == 130
    (line,) = stdout.splitlines()
    assert json.loads(line)["error"]["kind"] == "Interrupted"
    assert "Traceback" not in stderr and stderr.count("error:") == 1
    assert not children_for(tmp_path)
    assert (tmp_path / "result.json").exists() is (tmp_path / "report.html").exists() is is_kept
    if is_kept:
        check_partial(tmp_path, [100])


def check_partial(out: Path, seeds: Sequence[int]) -> None:
    """Check that a partial result is marked, holds the days it names, and that its report can be made again."""
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["is_complete"] is False
    assert set(result["facts"]["seeds"]) <= set(seeds)
    assert {row["name"] for row in result["candidates"]} >= {"keep"} and result["choice_reason"]
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "PARTIAL result" in report
    run_report(out / "result.json", out / "again.html")
    assert (out / "again.html").read_text(encoding="utf-8") == report


def make_choice(*_: Any, **__: Any) -> Choice:
    """Return a choice to push, as if the twin had been asked: plans for seven tenths of the historic flows."""
    town, installed = open_signals(SCENARIO)
    assert SCENARIO.counts is not None
    counts = read_counts(SCENARIO.counts)
    flows = {movement: 0.7 * flow for movement, flow in flows_mcu_h(counts, SCENARIO.mcu).items()}
    candidates, refused = make_candidates(SCENARIO, town, installed, flows)
    history, classes = read_route_flows(SCENARIO), counted_classes(town.network)
    delays = {row.name: [50.0, 51.0] if row.name == KEEP else [40.0, 41.5] for row in candidates}
    return Choice(
        counts=tuple(counts),
        calibration=calibrate(town.network, history, counts, classes, np.random.default_rng(1)),
        candidates=tuple(candidates),
        refused=refused,
        verdict=judge(delays),
    )


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the demo choose without its twin, which other tests run."""
    monkeypatch.setattr(demo, "choose", make_choice)


@pytest.mark.usefixtures("chosen")
@pytest.mark.parametrize("error", [KeyboardInterrupt(), PlantLost("street", "gone")], ids=["Ctrl-C", "street lost"])
def test_what_was_chosen_is_kept_though_no_day_was_whole(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bar(_: object, title: str, *__: float) -> Callable[[float], None]:
        def tick(time_s: float) -> None:
            if title == "street goes on":
                raise error

        return tick

    monkeypatch.setattr(demo, "_bar", bar)
    with pytest.raises(type(error)):
        run_demo(DemoOptions(out=tmp_path, **SMALL))  # type: ignore[arg-type]
    check_partial(tmp_path, [])
    assert not children_for(tmp_path)


@pytest.mark.usefixtures("chosen")
def test_a_day_that_is_lost_while_arms_are_compared_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(_: Scenario, settings: StreetSettings, *rest: Any) -> Arm:
        if settings.day_seed == 101:
            raise PlantLost("street", "gone")
        return run_arm(SCENARIO, settings, *rest)

    monkeypatch.setattr(demo, "run_arm", lose)
    with pytest.raises(PlantLost, match="gone"):
        run_demo(DemoOptions(out=tmp_path, **SMALL))  # type: ignore[arg-type]
    check_partial(tmp_path, [100])
    assert not children_for(tmp_path)
