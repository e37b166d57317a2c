"""What the guard measures against: the limits of a site, under one of two profiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from traffic.errors import UnsafeCommand
from traffic.ids import JunctionId
from traffic.scenario import ClearanceFile, GuardFile


class Profile(StrEnum):
    """`street` has every rule; `legacy`, for published benchmarks, only conflict, identity and order."""

    STREET = "street"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLimits:
    """Limits of the guard.

    Attributes
    ----------
    profile
        Which rules hold.
    is_push
        Whether commands reach a real street; then unknown pedestrian data and clearances below
        the audit's formula block. An evaluation goes on with both.
    min_green_s
        Floor under every phase's own minimum green, seconds.
    max_red_s
        Longest wait at red while a call stands, seconds.
    min_cycle_s, max_cycle_s
        Site limits of the cycle, seconds.
    max_backup_time_s
        Longest fail-safe time-out that a controller may have, seconds.
    cycles_between_plans
        Cycles from one accepted plan change to the next, and from a release to the next command.
    change_s
        Longest time that the plant takes from green to the next stage's green, seconds; the
        junction's longest intergreen where that is longer.
    knows_recall
        Whether the phases' recalls were installed by somebody and so are standing calls; a junction read from
        a SUMO program has none, whatever the default of `traffic.signals.Phase` says.
    step_s
        The plant's resolution of time: forced changes start on its multiples, seconds.
    stage_level
        Junctions that may be commanded by stages; None for all.
    clearance, is_clearance_accepted
        Inputs of the clearance audit, and whether somebody accepted what lies below it.
    """

    profile: Profile = Profile.STREET
    is_push: bool = True
    min_green_s: float = 5.0
    max_red_s: float = 120.0
    min_cycle_s: int = 30
    max_cycle_s: int = 180
    max_backup_time_s: int = 300
    cycles_between_plans: int = 3
    change_s: float = 0.0
    knows_recall: bool = True
    step_s: float = 1.0
    stage_level: frozenset[JunctionId] | None = None
    clearance: ClearanceFile = field(default_factory=ClearanceFile)
    is_clearance_accepted: bool = False

    @property
    def is_street(self) -> bool:
        """Whether every rule holds."""
        return self.profile is Profile.STREET

    def opens_to_stages(self, junction: JunctionId) -> bool:
        """Whether a junction may be commanded by stages."""
        return self.stage_level is None or junction in self.stage_level


def street_limits(
    site: GuardFile, clearance: ClearanceFile | None = None, *, is_push: bool = True, change_s: float = 0.0
) -> GuardLimits:
    """Return the street profile with a scenario's own limits.

    Examples
    --------
    >>> street_limits(GuardFile(max_red_s=90)).max_red_s
    90.0
    """
    return GuardLimits(
        is_push=is_push,
        max_red_s=site.max_red_s,
        min_cycle_s=site.min_cycle_s,
        max_cycle_s=site.max_cycle_s,
        max_backup_time_s=site.max_backup_time_s,
        change_s=change_s,
        clearance=clearance or ClearanceFile(),
        is_clearance_accepted=site.accepted is not None,
    )


def legacy_limits() -> GuardLimits:
    """Return the profile of published benchmarks; `require_street` refuses it."""
    return GuardLimits(profile=Profile.LEGACY, is_push=False, min_green_s=0.0)


def require_street(limits: GuardLimits) -> None:
    """Refuse limits that must not guard a real street.

    Raises
    ------
    UnsafeCommand
        If the profile is not `street`, or unknown data would pass.
    """
    if not limits.is_street or not limits.is_push:
        value = limits.profile.value if not limits.is_street else "made for an evaluation"
        raise UnsafeCommand("guard limits", value, "a street needs every rule", "build them with street_limits")
