"""net-snmp's own tools against a virtual controller."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator

import pytest

from control.drivers.cabinet_server import CabinetServer
from control.drivers.objects import oid
from tests.unit.control.cabinet_factories import make_cross, make_plan
from traffic.ids import JunctionId

BEGIN_DS = 288_000


class Desk:
    """A served street of one junction, and a technician with net-snmp."""

    def __init__(self) -> None:
        junction = make_cross()
        plans = [make_plan(1), make_plan(2, cycle_s=80, offset_s=7)]
        self.server = CabinetServer({junction.id: junction}, plans, start_ds=BEGIN_DS, step_ds=5, backup_time_s=60)
        self.cabinet = self.server.controllers[JunctionId("cross")]
        self.port = self.server.addresses[JunctionId("cross")][1]
        self.time_ds = BEGIN_DS
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                self.server.serve_pending(0.01)

    def run_s(self, seconds: float) -> None:
        """Let the street's clock run."""
        with self._lock:
            for _ in range(round(seconds * 2)):
                self.time_ds += 5
                self.server.tick(self.time_ds, {})

    def fails(self, *arguments: str, community: str = "administrator", version: str = "1") -> str:
        """Run snmpset, require that it is refused, and return what it says."""
        command = ["snmpset", "-v", version, "-c", community, "-On", f"127.0.0.1:{self.port}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode != 0
        return done.stderr

    def get(self, name: str, *index: int) -> str:
        """Return one value as snmpget prints it."""
        command = ["snmpget", "-v", "1", "-c", "public", "-Oqvn", f"127.0.0.1:{self.port}", dotted(name, *index)]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()

    def set(self, name: str, *rest: int, community: str = "administrator") -> None:
        """Set an integer; `rest` is the index and the value."""
        *index, value = rest
        command = ["snmpset", "-v", "1", "-c", community, "-Oq", f"127.0.0.1:{self.port}"]
        subprocess.run([*command, dotted(name, *index), "i", str(value)], capture_output=True, timeout=20, check=True)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.server.close()


def dotted(name: str, *index: int) -> str:
    return "." + ".".join(map(str, oid(name, *index)))


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


def test_snmpget_reads_who_it_is_and_what_it_does(desk: Desk) -> None:
    desk.run_s(1)
    assert desk.get("sysName") == '"cross"'
    assert desk.get("coordPatternStatus") == "1"
    assert desk.get("localFreeStatus") == "2"
    assert desk.get("unitControlStatus") == "6"
    assert desk.get("unitFlashStatus") == "2"
    assert desk.get("globalTime") == str(BEGIN_DS // 10 + 1)


@pytest.mark.parametrize("version", ["1", "2c"])
def test_snmpwalk_goes_through_all_objects_in_order(desk: Desk, version: str) -> None:
    command = ["snmpwalk", "-v", version, "-c", "public", "-On", f"127.0.0.1:{desk.port}", ".1.3.6.1.4.1.1206.4.2.1.4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    names = [tuple(map(int, line.split(" = ")[0].strip(".").split("."))) for line in done.stdout.splitlines()]
    assert names == sorted(set(names))
    assert oid("splitTime", 1, 2) in names
    assert oid("systemPatternControl") in names


def test_a_transaction_shows_old_values_until_it_is_committed(desk: Desk) -> None:
    desk.set("dbCreateTransaction", 2)
    desk.set("patternOffsetTime", 2, 33)
    assert desk.get("patternOffsetTime", 2) == "7"
    assert "genErr" in desk.fails(dotted("patternOffsetTime", 2), "i", "40", community="centre")
    desk.set("dbCreateTransaction", 3)
    assert desk.get("dbCreateTransaction") == "3"
    desk.run_s(1)
    assert desk.get("dbCreateTransaction") == "6"
    assert desk.get("dbVerifyStatus") == "3"
    desk.set("dbCreateTransaction", 1)
    assert desk.get("patternOffsetTime", 2) == "33"


@pytest.mark.parametrize(
    ("arguments", "reason", "failed"),
    [
        ((dotted("coordPatternStatus"), "i", "3"), "noSuchName", dotted("coordPatternStatus")),
        ((dotted("systemPatternControl"), "i", "256"), "badValue", dotted("systemPatternControl")),
        ((dotted("systemPatternControl"), "s", "1"), "badValue", dotted("systemPatternControl")),
        ((dotted("splitTime", 1, 2), "i", "30"), "genErr", dotted("splitTime", 1, 2)),
        (
            (dotted("systemPatternControl"), "i", "2", dotted("dbCreateTransaction"), "i", "3"),
            "badValue",
            dotted("dbCreateTransaction"),
        ),
    ],
    ids=["read only", "out of range", "wrong type", "outside a transaction", "second binding"],
)
def test_a_bad_set_gets_the_right_error_and_changes_nothing(
    desk: Desk, arguments: tuple[str, ...], reason: str, failed: str
) -> None:
    told = desk.fails(*arguments)
    assert reason in told
    assert failed in told
    assert desk.get("systemPatternControl") == "0"
    assert desk.get("unitControlStatus") == "6"


def test_without_renewal_the_lease_lapses_to_the_local_plan(desk: Desk) -> None:
    desk.set("systemPatternControl", 2)
    desk.run_s(40)
    assert (desk.get("coordPatternStatus"), desk.get("unitControlStatus")) == ("2", "2")
    desk.set("systemPatternControl", 2)
    desk.run_s(40)
    assert desk.get("unitControlStatus") == "2"
    desk.run_s(25)
    assert (desk.get("coordPatternStatus"), desk.get("unitControlStatus")) == ("1", "4")
    assert desk.get("systemPatternControl") == "0"


def test_a_plan_that_cannot_run_drops_to_free_with_its_reason(desk: Desk) -> None:
    desk.set("dbCreateTransaction", 2)
    desk.set("patternOffsetTime", 2, 200)
    desk.set("dbCreateTransaction", 3)
    desk.run_s(1)
    desk.set("dbCreateTransaction", 1)
    desk.set("systemPatternControl", 2)
    desk.run_s(1)
    assert (desk.get("coordPatternStatus"), desk.get("localFreeStatus")) == ("254", "10")
