"""Starting SUMO: our own configuration in a run folder; libsumo in process, TraCI for a GUI or a remote SUMO.

libsumo holds one simulation per process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import quoteattr

from sim.netconvert import find_tool
from sim.output_free import output_free
from traffic.errors import BadScenario, PlantLost, TrafficError
from traffic.scenario import Scenario

TRIPS = "trips.xml"
"""Name of the trip records in a run folder."""
TOTALS = "totals.xml"
"""Name of SUMO's own totals in a run folder."""
_BAD_INPUT = ("not known", "unknown", "route", "depart", "vehicle", "edge", "not accessible", "no connection")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that a run of SUMO depends on. `additional` are loaded in order, the last program of a junction rules.

    `seed` is the driver seed. `is_gui` shows SUMO's window; `remote` is (host, port) of a SUMO that waits.
    `teleport_s` below 0 turns teleports off. `outputs` are additional files of our own that may write.
    """

    network: Path
    routes: tuple[Path, ...]
    additional: tuple[Path, ...] = ()
    outputs: tuple[Path, ...] = ()
    begin_s: float = 0.0
    end_s: float = 3600.0
    step_s: float = 1.0
    seed: int = 0
    lateral_resolution_m: float | None = None
    ignore_junction_blocker_s: float | None = None
    teleport_s: float = -1.0
    is_gui: bool = False
    remote: tuple[str, int] | None = None


def launch_of(
    scenario: Scenario, *, seed: int, routes: Sequence[Path] | None = None, additional: Sequence[Path] = ()
) -> Launch:
    """Return the launch of a scenario; `routes` in place of its own, `additional` after its own."""
    return Launch(
        network=scenario.network,
        routes=scenario.routes if routes is None else tuple(routes),
        additional=(*scenario.additional, *additional),
        begin_s=scenario.begin_s,
        end_s=scenario.end_s,
        step_s=scenario.step_s,
        seed=seed,
        lateral_resolution_m=scenario.lateral_resolution_m,
        ignore_junction_blocker_s=scenario.ignore_junction_blocker_s,
    )


class Simulation:
    """A running SUMO. `sumo` is libsumo, or a TraCI connection with the same domains."""

    def __init__(self, sumo: Any, errors: tuple[type[Exception], ...], launch: Launch, folder: Path) -> None:
        self.sumo, self.launch, self.folder = sumo, launch, folder
        self.time_s = launch.begin_s
        self._errors = errors
        self._is_open = True

    @property
    def trips(self) -> Path:
        """The trip records, whole once the simulation is closed."""
        return self.folder / TRIPS

    def call(self, domain: str, name: str) -> Callable[..., Any]:
        """Return a function of SUMO, e.g. ("lane", "getLastStepVehicleNumber"); of libsumo without its Python shell."""
        bare = getattr(getattr(self.sumo, "libsumo", None), "_libsumo", None)
        found: Callable[..., Any] = getattr(bare, f"{domain}_{name}", None) or getattr(getattr(self.sumo, domain), name)
        return found

    def step(self, to_time_s: float) -> None:
        """Simulate until `to_time_s`; does nothing if that is now.

        Raises
        ------
        BadScenario
            If SUMO refuses the demand on the way.
        PlantLost
            If SUMO is gone.
        """
        if to_time_s <= self.time_s + 1e-9:
            return
        if not self._is_open:
            raise PlantLost("SUMO", "closed", next_move="start it again")
        try:
            self.sumo.simulationStep(to_time_s)
        except self._errors as error:
            self.close()
            raise _as_ours(error, self.folder, f"SUMO at {self.time_s:g} s", PlantLost) from error
        self.time_s = to_time_s

    def close(self) -> None:
        """End the simulation and write what is left to write; closing twice is harmless."""
        if self._is_open:
            self._is_open = False
            with _quiet(self.folder), suppress(*self._errors):
                self.sumo.close()

    def __enter__(self) -> Simulation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def launch(what: Launch, folder: Path) -> Simulation:
    """Start SUMO in `folder`, which is made if needed and holds all that the run writes.

    Raises
    ------
    BadScenario
        If SUMO refuses the input.
    PlantLost
        If it cannot be started, or another libsumo simulation runs in this process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["-c", str(write_configuration(what, folder))]
    return _start_traci(what, folder, arguments) if what.is_gui or what.remote else _start(what, folder, arguments)


def _start(what: Launch, folder: Path, arguments: list[str]) -> Simulation:
    with _quiet(folder):
        libsumo = import_module("libsumo")
    if libsumo.isLoaded():
        raise PlantLost("SUMO", "another simulation runs in this process", "libsumo holds one", "close it first")
    errors = (libsumo.TraCIException, libsumo.libsumo.FatalTraCIError)
    try:
        with _quiet(folder):
            libsumo.start(["sumo", *arguments])
    except errors as error:
        with _quiet(folder), suppress(*errors):
            libsumo.close()
        raise _as_ours(error, folder, f"SUMO on {what.network}", BadScenario) from error
    return Simulation(libsumo, errors, what, folder)


def _start_traci(what: Launch, folder: Path, arguments: list[str]) -> Simulation:
    traci = import_module("traci")
    errors = (traci.TraCIException, traci.FatalTraCIError, OSError)
    label = uuid4().hex
    try:
        if what.remote:
            host, port = what.remote
            connection = traci.connect(port, numRetries=5, host=host)
            connection.load(arguments)
        else:
            with (folder / "sumo.log").open("a", encoding="utf-8") as log:
                traci.start([str(find_tool("sumo-gui")), *arguments, "--start"], label=label, stdout=log)
            connection = traci.getConnection(label)
    except errors as error:
        raise _as_ours(error, folder, f"SUMO on {what.network}", PlantLost) from error
    return Simulation(connection, errors, what, folder)


def write_configuration(what: Launch, folder: Path) -> Path:
    """Write SUMO's configuration into the run folder and return its path."""
    additional = [*(output_free(path, folder) for path in what.additional), *what.outputs]
    options: dict[str, object] = {
        "net-file": _names([what.network]),
        "route-files": _names(what.routes),
        "additional-files": _names(additional),
        "begin": what.begin_s,
        "end": what.end_s,
        "step-length": what.step_s,
        "seed": what.seed,
        "lateral-resolution": what.lateral_resolution_m,
        "ignore-junction-blocker": what.ignore_junction_blocker_s,
        "time-to-teleport": what.teleport_s,
        "tripinfo-output": (folder / TRIPS).resolve(),
        "tripinfo-output.write-unfinished": "true",
        "tripinfo-output.write-undeparted": "true",
        "statistic-output": (folder / TOTALS).resolve(),
        "xml-validation": "never",
        "xml-validation.net": "never",
        "xml-validation.routes": "never",
        "no-warnings": "true",
        "no-step-log": "true",
        "duration-log.disable": "true",
    }
    rows = [f"  <{name} value={quoteattr(str(value))}/>" for name, value in options.items() if value not in (None, "")]
    path = folder / "run.sumocfg"
    path.write_text("\n".join(["<configuration>", *rows, "</configuration>", ""]), encoding="utf-8")
    return path


def _names(paths: Sequence[Path]) -> str:
    for path in paths:
        if "," in str(path.resolve()):
            raise BadScenario(str(path), "has a comma in its path", "SUMO splits names at commas", "rename the folder")
    return ",".join(str(path.resolve()) for path in paths)


@contextmanager
def _quiet(folder: Path) -> Iterator[None]:
    """Send what C++ prints to the run folder's sumo.log: stdout belongs to `--json`."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, AttributeError):
            stream.flush()
    saved = os.dup(1), os.dup(2)
    log = os.open(folder / "sumo.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        yield
    finally:
        for descriptor, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(log)


def _as_ours(error: Exception, folder: Path, where: str, otherwise: type[TrafficError]) -> TrafficError:
    """Return SUMO's complaint as one of our errors, with what it printed where its message says nothing."""
    text = " ".join(str(error).split())
    if text in ("", "Process Error"):
        with suppress(OSError):
            printed = (folder / "sumo.log").read_text(encoding="utf-8", errors="replace")
            lines = [line for line in printed.splitlines() if line.startswith("Error:")]
            text = " ".join(lines[-2:]) or text
    kind = BadScenario if any(word in text.lower() for word in _BAD_INPUT) else otherwise
    next_move = "mend the network, the demand or the additional files" if kind is BadScenario else "start it again"
    return kind(where, text or "stopped", next_move=next_move)
