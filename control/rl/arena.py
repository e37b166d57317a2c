"""What an environment stands on: a town's facts, the guard's limits, the clock of decisions, and how a plant starts.

Only `ops` joins the packages that fill it (`ops.rl_envs` for SUMO); an arena over any other plant is made the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from control.controllers.max_pressure import exits_of
from control.core.policy import Sight
from control.guard import CLOCK_START
from control.limits import GuardLimits
from traffic.errors import BadInput, BadScenario
from traffic.ids import JunctionId, MovementId
from traffic.network import Network
from traffic.ports import Plant
from traffic.signals import Junction, Plan
from traffic.snapshot import FloatArray, Snapshot

MadeT = TypeVar("MadeT")


class DecisionClock(Protocol):
    """When decisions fall due: `sim.protocols` has the two under which controls are compared."""

    @property
    def decision_s(self) -> float:
        """Time from one decision to the next, seconds."""

    @property
    def yellow_s(self) -> float:
        """Shortest yellow, seconds."""

    @property
    def is_clocked_by_green(self) -> bool:
        """Whether a stage's next decision counts from its green."""

    def due(self, snapshot: Snapshot, begin_s: float) -> frozenset[int] | None:
        """Return the places of the junctions about which a decision falls due now; None = all."""

    def next_s(self, snapshot: Snapshot, begin_s: float) -> float:
        """Return the first time after the snapshot's at which a decision falls due."""


class StartPlant(Protocol):
    """Starts the plant of one episode; what it returns may have a `close()`, and may be a `Guard` already."""

    def __call__(self, *, driver_seed: int, demand_seed: int, is_held: bool) -> Plant:
        """Return a plant at its beginning; with `is_held` all junctions wait for decisions, else each runs its own."""


@dataclass(frozen=True, kw_only=True)
class Arena:
    """All that an environment depends on.

    Attributes
    ----------
    stages
        The stages that actions number, lamp strings.
    plans
        The installed plans; needed for actions at plan level only.
    horizon_s
        Length of an episode, seconds.
    persons_per_vehicle
        Mean occupancy by movement, from historic counts by class; a movement that is missing has 1.
    sight
        Makes what the universal policy knows of the junctions; only its observation asks.
    day
        The instant from which the plant's seconds count, for the validity of orders.
    """

    name: str
    network: Network
    junctions: Mapping[JunctionId, Junction]
    stages: Mapping[JunctionId, Sequence[str]]
    limits: GuardLimits
    clock: DecisionClock
    horizon_s: float
    start: StartPlant
    plans: Mapping[JunctionId, Plan] = field(default_factory=dict)
    persons_per_vehicle: Mapping[MovementId, float] = field(default_factory=dict)
    sight: Callable[[], Sight] | None = None
    day: datetime = CLOCK_START

    def __post_init__(self) -> None:
        if not self.junctions:
            raise BadScenario(f"arena {self.name}", "no signals", "at least one junction", "choose another network")
        if not self.horizon_s > 0.0:
            raise BadInput(f"arena {self.name}: horizon", f"{self.horizon_s} s", "above 0", "give a longer one")

    def require(self, junction: JunctionId | None) -> JunctionId:
        """Return a junction that is there; the only one for None.

        Raises
        ------
        BadInput
            If it is not there, or there are several and none was named.
        """
        if junction is None and len(self.junctions) == 1:
            return next(iter(self.junctions))
        if junction is None or junction not in self.junctions:
            raise BadInput(f"junction of {self.name}", junction, f"one of {', '.join(self.junctions)}", "name one")
        return junction

    def places_of(self, junction: JunctionId) -> npt.NDArray[np.intp]:
        """Return the places of a junction's movements in the arrays of a snapshot."""
        return np.flatnonzero(self.junction_of == self.network.junction_index[junction])

    def by_junction(self, values: FloatArray) -> FloatArray:
        """Return sums of values of movements, shape (n_junction,), where unknown ones (NaN) count as the known ones do.

        A junction of which nothing is known has 0: there is nothing to learn from.
        """
        n = len(self.junctions)
        if not np.isnan(values.sum()):
            return np.bincount(self.junction_of, values, n).astype(np.float64, copy=False)
        known = ~np.isnan(values)
        totals = np.bincount(self.junction_of, np.where(known, values, 0.0), n)
        seen = np.bincount(self.junction_of, known, n)
        scale: FloatArray = np.divide(np.bincount(self.junction_of, minlength=n), seen, out=np.zeros(n), where=seen > 0)
        return totals * scale

    @cached_property
    def junction_of(self) -> npt.NDArray[np.intp]:
        """Place of each movement's junction, shape (n_movement,)."""
        index = self.network.junction_index
        return np.array([index[m.junction] for m in self.network.movements.values()], dtype=np.intp)

    @cached_property
    def lanes_before(self) -> FloatArray:
        """Lanes from which each movement starts, shape (n_movement,)."""
        connections = self.network.connections
        rows = [{connections[c].from_lane for c in m.connections} for m in self.network.movements.values()]
        return np.array([max(1, len(row)) for row in rows], dtype=np.float64)

    @cached_property
    def lanes_beyond(self) -> FloatArray:
        """Lanes of each movement's exit, shape (n_movement,)."""
        return exits_of(self.network)[0]

    @cached_property
    def exit_length_m(self) -> FloatArray:
        """Length of each movement's exit, metres, shape (n_movement,)."""
        return exits_of(self.network)[1]


def made(
    kind: str, given: str | Callable[[Arena], MadeT], known: Mapping[str, Callable[[Arena], MadeT]], arena: Arena
) -> MadeT:
    """Return what a name, or one's own maker, makes of an arena.

    Raises
    ------
    BadInput
        If there is none of that name; the message lists them.
    """
    if not isinstance(given, str):
        return given(arena)
    if given not in known:
        raise BadInput(kind, given, f"one of {', '.join(sorted(known))}", "choose one, or give your own")
    return known[given](arena)
