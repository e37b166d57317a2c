"""Typed ids, so that a lane never passes for a link."""

from __future__ import annotations

from typing import NewType

JunctionId = NewType("JunctionId", str)
"""A signal-controlled node (SUMO: the id of its tlLogic)."""
LinkId = NewType("LinkId", str)
"""A one-way road between two nodes (SUMO: edge)."""
LaneId = NewType("LaneId", str)
"""One strip of a link (SUMO: lane)."""
MovementId = NewType("MovementId", str)
"""`<junction>:<approach link>><exit link>`, see `traffic.network.movement_id`."""
DetectorId = NewType("DetectorId", str)
"""A road sensor, real or virtual."""
PhaseNumber = NewType("PhaseNumber", int)
"""A NEMA phase, 1-16."""
