"""What a controller may decide, for one junction at a time."""

from __future__ import annotations

from dataclasses import dataclass

from traffic.ids import JunctionId
from traffic.signals import Order


@dataclass(frozen=True, slots=True)
class SelectPattern:
    """Run this plan (plan level, the default on a street)."""

    order: Order

    @property
    def junction(self) -> JunctionId:
        """The junction it is for."""
        return self.order.plan.junction


@dataclass(frozen=True, slots=True)
class Stage:
    """Go to stage number `stage` of `traffic.lamps.stages`, not before `not_before_s` (plant's clock)."""

    junction: JunctionId
    stage: int
    not_before_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Extend:
    """Keep the running stage green until `until_s` (plant's clock)."""

    junction: JunctionId
    until_s: float


@dataclass(frozen=True, slots=True)
class Release:
    """Hand the junction back to its own plan."""

    junction: JunctionId


Decision = SelectPattern | Stage | Extend | Release
