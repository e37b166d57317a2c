"""Who wants green: detector calls, recalls, pedestrian calls, and what a master omits or adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from traffic.ids import PhaseNumber
from traffic.signals import SplitMode

STANDING_VEHICLE = frozenset(
    {SplitMode.MINIMUM_RECALL, SplitMode.MAXIMUM_RECALL, SplitMode.MAX_AND_PED_RECALL, SplitMode.PEDESTRIAN_RECALL}
)
"""Modes in which a phase is called without a detector."""
TO_THE_END = frozenset({SplitMode.MAXIMUM_RECALL, SplitMode.MAX_AND_PED_RECALL})
"""Modes in which a phase uses all the time that it may have."""
PEDESTRIAN = frozenset({SplitMode.PEDESTRIAN_RECALL, SplitMode.MAX_AND_PED_RECALL, SplitMode.MAXIMUM_RECALL})
"""Modes in which pedestrians are served with every green: no button is known on a phase that always runs in full."""

Phases = frozenset[PhaseNumber]
NO_PHASES: Phases = frozenset()


@dataclass(slots=True, kw_only=True)
class Controls:
    """What a master holds on the phases; all empty in backup."""

    omit: Phases = NO_PHASES
    ped_omit: Phases = NO_PHASES
    hold: Phases = NO_PHASES
    force_off: Phases = NO_PHASES
    vehicle_call: Phases = NO_PHASES
    ped_call: Phases = NO_PHASES


@dataclass(slots=True, kw_only=True)
class Calls:
    """Calls that wait, and those that stand. `failed` are phases whose detector cannot be believed."""

    controls: Controls
    modes: Mapping[PhaseNumber, SplitMode] = field(default_factory=dict)
    coordinated: Phases = NO_PHASES
    vehicle: set[PhaseNumber] = field(default_factory=set)
    pedestrian: set[PhaseNumber] = field(default_factory=set)
    occupied: Phases = NO_PHASES
    failed: Phases = NO_PHASES

    def has_vehicle(self, phase: PhaseNumber) -> bool:
        """Whether vehicles call the phase: a wheel, a recall, a master, a detector that failed."""
        return (
            phase in self.vehicle
            or phase in self.occupied
            or phase in self.coordinated
            or phase in self.failed
            or phase in self.controls.vehicle_call
            or self.modes.get(phase, SplitMode.NONE) in STANDING_VEHICLE
        )

    def has_pedestrian(self, phase: PhaseNumber) -> bool:
        """Whether pedestrians call the phase."""
        if phase in self.controls.ped_omit:
            return False
        return (
            phase in self.pedestrian
            or phase in self.controls.ped_call
            or self.modes.get(phase, SplitMode.NONE) in PEDESTRIAN
        )

    def stands(self, phase: PhaseNumber) -> bool:
        """Whether the phase is called in every cycle: a recall, a master, a detector that failed."""
        if phase in self.failed or phase in self.controls.vehicle_call or phase in self.controls.ped_call:
            return True
        return self.modes.get(phase, SplitMode.NONE) in STANDING_VEHICLE

    def is_served(self, phase: PhaseNumber) -> bool:
        """Whether the phase may be served at all in what runs now."""
        return phase not in self.controls.omit and self.modes.get(phase) not in (None, SplitMode.OMITTED)

    def wants(self, phase: PhaseNumber) -> bool:
        """Whether the phase is called and may be served."""
        return self.is_served(phase) and (self.has_vehicle(phase) or self.has_pedestrian(phase))

    def extends(self, phase: PhaseNumber) -> bool:
        """Whether a running green is to use all the time that it may have."""
        return phase in self.failed or self.modes.get(phase) in TO_THE_END
