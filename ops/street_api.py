"""The street's other wires: cameras and event log over HTTP, and the hold of a test harness.

A centre uses `counts` and `events` only. `run_until` and `stop` belong to the harness that holds
a simulated street at fixed times, so that two runs with one seed give identical logs; a street
that runs at its own speed refuses them.
"""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from traffic.counts import Health, TurnCount, VehicleClass
from traffic.errors import BadInput, PlantLost, TrafficError
from traffic.events import Event, EventCode
from traffic.ids import JunctionId

Json = dict[str, Any] | list[Any]


class StreetDesk(Protocol):
    """What the street answers; called from the server's threads."""

    def about(self) -> Json:
        """Scenario, clock and the addresses of the controllers."""

    def counts(self, start_s: float, end_s: float) -> Sequence[TurnCount]:
        """What the cameras counted in [start_s, end_s)."""

    def events(self, after_ds: int) -> Sequence[Event]:
        """The event log after a stamp."""

    def run_until(self, time_s: float) -> float:
        """Let the street run to this time and return where it stands."""

    def stop(self) -> None:
        """End the run; trip records are complete when the process has ended."""


def count_row(count: TurnCount) -> list[Any]:
    """Return a count as it travels."""
    return [count.movement, count.vehicle_class, count.start_s, count.period_s, count.count, count.health]


def count_from_row(row: Sequence[Any]) -> TurnCount:
    """Return the count of a row; raises ValueError on nonsense."""
    movement, vehicle_class, start_s, period_s, count, health = row
    return TurnCount(
        movement=str(movement),
        vehicle_class=VehicleClass(vehicle_class),
        start_s=float(start_s),
        period_s=float(period_s),
        count=None if count is None else int(count),
        health=Health(health),
    )


def serve_desk(desk: StreetDesk, port: int) -> ThreadingHTTPServer:
    """Start answering on 127.0.0.1:`port` (0 = any free one) in a daemon thread.

    Raises
    ------
    BadInput
        If the port is taken or not allowed.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, desk)

        def do_POST(self) -> None:
            _answer(self, desk)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing on stderr."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except (OSError, OverflowError) as error:
        raise BadInput("--http-port", port, str(error), "choose a free port, or 0 for any") from error
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="street-http").start()
    return server


def _answer(handler: BaseHTTPRequestHandler, desk: StreetDesk) -> None:
    url = urllib.parse.urlsplit(handler.path)
    query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
    try:
        status, body = 200, _route(desk, handler.command, url.path, query)
    except TrafficError as error:
        status, body = 409, {"error": error.as_json()}
    except (KeyError, ValueError) as error:
        status, body = 400, {"error": {"kind": "BadInput", "where": handler.path, "value": str(error)}}
    text = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(text)))
    handler.end_headers()
    handler.wfile.write(text)


def _route(desk: StreetDesk, method: str, path: str, query: Mapping[str, str]) -> Json:
    match (method, path):
        case ("GET", "/about"):
            return desk.about()
        case ("GET", "/counts"):
            return [count_row(count) for count in desk.counts(float(query["start_s"]), float(query["end_s"]))]
        case ("GET", "/events"):
            return [[e.time_ds, e.junction, int(e.code), e.parameter] for e in desk.events(int(query["after_ds"]))]
        case ("POST", "/run"):
            return {"time_s": desk.run_until(float(query["until_s"]))}
        case ("POST", "/stop"):
            desk.stop()
            return {}
    raise ValueError(f"no such request: {method} {path}")


@dataclass(frozen=True, slots=True)
class StreetClient:
    """The centre's end of the HTTP wire; a `CountSource`."""

    url: str
    timeout_s: float = 600.0

    def about(self) -> dict[str, Any]:
        """Return scenario, clock and controllers' addresses."""
        answer = self._ask("GET", "/about")
        if not isinstance(answer, dict):
            raise PlantLost(f"street {self.url}", answer, "must answer /about with an object")
        return answer

    def counts(self, start_s: float, end_s: float) -> list[TurnCount]:
        """Return the cameras' counts whose period lies within [start_s, end_s)."""
        return [count_from_row(row) for row in self._ask("GET", f"/counts?start_s={start_s}&end_s={end_s}")]

    def events(self, after_ds: int = -1) -> list[Event]:
        """Return the event log after a stamp."""
        rows: list[Any] = list(self._ask("GET", f"/events?after_ds={after_ds}"))
        return [Event(int(t), JunctionId(j), EventCode(c), int(p)) for t, j, c, p in rows]

    def run_until(self, time_s: float) -> float:
        """Harness only: let the street run to this time; return its clock."""
        answer = self._ask("POST", f"/run?until_s={time_s}")
        return float(answer["time_s"]) if isinstance(answer, dict) else float("nan")

    def stop(self) -> None:
        """Harness only: end the run."""
        self._ask("POST", "/stop")

    def _ask(self, method: str, path: str) -> Json:
        request = urllib.request.Request(self.url + path, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as response:
                answer: Json = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            raise PlantLost(f"street {self.url}{path}", error.read().decode()[:300], f"HTTP {error.code}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise PlantLost(f"street {self.url}{path}", error, "no answer", "is the street still running?") from error
