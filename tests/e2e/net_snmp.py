"""Runs the command-line tools of net-snmp: a client that nobody here wrote."""

from __future__ import annotations

import shutil
import subprocess

from control.drivers.ber import Oid


def dotted(name: Oid) -> str:
    return "." + ".".join(map(str, name))


def net_snmp(
    tool: str, port: int, *words: str, version: str = "1", community: str = "administrator", timeout_s: float = 5.0
) -> str:
    """Run one of the tools and return all that it printed."""
    path = shutil.which(tool)
    assert path is not None, f"{tool} is missing: apt-get install snmp"
    options = ["-v", version, "-c", community, "-On", "-Oe", "-t", str(timeout_s), "-r", "0", "-m", ""]
    command = [path, *options, f"127.0.0.1:{port}", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def walked(printed: str) -> list[str]:
    """Return the instances of a walk; net-snmp prints the last one of a v2c walk again, with endOfMibView."""
    return [line.split(" = ")[0] for line in printed.splitlines() if " = " in line and "No more variables" not in line]
