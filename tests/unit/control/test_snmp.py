"""Manager and agent: errors and indices of v1 and v2c, bulk, tooBig, communities, bad wires. No sockets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.drivers import ber
from control.drivers.agent import Access, Responder
from control.drivers.ber import Binding, Counter32, ErrorStatus, Message, NoValue, Oid, Pdu, Value, Version
from control.drivers.objects import oid
from control.drivers.snmp import Endpoint, Refused, SnmpClient
from tests.unit.control.field_fakes import FakeTable, LoopWire, Weather
from traffic.errors import BadInput, ControllerFault, PlantLost

BACKUP, PATTERNS, NAME = oid("unitBackupTime"), oid("maxPatterns"), oid("sysName")
SPLITS = [oid("splitTime", 1, phase) for phase in range(1, 9)]
NOWHERE = (1, 3, 6, 1, 4, 1, 9999, 1, 0)
UNKNOWN_ROW = oid("splitTime", 1, 9)


def make_table() -> FakeTable:
    values: dict[Oid, Value] = {BACKUP: 60, PATTERNS: 8, NAME: b"A0", oid("controllerLocalTime"): Counter32(9)}
    return FakeTable(values | {name: 20 + place for place, name in enumerate(SPLITS)})


def make_client(
    table: FakeTable | None = None, *, weather: Weather | None = None, wire: LoopWire | None = None, **changes: object
) -> SnmpClient:
    fields: dict[str, object] = {"host": "loop", "community": b"administrator", **changes}
    return SnmpClient(Endpoint(**fields), wire or LoopWire(table or make_table(), weather))  # type: ignore[arg-type]


def ask(kind: Pdu, names: list[Oid], version: Version = Version.V2C, **changes: object) -> Message:
    message = Message(version, b"public", kind, 5, 0, 0, [(name, None) for name in names])
    answer = Responder().answer(make_table(), ber.encode(message._replace(**changes)))  # type: ignore[arg-type]
    assert answer is not None
    return ber.decode(answer)


VERSIONS = pytest.mark.parametrize("version", Version, ids=["v1", "v2c"])


@VERSIONS
def test_values_come_in_the_order_asked_for_with_their_types(version: Version):
    client = make_client(version=version)
    names = [*SPLITS, *reversed(SPLITS), *SPLITS, NAME, oid("controllerLocalTime")]
    values = client.get_many(names)
    assert values[:24] == [*range(20, 28), *range(27, 19, -1), *range(20, 28)]
    assert values[24:] == [b"A0", Counter32(9)] and isinstance(values[25], Counter32)


@VERSIONS
def test_what_is_not_there_is_refused_by_name_or_found_as_none(version: Version):
    client = make_client(version=version)
    with pytest.raises(Refused, match=r"splitTime\.1\.9: no such name") as caught:
        client.get_many([BACKUP, UNKNOWN_ROW])
    assert (caught.value.status, caught.value.instance) == (ErrorStatus.NO_SUCH_NAME, UNKNOWN_ROW)
    assert client.find_many([NOWHERE, BACKUP, UNKNOWN_ROW, NAME]) == [None, 60, None, b"A0"]


def test_v2c_tells_a_missing_object_from_a_missing_instance_and_v1_names_the_first():
    answer = ask(Pdu.GET, [BACKUP, UNKNOWN_ROW, NOWHERE])
    assert [value for _, value in answer.bindings] == [60, NoValue.NO_SUCH_INSTANCE, NoValue.NO_SUCH_OBJECT]
    answer = ask(Pdu.GET, [BACKUP, UNKNOWN_ROW, NOWHERE], Version.V1)
    assert (answer.error_status, answer.error_index) == (ErrorStatus.NO_SUCH_NAME, 2)


BAD_SETS = [
    ("unknown", [(BACKUP, 1), (NOWHERE, 1)], ErrorStatus.NO_SUCH_NAME, ErrorStatus.NO_CREATION, 2),
    ("read-only", [(PATTERNS, 3)], ErrorStatus.NO_SUCH_NAME, ErrorStatus.NOT_WRITABLE, 1),
    ("out of range", [(NAME, b"B"), (BACKUP, 70_000)], ErrorStatus.BAD_VALUE, ErrorStatus.WRONG_VALUE, 2),
    ("wrong type", [(BACKUP, b"60")], ErrorStatus.BAD_VALUE, ErrorStatus.WRONG_TYPE, 1),
    ("too long", [(NAME, b"x" * 256)], ErrorStatus.BAD_VALUE, ErrorStatus.WRONG_LENGTH, 1),
    ("null", [(BACKUP, None)], ErrorStatus.BAD_VALUE, ErrorStatus.WRONG_TYPE, 1),
]


@pytest.mark.parametrize(
    ("bindings", "v1", "v2c", "position"), [row[1:] for row in BAD_SETS], ids=[row[0] for row in BAD_SETS]
)
def test_bad_sets_change_nothing_and_have_status_and_index_of_their_version(bindings, v1, v2c, position):
    table = make_table()
    before = dict(table.values)
    for version, status in ((Version.V1, v1), (Version.V2C, v2c)):
        with pytest.raises(Refused) as caught:
            make_client(table, version=version).set(bindings)
        assert (caught.value.status, caught.value.instance) == (status, bindings[position - 1][0])
    assert table.values == before


def test_a_good_set_is_stored_and_answered_with_its_bindings():
    table = make_table()
    make_client(table).set([(BACKUP, 90), (NAME, b"B1")])
    assert (table.values[BACKUP], table.values[NAME]) == (90, b"B1")


def test_a_reading_community_may_not_write_and_an_unknown_one_is_never_answered():
    table = make_table()
    for version, status in ((Version.V1, ErrorStatus.NO_SUCH_NAME), (Version.V2C, ErrorStatus.NO_ACCESS)):
        with pytest.raises(Refused) as caught:
            make_client(table, community=b"public", version=version).set([(BACKUP, 1)])
        assert caught.value.status == status
    wire = LoopWire(table)
    with pytest.raises(PlantLost, match="no answer to 4 requests"):
        make_client(wire=wire, community=b"private").get(BACKUP)
    assert wire.responder.counts.bad_community == 4 and table.values[BACKUP] == 60


@VERSIONS
def test_a_walk_yields_all_instances_in_order_and_stops_at_its_root(version: Version):
    table = make_table()
    client = make_client(table, version=version)
    assert list(client.walk((1, 3))) == [Binding(name, table.values[name]) for name in sorted(table.values)]
    assert [step.oid for step in client.walk(SPLITS[0][:-2])] == SPLITS
    assert list(client.walk(NOWHERE)) == []


def test_a_walk_that_goes_in_circles_is_a_fault():
    class Circle(FakeTable):
        def after(self, name: Oid) -> Binding | None:
            return Binding(SPLITS[0], 1)

    with pytest.raises(ControllerFault, match="instances must rise"):
        list(make_client(Circle({})).walk(SPLITS[0][:-2]))


def test_bulk_repeats_rows_after_its_single_ones_and_stops_at_the_end():
    answer = ask(Pdu.GET_BULK, [BACKUP[:-1], SPLITS[0]], error_status=1, error_index=3)
    assert [name for name, _ in answer.bindings] == [BACKUP, *SPLITS[1:4]]
    last = max(make_table().values)
    answer = ask(Pdu.GET_BULK, [last], error_index=10)
    assert list(answer.bindings) == [(last, NoValue.END_OF_MIB_VIEW)]
    assert list(ask(Pdu.GET_BULK, [SPLITS[0]], error_status=-3, error_index=-1).bindings) == []


@VERSIONS
def test_an_answer_that_fits_no_datagram_is_too_big_and_asked_for_in_parts(version: Version):
    table = make_table()
    wire = LoopWire(table)
    wire.responder = Responder(Access(max_octets=150))
    client = make_client(wire=wire, version=version)
    assert client.get_many(SPLITS) == list(range(20, 28))
    assert wire.responder.counts.too_big > 0
    client.set_many([(name, 9) for name in SPLITS])
    assert {table.values[name] for name in SPLITS} == {9}


def test_a_bulk_answer_is_cut_to_what_fits():
    responder = Responder(Access(max_octets=150))
    message = Message(Version.V2C, b"public", Pdu.GET_BULK, 5, 0, 8, [(SPLITS[0][:-2], None)])
    data = responder.answer(make_table(), ber.encode(message))
    assert data is not None and len(data) <= 150
    assert [name for name, _ in ber.decode(data).bindings] == SPLITS[: len(ber.decode(data).bindings)] != []


@pytest.mark.parametrize("seed", range(10))
def test_loss_doubling_and_reordering_never_give_a_wrong_value(seed: int):
    weather = Weather(loss=0.3, doubling=0.3, reordering=0.5)
    weather.rng.seed(seed)
    table = make_table()
    client = make_client(table, weather=weather, retries=60)
    for value in range(40):
        client.set([(BACKUP, value)])
        assert client.get(BACKUP) == value and client.get(SPLITS[3]) == 23
    assert client.counts.stray > 0 and client.counts.repeated > 0


class Scripted:
    """A wire that answers with what a function makes of the request."""

    def __init__(self, reply) -> None:
        self.reply, self.waiting = reply, []

    def send(self, data: bytes) -> None:
        self.waiting += self.reply(ber.decode(data))

    def receive(self, deadline_s: float) -> bytes | None:
        return self.waiting.pop(0) if self.waiting else None

    def close(self) -> None:
        self.waiting.clear()


def scripted(reply) -> SnmpClient:
    return SnmpClient(Endpoint(host="script", retries=2), Scripted(reply))


def answer_of(request: Message, **changes: object) -> bytes:
    fields = {"kind": Pdu.RESPONSE, "bindings": [(name, 1) for name, _ in request.bindings], **changes}
    return ber.encode(request._replace(**fields))  # type: ignore[arg-type]


def test_foreign_late_and_malformed_answers_are_ignored_and_counted():
    def reply(request: Message) -> list[bytes]:
        late = answer_of(request, request_id=request.request_id - 1, bindings=[(BACKUP, 7)])
        return [b"\x30\x03junk", late, ber.encode(request), answer_of(request)]

    client = scripted(reply)
    assert client.get(BACKUP) == 1
    assert (client.counts.malformed, client.counts.stray, client.counts.received) == (1, 2, 1)


def test_an_answer_about_other_objects_is_a_fault():
    with pytest.raises(ControllerFault, match="other objects"):
        scripted(lambda request: [answer_of(request, bindings=[(NAME, b"x")])]).get(BACKUP)


@pytest.mark.parametrize(("status", "index"), [(5, 0), (5, 9), (99, 1), (-1, -1)])
def test_any_error_status_and_index_becomes_one_line(status: int, index: int):
    client = scripted(lambda request: [answer_of(request, error_status=status, error_index=index)])
    with pytest.raises(Refused) as caught:
        client.get(BACKUP)
    assert "\n" not in caught.value.line and caught.value.status == status


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_an_agent_answers_rubbish_with_silence(data: bytes):
    answer = Responder().answer(make_table(), data)
    assert answer is None or ber.decode(answer).kind is Pdu.RESPONSE


@given(st.lists(st.binary(max_size=120), max_size=6))
@settings(max_examples=100, deadline=None)
def test_a_client_meets_rubbish_with_plant_lost(rubbish: list[bytes]):
    with pytest.raises(PlantLost):
        scripted(lambda _: list(rubbish)).get(BACKUP)


def test_an_address_that_cannot_be_is_bad_input():
    with pytest.raises(BadInput, match="controller at"):
        SnmpClient(Endpoint(host="127.0.0.1", port=70_000))
