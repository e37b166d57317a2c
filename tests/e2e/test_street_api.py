from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from ops.street_api import StreetClient, serve_desk
from traffic.counts import Health, TurnCount, VehicleClass
from traffic.errors import PlantLost, UnsafeCommand
from traffic.events import Event, EventCode
from traffic.ids import JunctionId

COUNTS = [
    TurnCount(movement="a:b>c", vehicle_class=VehicleClass.CAR, start_s=0.0, period_s=300.0, count=3),
    TurnCount(
        movement="a:b>d",
        vehicle_class=VehicleClass.BUS,
        start_s=0.0,
        period_s=300.0,
        count=None,
        health=Health.FROZEN,
    ),
]
EVENTS = [Event(15, JunctionId("a"), EventCode.BEGIN_GREEN, 2), Event(20, JunctionId("a"), EventCode.DETECTOR_ON, 1)]


class Desk:
    def __init__(self) -> None:
        self.is_stopped = False

    def about(self) -> dict[str, Any]:
        return {"scenario": "small"}

    def counts(self, start_s: float, end_s: float) -> Sequence[TurnCount]:
        return [count for count in COUNTS if start_s <= count.start_s < end_s]

    def events(self, after_ds: int) -> Sequence[Event]:
        return [event for event in EVENTS if event.time_ds > after_ds]

    def run_until(self, time_s: float) -> float:
        if time_s < 0:
            raise UnsafeCommand("street clock", time_s, "runs forwards only", "ask for a later time")
        return time_s

    def stop(self) -> None:
        self.is_stopped = True


@pytest.fixture
def wire() -> Iterator[tuple[StreetClient, Desk]]:
    desk = Desk()
    server = serve_desk(desk, 0)
    yield StreetClient(f"http://127.0.0.1:{server.server_address[1]}", timeout_s=10.0), desk
    server.shutdown()
    server.server_close()


def test_counts_and_events_travel_unchanged(wire: tuple[StreetClient, Desk]) -> None:
    client, desk = wire
    assert client.about() == {"scenario": "small"}
    assert client.counts(0.0, 300.0) == COUNTS
    assert client.events(15) == EVENTS[1:]
    assert client.run_until(60.0) == 60.0
    client.stop()
    assert desk.is_stopped


def test_a_refusal_arrives_as_one_line(wire: tuple[StreetClient, Desk]) -> None:
    with pytest.raises(PlantLost, match="runs forwards only"):
        wire[0].run_until(-1.0)


@pytest.mark.parametrize("path", ["/nothing", "/counts", "/counts?start_s=x&end_s=1"])
def test_nonsense_is_refused_and_the_street_goes_on(wire: tuple[StreetClient, Desk], path: str) -> None:
    client, _ = wire
    with pytest.raises(PlantLost, match="HTTP 400"):
        client._ask("GET", path)
    assert client.about()


def test_a_street_that_is_gone_is_named() -> None:
    with pytest.raises(PlantLost, match="no answer"):
        StreetClient("http://127.0.0.1:9", timeout_s=1.0).about()
