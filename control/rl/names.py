"""Observations by name."""

from __future__ import annotations

from control.rl.arena import Arena, made
from control.rl.observations import MakeObservation, Observation, Zones
from control.rl.universal import Universal

OBSERVATIONS: dict[str, MakeObservation] = {"zones": Zones, "universal": Universal}


def observation_of(arena: Arena, observation: str | MakeObservation) -> Observation:
    """Return the observation of a name, or one's own.

    Raises
    ------
    BadInput
        If there is none of that name; the message lists them.
    """
    return made("observation", observation, OBSERVATIONS, arena)
