"""What does not change from run to run of a `QueuePlant`: the model, its stages and zones, what is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from control.core.arrays import Array, Stages
from control.policy_table import pieces_of
from control.queue_cycles import Cycle, cycle_of
from control.queue_model import QueueModel
from control.queue_stages import StageClock, StagePolicy, compile_stages
from traffic.ids import JunctionId
from traffic.lamps import change
from traffic.signals import Plan
from traffic.zones import Zones


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSite:
    """A town in the core, used by many plants.

    `changes` holds by junction, stage and next stage the lamps of yellow and of all-red; `cycles` what is installed,
    by junction, and is empty where no plans were given.
    """

    model: QueueModel
    shown: Mapping[JunctionId, Sequence[str]]
    stages: Stages
    zones: Zones
    pieces: Array
    cycles: tuple[Cycle, ...]
    changes: tuple[Mapping[tuple[int, int], Mapping[str, str]], ...]


def build_site(
    model: QueueModel,
    shown: Mapping[JunctionId, Sequence[str]],
    clock: StageClock,
    zones: Zones,
    plans: Mapping[JunctionId, Plan] | None = None,
) -> QueueSite:
    """Return the town of a queue model.

    Parameters
    ----------
    shown
        The stages of every junction, lamp strings.
    clock
        Of it the clearances count: when decisions fall due is the caller's affair.
    plans
        What is installed; without, all junctions have to be held.

    Raises
    ------
    UnsafeCommand
        If a plan has no cycle.
    """
    compiled, network = model.compiled, model.network
    stages = compile_stages(network, compiled, shown, clock, StagePolicy(name="hold"), {})
    stages.rules["is_by_green"] = 0
    given = plans or {}
    return QueueSite(
        model=model,
        shown=shown,
        stages=stages,
        zones=zones,
        pieces=pieces_of(network, compiled, zones),
        cycles=tuple(cycle_of(row, given[name], model.journeys.begin_s) for name, row in model.junctions.items())
        if given
        else (),
        changes=tuple(_changes(shown[name], clock.clearance_s[name]) for name in model.junctions),
    )


def _changes(shown: Sequence[str], clearance_s: Sequence[tuple[float, float]]) -> dict[tuple[int, int], dict[str, str]]:
    """Return the lamps of yellow and of all-red from each stage to each other one."""
    return {
        (a, b): {
            name: lamps
            for name, (_, lamps) in zip(
                ("yellow", "red"), change(before, after, *(span or 1.0 for span in clearance_s[a])), strict=False
            )
        }
        for a, before in enumerate(shown)
        for b, after in enumerate(shown)
    }
