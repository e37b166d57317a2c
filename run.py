"""The door: `python3 run.py COMMAND` sets everything up beside this file, then hands over to ops/cli.py.

Standard library only. What it does on a first start, and again when pyproject.toml or Python has changed:

    probe system libraries ──► make .venv ──► pip install ──► note it in .venv ──► start again in .venv

The note (`.venv/nga-tu.json`) says how far the work got, so that a start that was killed half-way is put right by
the next one, and so that a second start costs one look at it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VENV_OLD = ROOT / ".venv-old"
NOTE = VENV / "nga-tu.json"
LOG = VENV / "setup.log"
PYTHON = (3, 11)
TICK_S = 0.2
PIP_SAYS_LITTLE = "subprocess-exited-with-error"  # its reason stands above it
NEEDED_BYTES = 5_000_000_000  # 3.1 GB measured for .venv, and room for pip to unpack

LIBRARIES = {  # what SUMO, OpenCV and headless drawing load, and the Debian package that brings it
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libGL.so.1": "libgl1",
    "libatomic.so.1": "libatomic1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
}
TEST_TOOLS = {  # other hands on our field link, our report and our cameras; a path is a file that must be there
    "snmpget": "snmp",
    "chromium": "chromium",
    "/usr/lib/python3/dist-packages/gi/__init__.py": "python3-gi",
    "/usr/lib/*/girepository-1.0/GstRtspServer-1.0.typelib": "gir1.2-gst-rtsp-server-1.0",
    "/usr/lib/*/gstreamer-1.0/libgstrtp.so": "gstreamer1.0-plugins-good",
    "/usr/lib/*/gstreamer-1.0/libgstjpegformat.so": "gstreamer1.0-plugins-bad",
}
EXTRAS = {"test": "test", "bench": "bench"}  # command -> extra in pyproject.toml
SETTINGS = {  # one thread a process: many small processes share the cores; and nothing is fetched behind our back
    "OMP_NUM_THREADS": "1",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_OFFLINE": "true",
    "YOLO_CONFIG_DIR": str(VENV / "etc" / "ultralytics"),
    "MPLCONFIGDIR": str(VENV / "etc" / "matplotlib"),
}


class SetupError(Exception):
    """Setting up failed: where, which value, which limit, what to do next."""

    def __init__(self, where: str, value: str, limit: str, next_move: str) -> None:
        self.fault = {"kind": "SetupError", "where": where, "value": value, "limit": limit, "next": next_move}
        super().__init__(f"{where}: {value}" + (f" ({limit})" if limit else "") + f"; {next_move}")


def extra_for(arguments: Sequence[str]) -> str | None:
    """Return the extra that the command needs; the command is the first argument that is no option."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    return EXTRAS.get(command)


def fingerprint(pyproject: bytes, python: str, root: Path) -> str:
    """Return what an installation depends on: the pinned versions, Python, and where the checkout lies."""
    return hashlib.sha256(b"\0".join([pyproject, python.encode(), str(root).encode()])).hexdigest()


def read_note(path: Path) -> dict[str, Any]:
    """Return what a start before this one noted; empty where there is nothing, or nothing readable."""
    try:
        note = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def write_note(path: Path, note: dict[str, Any]) -> None:
    """Write the note in one move, so that it is never half there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(note), "utf-8")
    fresh.replace(path)


def is_ready(note: dict[str, Any], key: str, extra: str | None) -> bool:
    """Return whether everything that the command needs is installed."""
    return note.get("state") == "ready" and note.get("key") == key and (extra is None or extra in note["extras"])


def has_to_remake(note: dict[str, Any], python: str, root: Path) -> bool:
    """Return whether .venv is to be made anew: killed half-way, of another Python, or moved."""
    return note.get("state") not in ("made", "ready") or (note["python"], note["root"]) != (python, str(root))


def loadable_libraries() -> set[str]:
    """Return the names of the shared libraries that the system's loader knows."""
    ldconfig = shutil.which("ldconfig", path=f"{os.environ.get('PATH', '')}:/sbin:/usr/sbin")
    if ldconfig is None:
        return set()
    listing = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False).stdout
    return {line.split()[0] for line in listing.splitlines() if "=>" in line}


def is_installed(tool: str) -> bool:
    """Whether a command is on the path, or a file (with wildcards) is there."""
    if "/" in tool:
        return any(Path("/").glob(tool.lstrip("/")))
    return shutil.which(tool) is not None


def missing_packages(
    loadable: Collection[str],
    is_tool: Callable[[str], object],
    is_module: Callable[[str], object],
    *,
    for_tests: bool,
) -> list[str]:
    """Return the Debian packages that are missing, sorted."""
    missing = {package for library, package in LIBRARIES.items() if library not in loadable}
    if for_tests:
        missing |= {package for tool, package in TEST_TOOLS.items() if not is_tool(tool)}
    if not is_module("ensurepip"):  # Debian takes it out of Python; without it a venv has no pip
        missing.add("python3-venv")
    return sorted(missing)


def apt_line(packages: Sequence[str]) -> str:
    """Return the one line that installs the packages."""
    return f"apt-get install -y --no-install-recommends {' '.join(packages)}"


def say(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)


def last_error(log: str) -> str:
    """Return the line of a log that says best why it failed: the last error, else the last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR:", "E:", "error:")) and PIP_SAYS_LITTLE not in line]
    return (errors or lines or ["no output"])[-1]


def elapsed(seconds: float) -> str:
    """Return a span of time for people: 7 s, 3 min 05 s."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def log_tail(offset: int) -> str:
    """Return what a step wrote to the log since `offset`."""
    with LOG.open("rb") as log:
        log.seek(offset)
        return log.read().decode("utf-8", "replace")


def show(what: str, seconds: float, doing: str) -> None:
    """Show how long a step has taken: on a terminal all the time, elsewhere every 15 s."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\x1b[K{f'{what}: {elapsed(seconds)}  {doing}'[:width]}")
        sys.stderr.flush()
    elif round(seconds / TICK_S) % round(15 / TICK_S) == 0:
        say(f"{what}: {elapsed(seconds)}")


def watch(child: subprocess.Popen[bytes], what: str, offset: int, signals: Sequence[int]) -> int:
    """Wait for a step and return its exit status; at the first signal, end it and leave."""
    begin, ticks = time.monotonic(), 0
    while child.poll() is None and not signals:
        time.sleep(TICK_S)
        ticks += 1
        show(what, ticks * TICK_S, " ".join(log_tail(offset).strip().rpartition("\n")[2].split()))
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    if signals:
        end_group(child)
        raise KeyboardInterrupt if signals[0] == signal.SIGINT else SystemExit(128 + signals[0])
    say(f"{what}: {'done' if child.returncode == 0 else 'failed'} after {elapsed(time.monotonic() - begin)}")
    return int(child.returncode)


def end_group(child: subprocess.Popen[bytes]) -> None:
    """End a step with everything that it started: nothing may go on writing into .venv."""
    for number, patience_s in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + patience_s
        while time.monotonic() < until and (child.poll() is None or is_alive(child.pid)):
            time.sleep(0.05)


def is_alive(group: int) -> bool:
    """Return whether a process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def noted_signals() -> Iterator[list[int]]:
    """Note SIGINT and SIGTERM in a list instead of breaking off wherever they come in."""
    noted: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, lambda got, _: noted.append(got))
    try:
        yield noted
    finally:
        for number in heard:
            signal.signal(number, before[number])


def step(what: str, command: Sequence[str], next_move: str, lock: int) -> None:
    """Run one step with its output in the log.

    The step inherits the lock: should this process be killed, the next start waits until the orphan has ended.
    It is a group of its own, so that it can be ended with all that it has started.
    """
    with LOG.open("ab") as log, noted_signals() as signals:
        log.write(f"$ {' '.join(command)}\n".encode())
        log.flush()
        offset = log.tell()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PIP_USER": "0"},
            pass_fds=[lock],
            start_new_session=True,
        )
        code = watch(child, what, offset, signals)
    if code != 0:
        raise SetupError(what, last_error(log_tail(offset)), f"exit status {code}, all of it in {LOG}", next_move)


@contextmanager
def only_one() -> Iterator[int]:
    """Hold the lock of this checkout: two starts at once set up one after the other."""
    import fcntl

    lock = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another start is setting up .venv: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def is_inside() -> bool:
    """Return whether this is .venv's own Python."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def find_python(note: dict[str, Any]) -> str:
    """Return the Python that .venv is made with: this one, or a python3.11 beside it."""
    if is_inside() and "python" in note:
        return str(note["python"])
    if sys.version_info[:2] == PYTHON:
        return os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    name = "python{}.{}".format(*PYTHON)
    found = shutil.which(name)
    if found is None:
        version = "{}.{}".format(*sys.version_info[:2])
        raise SetupError("Python", version, "the pinned libraries need 3.11", f"install {name} and start again")
    return os.path.realpath(found)


def install_system(packages: Sequence[str], lock: int) -> None:
    """Install Debian packages where we are root on Debian; else say the one line that does."""
    line = apt_line(packages)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise SetupError("system packages", " ".join(packages), "missing", f"type: sudo {line}")
    say(f"installing system packages: {' '.join(packages)}")
    step("apt-get update", ["apt-get", "update", "-q"], f"then type: {line}", lock)
    patient = [*line.split(), "-o", "DPkg::Lock::Timeout=300"]  # another apt may be at work
    step("apt-get install", patient, f"mend it, then type: {line}", lock)


def begin_venv() -> None:
    """Clear away an unfinished .venv of ours, never one that somebody else made."""
    VENV_OLD.mkdir(exist_ok=True)
    if VENV.exists():
        if not NOTE.exists() and any(VENV.iterdir()):
            raise SetupError(str(VENV), "not made by run.py", "it will not be touched", "move it away and start again")
        VENV.rename(VENV_OLD / str(time.time_ns()))  # in one move: never half a .venv without its note
    write_note(NOTE, {"state": "making"})
    shutil.rmtree(VENV_OLD)


def set_up(key: str, extra: str | None, python: str) -> None:
    """Bring .venv to what pyproject.toml asks for, from whatever state it is in."""
    with only_one() as lock:
        note = read_note(NOTE)
        if is_ready(note, key, extra):  # another start was quicker
            return
        if has_to_remake(note, python, ROOT):
            begin_venv()
            note = read_note(NOTE)
        missing = missing_packages(
            loadable_libraries(), is_installed, importlib.util.find_spec, for_tests=extra == "test"
        )
        if missing:
            install_system(missing, lock)
        if note["state"] == "making":
            free = shutil.disk_usage(ROOT).free
            if free < NEEDED_BYTES:
                raise SetupError(str(ROOT), f"{free / 1e9:.1f} GB free", "5 GB are needed", "make room")
            step("making .venv", [python, "-m", "venv", str(VENV)], "start again", lock)
            note = {"state": "made", "python": python, "root": str(ROOT), "extras": []}
            write_note(NOTE, note)
        extras = sorted({*note["extras"], *([extra] if extra else [])})
        write_note(NOTE, {**note, "state": "installing"})
        target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        try:
            step("installing libraries", [*pip, "--progress-bar", "off", "-e", target], "mend it and start again", lock)
        except SetupError:
            write_note(NOTE, note | {"state": "made"})  # pip ended by itself: what is there is whole
            raise
        for name in ("YOLO_CONFIG_DIR", "MPLCONFIGDIR"):
            Path(SETTINGS[name]).mkdir(parents=True, exist_ok=True)
        write_note(NOTE, {**note, "state": "ready", "key": key, "extras": extras})


def hand_over(arguments: Sequence[str]) -> NoReturn:
    """Run the command: here if this is .venv's Python, else by starting again in it."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if is_inside():
        from ops.cli import main as run_command

        run_command()
        sys.exit(0)
    inside = str(VENV / "bin" / "python")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(inside, [inside, str(ROOT / "run.py"), *arguments])


def fail(error: SetupError, arguments: Sequence[str]) -> int:
    """Say the one line, and with --json the one JSON object; return the exit status."""
    if "--json" in arguments:
        print(json.dumps({"error": error.fault}, ensure_ascii=False))
    say(f"error: {error}")
    return 1


def main(arguments: Sequence[str]) -> int:
    """Set up where that is needed and hand over; return the exit status where that failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if not sys.platform.startswith("linux"):
            raise SetupError("operating system", sys.platform, "Linux is needed", "start it on Debian 12")
        note = read_note(NOTE)
        python = find_python(note)
        extra = extra_for(arguments)
        key = fingerprint((ROOT / "pyproject.toml").read_bytes(), python, ROOT)
        if not is_ready(note, key, extra):
            set_up(key, extra, python)
    except SetupError as error:
        return fail(error, arguments)
    except OSError as error:
        where = str(error.filename or ROOT)
        return fail(SetupError(where, error.strerror or str(error), "", "mend it and start again"), arguments)
    except KeyboardInterrupt:
        say("\ninterrupted while setting up; the next start puts it right")
        return 130
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    hand_over(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
