"""Real sockets: net-snmp's tools against our agent, our manager through a bad network."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from control.drivers.agent import SnmpAgent
from control.drivers.ber import Value, Version
from control.drivers.ntcip import NtcipDriver
from control.drivers.objects import NORMAL, TRANSACTION, oid
from control.drivers.snmp import Endpoint, SnmpClient
from control.limits import GuardLimits
from tests.e2e.net_snmp import dotted, net_snmp, walked
from tests.e2e.udp_proxy import UdpProxy, Weather
from tests.unit.control.field_fakes import FakeController
from tests.unit.traffic.factories import make_dual_ring, make_plan
from traffic.errors import PlantLost

JUNCTION = make_dual_ring()
SPLITS_S = (20, 30, 20, 30, 20, 30, 20, 30)


@pytest.fixture
def controller() -> FakeController:
    return FakeController(JUNCTION)


@pytest.fixture
def port(controller: FakeController) -> Iterator[int]:
    agent = SnmpAgent()
    number = agent.add(controller)
    agent.start()
    yield number
    agent.close()


VERSIONS = pytest.mark.parametrize("version", ["1", "2c"])


@VERSIONS
def test_snmpget_reads_typed_values(port: int, version: str):
    names = [dotted(oid(name)) for name in ("unitBackupTime", "sysName", "dbCreateTransaction")]
    printed = net_snmp("snmpget", port, *names, version=version)
    assert f"{names[0]} = INTEGER: 60" in printed
    assert f'{names[1]} = STRING: "d"' in printed
    assert f"{names[2]} = INTEGER: 1" in printed


@pytest.mark.parametrize(("tool", "version"), [("snmpwalk", "1"), ("snmpwalk", "2c"), ("snmpbulkwalk", "2c")])
def test_walks_print_every_instance_once_in_order(port: int, controller: FakeController, tool: str, version: str):
    printed = net_snmp(tool, port, ".1.3.6.1.4.1.1206", version=version)
    ours = [name for name in sorted(controller.values) if name[:7] == (1, 3, 6, 1, 4, 1, 1206)]
    assert walked(printed) == [dotted(name) for name in ours]


@VERSIONS
def test_snmpset_stores_and_bad_sets_have_the_right_error_and_index(
    port: int, controller: FakeController, version: str
):
    name, patterns, nowhere = dotted(oid("sysName")), dotted(oid("maxPatterns")), dotted(oid("splitTime", 1, 99))
    assert 'STRING: "north"' in net_snmp("snmpset", port, name, "s", "north", version=version)
    assert controller.values[oid("sysName")] == b"north"
    backup = dotted(oid("unitBackupTime"))
    cases = [
        ((backup, "i", "70000"), "badValue", "wrongValue"),
        ((backup, "s", "60"), "badValue", "wrongType"),
        ((patterns, "i", "3"), "noSuchName", "notWritable"),
        ((nowhere, "i", "3"), "noSuchName", "noCreation"),
    ]
    for words, v1, v2c in cases:
        printed = net_snmp("snmpset", port, name, "s", "south", *words, version=version)
        assert (v1 if version == "1" else v2c) in printed
        assert f"Failed object: {words[0]}" in printed
    assert controller.values[oid("sysName")] == b"north"


def test_a_reading_community_cannot_write_and_a_wrong_one_hears_nothing(port: int, controller: FakeController):
    backup = dotted(oid("unitBackupTime"))
    assert "INTEGER: 60" in net_snmp("snmpget", port, backup, community="public")
    assert "noAccess" in net_snmp("snmpset", port, backup, "i", "1", version="2c", community="public")
    assert controller.see("unitBackupTime") == 60
    assert "Timeout" in net_snmp("snmpget", port, backup, community="wrong", timeout_s=0.3)


def test_missing_objects_are_named_as_each_version_has_it(port: int):
    nowhere = dotted(oid("splitTime", 1, 99))
    assert "noSuchName" in net_snmp("snmpget", port, nowhere)
    assert "No Such Instance" in net_snmp("snmpget", port, nowhere, version="2c")
    assert "No Such Object" in net_snmp("snmpget", port, ".1.3.6.1.4.1.9999.1.0", version="2c")


def test_a_transaction_by_hand_commits_and_another_master_gets_gen_err(port: int, controller: FakeController):
    state, split = dotted(oid("dbCreateTransaction")), dotted(oid("splitTime", 7, 2))
    assert "INTEGER: 2" in net_snmp("snmpset", port, state, "i", "2")
    controller.master = b"somebody"
    assert "genError" in net_snmp("snmpset", port, split, "i", "33")
    controller.master = b"administrator"
    assert "INTEGER: 33" in net_snmp("snmpset", port, split, "i", "33")
    assert f"{split} = INTEGER: 0" in net_snmp("snmpget", port, split)
    assert "badValue" in net_snmp("snmpset", port, state, "i", "6")
    net_snmp("snmpset", port, state, "i", "3")
    printed = ""
    for _ in range(3):
        printed = net_snmp("snmpget", port, state)
    assert "INTEGER: 6" in printed
    assert "INTEGER: 1" in net_snmp("snmpset", port, state, "i", "1")
    assert f"{split} = INTEGER: 33" in net_snmp("snmpget", port, split)


def test_nobody_on_the_port_is_plant_lost_after_the_time_outs():
    agent = SnmpAgent()
    free = agent.add(FakeController(JUNCTION))
    agent.close()
    begin_s = time.monotonic()
    with (
        SnmpClient(Endpoint(host="127.0.0.1", port=free, timeout_s=0.1, retries=2)) as client,
        pytest.raises(PlantLost, match="no answer to 3 requests"),
    ):
        client.get(oid("unitBackupTime"))
    assert time.monotonic() - begin_s > 0.25


WEATHERS = {
    "20 % lost": Weather(loss=0.2),
    "half of each way lost": Weather(loss=0.5),
    "doubled and reordered": Weather(doubling=0.5, delay_s=(0.0, 0.02)),
    "every other answer lost": Weather(drop_answer=lambda n: n % 2 == 1),
    "answers later than the time-out": Weather(delay_s=(0.0, 0.09)),
}


@pytest.mark.parametrize("version", Version, ids=["v1", "v2c"])
@pytest.mark.parametrize("weather", WEATHERS.values(), ids=WEATHERS.keys())
def test_a_push_through_a_bad_network_ends_whole(
    port: int, controller: FakeController, weather: Weather, version: Version
):
    with UdpProxy(port, weather) as proxy:
        end = Endpoint(
            host="127.0.0.1",
            port=proxy.port,
            community=b"administrator",
            version=version,
            timeout_s=0.05,
            retries=60,
            max_bindings=40,
        )
        with SnmpClient(end) as client:
            driver = NtcipDriver(client, JUNCTION, GuardLimits())
            read = driver.load(make_plan(JUNCTION, SPLITS_S, 100, 35))
            driver.select(read.pattern.number)
            controller.pass_time(20)
            driver.refresh()
            assert driver.is_confirmed
            driver.release()
    assert controller.see("patternOffsetTime", 7) == 35 and controller.see("systemPatternControl") == 0
    assert controller.see("dbCreateTransaction") == NORMAL


def test_many_controllers_are_served_by_one_thread():
    agent = SnmpAgent()
    tables: list[FakeController] = [FakeController(JUNCTION, backup_time_s=60 + n) for n in range(40)]
    ports = [agent.add(table) for table in tables]
    agent.start()
    clients = [SnmpClient(Endpoint(host="127.0.0.1", port=number, timeout_s=5.0)) for number in ports]
    values: list[Value] = [client.get(oid("unitBackupTime")) for client in clients]
    for client in clients:
        client.close()
    agent.close()
    assert values == [60 + n for n in range(40)] and agent.counts.in_packets == 40


def test_a_transaction_left_open_by_hand_is_not_committed_by_a_push(port: int, controller: FakeController):
    state, split = dotted(oid("dbCreateTransaction")), dotted(oid("splitTime", 1, 2))
    net_snmp("snmpset", port, state, "i", str(TRANSACTION))
    net_snmp("snmpset", port, split, "i", "99")
    end = Endpoint(host="127.0.0.1", port=port, community=b"administrator", timeout_s=5.0)
    with SnmpClient(end) as client:
        driver = NtcipDriver(client, JUNCTION, GuardLimits(), sleep=lambda _: None)
        driver.load(make_plan(JUNCTION, SPLITS_S, 100, 35))
    assert controller.see("splitTime", 1, 2) == 25 and controller.see("patternOffsetTime", 7) == 35
