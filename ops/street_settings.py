"""What a run of the street depends on; both its ends know this, and nothing else of each other."""

from __future__ import annotations

from dataclasses import dataclass

from traffic.errors import BadInput

READY = "street.json"
"""Written into the run folder once the street can be reached: its addresses."""
TRUTH = "truth.csv"
"""What really passed, written when the street ends; only a report may open it, after the run."""
MAX_STEP_S = 0.5
"""Longest step at which a virtual controller's tenths still mean something (design)."""
MAX_SPEED_LEASES = 3.0
"""A lease must last at least this many seconds of wall time (design, Clocks)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetSettings:
    """What a run of the street depends on.

    `shift_seed` fixes how the street differs from history, `day_seed` the day, `driver_seed` the
    drivers and the cameras' errors. With `speed` 0 the street runs only as far as a harness lets
    it; otherwise that many street seconds a second.
    """

    scenario: str
    folder: str
    shift_seed: int
    day_seed: int
    driver_seed: int
    spread: float = 0.35
    step_s: float = 0.5
    begin_s: float = 0.0
    end_s: float = 0.0
    count_period_s: float = 900.0
    backup_time_s: int = 300
    speed: float = 0.0
    http_port: int = 0

    def check(self) -> StreetSettings:
        """Refuse what no street can run with (design, Clocks).

        Raises
        ------
        BadInput
            If a lease would have to be renewed more often than once a second of wall time, or the step is too long
            for virtual controllers.
        """
        if not 0 < self.step_s <= MAX_STEP_S:
            raise BadInput("step of the street", f"{self.step_s:g} s", f"at most {MAX_STEP_S:g} s", "step finer")
        fastest = self.backup_time_s / MAX_SPEED_LEASES
        if not self.speed >= 0:
            raise BadInput("--speed", f"{self.speed:g}", "0 (held), or more", "give another speed")
        if self.speed > fastest:
            raise BadInput("--speed", f"{self.speed:g}", f"at most {fastest:g} with this lease", "run slower")
        return self
