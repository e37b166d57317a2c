"""run.py without pip, apt or a .venv of its own: folders of a test, and steps that only note what they were asked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import run

ROOT = Path(run.__file__).resolve().parent
PYTHON = "/usr/bin/python3.11"
ALL = set(run.LIBRARIES)


def made(root: Path, **change: object) -> dict[str, object]:
    return {"state": "ready", "python": PYTHON, "root": str(root), "extras": [], "key": "k", **change}


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Put the door into an empty folder in which every library is there; return the steps that it takes."""
    taken: list[list[str]] = []

    def step(what: str, command: Sequence[str], next_move: str, lock: int) -> None:
        assert (run.NOTE.exists(), os.fstat(lock).st_ino) == (True, tmp_path.stat().st_ino)
        taken.append(list(command))

    for name, place in (
        ("ROOT", tmp_path),
        ("VENV", tmp_path / ".venv"),
        ("VENV_OLD", tmp_path / ".venv-old"),
        ("NOTE", tmp_path / ".venv" / "nga-tu.json"),
        ("LOG", tmp_path / ".venv" / "setup.log"),
    ):
        monkeypatch.setattr(run, name, place)
    monkeypatch.setattr(run, "SETTINGS", {name: str(tmp_path / ".venv" / name) for name in run.SETTINGS})
    monkeypatch.setattr(run, "step", step)
    monkeypatch.setattr(run, "missing_packages", lambda *_, **__: [])
    return taken


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [([], None), (["test"], "test"), (["--json", "test", "--data", "x"], "test"), (["bench", "loop"], "bench"),
     (["demo", "test"], None), (["--help"], None)],
    ids=["nothing", "test", "option first", "bench", "not the command", "help"],
)  # fmt: skip
def test_the_extra_follows_from_the_command(arguments: list[str], extra: str | None) -> None:
    assert run.extra_for(arguments) == extra


@pytest.mark.parametrize(
    "other",
    [(b"other", PYTHON, Path("/a")), (b"p", "/opt/python3.11", Path("/a")), (b"p", PYTHON, Path("/b"))],
    ids=["versions", "python", "place"],
)
def test_an_installation_is_for_one_pyproject_python_and_place(other: tuple[bytes, str, Path]) -> None:
    same = run.fingerprint(b"p", PYTHON, Path("/a"))
    assert same == run.fingerprint(b"p", PYTHON, Path("/a"))
    assert same != run.fingerprint(*other)


@pytest.mark.parametrize(
    ("change", "extra", "ready"),
    [({}, None, True), ({"key": "old"}, None, False), ({}, "test", False), ({"extras": ["test"]}, "test", True),
     ({"extras": ["test"]}, None, True), ({"state": "installing"}, None, False), ({"state": "made"}, None, False)],
    ids=["whole", "pyproject changed", "extra missing", "extra there", "more than needed", "killed", "pip failed"],
)  # fmt: skip
def test_a_note_says_whether_all_is_there(change: dict[str, object], extra: str | None, ready: bool) -> None:
    assert run.is_ready(made(Path("/a"), **change), "k", extra) is ready


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '{"state": '], ids=repr)
def test_a_damaged_note_is_no_note(tmp_path: Path, text: str) -> None:
    (tmp_path / "note").write_text(text)
    assert run.read_note(tmp_path / "note") == {}
    assert run.is_ready({}, "k", None) is False


@pytest.mark.parametrize(
    ("library", "package"), [(name, package) for name, package in run.LIBRARIES.items()], ids=list(run.LIBRARIES)
)
def test_a_missing_library_asks_for_its_package(library: str, package: str) -> None:
    missing = run.missing_packages(ALL - {library}, lambda _: "/usr/bin/x", lambda _: "spec", for_tests=False)
    assert missing == [package]


def test_tools_of_the_tests_are_looked_for_only_by_the_tests() -> None:
    def missing(for_tests: bool) -> list[str]:
        return run.missing_packages(ALL, lambda _: None, lambda _: "spec", for_tests=for_tests)

    assert missing(False) == []
    assert missing(True) == sorted(set(run.TEST_TOOLS.values())) and "snmp" in missing(True)


def test_a_tool_is_a_command_on_the_path_or_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "x86").mkdir()
    (tmp_path / "x86" / "lib.so").touch()
    assert run.is_installed("sh") and run.is_installed(f"{tmp_path}/*/lib.so")
    assert not run.is_installed("no-such-tool") and not run.is_installed(f"{tmp_path}/*/other.so")


def test_a_python_without_ensurepip_asks_for_python3_venv() -> None:
    assert run.missing_packages(ALL, lambda _: "x", lambda _: None, for_tests=False) == ["python3-venv"]


def test_the_loader_knows_the_c_library() -> None:
    assert "libc.so.6" in run.loadable_libraries()


def test_nobody_but_root_is_told_the_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: "/usr/bin/apt-get")
    with pytest.raises(run.SetupError) as refused:
        run.install_system(["libgl1", "snmp"], lock=-1)
    assert refused.value.fault["next"] == "type: sudo apt-get install -y --no-install-recommends libgl1 snmp"
    assert "\n" not in str(refused.value)


def test_root_on_debian_updates_once_and_installs(steps: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: "/usr/bin/apt-get")
    monkeypatch.setattr(run, "missing_packages", lambda *_, **__: ["libgl1"])
    run.set_up("k", None, PYTHON)
    assert [command[:2] for command in steps[:2]] == [["apt-get", "update"], ["apt-get", "install"]]
    assert "libgl1" in steps[1]


def test_a_first_start_makes_a_venv_and_installs(steps: list[list[str]], tmp_path: Path) -> None:
    run.set_up("k", "test", PYTHON)
    assert [command[1:4] for command in steps] == [["-m", "venv", str(run.VENV)], ["-m", "pip", "install"]]
    assert steps[1][-1] == f"{tmp_path}[test]"
    assert run.is_ready(run.read_note(run.NOTE), "k", "test")


def test_a_second_start_takes_no_step(steps: list[list[str]]) -> None:
    run.set_up("k", None, PYTHON)
    steps.clear()
    run.set_up("k", None, PYTHON)
    assert steps == []


def test_another_extra_is_added_to_those_that_are_there(steps: list[list[str]], tmp_path: Path) -> None:
    run.set_up("k", "bench", PYTHON)
    steps.clear()
    run.set_up("k", "test", PYTHON)
    assert [command[-1] for command in steps] == [f"{tmp_path}[bench,test]"]


@pytest.mark.parametrize("state", ["making", "installing"])
def test_what_a_killed_start_left_is_made_anew(steps: list[list[str]], tmp_path: Path, state: str) -> None:
    run.write_note(run.NOTE, made(tmp_path, state=state))
    (run.VENV / "half").write_text("a module")
    run.set_up("k", None, PYTHON)
    assert len(steps) == 2 and not (run.VENV / "half").exists() and not run.VENV_OLD.exists()


def test_an_old_venv_that_was_half_removed_is_removed(steps: list[list[str]]) -> None:
    run.VENV_OLD.mkdir()
    (run.VENV_OLD / "half").write_text("a module")
    run.set_up("k", None, PYTHON)
    assert len(steps) == 2 and not run.VENV_OLD.exists()


def test_a_failing_pip_leaves_a_venv_that_the_next_start_finishes(
    steps: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = run.step

    def fail_in_pip(what: str, command: Sequence[str], next_move: str, lock: int) -> None:
        takes(what, command, next_move, lock)
        if "pip" in command:
            raise run.SetupError(what, "ERROR: no space", "", next_move)

    with monkeypatch.context() as patch:
        patch.setattr(run, "step", fail_in_pip)
        with pytest.raises(run.SetupError):
            run.set_up("k", None, PYTHON)
    steps.clear()
    run.set_up("k", None, PYTHON)
    assert [command[2] for command in steps] == ["pip"]


def test_a_venv_of_somebody_else_is_never_touched(steps: list[list[str]]) -> None:
    run.VENV.mkdir()
    (run.VENV / "pyvenv.cfg").write_text("home = /usr/bin")
    with pytest.raises(run.SetupError, match="move it away"):
        run.set_up("k", None, PYTHON)
    assert (steps, (run.VENV / "pyvenv.cfg").read_text()) == ([], "home = /usr/bin")


def test_too_little_room_is_said_before_anything_is_fetched(
    steps: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "NEEDED_BYTES", 10**18)
    with pytest.raises(run.SetupError, match="GB free"):
        run.set_up("k", None, PYTHON)
    assert steps == []


def test_a_failing_step_names_its_last_error_and_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LOG", tmp_path / "setup.log")
    lock = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(run.SetupError) as failed:
            run.step("installing", ["sh", "-c", "echo ERROR: no such version >&2; echo bye; exit 3"], "mend it", lock)
    finally:
        os.close(lock)
    assert failed.value.fault["value"] == "ERROR: no such version"
    assert failed.value.fault["limit"] == f"exit status 3, all of it in {tmp_path / 'setup.log'}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "kill"])
def test_a_signal_ends_a_step_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(run, "LOG", tmp_path / "setup.log")
    lock = os.open(tmp_path, os.O_RDONLY)
    script = f"sleep 60 & echo $! > {tmp_path}/inner; kill -{number.value} $PPID; wait"
    before = signal.getsignal(number)
    try:
        with pytest.raises(KeyboardInterrupt if number is signal.SIGINT else SystemExit):
            run.step("working", ["sh", "-c", script], "mend it", lock)
    finally:
        os.close(lock)
    state = Path(f"/proc/{(tmp_path / 'inner').read_text().strip()}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("a\nERROR: x\nnote\n", "ERROR: x"),
        ("  ERROR: no setuptools\nerror: subprocess-exited-with-error\n", "ERROR: no setuptools"),
        ("E: one\nE: two\n", "E: two"),
        ("only\n\n", "only"),
        ("", "no output"),
    ],
    ids=["pip", "pip inside pip", "apt", "no error", "empty"],
)
def test_the_last_error_of_a_log(log: str, line: str) -> None:
    assert run.last_error(log) == line


@pytest.mark.parametrize(("seconds", "text"), [(7.9, "7 s"), (185, "3 min 05 s")])
def test_time_is_written_for_people(seconds: float, text: str) -> None:
    assert run.elapsed(seconds) == text


def test_the_error_is_one_json_line_where_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    error = run.SetupError("Python", "3.9", "3.11 is needed", "install it")
    assert run.fail(error, ["test", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["next"] == "install it" and out.count("\n") == 1
    assert err == "error: Python: 3.9 (3.11 is needed); install it\n"


def test_two_starts_at_once_work_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ROOT", tmp_path)
    code = (
        "import sys, pathlib, run; run.ROOT = pathlib.Path(sys.argv[1])\nwith run.only_one(): print('in', flush=True)"
    )
    with run.only_one():
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert other.stderr is not None
        assert "another start" in other.stderr.readline()
        assert other.poll() is None
    out, _ = other.communicate(timeout=60)
    assert out == "in\n"


def test_the_orphan_of_a_killed_start_keeps_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`step` hands the lock to its child, so the next start waits until the child has ended."""
    import fcntl

    monkeypatch.setattr(run, "ROOT", tmp_path)
    with run.only_one() as lock:
        orphan = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[lock])
    again = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(BlockingIOError):
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
        orphan.communicate()
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(again)


def test_the_door_needs_the_standard_library_only() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({run.__file__!r})"], check=False
    )
    assert done.returncode == 0
