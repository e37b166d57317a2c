"""Starting a street in a process of its own, and ending it; the two share nothing but wires and a run folder."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from ops.street_api import StreetClient
from ops.street_settings import READY, StreetSettings
from traffic.errors import PlantLost

START_S = 120.0
"""Longest that a street may take to open its wires, wall time."""
END_S = 60.0
GRACE_S = 1.0
"""Wall time in which a street that no longer answers may turn out to have ended."""


class StreetProcess:
    """A running street. Ends it on exit, whatever happened; a loss of it is told with what it said last."""

    def __init__(self, settings: StreetSettings) -> None:
        self.folder = Path(settings.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        ready = self.folder / READY
        ready.unlink(missing_ok=True)
        path = self.folder / "settings.json"
        path.write_text(json.dumps(asdict(settings), indent=1), encoding="utf-8")
        self._log = (self.folder / "street.log").open("w", encoding="utf-8")
        command = [sys.executable, "-m", "ops.street", str(path)]
        root = Path(__file__).resolve().parent.parent
        self._process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True
        )
        try:
            self.client = StreetClient(self._wait_until_ready(ready))
        except BaseException:
            self.kill()
            raise

    def finish(self) -> None:
        """End the run and wait until its trip records are whole.

        Raises
        ------
        PlantLost
            If the street had died.
        """
        self.client.stop()
        try:
            code = self._process.wait(END_S)
        except subprocess.TimeoutExpired as error:
            raise PlantLost("street", f"not ended after {END_S:g} s", next_move=self._advice) from error
        if code != 0:
            raise self._death()
        self._log.close()

    def kill(self) -> None:
        """End the process at once; harmless where it has ended."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5.0)
        self._log.close()

    def __enter__(self) -> StreetProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        has_died = isinstance(error, PlantLost) and self._has_ended()
        self.kill()
        if has_died:
            raise self._death() from error

    def _has_ended(self) -> bool:
        """Whether the process is gone; one that just broke off its answers gets a moment for it."""
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _wait_until_ready(self, ready: Path) -> str:
        deadline = time.monotonic() + START_S
        while not ready.is_file():
            if self._process.poll() is not None:
                raise self._death()
            if time.monotonic() > deadline:
                raise PlantLost("street", f"not ready after {START_S:g} s", next_move=self._advice)
            time.sleep(0.05)
        return str(json.loads(ready.read_text(encoding="utf-8"))["url"])

    @property
    def _advice(self) -> str:
        return f"read {self.folder}/street.log"

    def _death(self) -> PlantLost:
        lines = (self.folder / "street.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        code = self._process.returncode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit {code}"
        return PlantLost(
            f"street in {self.folder}", lines[-1] if lines else how, f"its process ended: {how}", self._advice
        )
