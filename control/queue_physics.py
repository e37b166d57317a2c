"""What the queue model assumes of drivers; every number can be calibrated against SUMO, network by network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite

from traffic.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Physics:
    """Parameters of the queue model.

    Attributes
    ----------
    reaction_s
        Added to a type's own tau in every headway, seconds.
    first_gap_s, start_up_s
        Added behind the first vehicle of a queue; before it moves, seconds.
    gap_scale
        Factor on the gap that a minor stream needs.
    patience_s
        Waiting time after which a minor stream takes any gap, seconds.
    rolling_gap
        Share of the gap that who comes rolling needs, 0-1.
    yellow_s
        Green that drivers make of the yellow, seconds.
    acceleration_loss
        Factor on the time lost in accelerating to the speed of the next lane.
    wrong_lane_veh, side_step_veh
        How many vehicles more are put up with on a lane from which the way goes on, and on the lane ahead.
    noise
        Standard deviation of headways, as a ratio.
    merge_s
        Least time between two vehicles that enter one lane from different ones, seconds.
    insertion
        Factor on the headway between vehicles that start on one link.
    jam_s
        Time by which the place that a vehicle leaves moves upstream a vehicle, seconds.
    minor_mps
        Speed at which a minor stream comes to its line, ready to stop, m/s.
    crossing
        Share of its way over the node for which a vehicle with priority keeps a minor stream waiting.
    headway_factor
        Factor on the headways at the end of a link, where it is not 1.
    """

    reaction_s: float = 0.35
    first_gap_s: float = 0.6
    start_up_s: float = 0.7
    gap_scale: float = 1.0
    patience_s: float = 180.0
    rolling_gap: float = 0.7
    yellow_s: float = 1.0
    acceleration_loss: float = 1.3
    wrong_lane_veh: float = 4.0
    side_step_veh: float = 0.0
    noise: float = 0.1
    merge_s: float = 1.3
    insertion: float = 1.0
    jam_s: float = 1.35
    minor_mps: float = 5.0
    crossing: float = 0.5
    headway_factor: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no driver does."""
        values = {row.name: getattr(self, row.name) for row in fields(self) if row.name != "headway_factor"}
        for name, value in {**values, **self.headway_factor}.items():
            if not isfinite(value) or value < 0:
                raise BadInput(f"queue model: {name}", value, "a number of 0 or more", "calibrate it again")
