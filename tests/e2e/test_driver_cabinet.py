"""The NTCIP driver against the virtual controller over UDP: the whole dialogue and everything that ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from control.drivers.agent import Access, SnmpAgent
from control.drivers.cabinet import CabinetSettings, VirtualController
from control.drivers.ntcip import NtcipDriver
from control.drivers.objects import oid
from control.drivers.snmp import Endpoint, SnmpClient
from control.drivers.tables_rows import all_day
from control.limits import GuardLimits
from tests.e2e.net_snmp import dotted, net_snmp, walked
from tests.unit.traffic.factories import make_dual_ring, make_plan
from traffic.errors import ControllerFault, PlantLost, UnsafeCommand
from traffic.ids import JunctionId
from traffic.ports import ControllerMode
from traffic.signals import Junction, Plan

JUNCTION = make_dual_ring()
LOCAL = make_plan(JUNCTION, (25,) * 8, 100, 0)
TENTHS_PER_DATAGRAM = 2
LEASE_S = 60
EPOCH_S = 1_790_000_000


def make_program(splits_s: tuple[int, ...] = (20, 30, 20, 30, 20, 30, 20, 30), offset_s: int = 35) -> Plan:
    return make_plan(JUNCTION, splits_s, 100, offset_s)


class Street:
    """One controller, its agent, and a clock that runs a little with every datagram and as far as it is told.

    So what happens depends on what is sent, not on how fast the machine is.
    """

    def __init__(self, junction: Junction = JUNCTION, backup_time_s: int = LEASE_S) -> None:
        settings = CabinetSettings(step_ds=1, backup_time_s=backup_time_s, epoch_s=EPOCH_S)
        self.cabinet = VirtualController(junction, all_day([LOCAL]), settings)
        self.now_ds = self.goal_ds = 0
        self.is_dead = False
        self.agent = SnmpAgent(Access(read=frozenset({b"public"}), write=frozenset({b"administrator", b"technician"})))
        port = self.agent.add(self.cabinet.tables)
        self.moved, self.stop = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()
        end = Endpoint(host="127.0.0.1", port=port, community=b"administrator", timeout_s=5.0)
        self.client = SnmpClient(end)
        self.driver = NtcipDriver(self.client, JUNCTION, GuardLimits())

    def _loop(self) -> None:
        while not self.stop.is_set():
            n_datagrams = self.agent.serve(0.01)
            if self.now_ds < self.goal_ds:
                self.now_ds = self.goal_ds
                self.cabinet.tick(self.now_ds, {})
                self.moved.set()
            elif n_datagrams:
                self.now_ds += TENTHS_PER_DATAGRAM
                self.goal_ds = self.now_ds
                self.cabinet.tick(self.now_ds, {})

    def run(self, seconds: float) -> None:
        """Let the street's clock run on by so much, unwatched."""
        self.moved.clear()
        self.goal_ds = self.now_ds + round(seconds * 10)
        assert self.moved.wait(60.0)

    def keep(self, seconds: float) -> None:
        """Let it run on while the driver polls every 5 s and renews its lease."""
        for _ in range(round(seconds / 5)):
            self.run(5)
            if self.driver.is_refresh_due(self.driver.status().time_s):
                self.driver.refresh()

    def push(self, plan: Plan | None = None) -> Plan:
        read = self.driver.load(plan or make_program())
        self.driver.select(read.pattern.number)
        return read

    def close(self) -> None:
        self.stop.set()
        self.thread.join()
        self.client.close()
        self.agent.close()


@pytest.fixture
def street() -> Iterator[Street]:
    made = Street()
    yield made
    made.close()


def test_a_plan_is_pushed_read_back_selected_and_confirmed_within_three_cycles(street: Street):
    assert street.driver.identify().config_hash == JUNCTION.config_hash
    read = street.push()
    wanted = make_program()
    assert read.split.splits == wanted.split.splits
    assert (read.pattern.cycle_s, read.pattern.offset_s) == (100, 35)
    street.keep(300)
    assert street.driver.is_confirmed
    status = street.driver.status()
    assert (status.mode, status.pattern) == (ControllerMode.COORDINATED, read.pattern.number)


def test_the_coordinated_green_begins_at_the_offset_after_master_zero(street: Street):
    street.push()
    street.keep(300)
    assert street.driver.is_confirmed
    names = (oid("phaseStatusGroupGreens", 1), oid("globalTime"))
    was_green, begun_s = True, 0
    while not begun_s:
        greens, time_s = street.client.get_many(names)
        assert isinstance(greens, int) and isinstance(time_s, int)
        is_green = bool(greens & 0b10)
        begun_s = time_s - EPOCH_S if is_green and not was_green else 0
        was_green = is_green
    assert begun_s % 100 == 35


def test_a_plan_without_a_mark_coordinates_the_junctions_own_phase(street: Street):
    plan = make_program()
    unmarked = tuple(replace(split, is_coordinated=False) for split in plan.split.splits)
    read = street.push(replace(plan, split=replace(plan.split, splits=unmarked)))
    assert read.split.splits == unmarked
    assert street.client.get(oid("splitCoordPhase", read.pattern.split, int(JUNCTION.coordinated))) == 1
    street.keep(300)
    assert street.driver.is_confirmed


def test_loading_and_selecting_again_changes_nothing(street: Street):
    first = street.push()
    street.keep(300)
    again = street.driver.load(make_program())
    street.driver.select(again.pattern.number)
    street.run(5)
    assert again == first and street.driver.status().mode is ControllerMode.COORDINATED and street.driver.is_confirmed


def test_the_next_plan_goes_into_the_other_pair(street: Street):
    first = street.push()
    street.keep(300)
    second = street.push(make_program((30, 20, 20, 30, 30, 20, 20, 30), 80))
    street.keep(300)
    assert second.pattern.number != first.pattern.number
    assert street.driver.is_confirmed and street.driver.status().pattern == second.pattern.number


def test_a_lease_that_is_not_renewed_lapses_into_the_local_plan(street: Street):
    street.push()
    street.keep(300)
    street.run(LEASE_S + 1)
    with pytest.raises(ControllerFault, match="its lease lapsed"):
        street.driver.status()
    street.run(300)
    assert street.driver.status().pattern == LOCAL.pattern.number


def test_release_hands_back_to_the_local_plan(street: Street):
    street.push()
    street.keep(300)
    street.driver.release()
    street.run(300)
    assert street.driver.status().pattern == LOCAL.pattern.number
    assert street.driver.selected is None


def test_a_controller_of_another_junction_is_refused(street: Street):
    other = Street(replace(JUNCTION, id=JunctionId("elsewhere")))
    try:
        with pytest.raises(UnsafeCommand, match="answers as elsewhere"):
            other.driver.load(make_program())
    finally:
        other.close()


def test_other_installed_times_are_refused_by_name(street: Street):
    phases = (replace(JUNCTION.phases[0], yellow_ds=40), *JUNCTION.phases[1:])
    other = Street(replace(JUNCTION, phases=phases))
    try:
        with pytest.raises(UnsafeCommand, match=r"phaseYellowChange\.1 is 40, not 30"):
            other.driver.load(make_program())
    finally:
        other.close()


def test_a_fail_safe_that_is_off_is_refused():
    street = Street(backup_time_s=0)
    try:
        with pytest.raises(UnsafeCommand, match="fail-safe time-out 0 s"):
            street.driver.load(make_program())
    finally:
        street.close()


SPOILT = [
    ("flash", "is_local_flash", "in flash"),
    ("fault monitor", "is_fault", "in flash"),
    ("remote disabled", "is_remote_disabled", "remote commands disabled"),
]


@pytest.mark.parametrize(("name", "told"), [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_a_cabinet_that_may_not_be_commanded_is_refused(street: Street, name: str, told: str):
    setattr(street.cabinet.inputs, name, True)
    street.run(5)
    with pytest.raises(UnsafeCommand, match=told):
        street.driver.load(make_program())


def set_by_technician(street: Street, name: str, value: int, *index: int) -> None:
    end = replace(street.client.endpoint, community=b"technician")
    with SnmpClient(end) as client:
        client.set([(oid(name, *index), value)])


def test_a_preempt_forbids_a_push_and_suspends_a_selection(street: Street):
    street.push()
    street.keep(300)
    set_by_technician(street, "preemptControlState", 1, 1)
    street.run(5)
    assert street.driver.status().mode is ControllerMode.PREEMPT
    street.driver.refresh()
    with pytest.raises(UnsafeCommand, match="in preempt"):
        street.driver.load(make_program(offset_s=80))
    set_by_technician(street, "preemptControlState", 0, 1)
    street.keep(300)
    assert street.driver.is_confirmed and street.driver.status().mode is ControllerMode.COORDINATED


def test_a_manual_pattern_ends_the_selection_and_forbids_a_push(street: Street):
    street.push()
    street.keep(300)
    set_by_technician(street, "coordOperationalMode", 1)
    street.run(5)
    with pytest.raises(ControllerFault, match="went to manual"):
        street.driver.status()
    with pytest.raises(UnsafeCommand, match="in manual"):
        street.driver.load(make_program())


def test_flash_during_a_selection_ends_it(street: Street):
    street.push()
    street.keep(300)
    street.cabinet.inputs.is_local_flash = True
    street.run(5)
    with pytest.raises(ControllerFault, match="went to flash"):
        street.driver.status()


BAD_PLANS = [
    ("splits over the cycle", make_program((25, 35, 20, 30, 25, 35, 20, 30)), "the splits exceed the cycle"),
    ("a split under its minimum", make_program((9, 41, 20, 30, 20, 30, 20, 30)), "the splits exceed the cycle"),
    ("rings under the cycle", make_program((20, 20, 20, 30, 20, 20, 20, 30)), "the called pattern is invalid"),
]


@pytest.mark.parametrize(("plan", "told"), [row[1:] for row in BAD_PLANS], ids=[row[0] for row in BAD_PLANS])
def test_a_plan_on_which_the_controller_drops_to_free_is_released_and_named(street: Street, plan: Plan, told: str):
    street.push(plan)
    street.run(5)
    with pytest.raises(ControllerFault, match=f"dropped to free: {told}"):
        street.driver.status()
    street.run(300)
    assert street.driver.status().pattern == LOCAL.pattern.number


def test_an_edit_of_our_pattern_by_a_technician_is_released(street: Street):
    read = street.push()
    street.keep(300)
    for name, value, *index in (
        ("dbCreateTransaction", 2),
        ("splitMode", 4, read.pattern.split, 1),
        ("dbCreateTransaction", 3),
    ):
        set_by_technician(street, name, value, *index)
    street.run(2)
    set_by_technician(street, "dbCreateTransaction", 1)
    with pytest.raises(ControllerFault, match="was edited while it was in effect"):
        street.keep(30)


def test_another_masters_open_transaction_is_left_alone(street: Street):
    set_by_technician(street, "dbCreateTransaction", 2)
    set_by_technician(street, "splitTime", 21, 5, 1)
    driver = NtcipDriver(street.client, JUNCTION, GuardLimits(), sleep=lambda _: None)
    read = driver.load(make_program())
    assert street.client.get(oid("splitTime", 5, 1)) == 0
    assert read.pattern.offset_s == 35


def test_a_power_failure_ends_the_selection_and_the_local_plan_runs(street: Street):
    street.push()
    street.keep(300)
    street.cabinet.restart()
    street.run(5)
    with pytest.raises(ControllerFault, match="restarted"):
        street.keep(60)
    street.run(300)
    assert street.driver.status().pattern == LOCAL.pattern.number
    street.push()
    street.keep(300)
    assert street.driver.is_confirmed


def test_a_controller_that_dies_is_plant_lost_in_one_line(street: Street):
    street.push()
    street.close()
    quick = replace(street.client.endpoint, timeout_s=0.05, retries=1)
    with SnmpClient(quick) as client, pytest.raises(PlantLost, match="no answer to 2 requests"):
        NtcipDriver(client, JUNCTION, GuardLimits()).identify()


@pytest.mark.parametrize(("tool", "version"), [("snmpwalk", "1"), ("snmpbulkwalk", "2c")])
def test_net_snmp_walks_all_that_the_controller_has(street: Street, tool: str, version: str):
    printed = net_snmp(tool, street.client.endpoint.port, ".1.3.6.1.4.1.1206", version=version)
    assert walked(printed) == [dotted(step.oid) for step in street.client.walk((1, 3, 6, 1, 4, 1, 1206))]
    assert len(walked(printed)) > 1000


def test_net_snmp_commits_a_plan_by_hand_and_selects_it(street: Street):
    port, state = street.client.endpoint.port, dotted(oid("dbCreateTransaction"))
    pattern, split = oid("patternCycleTime", 20), oid("splitTime", 20, 1)
    assert "genError" in net_snmp("snmpset", port, dotted(split), "i", "25")
    assert "INTEGER: 2" in net_snmp("snmpset", port, state, "i", "2")
    for phase in range(1, 9):
        row = dotted(oid("splitTime", 20, phase)), dotted(oid("splitCoordPhase", 20, phase))
        leads = str(int(phase == JUNCTION.coordinated))
        assert "INTEGER: 25" in net_snmp("snmpset", port, row[0], "i", "25", row[1], "i", leads)
    assert "INTEGER: 100" in net_snmp("snmpset", port, dotted(pattern), "i", "100")
    assert "INTEGER: 0" in net_snmp("snmpget", port, dotted(pattern))
    assert "badValue" in net_snmp("snmpset", port, state, "i", "6")
    net_snmp("snmpset", port, state, "i", "3")
    street.run(2)
    assert "INTEGER: 6" in net_snmp("snmpget", port, state)
    assert "INTEGER: 3" in net_snmp("snmpget", port, dotted(oid("dbVerifyStatus")))
    net_snmp("snmpset", port, state, "i", "1")
    assert "INTEGER: 100" in net_snmp("snmpget", port, dotted(pattern))
    net_snmp("snmpset", port, dotted(oid("systemPatternControl")), "i", "20")
    street.run(5)
    assert "INTEGER: 20" in net_snmp("snmpget", port, dotted(oid("coordPatternStatus")))
    street.run(LEASE_S)
    assert "INTEGER: 0" in net_snmp("snmpget", port, dotted(oid("systemPatternControl")))


def test_a_lease_lapses_in_real_time_too():
    """The street's clock is the wall clock here: 3 s of lease, renewed every second, then no more."""
    settings = CabinetSettings(step_ds=1, backup_time_s=3, epoch_s=EPOCH_S)
    cabinet = VirtualController(JUNCTION, all_day([LOCAL]), settings)
    agent = SnmpAgent(Access())
    port = agent.add(cabinet.tables)
    begin_s = time.monotonic()
    agent.start(lambda: cabinet.tick(int((time.monotonic() - begin_s) * 10), {}))
    end = Endpoint(host="127.0.0.1", port=port, community=b"administrator", timeout_s=5.0)
    with SnmpClient(end) as client:
        driver = NtcipDriver(client, JUNCTION, GuardLimits())
        driver.select(driver.load(make_program()).pattern.number)
        for _ in range(4):
            time.sleep(1.0)
            driver.refresh()
        held = client.get(oid("systemPatternControl"))
        time.sleep(4.2)
        lapsed = client.get(oid("systemPatternControl"))
    agent.close()
    assert held != 0 and lapsed == 0
