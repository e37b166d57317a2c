"""One run: a controller and a plant, decision by decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sim.protocols import Protocol
from traffic.ports import Controller, Plant
from traffic.snapshot import Snapshot

StateT = TypeVar("StateT")


def drive(
    plant: Plant,
    controller: Controller[StateT],
    until_s: float,
    protocol: Protocol,
    *,
    watch: Callable[[Snapshot], None] | None = None,
) -> StateT:
    """Let a controller decide whenever the protocol says so, until `until_s`; return its last state.

    Decisions about junctions for which none is due are not passed on; `watch` sees every snapshot.
    """
    snapshot = plant.snapshot()
    begin_s = snapshot.time_s
    state = controller.start(plant)
    places = plant.network.junction_index
    while snapshot.time_s < until_s:
        if watch:
            watch(snapshot)
        decisions, state = controller.decide(snapshot, state)
        due = protocol.due(snapshot, begin_s)
        if due is not None:
            decisions = [decision for decision in decisions if places[decision.junction] in due]
        if decisions:
            plant.command(decisions)
            if protocol.is_clocked_by_green:
                snapshot = plant.snapshot()
        plant.advance(min(protocol.next_s(snapshot, begin_s), until_s) - snapshot.time_s)
        snapshot = plant.snapshot()
    return state
