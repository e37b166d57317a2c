"""One approach of the demo counted from real pixels: a clip's flows in place of a virtual camera's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ops.count import CountOptions, run_count
from traffic.count_files import read_counts
from traffic.counts import TurnCount, VehicleClass
from traffic.errors import BadInput
from traffic.ids import MovementId
from traffic.network import Network


def count_clip(video: Path, camera: Path, weights: str | None, network: Network, out: Path) -> list[TurnCount]:
    """Count a clip and return what it says of movements of the network.

    Raises
    ------
    BadInput
        If the camera file names no movement of this network.
    """
    run_count(video, camera, weights, out, CountOptions(has_slit_scan=True))
    counted = [row for row in read_counts(out / "counts.csv") if row.movement in network.movements]
    if not counted:
        where = f"camera file {camera}"
        raise BadInput(where, "its lines name no movement of this network", next_move="give `movements` to a line")
    return counted


def in_place(counts: Sequence[TurnCount], clip: Sequence[TurnCount]) -> list[TurnCount]:
    """Return counts in which the clip's movements have the clip's mean flow, over each row's own period."""
    watched_s = {MovementId(row.movement): 0.0 for row in clip}
    seen: dict[tuple[str, VehicleClass], int] = {}
    for row in clip:
        seen[row.movement, row.vehicle_class] = seen.get((row.movement, row.vehicle_class), 0) + (row.count or 0)
    for movement in watched_s:
        periods = {row.start_s: row.period_s for row in clip if row.movement == movement}
        watched_s[movement] = sum(periods.values())

    def replaced(row: TurnCount) -> TurnCount:
        spent_s = watched_s.get(MovementId(row.movement))
        if spent_s is None or row.count is None:
            return row
        number = seen.get((row.movement, row.vehicle_class), 0)
        return replace(row, count=round(number * row.period_s / spent_s))

    return [replaced(row) for row in counts]
