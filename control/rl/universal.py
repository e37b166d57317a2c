"""The inputs of the universal policy (`control.core.policy`) as an observation: 20 a stage, the same as in the core.

What a stage is worth depends on how long its movements have been red, which one snapshot does not tell: this one looks
at every reading of an episode, in order (`watch`), and asking it twice in between still gives the same.
"""

from __future__ import annotations

import numpy as np
from gymnasium.spaces import Box, Space

from control.core.policy import N_INPUTS, worths
from control.policy_sense import line_of, never_red, reds, sense
from control.rl.arena import Arena
from control.rl.observations import MOST, Seen
from traffic.errors import BadInput
from traffic.ids import JunctionId
from traffic.snapshot import Snapshot


class Universal:
    """Per stage the inputs of `control.core.policy.INPUTS`, stage after stage; all 0 in a change.

    Raises
    ------
    BadInput
        If the arena does not say what history expects.
    """

    def __init__(self, arena: Arena) -> None:
        if arena.sight is None:
            where, next_move = f"observation universal of {arena.name}", "use zones, or give the arena a sight"
            raise BadInput(where, "no history", "it needs flows and clearances", next_move)
        self._sight = arena.sight()
        self._yellow_s = arena.clock.yellow_s
        self._index = arena.network.junction_index
        self._line = line_of(arena.network)
        self._n = {name: len(stages) for name, stages in arena.stages.items()}
        self._spaces = {name: Box(0.0, MOST, (n * N_INPUTS,), np.float32) for name, n in self._n.items()}
        self._worth = np.zeros(max(self._n.values()), np.float64)
        self._red_since_s = never_red(self._line)
        self._seen: Snapshot | None = None

    def space(self, junction: JunctionId) -> Space[Seen]:
        """Return the box of a junction: stages x inputs, flat."""
        return self._spaces[junction]

    def start(self) -> None:
        """Forget what was red."""
        self._red_since_s = never_red(self._line)
        self._seen = None

    def watch(self, snapshot: Snapshot) -> None:
        """Fill the readings, and note what is red, since its yellow after the look before; twice is harmless."""
        if snapshot is self._seen:
            return
        looked_s = np.nan if self._seen is None else self._seen.time_s
        self._red_since_s = reds(self._line, snapshot, self._red_since_s, looked_s, self._yellow_s)
        sense(snapshot, self._red_since_s, self._sight)
        self._seen = snapshot

    def of(self, snapshot: Snapshot, junction: JunctionId) -> Seen:
        """Return the inputs of a junction's stages."""
        self.watch(snapshot)
        place, n = self._index[junction], self._n[junction]
        running = snapshot.stage[place]
        if running < 0:
            return np.zeros(n * N_INPUTS, np.float32)
        worths(place, running, snapshot.time_s - snapshot.green_since_s[place], self._sight, self._worth)
        return np.clip(self._sight.inputs[:n], 0.0, MOST).astype(np.float32).ravel()
