"""The command `controllers`: a street of virtual controllers that speak NTCIP over SNMP, to try a client on."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from typing import Any

from control.drivers.objects import oid
from ops.bounds import check_number
from ops.scenario_folder import open_scenario
from ops.street import RunningStreet
from ops.street_api import serve_desk
from ops.street_settings import StreetSettings

PATTERN = oid("coordPatternStatus")


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllersOptions:
    """Options of the command; `for_s` 0 runs to the end of the scenario."""

    speed: float = 1.0
    backup_time_s: int = 60
    seed: int = 1
    for_s: float = 0.0
    http_port: int = 0

    def check(self) -> None:
        """Refuse what no street can run with."""
        check_number("--speed", self.speed, 0.01)
        check_number("--backup-time", self.backup_time_s, 3, 65_535)
        check_number("--seed", self.seed, 0)
        check_number("--duration", self.for_s, 0)
        check_number("--http-port", self.http_port, 0, 65_535)


def run_controllers(scenario: str, options: ControllersOptions) -> dict[str, Any]:
    """Run the street at its own speed until its end or Ctrl-C; say where each controller listens.

    Raises
    ------
    BadInput
        If the scenario cannot be read, a number is out of bounds, or the speed is too high for the lease.
    """
    options.check()
    opened = open_scenario(scenario)
    with tempfile.TemporaryDirectory(prefix="controllers-") as folder:
        settings = StreetSettings(
            scenario=str(opened.folder),
            folder=folder,
            shift_seed=options.seed,
            day_seed=options.seed,
            driver_seed=options.seed,
            spread=0.0,
            end_s=opened.begin_s + options.for_s if options.for_s else 0.0,
            backup_time_s=options.backup_time_s,
            speed=options.speed,
            http_port=options.http_port,
        ).check()
        street = RunningStreet(settings)
        try:
            server = serve_desk(street, options.http_port)
            try:
                _say(street, f"http://127.0.0.1:{server.server_address[1]}")
                street.run()
            finally:
                server.shutdown()
                server.server_close()
        finally:
            street.close()
        return {
            "scenario": opened.name,
            "time_s": street.street.time_s,
            "rows": [
                {"junction": name, "host": host, "port": port, "pattern": controller.tables.get(PATTERN)}
                for (name, (host, port)), controller in zip(
                    street.cabinets.addresses.items(), street.cabinets.controllers.values(), strict=True
                )
            ],
        }


def _say(street: RunningStreet, url: str) -> None:
    """Tell on stderr where everything listens, and one command to try."""
    lines = [f"street at {url}; Ctrl-C ends it"]
    lines += [f"{name:<16} snmp udp {host}:{port}" for name, (host, port) in street.cabinets.addresses.items()]
    _, (host, port) = next(iter(street.cabinets.addresses.items()))
    lines.append(f"try: snmpwalk -v1 -c public {host}:{port} 1.3.6.1.4.1.1206.4.2.1.4")
    sys.stderr.write("\n".join(lines) + "\n")
