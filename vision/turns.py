"""Turning movements: from the zone that a road user is first in to another one, once.

::

        +--north--+
        +---------+
    +--+           +--+        a road user was in `north` and comes into `east`: north>east,
    |w |           |e |        at the moment in which it left `north`
    +--+           +--+
"""

from __future__ import annotations

from dataclasses import dataclass

from vision.boxes import FloatArray
from vision.camera import Area
from vision.zones import inside

_STAYS = 2
"""Looks that a road user must be in a zone in: one may be a box that trembles over an edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A turning movement made: entry and exit zone, and when the entry was left."""

    entry: str
    exit: str
    time_s: float


@dataclass(slots=True, kw_only=True)
class ZoneWalk:
    """What is known of one road user's way through the zones."""

    entry: str | None = None
    left_s: float = 0.0
    is_made: bool = False
    _in: str | None = None
    _looks: int = 0

    def move(self, time_s: float, zone: str | None) -> Turn | None:
        """Take the zone that it is in now (None between them); return the movement in the moment it is certain."""
        self._looks = self._looks + 1 if zone == self._in else 1
        self._in = zone
        if zone is not None and zone == self.entry:
            self.left_s = time_s
        if zone is None or self.is_made or self._looks < _STAYS:
            return None
        if self.entry is None:
            self.entry, self.left_s = zone, time_s
            return None
        if zone == self.entry:
            return None
        self.is_made = True
        return Turn(entry=self.entry, exit=zone, time_s=self.left_s)


def zone_of_each(points: FloatArray, zones: tuple[Area, ...]) -> list[str | None]:
    """Return the first zone that holds each point, shape (n, 2); None for those in none."""
    found: list[str | None] = [None] * len(points)
    for zone in reversed(zones):
        for i in inside(points, zone.points).nonzero()[0]:
            found[int(i)] = zone.name
    return found
