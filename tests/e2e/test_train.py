"""`train` by the real command line: killed and taken up again, interrupted, and its policy evaluated in SUMO."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from control.policy_files import load_policy, read_card
from control.rl.evolution import EvolutionSettings
from ops.evaluate import EvaluateOptions, run_evaluate
from ops.keys import keys_of
from ops.train import TrainOptions, run_train
from ops.train_files import alone_in
from tests.e2e.test_plan import make_folder
from traffic.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--generations", "6", "--every", "2", "--towns", "3", "--judged", "2", "--seed", "4"]


def start(cwd: Path, *words: str, file_bytes: int | None = None) -> subprocess.Popen[str]:
    """Start `train generated` in a folder that keeps its towns; no file of it may grow beyond `file_bytes`."""
    child = subprocess.Popen(
        [sys.executable, "-c", "from ops.cli import main; main()", "train", "generated", *words, "--json"],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if file_bytes is not None:
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    return child


def finish(child: subprocess.Popen[str]) -> dict[str, Any]:
    out, said = child.communicate(timeout=300.0)
    assert child.returncode == 0, said
    assert out.count("\n") == 1
    result: dict[str, Any] = json.loads(out)
    return result


def wait_for(path: Path, *, newer_than_s: float = 0.0) -> float:
    """Return when a file was written, once it was after `newer_than_s`."""
    until_s = time.monotonic() + 300.0
    while not path.exists() or path.stat().st_mtime <= newer_than_s:
        assert time.monotonic() < until_s
        time.sleep(0.005)
    return path.stat().st_mtime


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def whole(home: Path) -> dict[str, Any]:
    """Return what an uninterrupted training says; its folder is home/whole."""
    return finish(start(home, *SMALL, "--out", "whole", "--jobs", "2"))


def test_every_key_of_a_training_stands_in_the_dictionary(whole: dict[str, Any]) -> None:
    assert set(whole) == {key.name for key in keys_of("train")}
    assert whole["generations"] == 6 and whole["stopped"] == "generations"


def test_a_few_generations_are_better_than_greedy_where_it_did_not_learn(whole: dict[str, Any]) -> None:
    assert whole["validation_ratio"] < 1.0


def test_the_card_says_how_it_came_about(whole: dict[str, Any], home: Path) -> None:
    card = read_card(home / whole["model"])
    assert card["sha256"] == whole["weights_sha256"] and card["is_complete"]
    assert card["settings"]["towns"] == 3 and card["settings"]["seed"] == 4 and card["seed"] == 4
    assert card["scores"]["generation"] == [0, 2, 4, 6]
    assert min(card["scores"]["ratio"]) == pytest.approx(whole["validation_ratio"], abs=1e-5)
    assert card["must_not"] and "--generations" in card["command"] and {"numba", "numpy"} <= set(card["versions"])


def test_the_curve_is_there_as_table_picture_and_events(whole: dict[str, Any], home: Path) -> None:
    folder = home / "whole"
    rows = list(csv.DictReader((folder / "curve.csv").read_text("utf-8").splitlines()))
    assert [row["generation"] for row in rows] == [str(n) for n in range(7)]
    assert (folder / "curve.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    events = list(EventFileLoader(str(next(folder.glob("events.out.tfevents.*")))).Load())
    told = {(value.tag, event.step): value.tensor.float_val[0] for event in events for value in event.summary.value}
    assert told["validation/ratio_to_greedy", 6] == pytest.approx(float(rows[6]["validation"]), rel=1e-5)
    assert told["training/rate", 1] == pytest.approx(EvolutionSettings().rate)


def test_killed_twice_at_work_it_comes_to_the_same_weights_to_the_bit(whole: dict[str, Any], home: Path) -> None:
    folder = home / "killed"
    child, written_s = start(home, *SMALL, "--out", "killed", "--jobs", "1"), 0.0
    for _ in range(2):
        written_s = wait_for(folder / "checkpoint.npz", newer_than_s=written_s)
        child.kill()
        child.communicate()
        (folder / ".checkpoint.npz.1.part").write_bytes(b"half of it")
        child = start(home, "--resume", "killed", "--jobs", "2")
    result = finish(child)
    assert result["weights_sha256"] == whole["weights_sha256"]
    assert result["validation_ratio"] == whole["validation_ratio"]
    assert not list(folder.glob(".*.part"))
    assert np.array_equal(load_policy(folder / "model"), load_policy(home / "whole" / "model"))
    rows = list(csv.DictReader((folder / "curve.csv").read_text("utf-8").splitlines()))
    assert [row["generation"] for row in rows] == [str(n) for n in range(7)]


def test_ctrl_c_keeps_the_best_so_far(whole: dict[str, Any], home: Path) -> None:
    words = ["--minutes", "20", "--every", "1", "--towns", "3", "--judged", "2", "--out", "interrupted"]
    child = start(home, *words)
    wait_for(home / "interrupted" / "checkpoint.npz")
    child.send_signal(signal.SIGINT)
    out, said = child.communicate(timeout=300.0)
    assert child.returncode == 130, said
    assert json.loads(out)["error"]["kind"] == "Interrupted"
    assert "Traceback" not in said
    card = read_card(home / "interrupted" / "model")
    assert card["stopped"] == "interrupted" and not card["is_complete"]
    assert np.isfinite(load_policy(home / "interrupted" / "model")).all()
    assert (home / "interrupted" / "curve.png").exists()


def test_a_full_disk_is_one_line_and_the_last_good_checkpoint_goes_on(whole: dict[str, Any], home: Path) -> None:
    first = start(home, *SMALL, "--out", "full")
    wait_for(home / "full" / "checkpoint.npz")
    first.kill()
    first.communicate()
    kept = (home / "full" / "checkpoint.npz").read_bytes()
    child = start(home, "--resume", "full", file_bytes=len(kept) - 1)
    out, said = child.communicate(timeout=120.0)
    assert child.returncode == 1 and "make room, then go on with --resume full" in said and "Traceback" not in said
    assert json.loads(out)["error"]["where"].endswith("checkpoint.npz")
    assert (home / "full" / "checkpoint.npz").read_bytes() == kept and not list((home / "full").glob(".*.part"))
    assert finish(start(home, "--resume", "full"))["weights_sha256"] == whole["weights_sha256"]


@pytest.mark.parametrize(
    ("source", "options", "says"),
    [
        ("generated", TrainOptions(out=Path("whole")), "a training is there"),
        ("generated", TrainOptions(resume=Path("whole"), seed=0), "--seed"),
        ("grid", TrainOptions(resume=Path("whole")), "trains on generated"),
        ("generated", TrainOptions(resume=Path("nowhere")), "No such file"),
    ],
    ids=["another training is there", "another seed", "another source", "no such folder"],
)
def test_a_folder_that_does_not_fit_is_refused(
    whole: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch, source: str, options: TrainOptions, says: str
) -> None:
    monkeypatch.chdir(home)
    before = (home / "whole" / "settings.json").read_bytes()
    with pytest.raises(BadInput, match=says):
        run_train(source, options)
    assert (home / "whole" / "settings.json").read_bytes() == before and not (home / "nowhere").exists()


def test_a_folder_in_which_somebody_trains_is_left_alone(
    whole: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    with alone_in(home / "whole"), pytest.raises(BadInput, match="another process"):
        run_train("generated", TrainOptions(resume=Path("whole")))


def test_a_training_that_is_over_is_taken_up_and_ends_with_the_same(
    whole: dict[str, Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    again = run_train("generated", TrainOptions(resume=Path("whole")))
    assert again["weights_sha256"] == whole["weights_sha256"] and again["generations"] == 6


def test_one_learns_from_a_scenario_of_ones_own_and_evaluates_it_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    town = make_folder(tmp_path)
    result = run_train(str(town), TrainOptions(generations=4, every=2, towns=2, judged=1, out=tmp_path / "own", jobs=2))
    assert result["validation_ratio"] < 1.05
    card = read_card(tmp_path / "own" / "model")
    assert any("other network" in line for line in card["must_not"])
    options = EvaluateOptions(
        controls=("static", "universal"), seeds=1, first_demand_seed=100, out=tmp_path, model=result["model"], jobs=2
    )
    static, universal = run_evaluate(str(town), options)["rows"]
    assert universal["delay_s"] < static["delay_s"]
    assert universal["direct_green_to_red"] == universal["intergreen_violations"] == 0
    assert universal["guard_released"] == 0
    record = json.loads(next(tmp_path.glob("evaluate-*.json")).read_text("utf-8"))
    assert record["weights_sha256"] == result["weights_sha256"]


def test_the_shipped_policy_drives_a_town_it_never_saw_better_than_its_plan(tmp_path: Path) -> None:
    town = make_folder(tmp_path)
    options = EvaluateOptions(
        controls=("static", "universal"), protocol="legacy", seeds=1, first_demand_seed=100, out=tmp_path, jobs=2
    )
    static, universal = run_evaluate(str(town), options)["rows"]
    assert universal["delay_s"] < static["delay_s"]
    assert universal["guard_released"] == universal["conflicting_greens"] == 0
